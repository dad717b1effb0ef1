"""A secret input: neither the state nor any message shows its value in clear."""

from __future__ import annotations

from chekt_provider.emulator import Emulator, Fault, Switches
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, anonymous, held

SECRET = "Canary Street 7"

PROGRAM = """
name = pulumi.Output.secret({name!r})
MonitoringStation("a", external_monitoring_station_id="a-01", name=name, adopt_existing={adopt})
MonitoringStation("plain", external_monitoring_station_id="p-01", name="Plain", prefix=pulumi.Output.from_input("p"))
"""


def test_what_chekt_keeps_in_another_form_is_encrypted_with_what_was_asked(emulator: Emulator, stack: Stack) -> None:
    """Made, refreshed, changed and deleted: the state names the secret inputs, and nothing is left to do."""
    emulator.switches = Switches(values="capitals")
    stack.program(PROGRAM.format(name=SECRET, adopt=False))
    stack.up()
    stack.up_changes_nothing()
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.up_changes_nothing()

    assert {external_id: name for _, external_id, name, *_ in held(emulator)}["a-01"] == SECRET.upper()
    stations = stack.stations()
    assert stations["a"]["outputs"]["secret_inputs"] == stations["a"]["inputs"]["secret_inputs"] == ["name"]
    assert "secret_inputs" not in stations["plain"]["outputs"]

    stack.program(PROGRAM.format(name=SECRET + "b", adopt=False))
    stack.up()
    stack.up_changes_nothing()
    stack.destroy()
    for text in (SECRET, SECRET.upper()):
        stack.assert_nothing_shows(text)


def test_no_sentence_says_the_value_of_a_secret_input(emulator: Emulator, stack: Stack) -> None:
    """An adoption, its preview, an error from CHeKT, one of ours: each says [secret] in its place."""
    emulator.add_station(external_monitoring_station_id="a-01", name="Old")
    stack.program(PROGRAM.format(name=SECRET, adopt=True))
    told = "chekt: Adopting monitoring station 'a-01' (12345/1): changing name from 'Old' to [secret]."

    assert told in stack.pulumi("preview").text
    assert told in stack.up().text

    echo = f'{{"error": {{"code": "bad", "message": "no such name: {SECRET.upper()}b", "field": "name"}}}}'
    emulator.add_fault(Fault(method="PUT", path="*", status=422, body=echo))
    stack.program(PROGRAM.format(name=SECRET + "b", adopt=True))
    (error,) = (line for line in stack.up(status=1).errors if "Could not" in line)
    assert anonymous(error) == (
        "error: Could not update monitoring station 'a-01' (12345/1): CHeKT refused: bad, \"no such name: [secret]\", "
        "field name. Nothing was changed. Correct the input and run again. (HTTP 422, trace id T)"
    )
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=403))
    stack.pulumi("state", "delete", "--yes", "urn:pulumi:dev::test::pulumi-python:dynamic/chekt:MonitoringStation::a")
    emulator.add_fault(Fault(method="GET", status=503))
    stack.environment["CHEKT_LOG"] = "debug"
    stack.program(PROGRAM.format(name=SECRET, adopt=False))
    (error,) = (line for line in stack.up(status=1).errors if "Could not" in line)
    assert "it exists already as 12345/1, with name [secret], prefix '', linecard ''." in error
    for text in (SECRET, SECRET.upper()):
        stack.assert_nothing_shows(text)


def test_a_site_that_is_named_by_a_secret_is_not_named(emulator: Emulator, stack: Stack) -> None:
    """Assigned, refreshed, refused and left: no sentence has its external id."""
    emulator.add_station(external_monitoring_station_id="a-01", name="A")
    emulator.add_site(external_site_id=SECRET, name="Villa")
    program = 'SiteAssignment("v", external_site_id=pulumi.Output.secret({!r}), monitoring_station_id={})'
    stack.program(program.format(SECRET, 1))
    stack.up()
    stack.up_changes_nothing()
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.up_changes_nothing()
    stack.program(program.format(SECRET + "b", 1))

    (error,) = (line for line in stack.up(status=1).errors if "Could not" in line)

    assert anonymous(error) == (
        "error: Could not assign site [secret] of dealer 12345 to monitoring station 12345/1: the dealer has no such "
        "site. Nothing was changed. Correct the site's id, or make the site in CHeKT's portal first. (trace id T)"
    )
    stack.destroy()
    assert [text for text in stack._printed if SECRET in text] == []

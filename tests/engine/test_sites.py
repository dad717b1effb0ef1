"""Sites through the real engine: put on stations, moved when a station is replaced, never without one."""

from __future__ import annotations

import re

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import NO_ACCESS, anonymous, house, placed

PROGRAM = """
    a = MonitoringStation("a", external_monitoring_station_id="{}", name="A")
    SiteAssignment("villa", external_site_id="villa-1", monitoring_station_id=a.monitoring_station_id)
    SiteAssignment("shop", site_id=2, monitoring_station_id=a.monitoring_station_id)
    pulumi.export("number", a.monitoring_station_id)
"""


def writes(emulator: Emulator) -> list[str]:
    """The requests that changed something, in order."""
    made = [r for r in emulator.requests if r.method != "GET" and "oauth" not in r.path]
    return [f"{r.method} {r.path.removeprefix('/partner/v1/dealers/12345')}" for r in made]


def test_the_life_of_an_assignment(emulator: Emulator, stack: Stack) -> None:
    """Preview, up, no change, drift, refresh, repair, replacement of the station, removal: each as it should be."""
    house(emulator, "0001", name="Villa", on=None)
    house(emulator, "0002", name="Shop", on=None)
    stack.program(PROGRAM.format("a-01"))

    # A preview sends nothing, although the station's number is not known yet; an up moves each site once.
    assert "+ 4 to create" in stack.pulumi("preview").text
    assert emulator.requests == []
    stack.up()
    assert writes(emulator)[0] == "POST /monitoring-stations"
    assert sorted(writes(emulator)[1:]) == ["PUT /sites/1", "PUT /sites/2"]
    assert placed(emulator) == {1: 1, 2: 1}
    stack.up_changes_nothing()
    stack.pulumi("refresh", "--yes", "--expect-no-changes")

    villa = stack.assignments()["villa"]
    assert villa["id"] == "12345/site/1"
    assert villa["type"] == "pulumi-python:dynamic/chekt:SiteAssignment"
    outputs = {name: value for name, value in villa["outputs"].items() if name != "__provider"}
    assert outputs == {
        "dealer_id": "12345",
        "site_id": "1",
        "external_site_id": "villa-1",
        "name": "Villa",
        "account_number": "0001",
        "monitoring_station_id": "1",
        "api_host": "localhost",
        "site_named_by": "external_site_id",
        "declared_by": "organization/test/dev/villa",
    }
    assert isinstance(villa["outputs"]["__provider"], str)

    # If somebody takes a site off its station or moves it, that is a difference; up --refresh puts it back.
    emulator.add_station(external_monitoring_station_id="other", name="Other")
    emulator.edit_site(1, monitoring_station_id=None)
    emulator.edit_site(2, monitoring_station_id=2)
    drift = re.sub(" +:", ":", stack.pulumi("preview", "--refresh", "--diff", "--expect-no-changes", status=7).text)
    assert '+ monitoring_station_id: "1"' in drift
    assert '~ monitoring_station_id: "2" => "1"' in drift
    assert re.findall(r"[+~-] ?\d to \w+", drift) == ["~ 2 to update"]
    stack.up("--refresh")
    assert placed(emulator) == {1: 1, 2: 1}

    # A station is replaced: the new one comes, then the sites move, then the old one goes.
    stack.program(PROGRAM.format("a-02"))
    emulator.clear_requests()
    preview = stack.pulumi("preview").text
    assert "+-1 to replace" in preview
    assert "~ 2 to update" in preview
    assert (
        "chekt: Replacing monitoring station 'a-01' (12345/1): 2 sites send their signals to it (0 activated): "
        "'Villa' (1), 'Shop' (2).\n"
    ) in preview
    stack.up()
    done = writes(emulator)
    assert done[0] == "POST /monitoring-stations"
    assert sorted(done[1:3]) == ["PUT /sites/1", "PUT /sites/2"]
    assert done[3:] == ["DELETE /monitoring-stations/1"]
    assert [r.body for r in emulator.requests if r.method == "PUT"] == [{"monitoring_station_id": 3}] * 2
    assert placed(emulator) == {1: 3, 2: 3}
    assert stack.outputs() == {"number": 3}
    stack.up_changes_nothing()

    # An assignment taken out of the program leaves its site, and says so; nothing is sent for it.
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-02", name="A")')
    emulator.clear_requests()
    removed = stack.up()
    assert emulator.requests == []
    assert "chekt: Leaving site 'Villa' (12345/site/1) where it is (on monitoring station 12345/3" in removed.text
    assert placed(emulator) == {1: 3, 2: 3}


def test_no_site_is_without_a_station_while_one_is_replaced(emulator: Emulator, stack: Stack) -> None:
    """A fault at any step leaves every site on an existing station; the next up finishes the replacement."""
    house(emulator, "0001", name="Villa", on=None)
    house(emulator, "0002", name="Shop", on=None)
    stack.program(PROGRAM.format("a-01"))
    stack.up()
    stack.program(PROGRAM.format("a-02"))

    for method, path in (("PUT", "*/sites/1"), ("DELETE", "*/monitoring-stations/1")):
        emulator.add_fault(Fault(method=method, path=path, status=403, times=None))
        stack.up(status=1)
        stations = {station["monitoring_station_id"] for station in emulator.stations()}
        assert stations == {1, 2}
        assert set(placed(emulator).values()) <= stations
        emulator.clear_faults()
    assert placed(emulator) == {1: 2, 2: 2}

    stack.up()

    assert [station["monitoring_station_id"] for station in emulator.stations()] == [2]
    assert placed(emulator) == {1: 2, 2: 2}
    stack.up_changes_nothing()


def test_a_station_that_is_removed_hands_its_sites_on(emulator: Emulator, stack: Stack) -> None:
    """reassign_sites_to as another station's output: refused without it, recorded without a write, used on deletion."""
    program = """
        b = MonitoringStation("b", external_monitoring_station_id="b-01", name="B")
        a = MonitoringStation("a", external_monitoring_station_id="a-01", name="A"{})
    """
    stack.program(program.format(""))
    stack.up()
    number = {s["name"]: s["monitoring_station_id"] for s in emulator.stations()}
    house(emulator, "0001", name="Villa", on=number["A"])
    without_a = 'MonitoringStation("b", external_monitoring_station_id="b-01", name="B")'
    stack.program(without_a)
    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        f"error: Could not delete monitoring station 'a-01' (12345/{number['A']}): 1 site sends its signals to it "
        "(0 activated): 'Villa' (1). Nothing was deleted. Move them to another monitoring station first: each with "
        "SiteAssignment, or all with reassign_sites_to (declare the station with it, run `pulumi up`, "
        "then delete). (trace id T)"
    ]

    stack.program(program.format(", reassign_sites_to=b.monitoring_station_id"))
    emulator.clear_requests()
    assert "~ 1 updated" in stack.up().text
    assert emulator.requests == []
    assert stack.stations()["a"]["outputs"]["reassign_sites_to"] == str(number["B"])
    stack.up_changes_nothing()
    stack.pulumi("refresh", "--yes", "--expect-no-changes")

    stack.program(without_a)
    emulator.clear_requests()
    stack.up()
    assert writes(emulator) == ["PUT /sites/1", f"DELETE /monitoring-stations/{number['A']}"]
    assert placed(emulator) == {1: number["B"]}


def test_what_a_person_reads_when_an_assignment_is_wrong(emulator: Emulator, stack: Stack) -> None:
    """All bad inputs in the preview; a colliding account number, and sites that may not be read, during the run."""
    emulator.add_station(external_monitoring_station_id="old", name="Old")
    house(emulator, "0042", name="Villa", on=None)
    house(emulator, "0042", name="Shop")
    stack.program('SiteAssignment("villa", monitoring_station_id="x", probe="tcp://host")')
    problem = "error: pulumi-python:dynamic/chekt:SiteAssignment resource 'villa' has a problem: "
    assert stack.pulumi("preview", status=1).errors == [
        problem + "monitoring_station_id is not an id: write digits only, such as 12345.",
        problem + "probe is not of the form tcp://host:port, such as tcp://receiver.example:5000.",
        problem + "site_id or external_site_id is missing: pass the one by which you know the site.",
    ]
    assert emulator.requests == []

    stack.program('SiteAssignment("villa", monitoring_station_id=1, site_id=1)')
    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        "error: Could not assign site 1 of dealer 12345 to monitoring station 12345/1: site 'Villa' (1) cannot be on "
        "monitoring station 12345/1: site 'Shop' (2) is there already, with the same account number '0042'. Nothing "
        "was changed. Give one of the two another account number in CHeKT's portal, then run again. "
        "(trace id T)"
    ]
    assert placed(emulator) == {1: None, 2: 1}

    emulator.edit_site(1, account_number="0043")
    stack.up()
    emulator.add_fault(Fault(path="*/sites", status=403, times=None))
    refresh = stack.pulumi("refresh", "--yes", "--skip-preview", status=1)
    assert [anonymous(line) for line in refresh.errors] == [
        "error: Could not read site 'Villa' (12345/site/1): CHeKT refused: forbidden, \"a fault of the emulator\". "
        "Nothing was changed. "
        f"{NO_ACCESS} (HTTP 403, trace id T, request id R)"
    ]
    assert list(stack.assignments()) == ["villa"]

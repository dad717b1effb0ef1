"""One station, the right one, no site without one: through the engine, with an API that lags or was restored."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, anonymous, calls, held, house, placed

CENTRAL = 'MonitoringStation("central", external_monitoring_station_id="central-01", name="{name}"{more})\n'


def central(name: str = "Central", more: str = "") -> str:
    return CENTRAL.format(name=name, more=more)


@pytest.mark.parametrize("age", ["zoned", "naive", "absent"])
def test_one_declaration_is_one_station_under_lag(emulator: Emulator, stack: Stack, age: str) -> None:
    """Lists and GET are two seconds behind, duplicates taken; then a refresh at once, and nothing to do."""
    emulator.add_station(external_monitoring_station_id="other", name="Other")
    emulator.switches = Switches.model_validate(
        {"list_lag": 2, "item_lag": 2, "duplicate": "twin", "created_at": age, "database_clock": -1}
    )
    stack.program(central())

    stack.up()
    stack.pulumi("refresh", "--yes", "--expect-no-changes")
    stack.up_changes_nothing()

    assert [station[1] for station in held(emulator)] == ["other", "central-01"]
    assert [call for call in calls(emulator) if call.startswith("POST")] == ["POST /monitoring-stations"]


def test_a_refresh_at_once_does_not_lose_a_station_that_shows_after_six_seconds(
    emulator: Emulator, stack: Stack
) -> None:
    """A destroy does not leave it behind either."""
    emulator.switches = Switches(list_lag=6, item_lag=6)
    stack.program(central())
    stack.up()

    stack.pulumi("refresh", "--yes", "--expect-no-changes")
    assert list(stack.stations()) == ["central"]

    stack.destroy()
    assert held(emulator) == []


def test_another_s_station_is_never_touched(emulator: Emulator, stack: Stack) -> None:
    """A backup was restored: the recorded number belongs to another station. Every command says so; the state stays."""
    stack.program(central())
    stack.up()
    emulator.put_station(1, external_monitoring_station_id="shop-77", name="Shop")
    told = (
        "12345/1 is monitoring station 'shop-77' now, and was 'central-01'. Nothing was changed. Take the resource out "
        "of the state with `pulumi state delete` and its URN (and --target-dependents, where others need it), then run "
        "`pulumi up`: it creates the station, or adopts the one that has its external id where adopt_existing is set. "
        "(trace id T)"
    )

    def refused(*arguments: str) -> list[str]:
        return [anonymous(line) for line in stack.pulumi(*arguments, "--yes", "--skip-preview", status=1).errors]

    assert refused("destroy") == [f"error: Could not delete monitoring station 'central-01' (12345/1): {told}"]
    assert refused("refresh") == [f"error: Could not read monitoring station 'central-01' (12345/1): {told}"]
    assert refused("up", "--refresh") == [f"error: Could not read monitoring station 'central-01' (12345/1): {told}"]
    stack.program(central("Renamed"))
    assert refused("up") == [f"error: Could not update monitoring station 'central-01' (12345/1): {told}"]
    stack.program("")
    assert refused("up") == [f"error: Could not delete monitoring station 'central-01' (12345/1): {told}"]

    assert held(emulator) == [(1, "shop-77", "Shop", "", "")]
    stack.program(central())
    stack.pulumi("state", "delete", stack.stations()["central"]["urn"], "--yes")
    stack.up()
    assert [station[1] for station in held(emulator)] == ["shop-77", "central-01"]


def test_an_entry_that_stands_twice_in_the_state_deletes_nothing(emulator: Emulator, stack: Stack) -> None:
    """Somebody copied an entry; the program has the other one, and keeps the station."""
    stack.program(central())
    stack.up()
    state = json.loads(stack.exported())
    entries = state["deployment"]["resources"]
    (entry,) = [resource for resource in entries if resource["type"].endswith("chekt:MonitoringStation")]
    entries.append({**entry, "urn": entry["urn"].replace("::central", "::copy")})
    file = stack.folder / "copied.json"
    file.write_text(json.dumps(state))
    stack.pulumi("stack", "import", "--file", str(file))

    told = stack.up().text

    assert "Keeping monitoring station 'central-01' (12345/1): another resource of this program has it." in told
    assert len(held(emulator)) == 1
    stack.up_changes_nothing()


@pytest.mark.parametrize("idempotency", ["kept", "ignored"])
def test_of_two_stacks_that_create_in_the_same_second_one_owns_the_station(
    emulator: Emulator, stack: Stack, tmp_path: Path, idempotency: str
) -> None:
    """Both look before either makes it: the other one learns that it exists."""
    emulator.switches = Switches.model_validate({"idempotency": idempotency})
    (tmp_path / "second").mkdir()
    second = Stack(tmp_path / "second", stack.environment)
    second.pulumi("stack", "rename", "prod")
    for each in (stack, second):
        each.program(central())
    looked = threading.Barrier(2)
    emulator.add_fault(Fault(method="GET", path=COLLECTION, when="after", delay=4, times=4))
    ended: list[str] = []

    def up(each: Stack) -> None:
        looked.wait()
        try:
            each.up()
            ended.append("owns it")
        except AssertionError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=up, args=[each]) for each in (stack, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(held(emulator)) == 1
    assert ended.count("owns it") == 1
    (other,) = [text for text in ended if text != "owns it"]
    assert "it exists already as 12345/1, with name 'Central'" in other
    assert sum(call.startswith("POST") for call in calls(emulator)) == 2


def test_reassign_sites_to_holds_for_the_station_that_a_refused_replacement_left(
    emulator: Emulator, stack: Stack
) -> None:
    """Following the error's advice works, and the next `up` finishes what the first began."""
    backup = 'backup = MonitoringStation("backup", external_monitoring_station_id="backup-01", name="Backup")\n'
    stack.program(backup + central())
    stack.up()
    number = next(station[0] for station in held(emulator) if station[1] == "central-01")
    house(emulator, "0001", on=number)
    replaced = central().replace("central-01", "central-02")
    stack.program(backup + replaced)
    assert "1 site sends its signals to it" in stack.up(status=1).text

    advised = 'name="Central", reassign_sites_to=backup.monitoring_station_id'
    stack.program(backup + replaced.replace('name="Central"', advised))
    stack.up()

    numbers = {station[1]: station[0] for station in held(emulator)}
    assert numbers.keys() == {"backup-01", "central-02"}
    assert placed(emulator) == {1: numbers["backup-01"]}
    stack.up_changes_nothing()


@pytest.mark.parametrize("option", ["--run-program", "--refresh"])
def test_a_destroy_that_compares_first_deletes_all_the_same(emulator: Emulator, stack: Stack, option: str) -> None:
    """Pulumi compares each station with the program, but that keeps none."""
    stack.program(central())
    stack.up()

    stack.pulumi("destroy", "--yes", "--skip-preview", option)

    assert held(emulator) == []


ADOPTS = 'name="Central", adopt_existing=True'
MOVES = {
    "under a parent": ([], ADOPTS + ', opts=pulumi.ResourceOptions(parent=pulumi.ComponentResource("a:b:C", "house"))'),
    "by --replace": (["--replace", "**central"], ADOPTS),
}


@pytest.mark.parametrize("way", MOVES)
def test_a_resource_that_takes_over_its_own_station_keeps_it(emulator: Emulator, stack: Stack, way: str) -> None:
    """Pulumi creates again, which adopts, and then deletes what the resource had before: the same station."""
    stack.program(central())
    stack.up()
    arguments, inputs = MOVES[way]
    stack.program(central().replace('name="Central"', inputs))

    told = stack.pulumi("up", "--yes", "--skip-preview", *arguments).text

    assert "Keeping monitoring station 'central-01' (12345/1): another resource of this program has it." in told
    assert held(emulator) == [(1, "central-01", "Central", "", "")]
    stack.up_changes_nothing()


def test_a_rename_that_is_taken_back_keeps_the_station(emulator: Emulator, stack: Stack) -> None:
    """Both times by adoption."""
    for name in ("central", "middle", "central"):
        stack.program(central().replace('"central",', f'"{name}",').replace('name="Central"', ADOPTS))
        stack.up()
        stack.up_changes_nothing()

    assert held(emulator) == [(1, "central-01", "Central", "", "")]


def test_two_resources_of_one_name_send_their_sites_each_its_own_way(emulator: Emulator, stack: Stack) -> None:
    """They are below parents of two types; one is taken out of the program, the other stays."""
    program = """
        north = MonitoringStation("north", external_monitoring_station_id="north", name="North")
        south = MonitoringStation("south", external_monitoring_station_id="south", name="South")
        class One(pulumi.ComponentResource):
            def __init__(self, kind, key, there):
                super().__init__(f"acme:house:{kind}", kind)
                opts = pulumi.ResourceOptions(parent=self)
                MonitoringStation(
                    "same", external_monitoring_station_id=key, name=key, opts=opts,
                    reassign_sites_to=there.monitoring_station_id,
                )
        One("A", "a-01", north)
    """
    stack.program(program + '    One("B", "b-01", south)')
    stack.up()
    numbers = {station[1]: station[0] for station in held(emulator)}
    house(emulator, "0001", on=numbers["b-01"])

    stack.program(program)
    stack.up()

    assert placed(emulator) == {1: numbers["south"]}
    stack.up_changes_nothing()


@pytest.mark.parametrize("target", ["north", "south", None])
def test_reassign_sites_to_holds_for_a_replacement_under_a_new_name(
    emulator: Emulator, stack: Stack, target: str | None
) -> None:
    """The state has the old name and the old target; what the program says now counts."""
    others = """
        north = MonitoringStation("north", external_monitoring_station_id="north", name="North")
        south = MonitoringStation("south", external_monitoring_station_id="south", name="South")
    """
    old = """
        MonitoringStation(
            "a", external_monitoring_station_id="a-01", name="A", reassign_sites_to=north.monitoring_station_id
        )
    """
    new = """
        MonitoringStation(
            "b", external_monitoring_station_id="a-02", name="A", reassign_sites_to={},
            opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="a")]),
        )
    """
    stack.program(others + old)
    stack.up()
    numbers = {station[1]: station[0] for station in held(emulator)}
    house(emulator, "0001", on=numbers["a-01"])

    stack.program(others + new.format(f"{target}.monitoring_station_id" if target else None))
    if target is None:
        assert "1 site sends its signals to it" in stack.up(status=1).text
    else:
        stack.up()
        stack.up_changes_nothing()

    assert placed(emulator) == {1: numbers[target or "a-01"]}

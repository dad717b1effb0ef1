"""Rows C1 to C7: repetition, two at once, and what a crash leaves."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chekt_provider.emulator import Switches
from chekt_provider.errors import ChektError, StationExists
from tests.faults.rows import row
from tests.faults.world import CHANGED, ID, INPUTS, LIST, World, as_held
from tests.helpers import EXISTS_REMEDY, held

STATES = sorted((Path(__file__).parents[1] / "states").glob("*.json"))


@pytest.mark.parametrize("same_run", [True, False], ids=["one run", "two runs"])
@row("C1", "create")
def test_c1_create_destroy_create_within_a_day(world: World, same_run: bool) -> None:
    """The replayed answer names a station that is gone: another key makes a live one."""
    world.works(world.provider())
    provider = world.provider()
    provider.delete(ID, world.state or {})
    world.ahead.append(60)

    again = (provider if same_run else world.provider()).create(INPUTS)

    assert again.id == "12345/2"
    assert held(world.emulator) == [as_held(INPUTS, 2)]
    assert [r.replayed for r in world.emulator.requests if r.method == "POST" and r.path.endswith(LIST)] == [
        False,
        True,
        False,
    ]


@row("C1", "create")
def test_c1_a_replayed_answer_of_a_station_that_lives(world: World) -> None:
    """The list does not show it yet; the answer comes from an earlier run: the run takes the station, and says so."""
    world.works()
    world.ahead.append(70)
    world.fault(method="GET", path=LIST, body="[]", times=2)
    world.said.clear()

    again = world.provider().create(INPUTS)

    assert again.id == ID
    assert held(world.emulator) == [as_held(INPUTS)]
    assert world.said == ["Taking monitoring station 'central-01' (12345/1), which CHeKT dates before this run."]


@row("C2", "create")
def test_c2_a_stored_failure_is_replayed(world: World) -> None:
    """The same key once more, then one new key, which no earlier run can have used."""
    world.fault(status=500, remember=True)

    world.works()

    first, second, third = world.keys()
    assert first == second != third


@row("C2", "create")
def test_c2_a_failure_that_stays_is_given_up(world: World) -> None:
    """It stops after three POSTs, each after a look."""
    world.fault(status=500, times=None)

    line = world.fails()

    assert "after 3 attempts. The dealer's list does not show the station, which may still come." in line
    assert world.writes() == 3
    world.untouched()
    world.repaired()


@row("C3", "update")
def test_c3_there_and_back_within_a_day(world: World) -> None:
    """The third PUT, equal to the first one, takes effect."""
    provider = world.provider()
    for name in ("A", "B", "A"):
        world.state = provider.update(ID, world.state or {}, INPUTS | {"name": name}).outs

    assert held(world.emulator) == [as_held(INPUTS | {"name": "A"})]
    assert len(set(world.keys())) == 3


def both(world: World, *inputs: dict[str, str]) -> list[str | ChektError]:
    """Two runs create at once: both have listed before either sends its POST. Gives ids or errors."""
    providers = [world.provider() for _ in inputs]
    for provider in providers:
        provider.read("12345/9", {"api_host": "localhost"})  # so that each knows the list
    start = threading.Barrier(len(inputs))

    def create(number: int) -> str | ChektError:
        start.wait()
        try:
            return str(providers[number].create(inputs[number]).id)
        except ChektError as error:
            return error

    with ThreadPoolExecutor(len(inputs)) as pool:
        return list(pool.map(create, range(len(inputs))))


@pytest.mark.parametrize("duplicate", ["409", "400", "422", "twin"])
@row("C4", "create")
def test_c4_two_runs_create_the_same_station(world: World, duplicate: str) -> None:
    """The same key: one station, which both have; even where CHeKT would take a second one."""
    world.emulator.switches = Switches.model_validate({"duplicate": duplicate})

    assert both(world, INPUTS, INPUTS) == [ID, ID]

    assert held(world.emulator) == [as_held(INPUTS)]


@pytest.mark.parametrize("duplicate", ["409", "400", "422", "twin"])
@row("C4", "create")
def test_c4_two_runs_differ(world: World, duplicate: str) -> None:
    """The second one gets the error that shows the station; even where CHeKT would take a second one."""
    world.emulator.switches = Switches.model_validate({"duplicate": duplicate})

    outcomes = both(world, INPUTS, INPUTS | {"name": "Other"})

    assert [type(outcome) for outcome in outcomes if outcome != ID] == [StationExists]
    assert len(held(world.emulator)) == 1


@row("C4", "create")
def test_c4_two_runs_where_nothing_prevents_a_twin(world: World) -> None:
    """CHeKT takes an external id twice and knows no keys: the next refresh names both, once."""
    world.emulator.switches = Switches(duplicate="twin", idempotency="ignored")
    assert sorted(map(str, both(world, INPUTS, INPUTS))) == ["12345/1", "12345/2"]
    (state,) = [world.manage(**INPUTS | {"external_monitoring_station_id": "other"})]
    world.said.clear()

    provider = world.provider()
    for number in (1, 2, 1):
        provider.read(f"12345/{number}", {**state, **INPUTS})

    assert world.said == [
        "2 stations have the external id 'central-01': 12345/1, 12345/2. Delete all but one of them in CHeKT's portal."
    ]


@row("C4", "update", "delete")
def test_c4_an_orphan_overlaps_its_rerun(world: World) -> None:
    """What a killed run still finishes beside its rerun does no harm."""
    orphan = world.provider()
    if world.operation == "update":
        orphan.update(ID, world.state or {}, CHANGED)
    else:
        orphan.delete(ID, world.state or {})

    world.works()


@pytest.mark.parametrize("adopt", [False, True])
@row("C5", "create")
def test_c5_declared_twice(world: World, adopt: bool) -> None:
    """The second fails before any POST; neither adopts the other."""
    provider = world.provider(adoptExisting=adopt)
    world.works(provider)

    error = world.error(provider)

    assert "another resource of this program has the same external id" in str(error)
    assert world.writes() == 1
    assert held(world.emulator) == [as_held(INPUTS)]


def end_at(moment: int) -> Callable[[], None]:
    """Ends a process the nth time that it looks at its clock, which it does before and after each request."""
    readings = itertools.count(1)

    def look() -> None:
        if next(readings) == moment:
            raise KeyboardInterrupt

    return look


@row("C6")
def test_c6_a_run_that_is_ended_at_any_moment(world: World) -> None:
    """The next run repairs it; one station at most. Through the engine: engine/test_kill.py."""
    state = world.state
    for moment in itertools.count(1):
        provider = world.provider()
        world.clock.on_reading = end_at(moment)
        try:
            world.run(provider)
        except KeyboardInterrupt:
            world.clock.on_reading = lambda: None
            assert len(held(world.emulator)) <= 1
            world.repaired()
        else:
            break
        world.emulator.reset()
        world.state = state and world.manage(**INPUTS)

    assert moment > {"create": 12, "read": 8, "update": 12, "delete": 10}[world.operation]


@row("C7", "create")
def test_c7_a_restored_checkpoint(world: World) -> None:
    """The state forgot an existing station: the line shows it and both ways out; adopting is one of them."""
    world.manage(**INPUTS)

    line = world.fails()

    assert (
        ": it exists already as 12345/1, with name 'Central', prefix 'CH', linecard '7'. Nothing was changed." in line
    )
    assert EXISTS_REMEDY in line
    world.repaired()
    assert world.writes() == 0


@pytest.mark.parametrize("path", STATES, ids=[path.stem for path in STATES])
@row("C7", "read", "update", "delete")
def test_c7_a_state_of_an_older_version(world: World, path: Path) -> None:
    """Its stations are read, compared and deleted like new ones. Through the engine: engine/test_old_states.py."""
    world.emulator.reset()
    resources = json.loads(path.read_text())["deployment"]["resources"]
    recorded = {r["id"]: r for r in resources if r["type"] == "pulumi-python:dynamic/chekt:MonitoringStation"}
    assert recorded
    for station in recorded.values():
        world.manage(**{name: station["outputs"][name] for name in INPUTS})
    provider = world.provider()
    for id_, station in recorded.items():
        read = provider.read(id_, station["outputs"])
        assert read.id == id_
        assert not provider.diff(id_, {**(read.outs or {}), "__provider": "x"}, station["inputs"]).changes
        assert not provider.diff(id_, station["outputs"], station["inputs"]).changes
        if world.operation == "update":
            provider.update(id_, station["outputs"], {**station["inputs"], "name": "New"})
        elif world.operation == "delete":
            world.provider().delete(id_, station["outputs"])

    names = [station["name"] for station in world.emulator.stations()]
    assert (
        names
        == {
            "read": [station["inputs"]["name"] for station in recorded.values()],
            "update": ["New"] * len(recorded),
            "delete": [],
        }[world.operation]
    )

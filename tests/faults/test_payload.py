"""Rows P1 to P6: what bodies hold."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from chekt_provider.emulator import Switches
from tests.faults.rows import row
from tests.faults.world import ID, INPUTS, ITEM, LIST, SITES, World, station_json
from tests.helpers import held

Unset = Literal["null", "empty", "absent"]


def no_change(world: World) -> None:
    """The next preview, with a refresh before it, shows no change."""
    provider = world.provider()
    assert world.state is not None
    read = provider.read(ID, world.state)
    assert read.outs is not None
    assert not provider.diff(ID, {**read.outs, "__provider": "x"}, world.wanted).changes
    assert not provider.diff(ID, {**world.state, "__provider": "x"}, world.wanted).changes


@pytest.mark.parametrize("unset", ["null", "empty", "absent"])
@pytest.mark.parametrize("put", ["merge", "replace"])
@row("P1", "create", "read", "update")
def test_p1_unset_texts(world: World, unset: Unset, put: Literal["merge", "replace"]) -> None:
    """Null, "" and absent are one: after the operation there is nothing left to change."""
    world.emulator.switches = Switches(unset=unset, put=put)
    plain = INPUTS | {"prefix": "", "linecard": ""}
    world.wanted_instead = plain | {"name": world.wanted["name"]}
    if world.operation != "create":
        world.emulator.edit_station(1, prefix="", linecard="")
        assert world.state is not None
        world.state |= {"prefix": "", "linecard": ""}

    world.works()

    no_change(world)


@row("P1", "create", "read", "update")
def test_p1_further_fields_in_another_order(world: World) -> None:
    """They are ignored."""
    known = json.loads(station_json(name=world.wanted["name"]))
    odd = {"z_new": {"a": [1]}, **dict(reversed(known.items())), "0": None}
    world.fault(when="after", body=json.dumps([odd] if world.operation == "read" else odd))

    world.works()

    no_change(world)


GOOD_IDS = [1, "1", 1.0]
BAD_IDS = [-1, 0, 1.5, True, None, "1_000", "../sites/5", "\uff11", 1e300, [1]]


@pytest.mark.parametrize("number", GOOD_IDS)
@row("P2", "create", "read", "update")
def test_p2_an_id_in_any_form(world: World, number: object) -> None:
    """It is kept as digits."""
    answer = station_json(name=world.wanted["name"], monitoring_station_id=number)
    world.fault(when="after", body=f"[{answer}]" if world.operation == "read" else answer)

    world.works()


@pytest.mark.parametrize("number", BAD_IDS)
@row("P2", "create", "read", "update")
def test_p2_what_is_no_id(world: World, number: object) -> None:
    """It never enters the state: a list finds a created station, everything else is an error."""
    answer = station_json(name=world.wanted["name"], monitoring_station_id=number)
    world.fault(when="after", body=f"[{answer}]" if world.operation == "read" else answer)

    if world.operation == "create":
        world.works()
        assert world.writes() == 1
    else:
        assert "the answer is no station as documented (monitoring_station_id)" in world.fails_and_is_repaired()


@row("P2", "create")
def test_p2_an_id_that_no_float_holds(world: World) -> None:
    """2**53 + 1 stays what it is."""
    world.fault(status=201, body=station_json(monitoring_station_id=2**53 + 1))

    assert world.provider().create(INPUTS).id == "12345/9007199254740993"


JUNK = {
    "broken": '{"canary": ',
    "not a number": '{"monitoring_station_id": NaN, "a": "canary"}',
    "too deep": "[" * 100_000,
    "too long a number": f'{{"monitoring_station_id": {"7" * 5000}, "a": "canary"}}',
}


@pytest.mark.parametrize("kind", JUNK)
@row("P3")
def test_p3_bad_json(world: World, kind: str) -> None:
    """One kind of error without the body, and no write is repeated without a look."""
    world.fault(status=200, body=JUNK[kind], times=None)

    line = world.fails()

    no_list = world.operation == "read" and kind != "too deep"
    assert ("the list is not an array" if no_list else "the answer is not the JSON it says it is") in line
    assert len(line) < 600
    assert world.writes() == {"create": 3, "read": 0, "update": 1, "delete": 1}[world.operation]
    world.untouched()
    world.repaired()


@pytest.mark.parametrize("form", ["CENTRAL STATION", "Central  station", "Central"], ids=["case", "blanks", "cut"])
@row("P4", "create", "update")
def test_p4_a_value_in_chekts_own_form(world: World, form: str) -> None:
    """The state holds CHeKT's value, and the next preview shows no change."""
    world.wanted_instead = INPUTS | {"name": "Central station"}
    if world.operation == "update":
        assert world.state is not None
        world.emulator.edit_station(1, name="Old")
        world.state["name"] = "Old"
    world.fault(when="after", body=station_json(name=form))

    world.run(world.provider())
    world.emulator.edit_station(1, name=form)

    assert world.state is not None
    assert world.state["name"] == form
    no_change(world)


@row("P4", "create")
def test_p4_a_field_that_a_creation_lost(world: World) -> None:
    """It is put once more."""
    world.fault(when="after", body=station_json(prefix=""))

    world.works()

    assert [call for call in world.calls() if not call.startswith("GET")] == [f"POST {LIST}", f"PUT {ITEM}"]


@row("P4", "update")
def test_p4_a_field_that_an_update_did_not_take(world: World) -> None:
    """It is named."""
    world.fault(body=station_json())

    line = world.fails_and_is_repaired()

    assert "CHeKT did not take name, which is still 'Central'" in line


@pytest.mark.parametrize("style", ["pages", "offset", "links"])
@row("P5")
def test_p5_a_list_in_pages(world: World, style: Literal["pages", "offset", "links"]) -> None:
    """What is on the last page is there."""
    world.emulator.reset()
    numbers = [world.emulator.add_station(external_monitoring_station_id=f"o-{n}", name="O") for n in range(4)]
    world.emulator.switches = Switches(lists=style, page_size=2)
    last = f"12345/{numbers[-1] + 1}"
    state = world.manage(**INPUTS)
    provider = world.provider()

    if world.operation == "create":
        assert f"it exists already as {last}" in str(world.error(provider))
    elif world.operation == "read":
        assert provider.read(last, state).outs == {n: v for n, v in state.items() if n != "__provider"}
    elif world.operation == "update":
        provider.update(last, state, INPUTS | {"name": "New"})
    else:
        for n in range(5):
            world.emulator.add_site(external_site_id=f"s-{n}", name="House", monitoring_station_id=numbers[0])
        world.emulator.add_site(external_site_id="last", name="Last", monitoring_station_id=numbers[-1] + 1)
        line = str(world.error_of(lambda: provider.delete(last, state)))
        assert "1 site sends its signals to it (0 activated): 'Last' (6)." in line

    assert len(held(world.emulator)) == 5
    assert world.writes() == (1 if world.operation == "update" else 0)


@row("P5")
def test_p5_a_page_that_fails(world: World) -> None:
    """A list that may be partial does not count: nothing is created, nothing leaves the state."""
    path = SITES if world.operation == "delete" else LIST
    for n in range(3):
        world.emulator.add_site(external_site_id=f"s-{n}", name="House")
        world.emulator.add_station(external_monitoring_station_id=f"o-{n}", name="O")
    before = held(world.emulator)
    world.emulator.switches = Switches(lists="links", page_size=2)
    world.fault(method="GET", path=path, status=503, skip=1, times=None)

    error = world.error(world.provider())

    assert "CHeKT failed: " in str(error)
    assert "Nothing was changed." in str(error)
    assert world.writes() == 0
    assert held(world.emulator) == before


@pytest.mark.parametrize("adopt", [False, True])
@row("P6", "create")
def test_p6_twins(world: World, adopt: bool) -> None:
    """Both are named; nothing is created, changed or deleted, adoption or not."""
    world.manage(**INPUTS)
    world.manage(**INPUTS | {"name": "Twin"})
    before = held(world.emulator)

    error = world.error(world.provider(adoptExisting=adopt))

    assert "2 stations have this external id already: 12345/1, 12345/2. Nothing was changed." in str(error)
    assert world.writes() == 0
    assert held(world.emulator) == before


@row("P6", "read", "update", "delete")
def test_p6_a_twin_beside_the_station(world: World) -> None:
    """The station's own id tells which one is meant: the twin is left alone."""
    twin = world.emulator.add_station(external_monitoring_station_id="central-01", name="Twin")

    world.run(world.provider())

    assert held(world.emulator)[-1] == (twin, "central-01", "Twin", "", "")
    world.emulator.remove_station(twin)
    world.repaired()

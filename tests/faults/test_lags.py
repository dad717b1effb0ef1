"""Rows L1 to L13: an API that lags, keeps values in its own form, pages in its own way, or was restored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chekt_provider.emulator import Emulator, Switches
from chekt_provider.errors import SitesAttached
from chekt_provider.model.fields import AssignmentInputs
from tests.clock import Clock
from tests.faults.rows import row
from tests.faults.world import ID, INPUTS, LIST, SITES, World
from tests.helpers import WAITING, held, house, placed
from tests.safe_world import World as Dealer


def under(world: World, **switches: Any) -> None:
    """Make CHeKT answer like this from now on, on a clock that goes on while we wait."""
    world.emulator.switches = Switches.model_validate(switches)
    world.clock.meanwhile = lambda: world.ahead.append(world.clock.slept[-1])


@pytest.mark.parametrize("lag", [2, 15])
@row("L1")
def test_l1_lists_that_are_behind(world: World, lag: float) -> None:
    """The station was made a moment ago, and no list shows it."""
    under(world, list_lag=lag)

    world.works()


@pytest.mark.parametrize("lag", [2, 15])
@row("L2")
def test_l2_lists_and_stations_that_are_behind(world: World, lag: float) -> None:
    """It does not show itself either."""
    under(world, list_lag=lag, item_lag=lag)

    world.works()


CLOCKS: list[dict[str, Any]] = [
    {"created_at": "naive"},
    {"created_at": "absent"},
    {"date_header": "absent"},
    {"database_clock": -3},
    {"database_clock": 3},
]


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@row("L3")
def test_l3_a_clock_that_differs_or_is_not_told(world: World, clock: dict[str, Any]) -> None:
    """No line says anything untrue about it."""
    under(world, **clock, item_lag=2)

    world.works()

    assert set(world.said) <= {WAITING}


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "answered"])
@pytest.mark.parametrize("kept", [{"values": "capitals"}, {"values": "cut", "cut_at": 4}], ids=str)
@row("L4", "create", "update")
def test_l4_values_in_another_form(world: World, kept: dict[str, Any], lost: bool) -> None:
    """Ours is recognised, and is no change afterwards."""
    under(world, **kept)
    if lost:
        world.fault(when="after", reset=True)

    world.run(world.provider())

    assert len(held(world.emulator)) == 1
    state = {**(world.state or {}), "__provider": "x"}
    assert not world.provider().diff(ID, state, world.wanted).changes


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 502, 503])
@row("L5", "create")
def test_l5_a_post_that_was_stored_and_answered_otherwise(world: World, status: int) -> None:
    """It is found two seconds later; one POST."""
    under(world, list_lag=2, item_lag=2, duplicate="twin", idempotency="ignored")
    world.fault(status=status, when="after")

    world.works()

    assert world.writes() == 1


@row("L6")
def test_l6_one_wrong_list(world: World) -> None:
    """It is empty once: it is read twice."""
    world.fault(method="GET", path=LIST, body="[]")

    world.works()


@row("L6", "delete")
def test_l6_one_wrong_list_of_sites(world: World) -> None:
    """It is empty once: the site is still found."""
    house(world.emulator)
    world.fault(method="GET", path=SITES, body="[]")

    assert isinstance(world.error(world.provider()), SitesAttached)
    world.untouched()


@pytest.mark.parametrize("lists", ["pages", "pages_from_0", "offset", "added", "links", "skip"])
@row("L7", "read", "update", "delete")
def test_l7_ways_of_paging(world: World, lists: str) -> None:
    """The station is on the first page of three, and a site on the last page keeps another."""
    for n in range(4):
        world.emulator.add_station(external_monitoring_station_id=f"other-{n}", name="Other")
        house(world.emulator, on=5 if n == 3 else None)
    under(world, lists=lists, page_size=2, list_total="told" if lists == "skip" else "untold")

    world.run(world.provider())

    assert len(held(world.emulator)) == (4 if world.operation == "delete" else 5)
    other = {**INPUTS, "external_monitoring_station_id": "other-3", "name": "Other", "api_host": "localhost"}
    with pytest.raises(SitesAttached):
        world.provider().delete("12345/5", other)


@row("L8", "read", "update", "delete")
def test_l8_a_number_that_is_another_s_now(world: World) -> None:
    """A backup was restored: both are named, nothing is sent."""
    world.emulator.put_station(1, external_monitoring_station_id="shop-77", name="Shop")

    line = world.fails()

    assert ": 12345/1 is monitoring station 'shop-77' now, and was 'central-01'. Nothing was changed. " in line
    assert held(world.emulator) == [(1, "shop-77", "Shop", "", "")]


PUTS: list[dict[str, Any]] = [
    {"site_put": "replace"},
    {"site_put": "required"},
    {"site_put_delay": 1.5},
    {"site_put_answer": "old"},
]


@pytest.mark.parametrize("put", PUTS, ids=str)
@row("L9", "create", "update")
def test_l9_a_put_on_a_site(world: World, put: dict[str, Any]) -> None:
    """The site is what it was, except for its station."""
    for name in ("a-1", "b-1"):
        world.emulator.add_station(external_monitoring_station_id=name, name=name)
    number = world.emulator.stations()[-1]["monitoring_station_id"]
    house(world.emulator, "0001", on=number - 1)
    before = {**world.emulator.sites()[0], "monitoring_station_id": number, "external_monitoring_station_id": "b-1"}
    under(world, **put)
    wanted = {"dealer_id": "12345", "site_id": "1", "monitoring_station_id": str(number)}

    world.process().assignments.create(AssignmentInputs.model_validate(wanted))

    assert world.emulator.sites() == [before]


@row("L10", "delete")
def test_l10_a_site_that_comes_late(world: World) -> None:
    """Two seconds after the list that an earlier deletion relied on: the next one reads another list."""
    clock = Clock(now=1_700_000_000.0)
    with Emulator(clock=clock) as emulator:
        dealer = Dealer(emulator, clock)
        first, second = (dealer.up(external_monitoring_station_id=name) for name in ("a-1", "b-1"))
        run = dealer.process()
        run.stations.delete(first)
        house(emulator, on=2)
        clock.now += 2

        with pytest.raises(SitesAttached):
            run.stations.delete(second)
        assert placed(emulator) == {1: 2}


@row("L11", "create")
def test_l11_two_stacks_at_once(world: World) -> None:
    """Both looked before either made it: one owns it, the other learns so."""
    first, second = world.process(), world.process()
    for run in (first, second):
        run.stations._directory.stations("12345").look(run.stations._client.operation("look"))
    world.fault(method="POST", path=LIST, status=409, skip=1, body='{"error": {"code": "conflict"}}')

    provider, other = world.provider(), world.provider()
    provider._run, other._run = first, second
    provider.create({**INPUTS, "declared_by": "org/p/dev/central"})

    error = world.error_of(lambda: other.create({**INPUTS, "declared_by": "org/p/prod/central"}))
    assert "it exists already as 12345/1" in str(error)
    assert len(held(world.emulator)) == 1


@pytest.mark.parametrize("gone", ["404", "410"])
@pytest.mark.parametrize("answer", ["200", "202"])
@row("L12", "delete")
def test_l12_other_answers_to_a_deletion(world: World, answer: str, gone: str) -> None:
    """It ends when the station is gone."""
    under(world, delete_answer=answer, gone=gone)

    world.works()


@row("L12", "delete")
def test_l12_an_error_that_calls_itself_a_success(world: World) -> None:
    """It has failed."""
    world.fault(status=200, body='{"error": {"code": "locked"}}', times=None)

    assert "CHeKT answered success with an error in it" in world.fails()
    world.untouched()


@row("L13", "delete")
def test_l13_twenty_thousand_sites(world: World) -> None:
    """A list of 30 MiB is read item by item."""
    site = {"external_site_id": "s", "name": "House", "monitoring_station_id": 2, "notes": "x" * 1500}
    body = json.dumps([{"site_id": number, **site} for number in range(1, 20_001)])
    world.fault(method="GET", path=SITES, body=body, times=None)

    world.works()

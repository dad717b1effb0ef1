"""The faults that hit a site on its way to another station: by its assignment, or by a station's deletion."""

from __future__ import annotations

from typing import Any

import pytest

from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.model.ids import SiteId, StationId
from chekt_provider.model.records import Assigned, Recorded
from chekt_provider.plugin.run import Run
from tests.faults.rows import row
from tests.faults.world import INPUTS, SITES, World
from tests.helpers import assigning, house, placed

MOVING = ("create", "update", "delete")
SITE = f"{SITES}/1"
STATE = Assigned(SiteId("12345", "1"), "house-1", "House", "0001", "1", "localhost")
WANTED = AssignmentInputs(dealer_id="12345", monitoring_station_id="2", site_id="1")


def with_a_site(world: World) -> None:
    """Site 1 on station 1, and station 2 as its target; station 1 is to be deleted, or the site is assigned."""
    if world.operation == "create":
        world.manage(**INPUTS)
    world.emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    house(world.emulator, "0001")


def act(world: World, run: Run) -> object:
    """The operation of the site's assignment; a deletion is that of its station, which hands the site on."""
    if world.operation == "create":
        return run.assignments.create(WANTED)
    if world.operation == "read":
        return run.assignments.read(STATE.id, STATE)
    if world.operation == "update":
        return run.assignments.update(STATE, WANTED)
    external_id = {"external_monitoring_station_id": "central-01"}
    run.stations.delete(Recorded(StationId("12345", "1"), external_id, api_host="localhost", reassign_sites_to="2"))
    return None


def is_done(world: World) -> None:
    """The site is on station 2 with all that it had; station 1 is there unless it was to be deleted."""
    site = world.emulator.sites()[0]
    assert (site["monitoring_station_id"], site["account_number"], site["address1"]) == (2, "0001", "1 Road")
    assert [s["monitoring_station_id"] for s in world.emulator.stations()] == (
        [2] if world.operation == "delete" else [1, 2]
    )


def fails_untouched(world: World) -> str:
    """The operation fails with one line that has a trace id; site and stations are as before."""
    error = world.error_of(lambda: act(world, world.process()))
    assert placed(world.emulator) == {1: 1}
    assert [s["monitoring_station_id"] for s in world.emulator.stations()] == [1, 2]
    assert "trace id" in str(error)
    assert "\n" not in str(error)
    return str(error)


def is_repaired(world: World) -> None:
    """The next run, without the fault, finishes it."""
    world.emulator.clear_faults()
    act(world, world.process())
    if world.operation != "read":
        is_done(world)


LOST: dict[str, dict[str, Any]] = {"reset": {"reset": True}, "cut": {"cut": 5}, "time-out": {"hang": 0}}


@pytest.mark.parametrize("kind", LOST)
@row("N3", *MOVING)
def test_n3_the_answer_of_a_move_is_lost(world: World, kind: str) -> None:
    """The PUT is sent again under its key; the site is moved once."""
    with_a_site(world)
    world.fault(method="PUT", path=SITE, when="after", **LOST[kind])

    act(world, world.process())

    is_done(world)
    keys = [r.idempotency_key for r in world.emulator.requests if r.method == "PUT"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@row("H4", *MOVING)
def test_h4_a_move_that_was_made_is_answered_with_5xx(world: World) -> None:
    """The 5xx may never end: the site itself shows that the move was made."""
    with_a_site(world)
    world.fault(method="PUT", path=SITE, when="after", status=503, times=5)

    act(world, world.process())

    is_done(world)


@row("H4", *MOVING)
def test_h4_a_move_of_which_nothing_can_be_read(world: World) -> None:
    """The line says that it may have been made, and what the site had; the next run finds it made."""
    with_a_site(world)
    world.fault(method="PUT", path=SITE, when="after", status=503, times=5)
    world.fault(method="GET", path=SITE, status=503, times=None, skip=5)

    line = str(world.error_of(lambda: act(world, world.process())))

    assert "is not known" in line
    assert "Before, the site had external_site_id 'house-1', name 'House'" in line
    assert placed(world.emulator) == {1: 2}
    is_repaired(world)


@row("H5")
def test_h5_an_outage_while_a_site_is_handled(world: World) -> None:
    """It stays where it is."""
    with_a_site(world)
    world.fault_everywhere(status=503)

    assert "this is an outage" in fails_untouched(world)
    is_repaired(world)


@pytest.mark.parametrize("path", [SITES, "/sites*"])
@row("H7")
def test_h7_the_sites_are_forbidden(world: World, path: str) -> None:
    """An error, and the state stays; a station whose sites cannot be seen is not deleted."""
    with_a_site(world)
    world.fault(method="GET", path=path, status=403, times=None)

    assert "HTTP 403" in fails_untouched(world)
    is_repaired(world)


@row("H7", *MOVING)
def test_h7_moving_is_forbidden(world: World) -> None:
    """Reading is allowed: the same happens."""
    with_a_site(world)
    world.fault(method="PUT", path=SITE, status=403)

    assert "CHeKT's list of allowed IP addresses" in fails_untouched(world)
    is_repaired(world)


@row("H8", "create", "read", "update")
def test_h8_the_site_is_gone(world: World) -> None:
    """Three looks agree: a refresh takes the assignment out of the state, the other operations say so."""
    with_a_site(world)
    world.fault(method="GET", path=SITES, body="[]", times=None)
    world.fault(method="GET", path=SITE, status=404, times=None)

    if world.operation == "read":
        assert act(world, world.process()) is None
    else:
        gone = "the dealer has no such site" if world.operation == "create" else "it does not exist any more"
        assert gone in fails_untouched(world)
    empty = [f"GET {SITES}"] * 2
    assert [call for call in world.calls() if call.startswith("GET")] == [*empty, f"GET {SITE}", *empty]


@row("H8", *MOVING)
def test_h8_the_site_goes_while_it_is_moved(world: World) -> None:
    """The 404 of the PUT is an error, and no station is deleted after it."""
    with_a_site(world)
    world.fault(method="PUT", path=SITE, status=404, times=None)

    assert "CHeKT refused: not_found" in fails_untouched(world)
    is_repaired(world)


@pytest.mark.parametrize("id_", ["../5", "12345/5", "12345/site/../5", "12345/site/", "", "12345/site/5?x", "1/site/0"])
@row("B3", "read", "update", "delete")
def test_b3_a_hostile_id_of_an_assignment_in_state(world: World, id_: str) -> None:
    """It never reaches a path."""
    provider = assigning(world.emulator.environment())
    inputs: dict[str, Any] = WANTED.model_dump(exclude_defaults=True)
    operations = {
        "read": lambda: provider.read(id_, inputs),
        "update": lambda: provider.update(id_, inputs, inputs),
        "delete": lambda: provider.delete(id_, inputs),
    }

    error = world.error_of(operations[world.operation])

    assert "is not the id of a site. Nothing was sent." in str(error)
    assert world.emulator.requests == []

"""Rows H1 to H12: what HTTP says."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Any

import pytest

from chekt_provider.emulator import Emulator, Plan
from chekt_provider.provider import MonitoringStationProvider
from tests.faults.rows import row
from tests.faults.world import INPUTS, ITEM, LIST, TOKEN, Moments, World, station_json
from tests.helpers import held
from tests.raw_server import RawServer, http

WRITES = ("create", "update", "delete")


def stations(count: int) -> list[dict[str, str]]:
    return [INPUTS | {"external_monitoring_station_id": f"s-{n}"} for n in range(count)]


def do(
    operation: str, provider: MonitoringStationProvider, id_: str, state: dict[str, Any], inputs: dict[str, str]
) -> None:
    """Run one operation on one of many stations; an update changes the name."""
    if operation == "create":
        provider.create(inputs)
    elif operation == "read":
        provider.read(id_, state)
    elif operation == "update":
        provider.update(id_, state, inputs | {"name": "Renamed"})
    else:
        provider.delete(id_, state)


@row("H1", *WRITES)
def test_h1_fifty_stations_on_the_smallest_plan(world: World) -> None:
    """All succeed, and no minute holds more requests than the plan allows."""
    clock = Moments()
    with Emulator(plan=Plan.FREE, client_secret="canary-secret", clock=lambda: clock.now) as emulator:
        small = World(emulator, "create", clock)
        states: list[dict[str, Any]] = (
            [{}] * 50 if world.operation == "create" else [small.manage(**inputs) for inputs in stations(50)]
        )
        provider = small.provider()
        for n, inputs in enumerate(stations(50)):
            do(world.operation, provider, f"12345/{n + 1}", states[n], inputs)

        assert len(held(emulator)) == (0 if world.operation == "delete" else 50)
        at = [request.time for request in emulator.requests if request.path != TOKEN]
        assert all(at[n + 5 + 60] - at[n] >= 59.9 for n in range(len(at) - 65))
        assert [r.status for r in emulator.requests].count(429) <= 1
        # A deletion leaves within two seconds of a list of sites, and each list takes two requests.
        assert at[-1] - at[0] < (130 if world.operation == "delete" else 70)


@row("H1")
def test_h1_a_wait_that_chekt_asks_for(world: World) -> None:
    """The run waits, and sends the call again."""
    world.fault(status=429, headers={"Retry-After": "2"})

    world.works()

    assert (16 if world.operation == "create" else 2) in world.clock.slept
    assert world.writes() == (0 if world.operation == "read" else 2)


ODD_WAITS: dict[str, tuple[dict[str, str], float]] = {
    "date": ({"Retry-After": formatdate(2e9 + 7, usegmt=True), "Date": formatdate(2e9, usegmt=True)}, 7),
    "absent": ({}, 0.5),
    "negative": ({"Retry-After": "-5"}, 0.5),
    "word": ({"Retry-After": "soon"}, 0.5),
}


@pytest.mark.parametrize("kind", ODD_WAITS)
@row("H2")
def test_h2_an_odd_wait(world: World, kind: str) -> None:
    """It obeys a date; nonsense means its own wait. A POST waits until a list must show what it may have made."""
    headers, waited = ODD_WAITS[kind]
    world.fault(status=429, headers=headers)

    world.works()

    assert (max(waited, 16) if world.operation == "create" else waited) in world.clock.slept


@row("H2")
def test_h2_a_wait_that_is_too_long(world: World) -> None:
    """It tells the figure and does not wait; after a POST it still waits for what a list must show."""
    world.fault(status=429, headers={"Retry-After": "999999999"}, times=None)

    line = world.fails()

    assert "asks to wait 999,999,999 s" in line
    assert sum(world.clock.slept) < (17 if world.operation == "create" else 1)
    world.untouched()
    world.repaired()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@row("H3")
def test_h3_a_failure_before_anything_was_done(world: World, status: int) -> None:
    """It is tried again, a POST after a look, and succeeds."""
    world.fault(status=status)

    world.works()

    if world.operation != "read":
        assert (world.writes(), len(set(world.keys()))) == (2, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@row("H4")
def test_h4_a_failure_after_it_was_done(world: World, status: int) -> None:
    """A list finds what a POST made; a PUT is repeated; the 404 of a repeated DELETE is a success."""
    world.fault(when="after", status=status)

    world.works()

    assert world.writes() == {"create": 1, "read": 0, "update": 2, "delete": 2}[world.operation]


@pytest.mark.parametrize("where", ["/partner/*", "*"], ids=["API", "token endpoint too"])
@row("H5")
def test_h5_an_outage(world: World, where: str) -> None:
    """A hundred stations cost at most 35 retries in all, and each line says outage."""
    world.emulator.reset()
    states: list[dict[str, Any]] = (
        [{}] * 100 if world.operation == "create" else [world.manage(**inputs) for inputs in stations(100)]
    )
    if where == "*":
        world.fault(method="POST", path=TOKEN, status=503, times=None)
    world.fault_everywhere(status=503)
    provider = world.provider()
    lines = [
        str(world.error_of(partial(do, world.operation, provider, f"12345/{n + 1}", states[n], inputs)))
        for n, inputs in enumerate(stations(100))
    ]

    failed = [r for r in world.emulator.requests if r.status == 503]
    assert len(failed) <= 135
    assert [line for line in lines if "this is an outage" not in line] == []
    assert len(held(world.emulator)) == (0 if world.operation == "create" else 100)


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "envelope": (
        {"body": '{"error": {"code": "validation_failed", "message": "is odd", "field": "body.name"}}'},
        'CHeKT refused: validation_failed, "is odd", field name. ',
    ),
    "other JSON": ({"body": '{"reason": "odd"}'}, 'CHeKT refused: "{"reason": "odd"}". '),
    "HTML": (
        {"body": f"<p>\x1b[31m{'x' * 300}", "content_type": "text/html"},
        f'CHeKT refused: "<p>\\u001b[31m{"x" * 186}…". ',
    ),
    "empty": ({"body": ""}, "CHeKT refused: without a reason. "),
}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("shape", REFUSALS)
@row("H6")
def test_h6_a_refused_input(world: World, status: int, shape: str) -> None:
    """It is not tried again; one clean line gives the reason in any shape, in our words and 200 of theirs."""
    answer, said = REFUSALS[shape]
    world.fault(status=status, **answer)

    line = world.fails()

    assert said in line
    assert "Nothing was " in line
    assert f"(HTTP {status}, trace id T" in line
    assert world.writes() == (0 if world.operation == "read" else 1)
    world.untouched()
    world.repaired()


@row("H7")
def test_h7_no_permission(world: World) -> None:
    """It is not tried again; the line names the dealer and the likely causes."""
    world.emulator.withdraw_dealer(status=403)

    line = world.fails()

    assert "12345" in line
    assert "HTTP 403" in line
    assert "CHeKT's list of allowed IP addresses" in line
    assert len(world.calls()) == 1
    world.untouched()
    world.emulator.restore_dealer()
    world.repaired()


@row("H7")
def test_h7_no_permission_for_this_call(world: World) -> None:
    """Reading is allowed but writing is not: the same happens."""
    world.fault(status=403)

    line = world.fails_and_is_repaired()

    assert "this dealer is connected to your app, the app's permissions, and CHeKT's list of allowed IP" in line


@row("H8", "read", "update", "delete")
def test_h8_the_station_is_gone(world: World) -> None:
    """Read takes it out of the state, update says how to go on, delete is done."""
    world.emulator.remove_station(1)

    if world.operation == "read":
        world.run(world.provider())
        assert world.state is None
    elif world.operation == "update":
        line = world.fails()
        assert "it does not exist any more. Nothing was changed. Run `pulumi up --refresh`" in line
        assert world.writes() == 0
    else:
        world.works()


@row("H9")
def test_h9_every_station_is_404(world: World) -> None:
    """The dealer is unknown, or access was withdrawn: an error, and the state stays."""
    world.emulator.withdraw_dealer(status=404)

    line = world.fails()

    assert "dealer 12345 does not exist" in line
    assert world.writes() == 0
    world.untouched()
    world.emulator.restore_dealer()
    world.repaired()


@row("H9", "read", "update")
def test_h9_an_empty_list_with_404s_is_not_believed_at_once(world: World) -> None:
    """The list is read once more before anything counts as gone."""
    world.fault(method="GET", path=LIST, body="[]")
    world.fault(method="GET", path=ITEM, status=404)

    world.works()


@row("H10", "create")
def test_h10_a_duplicate_external_id(world: World) -> None:
    """Somebody was faster: a list shows the station, and the adopt rule decides."""
    world.manage(**INPUTS)
    world.fault(method="GET", path=LIST, body="[]", times=2)

    line = world.fails()

    assert "it exists already as 12345/1, with name 'Central', prefix 'CH', linecard '7'." in line
    assert "pass adopt_existing=True" in line
    assert world.writes() == 1
    world.repaired()


@row("H10", "create")
def test_h10_a_key_that_came_with_another_body(world: World) -> None:
    """One new key; the station is made once."""
    body = '{"error": {"code": "idempotency_conflict", "message": "other body"}}'
    world.fault(status=409, body=body)

    world.works()

    assert len(set(world.keys())) == 2


@row("H10", *WRITES)
def test_h10_any_other_conflict(world: World) -> None:
    """An error, and no blind retry."""
    world.fault(status=409, body='{"error": {"code": "conflict", "message": "busy"}}', times=None)

    line = world.fails()

    said = "CHeKT lists no such station yet" if world.operation == "create" else "Nothing was "
    assert f'CHeKT refused: conflict, "busy". {said}' in line
    assert world.writes() == 1
    world.untouched()
    world.repaired()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@row("H11")
def test_h11_a_redirect(world: World, status: int, raw_server: Callable[..., RawServer]) -> None:
    """It is not followed, so no token and no body goes to the other host; the line names that host."""
    other = raw_server(http())
    world.fault(status=status, headers={"Location": f"{other.url}/partner"}, times=None)

    line = world.fails()

    assert "a redirect to 127.0.0.1 was answered, which is not followed" in line
    assert other.connections == 0
    world.untouched()
    world.repaired()


@pytest.mark.parametrize("status", [200, 201, 202, 203])
@row("H12", *WRITES)
def test_h12_an_odd_success(world: World, status: int) -> None:
    """Any 2xx is one."""
    body = station_json(name=world.wanted["name"])
    world.fault(when="after", status=status, body=body)

    world.works()

    assert world.writes() == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@row("H12")
def test_h12_a_success_without_a_body(world: World, status: int) -> None:
    """A list finds the created station, an update is read back; a 204 is an empty list, which is read again."""
    world.fault(when="after", status=status, **({} if status == 204 else {"body": ""}))

    if world.operation == "read" and status != 204:
        assert "the list is not an array" in world.fails_and_is_repaired()
        return
    world.works()

    assert world.writes() == (world.operation != "read")

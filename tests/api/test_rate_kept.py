"""The pace of whole runs, measured from the emulator's log: never above the plan, and not far below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Plan
from chekt_provider.emulator.log import Request
from chekt_provider.operations.stations import StationOperations
from chekt_provider.settings import read_settings
from tests.clock import Clock
from tests.helpers import COLLECTION, central


@pytest.fixture
def free(clock: Clock) -> Iterator[Emulator]:
    """A CHeKT on the smallest plan: 60 requests a minute, 5 at once; the client shares its clock."""
    with Emulator(plan=Plan.FREE, clock=clock) as emulator:
        yield emulator


def run_of(
    emulator: Emulator, clock: Clock, said: list[str], sleep: Callable[[float], None] | None = None
) -> StationOperations:
    """The operations of one run, which waits on the emulator's own clock."""
    settings = read_settings(lambda key: None, emulator.environment())
    transport = Transport(settings, say=said.append, clock=clock, sleep=sleep or clock.sleep, draw=lambda: 0.5)
    return StationOperations(Client(transport), settings, said.append)


def create(stations: StationOperations, numbers: range) -> None:
    for n in numbers:
        stations.create(central(external_monitoring_station_id=f"s-{n}"))


def partner_calls(emulator: Emulator) -> list[Request]:
    """The requests that count against the plan."""
    return [r for r in emulator.requests if r.path != "/oauth/token"]


def is_within(moments: list[float], plan: Plan) -> bool:
    """Whether no time window holds more calls than the plan's bucket gives."""
    return all(
        last - first + 1 <= plan.burst + (moments[last] - moments[first]) * plan.per_minute / 60 + 1e-6
        for first in range(len(moments))
        for last in range(first, len(moments))
    )


def test_fifty_stations_on_the_smallest_plan_cost_what_arithmetic_gives(
    free: Emulator, clock: Clock, said: list[str]
) -> None:
    """52 calls and one for a token: 5 at once, then 48 at one a second. None is refused."""
    create(run_of(free, clock, said), range(50))

    sent = partner_calls(free)
    assert len(free.stations()) == 50
    assert len(sent) == 52
    assert [r.status for r in sent if r.status == 429] == []
    assert is_within([r.time for r in sent], Plan.FREE)
    assert sum(clock.slept) == pytest.approx(48)
    assert clock.now == pytest.approx(1048)


def test_a_plan_that_is_lowered_in_mid_run_is_followed(clock: Clock, said: list[str], tmp_path: Path) -> None:
    """25 stations at 600 a minute, then CHeKT comes back on the smallest plan: 25 more at 60, none refused."""
    state = tmp_path / "chekt.sqlite"
    with Emulator(plan=Plan.PRO, clock=clock, state=state) as emulator:
        stations = run_of(emulator, clock, said)
        create(stations, range(25))
        assert clock.now == pytest.approx(1000), "28 of the 30 that may come at once"

    with Emulator(plan=Plan.FREE, clock=clock, state=state, port=emulator.port) as lowered:
        create(stations, range(25, 50))
        sent = [r for r in partner_calls(lowered) if r.status != 401]
        assert len(lowered.stations()) == 50

    assert [r.status for r in sent] == [200] * 3 + [201] * 25, "a look after the POST that found the token gone"
    assert is_within([r.time for r in sent], Plan.FREE)
    # 16 s until a list must show what the refused POST may have made; the bucket fills meanwhile. Then 24 stations.
    assert clock.now == pytest.approx(1040, abs=1)


def test_another_program_on_the_same_app_leads_to_refusals_that_are_waited_out(
    free: Emulator, clock: Clock, said: list[str]
) -> None:
    """After every third wait of ours the other program empties the bucket: some calls get 429, and all succeed."""
    credentials = {"grant_type": "client_credentials", "client_id": "emulator-client"}
    form = credentials | {"client_secret": "emulator-secret"}
    token = requests.post(free.token_url, data=form, timeout=5).json()["access_token"]

    def rival() -> None:
        while requests.get(f"{free.url}{COLLECTION}/1", headers={"Authorization": f"Bearer {token}"}, timeout=5).ok:
            pass

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.slept) % 3 == 0:
            rival()

    stations = run_of(free, clock, said, sleep)
    create(stations, range(50))

    ours = [r for r in partner_calls(free) if r.trace_id]
    assert len(free.stations()) == 50
    assert len([r for r in ours if r.status == 201]) == 50
    assert len([r for r in ours if r.status == 429]) >= 10
    assert is_within([r.time for r in partner_calls(free) if r.status != 429], Plan.FREE)


def test_a_wait_of_more_than_two_seconds_is_said_once() -> None:
    """60 stations by 32 threads at 600 a minute wait for more than 3 s in all; one sentence says why."""
    said: list[str] = []
    with Emulator(plan=Plan.PRO) as emulator:
        settings = read_settings(lambda key: None, emulator.environment())
        stations = StationOperations(Client(Transport(settings, say=said.append)), settings, said.append)
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(lambda n: stations.create(central(external_monitoring_station_id=f"s-{n}")), range(60)))

        assert len(emulator.stations()) == 60
        moments = [r.monotonic for r in emulator.requests]
    assert said == ["Waiting for the rate limit of 600 requests a minute; this is said once."]
    assert moments[-1] - moments[0] > 3  # how much more: the tests above hold that, on a clock of their own

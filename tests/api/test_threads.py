"""64 threads at once, on the real clock: one token for each life, no lost update, no deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator
from chekt_provider.errors import ChektError, DeclaredTwice
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from chekt_provider.settings import Settings
from tests.helpers import central, held

T = TypeVar("T")
THREADS, STATIONS = 64, 200


def on_real_time(settings: Settings) -> StationOperations:
    """The operations of one run, on the machine's own clock."""
    return StationOperations(Client(Transport(settings, say=lambda sentence: None)), settings, lambda sentence: None)


@pytest.fixture
def real_time(settings: Settings) -> StationOperations:
    return on_real_time(settings)


def for_each_station(act: Callable[[int], T]) -> list[T]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(act, range(STATIONS)))


@pytest.mark.timeout(120)
def test_two_hundred_stations_live_while_the_token_expires_every_second(
    emulator: Emulator, settings: Settings, real_time: StationOperations
) -> None:
    """Each is created, updated, read and deleted; one token call for each life; each change is the one asked for."""
    emulator.token_life = 1

    def live(n: int) -> Recorded:
        made = real_time.create(central(external_monitoring_station_id=f"s-{n}", name=f"First {n}"))
        wanted = central(external_monitoring_station_id=f"s-{n}", name=f"Second {n}", prefix="", linecard=f"{n}")
        updated = real_time.update(made, wanted)
        assert real_time.read(updated.id, updated) == updated
        return updated

    recorded = for_each_station(live)

    values = {station[1]: station[2:] for station in held(emulator)}
    assert values == {f"s-{n}": (f"Second {n}", "", f"{n}") for n in range(STATIONS)}
    assert len(held(emulator)) == STATIONS
    assert {str(r.id) for r in recorded} == {f"12345/{n}" for n in range(1, STATIONS + 1)}

    later = on_real_time(settings)
    for_each_station(lambda n: later.delete(recorded[n]))

    assert held(emulator) == []
    writes = [r for r in emulator.requests if r.method in ("POST", "PUT", "DELETE") and r.status in (200, 201, 204)]
    assert len([r for r in writes if r.path != "/oauth/token"]) == 3 * STATIONS
    asked = [r.monotonic for r in emulator.requests if r.path == "/oauth/token"]
    lives = emulator.requests[-1].monotonic - asked[0]
    assert lives > 5
    assert len(asked) <= lives / 0.9 + 1, "a token of one second is renewed a tenth of that before its end"


def test_of_sixteen_threads_that_want_one_external_id_one_makes_it(
    emulator: Emulator, real_time: StationOperations
) -> None:
    """There is one station; the fifteen others learn that another resource of the program has the same external id."""
    start = threading.Barrier(16)

    def create(_: int) -> ChektError | None:
        start.wait()
        try:
            real_time.create(central())
        except ChektError as error:
            return error
        return None

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(create, range(16)))

    assert held(emulator) == [(1, "central-01", "Central", "CH", "7")]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [DeclaredTwice.__name__] * 15 + ["NoneType"]

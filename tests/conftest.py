"""Fixtures: an emulator, and what talks to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import hypothesis
import pytest

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator
from chekt_provider.model.records import Recorded
from chekt_provider.operations.assignments import AssignmentOperations
from chekt_provider.operations.stations import StationOperations
from chekt_provider.plugin.run import Run
from chekt_provider.settings import Settings, read_settings
from tests.another_world import Stacks
from tests.clock import Clock
from tests.helpers import central
from tests.raw_server import RawServer
from tests.safe_world import World

# Everybody sees the same examples, on slow machines too.
hypothesis.settings.register_profile("ours", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("ours")


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are processors: many tests wait for a call that hangs, or for the pace."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the CHEKT_* variables of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("CHEKT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A CHeKT with dealer 12345 and no stations."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> Iterator[World]:
    """A CHeKT without stations, and processes that run on its clock."""
    clock = Clock(now=1_700_000_000.0)
    with Emulator(clock=clock) as emulator:
        yield World(emulator, clock)


@pytest.fixture
def stack() -> Iterator[Stacks]:
    """Begins another CHeKT, of a kind that a test names."""
    with ExitStack() as exits:
        yield Stacks(exits)


@pytest.fixture
def said() -> list[str]:
    """What the person at the terminal was told."""
    return []


@pytest.fixture
def settings(emulator: Emulator) -> Settings:
    """The settings that point at the emulator."""
    return read_settings(lambda key: None, emulator.environment())


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """Starts servers whose answers are bytes."""
    with ExitStack() as stack:
        yield lambda *answers, **options: stack.enter_context(RawServer(*answers, **options))


@pytest.fixture
def new_transport(settings: Settings, clock: Clock, said: list[str]) -> Callable[..., Transport]:
    """Calls with changed settings, in a process that has made none yet; they never sleep, the jitter is a half."""

    def make(**changes: Any) -> Transport:
        changed = replace(settings, **changes)
        return Transport(changed, say=said.append, clock=clock, sleep=clock.sleep, draw=lambda: 0.5)

    return make


@pytest.fixture
def transport(new_transport: Callable[..., Transport]) -> Transport:
    """Calls that never sleep; the jitter is always a half."""
    return new_transport()


@pytest.fixture
def client(transport: Transport) -> Client:
    return Client(transport)


@pytest.fixture
def new_process(settings: Settings, clock: Clock, said: list[str]) -> Callable[..., Run]:
    """A new process, with changed settings if given; it remembers nothing of what came before."""

    def start(**changes: Any) -> Run:
        changed = replace(settings, **changes)
        transport = Transport(changed, say=said.append, clock=clock, sleep=clock.sleep, draw=lambda: 0.5)
        return Run(changed, transport, said.append)

    return start


@pytest.fixture
def new_run(new_process: Callable[..., Run]) -> Callable[..., StationOperations]:
    """The operations on stations of a new process."""
    return lambda **changes: new_process(**changes).stations


@pytest.fixture
def assignments(new_process: Callable[..., Run]) -> AssignmentOperations:
    """The operations on assignments of one run."""
    return new_process().assignments


@pytest.fixture
def stations(new_run: Callable[..., StationOperations]) -> StationOperations:
    """The operations of one run."""
    return new_run()


@pytest.fixture
def recorded(emulator: Emulator, new_run: Callable[..., StationOperations]) -> Recorded:
    """A station that an earlier run made; the request log is empty."""
    recorded = new_run().create(central())
    emulator.clear_requests()
    return recorded

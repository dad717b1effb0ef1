"""The world of a row, and the check after each test: nothing that anybody could see holds a secret."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Iterator

import pytest

from chekt_provider.emulator import Emulator
from tests.faults.world import CANARY, Moments, World


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(row): is about this row of the fault table")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put row and operation where a report carries them, even to another process."""
    for item in items:
        if (marker := item.get_closest_marker("fault")) and isinstance(item, pytest.Function):
            item.user_properties.append(("fault", (marker.args[0], item.callspec.params["world"])))


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[World]:
    """A world in which the test's operation is about to happen."""
    numbers = itertools.count(1)
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: f"{CANARY}-token-{next(numbers)}")
    caplog.set_level(logging.DEBUG)
    ahead: list[float] = []
    with Emulator(client_secret=f"{CANARY}-secret", clock=lambda: time.time() + sum(ahead)) as emulator:
        world = World(emulator, request.param, Moments(), ahead=ahead)
        yield world
    printed = capfd.readouterr()
    everything = [*world.seen, *world.said, caplog.text, printed.out, printed.err, repr(emulator.requests)]
    assert [text for text in everything if CANARY in text] == []

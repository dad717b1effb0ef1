"""States that older versions wrote: tests/states keeps one for each version, and they work forever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack
from tests.helpers import held

ROOT = Path(__file__).parents[2]
STATES = sorted((ROOT / "tests" / "states").glob("*.json"))
FIELDS = ("external_monitoring_station_id", "name", "prefix", "linecard")


def recorded(old_state: Path) -> list[dict[str, str]]:
    """What a state holds of its stations, in the order in which CHeKT numbered them."""
    resources = json.loads(old_state.read_text())["deployment"]["resources"]
    stations = [r for r in resources if r["type"] == "pulumi-python:dynamic/chekt:MonitoringStation"]
    assert [s["id"] for s in sorted(stations, key=lambda s: s["id"])] == [
        f"12345/{n + 1}" for n in range(len(stations))
    ]
    return [s["outputs"] for s in sorted(stations, key=lambda s: s["id"])]


@pytest.fixture(params=STATES, ids=[path.stem for path in STATES])
def old_state(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def emulator(old_state: Path) -> Iterator[Emulator]:
    """A CHeKT that holds the stations of the state, with their times of creation."""
    stations = recorded(old_state)
    # A tenth of a millisecond more, since a float may lie just below the millisecond that it represents.
    made_at = [datetime.fromisoformat(s["created_at"]).timestamp() + 0.0001 for s in stations]
    moments = iter([made_at[0], *made_at])  # the dealer comes first
    with Emulator(clock=lambda: next(moments, made_at[-1])) as emulator:
        for station in stations:
            fields: dict[str, Any] = {name: station[name] for name in FIELDS}
            emulator.add_station(**fields)
        yield emulator


def test_the_first_version_s_state_is_kept() -> None:
    """Each version adds a state, and none is ever removed."""
    assert "0.1.0" in [path.stem for path in STATES]


@pytest.mark.acceptance("a stack of release N-1 refreshed and destroyed by N")
def test_an_old_state_is_good(stack: Stack, emulator: Emulator, old_state: Path) -> None:
    """Imported, it refreshes and previews without a change, and destroys what it holds."""
    (stack.folder / "Pulumi.yaml").write_text("name: chekt-quickstart\nruntime: python\n")
    (stack.folder / "__main__.py").write_text((ROOT / "examples" / "quickstart" / "__main__.py").read_text())
    stack.pulumi("stack", "init", "dev")
    stack.pulumi("stack", "import", "--file", str(old_state))
    before = held(emulator)
    assert len(before) == 3

    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")
    assert held(emulator) == before
    stack.destroy()

    assert held(emulator) == []

"""How few requests a run needs, counted at CHeKT over the life of a thousand stations."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack

STATIONS = 1000
FAST = {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "1", "CHEKT_REQUESTS_PER_MINUTE": "600000"}
"""Pulumi writes the whole state after each step otherwise, and CHeKT's plans have nothing to do with counting."""


def program(count: int) -> str:
    return f"""
        for n in range({count}):
            MonitoringStation(f"s-{{n}}", external_monitoring_station_id=f"s-{{n}}", name=f"Station {{n}}")
    """


def counted(emulator: Emulator) -> Counter[str]:
    """How many requests of each method came since the last count, without those for a token."""
    methods = Counter(r.method for r in emulator.requests if r.path != "/oauth/token")
    emulator.clear_requests()
    return methods


@pytest.mark.timeout(600)
def test_a_thousand_stations_cost_few_requests(tmp_path: Path) -> None:
    """Create N: N POSTs and 2; no change, preview: 0; refresh: 3; delete N: N DELETEs, 3, and 2 every two seconds."""
    with Emulator(plan=None) as emulator:
        stack = Stack(tmp_path, {**emulator.environment(), **FAST})
        stack.program(program(STATIONS))

        stack.up("--parallel", "32")
        assert counted(emulator) == {"POST": STATIONS, "GET": 2}

        stack.pulumi("preview", "--expect-no-changes")
        stack.up_changes_nothing()
        assert emulator.requests == []

        stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
        assert counted(emulator) == {"GET": 3}

        stack.pulumi("destroy", "--yes", "--skip-preview", "--parallel", "32")
        began = min(r.time for r in emulator.requests)
        readings = 1 + (max(r.time for r in emulator.requests) - began) / 2
        deleted = counted(emulator)
        assert deleted["DELETE"] == STATIONS
        assert deleted["GET"] <= 3 + 2 * readings
        assert emulator.stations() == []

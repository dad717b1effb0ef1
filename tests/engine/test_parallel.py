"""Many operations at once: as many as the engine sends, not the SDK's four."""

from __future__ import annotations

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, held


def test_as_many_stations_are_created_at_once_as_the_engine_sends(emulator: Emulator, stack: Stack) -> None:
    """Every POST waits three seconds; twelve are under way before the first is answered."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, delay=3, times=None))
    stack.program(
        """
        for n in range(12):
            MonitoringStation(f"s{n}", external_monitoring_station_id=f"s-{n}", name=f"Station {n}")
        """
    )

    stack.up("--parallel", "16")

    arrivals = [r.monotonic for r in emulator.requests if r.method == "POST" and r.path == COLLECTION]
    assert len(arrivals) == 12
    assert arrivals[-1] - arrivals[0] < 3
    assert len(held(emulator)) == 12

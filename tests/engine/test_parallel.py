"""Many operations at once: as many as the engine sends, not the four of the SDK."""

from __future__ import annotations

import pytest

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, held

PROGRAM = """
for n in range({stations}):
    MonitoringStation(f"s{{n}}", external_monitoring_station_id=f"s-{{n}}", name=f"{name} {{n}}")
"""


@pytest.mark.parametrize("parallel", [10, 32])
def test_as_many_operations_are_under_way_as_the_engine_sends(emulator: Emulator, stack: Stack, parallel: int) -> None:
    """Creations, updates and deletions, each of which takes a second; reads share one list."""
    for method, path in (("POST", COLLECTION), ("PUT", f"{COLLECTION}/*"), ("DELETE", f"{COLLECTION}/*")):
        emulator.add_fault(Fault(method=method, path=path, delay=1, times=None))
    at_once = ("--parallel", str(parallel))
    for name in ("Old", "New"):
        stack.program(PROGRAM.format(stations=2 * parallel, name=name))
        stack.up(*at_once)
    assert {station[2] for station in held(emulator)} == {f"New {n}" for n in range(2 * parallel)}
    stack.pulumi("destroy", "--yes", "--skip-preview", *at_once)

    assert held(emulator) == []
    assert {method: most_at_once(emulator, method) for method in ("POST", "PUT", "DELETE")} == {
        "POST": parallel,
        "PUT": parallel,
        "DELETE": parallel,
    }


def most_at_once(emulator: Emulator, method: str) -> int:
    """How many calls of stations by a method were under way at the same time."""
    came = [r.monotonic for r in emulator.requests if r.method == method and r.path.startswith(COLLECTION)]
    return max(sum(0 <= other - one < 1 for other in came) for one in came)

"""An outage of CHeKT, through the real engine: it ends, it is called an outage, and nobody hammers."""

from __future__ import annotations

import time

import pytest

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import held


@pytest.mark.timeout(200)
@pytest.mark.parametrize("path", ["*", "/partner/*"])
def test_a_hundred_stations_in_an_outage_cost_at_most_35_retries(emulator: Emulator, stack: Stack, path: str) -> None:
    """Every request gets 503, or every one except those for a token: the run ends soon, each error says outage.

    The waits between retries are real: about half a minute. Each of the hundred is tried, as --continue-on-error asks.
    The log knows an operation by its trace id; its requests beyond the first are retries.
    """
    emulator.add_fault(Fault(path=path, status=503, times=None))
    stack.program(
        """
        for n in range(100):
            MonitoringStation(f"s{n}", external_monitoring_station_id=f"s-{n}", name=f"S {n}")
        """
    )

    began = time.monotonic()
    run = stack.up("--parallel", "16", "--continue-on-error", status=1)
    took = time.monotonic() - began

    failed = [r for r in emulator.requests if r.status == 503]
    operations = {r.trace_id for r in failed}
    assert 15 <= len(failed) - len(operations) <= 35
    assert len(operations) <= 20, "those who wait together share a failure"
    assert len(run.errors) == 100
    assert [line for line in run.errors if "no call gets through, this is an outage" not in line] == []
    assert took < 120
    assert held(emulator) == []
    assert stack.stations() == {}

"""An outage of CHeKT, through the real engine: it ends, it is called by its name, and nobody hammers."""

from __future__ import annotations

import time

import pytest

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import held


@pytest.mark.timeout(200)
def test_a_hundred_stations_in_an_outage_cost_at_most_35_retries(emulator: Emulator, stack: Stack) -> None:
    """Every request gets 503: the run ends within two minutes, and each error line says outage.

    The waits between retries are real: about a minute. An operation is known by its trace id in the log; its requests
    beyond the first are retries. The engine starts no further operation once one has failed.
    """
    emulator.add_fault(Fault(status=503, times=None))
    stack.program(
        """
        for n in range(100):
            MonitoringStation(f"s{n}", external_monitoring_station_id=f"s-{n}", name=f"S {n}")
        """
    )

    began = time.monotonic()
    run = stack.up("--parallel", "16", status=1)
    took = time.monotonic() - began

    operations = {r.trace_id for r in emulator.requests}
    assert 16 <= len(operations) < 100
    assert 20 <= len(emulator.requests) - len(operations) <= 35
    assert len(run.errors) == len(operations)
    assert [line for line in run.errors if "no call gets through, this is an outage" not in line] == []
    assert took < 120
    assert held(emulator) == []
    assert stack.stations() == {}

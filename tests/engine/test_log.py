"""CHEKT_LOG as a person at the terminal sees it."""

from __future__ import annotations

import re

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION

UUID = "[0-9a-f]{8}-[0-9a-f-]{27}"


def log_lines(text: str) -> list[str]:
    """The text after "chekt-log:" in Pulumi's output, without milliseconds and trace ids."""
    found = re.findall(r"chekt-log: (.*)", text)
    return [re.sub(rf"{UUID}", "T", re.sub(r"\d+ ms|in [\d.]+ s", "N", line)).rstrip() for line in found]


def test_a_run_is_silent_unless_it_is_asked_to_log(emulator: Emulator, stack: Stack) -> None:
    """CHEKT_LOG=debug shows each request in the order it was sent, and what was repeated; never secret or token."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')
    emulator.add_fault(Fault(path="/oauth/token", body='{"access_token": "canary-token"}'))
    emulator.add_fault(Fault(path=COLLECTION, status=503))

    logged = stack.up(CHEKT_LOG="debug", CHEKT_CLIENT_SECRET="emulator-secret")

    # the first token is not the emulator's own, so the API refuses it
    assert list(dict.fromkeys(log_lines(logged.text))) == [
        "POST /oauth/token 200 N attempt 1 trace id T",
        f"GET {COLLECTION} 503 N attempt 1 trace id T",
        "Could not create monitoring station 'a-01' of dealer 12345: CHeKT failed: service_unavailable, "
        '"a fault of the emulator"; again N (trace id T)',
        f"GET {COLLECTION} 401 N attempt 2 trace id T",
        f"GET {COLLECTION} 200 N attempt 2 trace id T",
        f"GET {COLLECTION} 200 N attempt 1 trace id T",  # an empty list is read twice
        f"POST {COLLECTION} 201 N attempt 1 trace id T",
    ]
    assert "canary" not in logged.text
    assert "emulator-secret" not in logged.text

    emulator.add_fault(Fault(path=COLLECTION, status=503))
    silent = stack.pulumi("refresh", "--yes", "--skip-preview")

    assert "chekt-log: " not in silent.text
    assert 503 in [r.status for r in emulator.requests][-4:]

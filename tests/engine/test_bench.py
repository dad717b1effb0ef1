"""The benchmarks run, and count what is promised."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.backends import STEPS, compared, seconds_of
from tools.states import folder_state

CHECKOUT = Path(__file__).parents[2]


def test_the_benchmark_counts_the_requests_of_each_step() -> None:
    """A row for each step of a stack's life: its requests, and seconds as a multiple of plain calls."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", "--stations", "4"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    rows = re.findall(r"│ (.+?) +│ +(\d+) │ +([\d.]+) │ +[\d.]+ │ +[\d.]+ x │", done.stdout)
    assert rows == [
        ("create", "6", "1.50"),
        ("preview, no change", "0", "0.00"),
        ("up, no change", "0", "0.00"),
        ("refresh, no change", "3", "0.75"),
        ("rename", "7", "1.75"),
        ("destroy", "9", "2.25"),
    ]


def test_backends_are_compared_by_their_fastest_rounds() -> None:
    """Seconds of each step, and how many times the folder's they are."""
    rounds = [{"folder": [4.0, 2.0], "PostgreSQL": [9.0, 5.0]}, {"folder": [5.0, 1.0], "PostgreSQL": [6.0, 7.0]}]

    assert compared(rounds) == [
        ("folder", "4.0 (1.0 x)", "1.0 (1.0 x)"),
        ("PostgreSQL", "6.0 (1.5 x)", "5.0 (5.0 x)"),
    ]


def test_a_backend_is_timed_over_the_life_of_a_stack(tmp_path: Path) -> None:
    """Create, destroy, create without checkpoints: the last state holds the station."""
    state = folder_state(tmp_path)

    assert len(seconds_of(state, stations=1)) == len(STEPS)

    (stored,) = (data for key, data in state.contents().items() if key.endswith("/bench.json"))
    assert b"chekt:MonitoringStation" in stored

"""The benchmarks run, and count what is promised."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.backends import STEPS, compared, seconds_of
from tools.bench import most_at_once
from tools.growth import milliseconds
from tools.states import folder_state

CHECKOUT = Path(__file__).parents[2]


def test_the_benchmark_counts_the_requests_of_each_step(tmp_path: Path) -> None:
    """A row for each step of a stack's life: its requests by kind, and all else beside the floor of the same run."""
    measured = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tools.bench", "--stations", "4", "--latency", "20", "--json", str(measured)]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)

    rows = re.findall(r"^\| (.+?) \| (.+?) \| ([\d.]+) \| \d+ \|(?: [\d.]+ \|){7}$", done.stdout, re.MULTILINE)
    assert rows == [
        ("create", "1 token, 2 GET, 4 POST", "1.50"),
        ("preview, no change", "none", "0.00"),
        ("up, no change", "none", "0.00"),
        ("refresh, no change", "1 token, 3 GET", "0.75"),
        ("rename", "1 token, 3 GET, 4 PUT", "1.75"),
        ("destroy", "1 token, 5 GET, 4 DELETE", "2.25"),
    ]
    created = json.loads(measured.read_text())[0]
    assert (created["step"], created["latency"], created["in_flight"]) == ("create", 20, 4)
    assert min(created["cost"]["cpu"].values()) >= 0
    assert created["bound"] > created["floor"]["seconds"]


@pytest.mark.parametrize(
    ("moments", "seconds", "most"), [([], 1, 0), ([0.0, 0.5, 0.9, 1.0], 1, 3), ([0.0, 1.0], 1, 1), ([0.0, 0.0], 0, 0)]
)
def test_what_is_under_way_at_once_is_counted(moments: list[float], seconds: float, most: int) -> None:
    """What ends when another begins is not under way with it."""
    assert most_at_once(moments, seconds) == most


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


def test_the_processor_time_of_our_own_work_is_measured_by_kind() -> None:
    """Without Pulumi and HTTP; among how many stations, the command says."""
    took = milliseconds(20, 5)

    assert list(took) == ["create", "refresh", "update", "delete"]
    assert min(took.values()) >= 0

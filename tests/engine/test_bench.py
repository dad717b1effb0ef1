"""The benchmarks run, and count what is promised."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

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
        ("refresh, no change", "2", "0.50"),
        ("rename", "6", "1.50"),
        ("destroy", "5", "1.25"),
    ]


def test_the_backends_are_measured_side_by_side() -> None:
    """A row for each, its seconds as a multiple of the folder's."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.backends", "--stations", "2", "--rounds", "1"],
        cwd=CHECKOUT,
        env={**os.environ, "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    rows = re.findall(r"│ (.+?) +│" + r" +[\d.]+ \(([\d.]+ x)\) │" * 3, done.stdout)
    assert [name for name, *_ in rows] == ["folder", "PostgreSQL", "S3 (moto)"]
    assert rows[0][1:] == ("1.0 x",) * 3

"""The measurement of a roll-out over many stacks runs, and counts what docs/scale.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text()
ROW = r"^\| +(\d+) \| +(\d+) \| +(\d+) \| +[\d.]+ \| +\d+ \| +(\d+) \| ([\d.]+) \|$"


def test_a_stack_costs_twelve_requests() -> None:
    """Five stations: a token, the empty list read twice, five creations; to verify them, a token and one list."""
    command = [sys.executable, "-m", "tools.scale", "--stacks", "2", "--parallel", "2"]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    ((stacks, parallel, _, requests, each),) = re.findall(ROW, printed, re.MULTILINE)
    assert (stacks, parallel, requests, each) == ("2", "2", "24", "12.0")
    assert {row[4] for row in re.findall(ROW, PAGE, re.MULTILINE)} == {"12.0"}


def test_the_page_shows_growth_no_faster_than_the_number_of_stacks() -> None:
    """200 stacks take four times as long as 50, within a fifth, and the page gives the figure."""
    took = {(stacks, at_once): int(seconds) for stacks, at_once, seconds, _, _ in re.findall(ROW, PAGE, re.MULTILINE)}
    growth = [took["200", at_once] / (4 * took["50", at_once]) for at_once in ("2", "4")]
    assert all(0.8 < ratio < 1.2 for ratio in growth)
    assert "200 take {:.2f} times (two at once) and {:.2f} times (four at once)".format(*growth) in PAGE

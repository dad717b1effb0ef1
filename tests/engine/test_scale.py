"""The measurement of a roll-out over many stacks runs, and counts what docs/scale.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text()
ROW = r"^\| +(\d+) \| +(\d+) \| +(\d+) \| +(\d+) \| +[\d.]+ \| +\d+ \| +(\d+) \| ([\d.]+) \|$"


def test_a_dealer_costs_ten_requests_and_a_stack_two_more() -> None:
    """Five stations: the empty list read twice, five creations; to verify them, a list read as three; a token each."""
    printed = [_measured("--dealers", "2", "--stacks", stacks) for stacks in ("1", "2")]
    assert [(row[0], row[1], row[4], row[5]) for row in printed] == [("2", "1", "22", "11.0"), ("2", "2", "24", "12.0")]


def test_the_page_shows_how_much_a_stack_costs() -> None:
    """A stack for each of forty dealers beside one for all of them: the page gives the figure."""
    took = {(dealers, stacks): int(seconds) for dealers, stacks, _, seconds, *_ in re.findall(ROW, PAGE, re.MULTILINE)}
    assert f"takes {took['40', '40'] / took['40', '1']:.1f} times as long as one stack for all" in PAGE
    assert took["40", "1"] < took["40", "8"] < took["40", "40"]


def _measured(*arguments: str) -> tuple[str, ...]:
    command = [sys.executable, "-m", "tools.scale", *arguments]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    (row,) = re.findall(ROW, printed, re.MULTILINE)
    return tuple(row)

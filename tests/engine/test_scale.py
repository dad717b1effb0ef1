"""What measures a roll-out over many stacks runs, and counts what docs/scale.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = r"^\| +(\d+) \| +(\d+) \| +\d+ \| +[\d.]+ \| +\d+ \| +(\d+) \| ([\d.]+) \|$"


def test_a_stack_costs_eleven_requests() -> None:
    """Five stations: a token, the empty list looked at twice, five creations; to verify them, a token and two lists."""
    command = [sys.executable, "-m", "tools.scale", "--stacks", "2", "--parallel", "2"]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert re.findall(ROW, printed, re.MULTILINE) == [("2", "2", "22", "11.0")]
    assert {row[3] for row in re.findall(ROW, (ROOT / "docs" / "scale.md").read_text(), re.MULTILINE)} == {"11.0"}

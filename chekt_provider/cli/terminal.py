"""What the command says to the person who typed it."""

from __future__ import annotations

import os
import sys

from chekt_provider.log import SAID


def say(sentence: str) -> None:
    """Tell the person, if stderr still leads to one."""
    try:
        print(f"{SAID}{sentence}", file=sys.stderr, flush=True)  # noqa: T201 - this is a command
    except OSError:
        # Else Python would fail to flush the rest at its end, and exit with 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

"""What the verbs of the command say to the person who typed it."""

from __future__ import annotations

import os
import sys


def say(sentence: str) -> None:
    """Tell the person, if stderr still leads to one."""
    try:
        print(f"chekt: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - this is a command
    except OSError:
        # What is left to be written would otherwise make Python end with a status of its own, 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

"""The log: one line for each request on stderr, when CHEKT_LOG asks for it. It never holds a secret.

CHEKT_LOG=info    each retry, and why
CHEKT_LOG=debug   and every request: method, path, status, milliseconds, attempt, trace id
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

log = logging.getLogger("chekt_provider")
log.addHandler(logging.NullHandler())

SAID = "chekt: "
"""What sentences for people begin with on stderr, so that a roll-out knows them; a line of the log begins otherwise."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


class _Masked(logging.Formatter):
    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__("chekt-log: %(message)s")
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))


def show_log(level: str, mask: Callable[[str], str] = str) -> None:
    """Write the log to stderr from now on.

    Args:
        level: "debug" or "info"; "" leaves it silent.
        mask: takes secrets out of a line.
    """
    if level and log.level == logging.NOTSET:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Masked(mask))
        log.addHandler(handler)
        log.setLevel(LEVELS[level])

"""The log: one line a request on stderr, when CHEKT_LOG asks for it; silent otherwise. It never holds a secret.

CHEKT_LOG=info    what is tried again, and why
CHEKT_LOG=debug   and every request: verb, path, status, milliseconds, attempt, trace id
"""

from __future__ import annotations

import logging
import sys

log = logging.getLogger("chekt_provider")
log.addHandler(logging.NullHandler())

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


def show_log(level: str) -> None:
    """Write the log to stderr from now on.

    Args:
        level: "debug" or "info"; "" leaves it silent.
    """
    if level and log.level == logging.NOTSET:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("chekt: %(message)s"))
        log.addHandler(handler)
        log.setLevel(LEVELS[level])

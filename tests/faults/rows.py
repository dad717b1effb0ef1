"""The names of the 60 faults, and the mark that says which of them a test is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

OPERATIONS = ("create", "read", "update", "delete")

ROWS = {
    "N1": "no-connection",
    "N2": "tls-bad",
    "N3": "post-lost-answer",
    "N4": "post-lost-request",
    "N5": "stale-keepalive",
    "N6": "drip",
    "N7": "cut-body",
    "N8": "bomb",
    "N9": "not-chekt",
    "N10": "drip-head",
    "N11": "endless-list",
    "H1": "429-plain",
    "H2": "429-odd",
    "H3": "5xx-before",
    "H4": "5xx-after",
    "H5": "outage",
    "H6": "400-422",
    "H7": "403",
    "H8": "404-one",
    "H9": "404-all",
    "H10": "409-kinds",
    "H11": "redirect",
    "H12": "odd-2xx",
    "O1": "token-5xx",
    "O2": "bad-client",
    "O3": "stampede",
    "O4": "odd-life",
    "O5": "401-mid",
    "O6": "token-junk",
    "O7": "jwt-key",
    "P1": "unset-forms",
    "P2": "id-forms",
    "P3": "bad-json",
    "P4": "echo-differs",
    "P5": "paged-list",
    "P6": "twins-found",
    "C1": "dead-replay",
    "C2": "stored-500",
    "C3": "aba-put",
    "C4": "two-runs",
    "C5": "twice-in-program",
    "C6": "ctrl-c",
    "C7": "old-state",
    "B1": "url",
    "B2": "secret-forms",
    "B3": "ids-hostile",
    "B4": "text-hostile",
    "L1": "lag-list",
    "L2": "lag-item",
    "L3": "clock",
    "L4": "kept-form",
    "L5": "second-post",
    "L6": "one-wrong-list",
    "L7": "pages",
    "L8": "number-again",
    "L9": "site-put",
    "L10": "late-site",
    "L11": "two-stacks",
    "L12": "odd-delete",
    "L13": "many-sites",
}


def row(name: str, *operations: str) -> Callable[[Any], Any]:
    """Mark a test as a row of the table: it runs once for each operation, all four if none is named.

    The test's `world` is one in which that operation is about to happen.
    """
    assert name in ROWS

    def mark(test: Any) -> Any:
        return pytest.mark.fault(name)(pytest.mark.parametrize("world", operations or OPERATIONS, indirect=True)(test))

    return mark

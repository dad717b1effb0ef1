"""The table itself."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from tests.faults.rows import ROWS
from tests.faults.table import Tally

When = Literal["setup", "call", "teardown"]
Outcome = Literal["passed", "failed", "skipped"]
NAMED = re.findall(r'^@row\("(\w+)"', "".join(p.read_text() for p in Path(__file__).parent.glob("test_*.py")), re.M)


def test_there_are_60_rows_by_name() -> None:
    """N1 to N11, H1 to H12, O1 to O7, P1 to P6, C1 to C7, B1 to B4, L1 to L13."""
    sizes = {"N": 11, "H": 12, "O": 7, "P": 6, "C": 7, "B": 4, "L": 13}

    assert list(ROWS) == [f"{letter}{n}" for letter, size in sizes.items() for n in range(1, size + 1)]
    assert len(set(ROWS.values())) == 60


def test_every_row_has_a_test() -> None:
    """No test is about anything else."""
    assert set(NAMED) == set(ROWS)


def test_a_test_is_named_after_its_row() -> None:
    """A failure then tells which row it is."""
    text = "".join(p.read_text() for p in Path(__file__).parent.glob("test_*.py"))
    pairs = re.findall(r'^@row\("(\w+)".*\)\ndef test_([a-z]+[0-9]+)_', text, re.MULTILINE)

    assert [row.lower() for row, _ in pairs] == [name for _, name in pairs]
    assert Counter(row for row, _ in pairs) == Counter(NAMED)


WHEN: tuple[When, ...] = ("setup", "call", "teardown")
CASES: dict[str, tuple[Outcome, ...]] = {
    "a": ("passed", "passed", "passed"),
    "b": ("passed", "failed", "passed"),
    "c": ("passed", "passed", "failed"),
    "d": ("passed", "skipped", "passed"),
}


def test_a_case_holds_when_all_its_parts_do() -> None:
    """A secret that is found later, and a skipped test, count as not held."""
    tally = Tally()
    properties: list[tuple[str, object]] = [("fault", ("N1", "read"))]
    for nodeid, outcomes in CASES.items():
        for when, outcome in zip(WHEN, outcomes, strict=True):
            place = (nodeid, None, nodeid)
            tally.pytest_runtest_logreport(
                pytest.TestReport(nodeid, place, {}, outcome, None, when, user_properties=properties)
            )

    assert (tally.tried["N1"], tally.held["N1"], tally.operations["N1"]) == (4, 1, {"read"})
    assert not tally.all_held()


def test_a_row_that_was_not_tried_does_not_hold() -> None:
    """An empty run is no success."""
    assert not Tally().all_held()

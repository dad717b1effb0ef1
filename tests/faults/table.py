"""The fault table, tried: `python -m tests.faults.table` runs the rows and prints one line for each.

Exit status 1 if anything did not hold.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests.faults.rows import OPERATIONS, ROWS


class Tally:
    """Counts, row by row, which operations were tried, how often, and how often all held."""

    def __init__(self) -> None:
        self.operations: dict[str, set[str]] = {row: set() for row in ROWS}
        self.tried = dict.fromkeys(ROWS, 0)
        self.held = dict.fromkeys(ROWS, 0)
        self._broken: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one case when its last part, the search for secrets, is done."""
        fault = dict(report.user_properties).get("fault")
        if not isinstance(fault, tuple | list):
            return
        if not report.passed:
            self._broken.add(report.nodeid)
        if report.when == "teardown":
            row, operation = fault
            self.operations[row].add(operation)
            self.tried[row] += 1
            self.held[row] += report.nodeid not in self._broken

    def all_held(self) -> bool:
        """Whether every row was tried and every case held."""
        return all(self.tried.values()) and self.tried == self.held

    def table(self) -> Table:
        """One line for each row."""
        table = Table("row", "fault", "operations", "tried", "held")
        for row, name in ROWS.items():
            operations = ", ".join(operation for operation in OPERATIONS if operation in self.operations[row])
            style = None if 0 < self.tried[row] == self.held[row] else "bold red"
            table.add_row(row, name, operations, str(self.tried[row]), str(self.held[row]), style=style)
        table.caption = f"{sum(self.held.values())} of {sum(self.tried.values())} held"
        return table


if __name__ == "__main__":
    tally = Tally()
    status = pytest.main(
        ["-n", "auto", "-q", "--no-header", "--tb=short", "--show-capture=no", str(Path(__file__).parent)],
        plugins=[tally],
    )
    Console().print(tally.table())
    sys.exit(0 if tally.all_held() and status == pytest.ExitCode.OK else 1)

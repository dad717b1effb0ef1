"""The changes of the last minute, to look back, and the changes still to come."""

import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from chekt_provider.emulator.settings import LONGEST_LAG
from chekt_provider.emulator.tables import Table, Values


@dataclass(frozen=True)
class _Change:
    """What a row was until `time`: the values of its columns, or None when there was none."""

    time: float
    table: Table
    number: int
    before: Values | None


@dataclass(frozen=True)
class _Delayed:
    due: float
    table: Table
    number: int
    act: Callable[[], None]


class History:
    """The changes to stations and sites, in memory: those of the last 60 seconds, and the delayed ones."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moment: float | None = None  # during a delayed change: when it was due
        self._changes: deque[_Change] = deque()
        self._delayed: list[_Delayed] = []

    def clear(self) -> None:
        """Forget all changes, the delayed ones too."""
        self._changes.clear()
        self._delayed.clear()

    def note(self, table: Table, number: int, before: Values | None) -> None:
        """Note that a row changes, and what it was before; None for a new row."""
        now = self._clock() if self._moment is None else self._moment
        self._changes.append(_Change(now, table, number, before))
        while self._changes[0].time < now - LONGEST_LAG:
            self._changes.popleft()

    def go_back(self, db: sqlite3.Connection, seconds: float) -> None:
        """Undo the changes of so many seconds, the latest first."""
        then = self._clock() - seconds
        for change in reversed(self._changes):
            if change.time <= then:
                continue
            change.table.delete(db, change.number)
            if change.before is not None:
                change.table.put(db, change.before)
                db.execute("DELETE FROM gone WHERE kind = ? AND number = ?", (change.table.name, change.number))

    def later(self, seconds: float, table: Table, number: int, act: Callable[[], None]) -> None:
        """Change a row in so many seconds."""
        self._delayed.append(_Delayed(self._clock() + seconds, table, number, act))

    def call_off(self, table: Table, number: int) -> None:
        """Drop the delayed changes of a row: it is gone, and another one may get its number."""
        self._delayed = [change for change in self._delayed if (change.table, change.number) != (table, number)]

    def catch_up(self) -> None:
        """Make the due changes, the earliest first, each as of its time."""
        now = self._clock()
        due = sorted((change for change in self._delayed if change.due <= now), key=lambda change: change.due)
        for change in due:
            if change in self._delayed:  # an earlier one may have called it off
                self._delayed.remove(change)
                self._moment = change.due
                change.act()
        self._moment = None

"""What the emulator knows: dealers, stations, sites and remembered answers, in SQLite.

The store keeps and finds; rules.py decides what is allowed. Any thread may call it.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chekt_provider.emulator.history import History
from chekt_provider.emulator.refusals import NotThere, Refusal
from chekt_provider.emulator.settings import DAY
from chekt_provider.emulator.tables import SCHEMA, SITES, STATIONS, Row, Table

_FREE = """
SELECT min(number) AS number FROM (SELECT 1 AS number UNION SELECT monitoring_station_id + 1 FROM stations)
WHERE number NOT IN (SELECT monitoring_station_id FROM stations)
"""

_COLUMNS = {STATIONS.key, *STATIONS.columns, SITES.key, *SITES.columns, "created_at"}
"""Fields that have columns of their own, or come from another table."""


class Store:
    """The emulator's tables. Rows go in and out as dicts that name the API's fields.

    An unset option of a station is as in `STATION_UNSET`, whatever form the API gives it. A delayed change happens when
    the store is next used after its time.

    Args:
        path: a file that outlives the emulator, or None to keep everything in memory. It does not hold the last
            minute's changes and the delayed ones.
        clock: seconds since 1970, for the lives of answers and the time of changes.
        database_clock: seconds since 1970, for created_at.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float], database_clock: Callable[[], float]) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self._database_clock = database_clock
        self._history = History(clock)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            # One file that is complete after every change. A killed process loses nothing; a power cut may.
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.executescript(SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the store: everything inside happens at once, or nothing when an exception leaves it."""
        with self._lock:
            if self._db.in_transaction:  # the outermost one commits
                yield self._db
            else:
                with self._db:  # by itself: due changes last, even if an exception comes next
                    self._db.execute("BEGIN")
                    self._history.catch_up()
                with self._db:
                    self._db.execute("BEGIN")
                    yield self._db

    @contextmanager
    def glimpse(self, ago: float = 0) -> Iterator[None]:
        """Show the store as it was so many seconds ago, at most 60; no change inside lasts."""
        with self.transaction() as db:
            db.execute("SAVEPOINT glimpse")
            try:
                self._history.go_back(db, ago)
                yield
            finally:
                db.execute("ROLLBACK TO glimpse")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def clear(self) -> None:
        """Forget everything, including the counters of ids and the delayed changes."""
        with self.transaction() as db:
            self._history.clear()
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - our names, and the counters of ids

    def _run(self, sql: str, *values: Any) -> list[Row]:
        """Run a statement and give the rows that it selects."""
        with self.transaction() as db:
            return [dict(row) for row in db.execute(sql, values)]

    def now(self) -> str:
        """Give the database's time as the API writes it: ISO 8601, UTC, milliseconds."""
        moment = datetime.fromtimestamp(self._database_clock(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # Dealers

    def add_dealer(self, dealer_id: int) -> None:
        """Add a dealer with made-up particulars, unless it exists."""
        self._run(
            "INSERT OR IGNORE INTO dealers VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            dealer_id,
            f"dealer-{dealer_id}",
            f"Dealer {dealer_id} Security",
            "1 Example Street",
            None,
            f"office@dealer-{dealer_id}.example",
            "+1 555 0100",
            self.now(),
        )

    def dealer(self, dealer_id: int) -> Row:
        """Give one dealer.

        Raises:
            NotThere: there is none, or it is withdrawn as 404.
            Refusal: 403, it is withdrawn as 403.
        """
        rows = self._run("SELECT * FROM dealers WHERE dealer_id = ?", dealer_id)
        withdrawn = rows[0].pop("withdrawn") if rows else 404
        if withdrawn == 404:
            raise NotThere(f"dealer {dealer_id} does not exist", "dealer_id")
        if withdrawn:
            raise Refusal(403, f"this app has no access to dealer {dealer_id}", "dealer_id")
        return rows[0]

    def check_dealer(self, dealer_id: int) -> None:
        """Raise NotThere when there is no such dealer; a withdrawn one counts."""
        if not self._run("SELECT 1 FROM dealers WHERE dealer_id = ?", dealer_id):
            raise NotThere(f"dealer {dealer_id} does not exist", "dealer_id")

    def withdraw_dealer(self, dealer_id: int, status: int | None) -> None:
        """Refuse every call for this dealer with 403 or 404; None grants access again."""
        self._run("UPDATE dealers SET withdrawn = ? WHERE dealer_id = ?", status, dealer_id)

    # Stations and sites

    def rows(self, table: Table, dealer_id: int, **values: Any) -> list[Row]:
        """Give a dealer's rows with these values, in order of number; none when there is no such dealer."""
        conditions = "".join(f" AND {column} = ?" for column in values)
        found = self._run(f"{table.select}{conditions} ORDER BY {table.key}", dealer_id, *values.values())
        return [_unpacked(row) for row in found]

    def row(self, table: Table, dealer_id: int, number: int) -> Row:
        """Give one row, or raise NotThere, with whether somebody removed it."""
        found = self.rows(table, dealer_id, **{table.key: number})
        if found:
            return found[0]
        sql = "SELECT 1 FROM gone WHERE kind = ? AND number = ? AND dealer_id = ?"
        gone = bool(self._run(sql, table.name, number, dealer_id))
        raise NotThere(f"{table.what} {number} does not exist", table.key, gone=gone)

    def add(self, table: Table, dealer_id: int, fields: Row, number: int | None = None) -> int:
        """Add a row and give its number: a new one, or `number`, in place of the row that has it.

        `fields` may leave out those of `Table.unset`.
        """
        with self.transaction() as db:
            if number is not None:
                self._history.call_off(table, number)
                self._history.note(table, number, table.values(db, number))
            row = table.unset | fields | {"created_at": self.now()}
            added = table.put(db, _values(table, number, dealer_id, row))
            if number is None:
                self._history.note(table, added, None)
            return added

    def change(self, table: Table, dealer_id: int, number: int, changes: Row) -> None:
        """Change fields of a row, or raise NotThere."""
        with self.transaction() as db:
            row = self.row(table, dealer_id, number) | changes
            self._history.note(table, number, table.values(db, number))
            table.put(db, _values(table, number, dealer_id, row))

    def remove(self, table: Table, dealer_id: int, number: int) -> None:
        """Remove a row, or raise NotThere. The sites of a station stay, without one."""
        with self.transaction() as db:
            self.row(table, dealer_id, number)
            if table is STATIONS:
                for site in self._run("SELECT site_id FROM sites WHERE monitoring_station_id = ?", number):
                    self._history.note(SITES, site["site_id"], SITES.values(db, site["site_id"]))
                self._run("UPDATE sites SET monitoring_station_id = NULL WHERE monitoring_station_id = ?", number)
            self._history.call_off(table, number)
            self._history.note(table, number, table.values(db, number))
            table.delete(db, number)
            self._run("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", table.name, number, dealer_id)

    def later(self, seconds: float, table: Table, number: int, act: Callable[[], None]) -> None:
        """Change a row in so many seconds, unless it is gone by then."""
        self._history.later(seconds, table, number, act)

    def free_number(self) -> int:
        """Give the smallest number that no station has."""
        return int(self._run(_FREE)[0]["number"])

    def sites_of(self, station_id: int) -> int:
        """Count the sites on a station."""
        return len(self._run("SELECT 1 FROM sites WHERE monitoring_station_id = ?", station_id))

    # Remembered answers

    def remembered(self, client_id: str, endpoint: str, key: str) -> Row | None:
        """Give the answer that this idempotency key got in the last 24 hours, if any."""
        with self.transaction() as db:
            db.execute("DELETE FROM remembered WHERE expires <= ?", (self._clock(),))
            sql = "SELECT digest, status, headers, body FROM remembered WHERE (client_id, endpoint, key) = (?, ?, ?)"
            rows = self._run(sql, client_id, endpoint, key)
            return rows[0] | {"headers": json.loads(rows[0]["headers"])} if rows else None

    def remember(self, client_id: str, endpoint: str, key: str, answer: Row) -> None:
        """Keep an answer (digest of the request's body, status, headers, body) for 24 hours."""
        self._run(
            "INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            client_id,
            endpoint,
            key,
            answer["digest"],
            answer["status"],
            json.dumps(answer["headers"]),
            answer["body"],
            self._clock() + DAY,
        )


def _values(table: Table, number: int | None, dealer_id: int, row: Row) -> tuple[Any, ...]:
    """Give the values of a row's columns."""
    fields = json.dumps({name: value for name, value in row.items() if name not in _COLUMNS})
    return (number, dealer_id, *(row[column] for column in table.columns), row["created_at"], fields)


def _unpacked(row: Row) -> Row:
    created_at, fields = row.pop("created_at"), row.pop("fields")
    return {**row, **json.loads(fields), "created_at": created_at}

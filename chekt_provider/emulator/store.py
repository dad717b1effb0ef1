"""What the emulator knows: dealers, stations, sites and remembered answers, in SQLite.

The store keeps and finds; what is allowed is decided in rules.py. All of it may be called from any thread.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chekt_provider.emulator.history import KEYS, History, Table
from chekt_provider.emulator.refusals import NotThere, Refusal
from chekt_provider.emulator.settings import DAY
from chekt_provider.emulator.shapes import STATION_UNSET, SiteOptions

Row = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS dealers (
    dealer_id INTEGER PRIMARY KEY,
    external_dealer_id TEXT NOT NULL,
    company_name TEXT NOT NULL,
    company_address1 TEXT NOT NULL,
    company_address2 TEXT,
    company_email TEXT NOT NULL,
    company_phone_number TEXT NOT NULL,
    created_at TEXT NOT NULL,
    withdrawn INTEGER
);
CREATE TABLE IF NOT EXISTS stations (
    monitoring_station_id INTEGER PRIMARY KEY AUTOINCREMENT,
    dealer_id INTEGER NOT NULL,
    external_monitoring_station_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS stations_of_dealer ON stations (dealer_id, external_monitoring_station_id);
CREATE TABLE IF NOT EXISTS sites (
    site_id INTEGER PRIMARY KEY AUTOINCREMENT,
    dealer_id INTEGER NOT NULL,
    external_site_id TEXT NOT NULL,
    monitoring_station_id INTEGER,
    created_at TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sites_of_dealer ON sites (dealer_id, external_site_id);
CREATE INDEX IF NOT EXISTS sites_of_station ON sites (monitoring_station_id);
CREATE TABLE IF NOT EXISTS gone (
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    dealer_id INTEGER NOT NULL,
    PRIMARY KEY (kind, number)
);
CREATE TABLE IF NOT EXISTS remembered (
    client_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (client_id, endpoint, key)
);
CREATE INDEX IF NOT EXISTS remembered_by_end ON remembered (expires);
"""

_NAMES: dict[Table, str] = {"stations": "monitoring station", "sites": "site"}

_STATIONS = """
SELECT monitoring_station_id, external_monitoring_station_id, created_at, fields FROM stations WHERE dealer_id = ?
"""

_FREE = """
SELECT min(number) AS number FROM (SELECT 1 AS number UNION SELECT monitoring_station_id + 1 FROM stations)
WHERE number NOT IN (SELECT monitoring_station_id FROM stations)
"""

_SITES = """
SELECT site_id, external_site_id, sites.monitoring_station_id, stations.external_monitoring_station_id,
       sites.created_at, sites.fields
FROM sites LEFT JOIN stations USING (monitoring_station_id) WHERE sites.dealer_id = ?
"""

_SITE_AT_FIRST: Row = dict.fromkeys(SiteOptions.model_fields) | {"is_activated": 0}

_COLUMNS = ("site_id", "external_site_id", "monitoring_station_id", "external_monitoring_station_id", "created_at")
"""What tables are searched by, in columns of their own; the other fields are kept as one JSON text."""


class Store:
    """The emulator's tables. Rows go in and out as dicts that name the API's fields.

    An option of a station that is not set is here as in `STATION_UNSET`, whatever form the API gives it. A change that
    was delayed is made when the store is next used after its time.

    Args:
        path: a file that outlives the emulator, or None to keep everything in memory. What is not in it: the last
            minute's changes, and those that are delayed.
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
            self._db.executescript(_SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the store: everything inside happens at once, or not at all when an exception leaves it."""
        with self._lock:
            if self._db.in_transaction:  # the outermost one commits
                yield self._db
            else:
                self._catch_up()
                with self._db:
                    self._db.execute("BEGIN")
                    yield self._db

    @contextmanager
    def glimpse(self, ago: float = 0) -> Iterator[None]:
        """Show the store inside as it was so many seconds ago, at most 60; nothing that is done inside lasts."""
        with self.transaction() as db:
            db.execute("SAVEPOINT glimpse")
            try:
                self._history.go_back(db, ago)
                yield
            finally:
                db.execute("ROLLBACK TO glimpse")

    def _catch_up(self) -> None:
        """Make the delayed changes whose time has come, for good, whatever becomes of what is done next."""
        with self._db:
            self._db.execute("BEGIN")
            self._history.catch_up()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def clear(self) -> None:
        """Forget everything, the counters of ids and what is delayed included."""
        with self.transaction() as db:
            self._history.clear()
            for table in ("dealers", "stations", "sites", "gone", "remembered", "sqlite_sequence"):
                db.execute("DELETE FROM " + table)  # noqa: S608 - the names stand in the line above

    def _rows(self, sql: str, *values: Any) -> list[Row]:
        with self.transaction() as db:
            return [dict(row) for row in db.execute(sql, values)]

    def _whole(self, sql: str, *values: Any) -> list[Row]:
        """Give stations or sites with all of their fields."""
        return [_unpacked(row) for row in self._rows(sql, *values)]

    def _change(self, sql: str, *values: Any) -> int:
        """Run one change and give the id of the row that it added, if it added one."""
        with self.transaction() as db:
            return db.execute(sql, values).lastrowid or 0

    def now(self) -> str:
        """Give the database's time as the API writes it: ISO 8601, UTC, milliseconds."""
        return (
            datetime.fromtimestamp(self._database_clock(), UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )

    # Dealers

    def add_dealer(self, dealer_id: int) -> None:
        """Add a dealer with made-up particulars; one that exists stays as it is."""
        self._change(
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
        rows = self._rows("SELECT * FROM dealers WHERE dealer_id = ?", dealer_id)
        withdrawn = rows[0].pop("withdrawn") if rows else 404
        if withdrawn == HTTPStatus.NOT_FOUND:
            raise NotThere(f"dealer {dealer_id} does not exist", "dealer_id")
        if withdrawn:
            raise Refusal(403, f"this app has no access to dealer {dealer_id}", "dealer_id")
        return rows[0]

    def check_dealer(self, dealer_id: int) -> None:
        """Raise NotThere unless there is such a dealer, withdrawn or not."""
        if not self._rows("SELECT 1 FROM dealers WHERE dealer_id = ?", dealer_id):
            raise NotThere(f"dealer {dealer_id} does not exist", "dealer_id")

    def withdraw_dealer(self, dealer_id: int, status: int | None) -> None:
        """Let every call for this dealer be refused with 403 or 404; None grants access again."""
        self._change("UPDATE dealers SET withdrawn = ? WHERE dealer_id = ?", status, dealer_id)

    # Stations

    def stations(self, dealer_id: int) -> list[Row]:
        """Give a dealer's stations in order of id; none for a dealer that does not exist."""
        return self._whole(_STATIONS + "ORDER BY monitoring_station_id", dealer_id)

    def station(self, dealer_id: int, station_id: int) -> Row:
        """Give one station, or raise NotThere."""
        rows = self._whole(_STATIONS + "AND monitoring_station_id = ?", dealer_id, station_id)
        if not rows:
            raise self._not_there(dealer_id, "stations", station_id)
        return rows[0]

    def stations_called(self, dealer_id: int, external_id: str) -> list[Row]:
        """Give the stations with this external id: none, one, or twins."""
        return self._whole(_STATIONS + "AND external_monitoring_station_id = ?", dealer_id, external_id)

    def free_number(self) -> int:
        """Give the smallest number that no station has."""
        return int(self._rows(_FREE)[0]["number"])

    def add_station(self, dealer_id: int, fields: Row, number: int | None = None) -> int:
        """Add a station and give its id.

        Args:
            dealer_id: its dealer.
            fields: external_monitoring_station_id and name; options may be left out.
            number: its id, in place of the station that has it; None: one that no station ever had.
        """
        with self.transaction() as db:
            if number is not None:
                self._history.call_off("stations", number)
                self._history.note(db, "stations", number)
            added = self._change(
                "INSERT OR REPLACE INTO stations VALUES (?, ?, ?, ?, ?)",
                number,
                dealer_id,
                fields["external_monitoring_station_id"],
                self.now(),
                _packed(STATION_UNSET | fields),
            )
            if number is None:
                self._history.note_new("stations", added)
            return added

    def change_station(self, dealer_id: int, station_id: int, changes: Row) -> None:
        """Change a station's name and options, or raise NotThere."""
        with self.transaction() as db:
            row = self.station(dealer_id, station_id) | changes
            self._history.note(db, "stations", station_id)
            db.execute(
                "UPDATE stations SET fields = ? WHERE monitoring_station_id = ?",
                (_packed(row), station_id),
            )

    def remove_station(self, dealer_id: int, station_id: int) -> None:
        """Remove a station and leave its sites without one, or raise NotThere."""
        with self.transaction() as db:
            self.station(dealer_id, station_id)
            for site in self._rows("SELECT site_id FROM sites WHERE monitoring_station_id = ?", station_id):
                self._history.note(db, "sites", site["site_id"])
            db.execute("UPDATE sites SET monitoring_station_id = NULL WHERE monitoring_station_id = ?", (station_id,))
            self._remove(dealer_id, "stations", station_id)

    def remove_station_later(self, dealer_id: int, station_id: int, seconds: float) -> None:
        """Remove a station in so many seconds, if it is still there."""
        self._history.later(seconds, "stations", station_id, lambda: self.remove_station(dealer_id, station_id))

    # Sites

    def sites(self, dealer_id: int) -> list[Row]:
        """Give a dealer's sites in order of id; none for a dealer that does not exist."""
        return self._whole(_SITES + "ORDER BY site_id", dealer_id)

    def site(self, dealer_id: int, site_id: int) -> Row:
        """Give one site, or raise NotThere."""
        rows = self._whole(_SITES + "AND site_id = ?", dealer_id, site_id)
        if not rows:
            raise self._not_there(dealer_id, "sites", site_id)
        return rows[0]

    def sites_called(self, dealer_id: int, external_id: str) -> list[Row]:
        """Give the sites with this external id."""
        return self._whole(_SITES + "AND external_site_id = ?", dealer_id, external_id)

    def sites_of(self, station_id: int) -> int:
        """Count the sites on a station."""
        return int(self._rows("SELECT count(*) AS n FROM sites WHERE monitoring_station_id = ?", station_id)[0]["n"])

    def add_site(self, dealer_id: int, fields: Row) -> int:
        """Add a site and give its id."""
        with self.transaction() as db:
            cursor = db.execute(
                "INSERT INTO sites VALUES (NULL, ?, ?, ?, ?, ?)",
                (
                    dealer_id,
                    fields["external_site_id"],
                    fields.get("monitoring_station_id"),
                    self.now(),
                    _packed(_SITE_AT_FIRST | fields),
                ),
            )
            site_id = cursor.lastrowid or 0
            self._history.note_new("sites", site_id)
            return site_id

    def change_site(self, dealer_id: int, site_id: int, changes: Row) -> None:
        """Change fields of a site, or raise NotThere."""
        with self.transaction() as db:
            row = self.site(dealer_id, site_id) | changes
            self._history.note(db, "sites", site_id)
            db.execute(
                "UPDATE sites SET external_site_id = ?, monitoring_station_id = ?, fields = ? WHERE site_id = ?",
                (row["external_site_id"], row["monitoring_station_id"], _packed(row), site_id),
            )

    def change_site_later(self, dealer_id: int, site_id: int, changes: Row, seconds: float) -> None:
        """Change fields of a site in so many seconds."""
        self._history.later(seconds, "sites", site_id, lambda: self.change_site(dealer_id, site_id, changes))

    def remove_site(self, dealer_id: int, site_id: int) -> None:
        """Remove a site, or raise NotThere."""
        with self.transaction():
            self.site(dealer_id, site_id)
            self._remove(dealer_id, "sites", site_id)

    # What stations and sites have in common

    def _remove(self, dealer_id: int, table: Table, number: int) -> None:
        with self.transaction() as db:
            self._history.call_off(table, number)
            self._history.note(db, table, number)
            db.execute(f"DELETE FROM {table} WHERE {KEYS[table]} = ?", (number,))  # noqa: S608 - our names
            db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", (table, number, dealer_id))

    def _not_there(self, dealer_id: int, table: Table, number: int) -> NotThere:
        """Say that there is no such row, and whether there was one."""
        sql = "SELECT 1 FROM gone WHERE kind = ? AND number = ? AND dealer_id = ?"
        gone = bool(self._rows(sql, table, number, dealer_id))
        return NotThere(f"{_NAMES[table]} {number} does not exist", KEYS[table], gone=gone)

    # Remembered answers

    def remembered(self, client_id: str, endpoint: str, key: str) -> Row | None:
        """Give the answer that this idempotency key got in the last 24 hours, if there is one."""
        with self.transaction() as db:
            db.execute("DELETE FROM remembered WHERE expires <= ?", (self._clock(),))
            rows = self._rows(
                "SELECT digest, status, headers, body FROM remembered WHERE client_id = ? AND endpoint = ? AND key = ?",
                client_id,
                endpoint,
                key,
            )
            return rows[0] | {"headers": json.loads(rows[0]["headers"])} if rows else None

    def remember(self, client_id: str, endpoint: str, key: str, answer: Row) -> None:
        """Keep an answer (digest of the request's body, status, headers, body) for 24 hours."""
        self._change(
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


def _packed(row: Row) -> str:
    return json.dumps({name: value for name, value in row.items() if name not in _COLUMNS})


def _unpacked(row: Row) -> Row:
    created_at, fields = row.pop("created_at"), row.pop("fields")
    return {**row, **json.loads(fields), "created_at": created_at}

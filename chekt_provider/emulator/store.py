"""What the emulator knows: dealers, stations, sites and remembered answers, in SQLite.

The store keeps and finds; what is allowed is decided in rules.py. All of it may be called from any thread.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chekt_provider.emulator.refusals import NotThere, Refusal

Row = dict[str, Any]

_KEYS = {"stations": "monitoring_station_id", "sites": "site_id"}

DAY = 24 * 60 * 60  # seconds that an answer is remembered
LONGEST_LAG = 60  # seconds

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
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    linecard TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS stations_of_dealer ON stations (dealer_id, external_monitoring_station_id);
CREATE TABLE IF NOT EXISTS sites (
    site_id INTEGER PRIMARY KEY AUTOINCREMENT,
    dealer_id INTEGER NOT NULL,
    external_site_id TEXT NOT NULL,
    name TEXT NOT NULL,
    monitoring_station_id INTEGER,
    account_number TEXT,
    address1 TEXT,
    address2 TEXT,
    timezone TEXT NOT NULL,
    is_activated INTEGER NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sites_of_dealer ON sites (dealer_id, external_site_id);
CREATE INDEX IF NOT EXISTS sites_of_station ON sites (monitoring_station_id);
CREATE TABLE IF NOT EXISTS answers (
    client_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (client_id, endpoint, key)
);
CREATE INDEX IF NOT EXISTS answers_by_end ON answers (expires);
"""

_STATIONS = """
SELECT monitoring_station_id, external_monitoring_station_id, name, prefix, linecard, created_at
FROM stations WHERE dealer_id = ?
"""

_SITES = """
SELECT site_id, external_site_id, sites.name, sites.monitoring_station_id,
       stations.external_monitoring_station_id, account_number, address1, address2, timezone, is_activated,
       sites.created_at
FROM sites LEFT JOIN stations USING (monitoring_station_id) WHERE sites.dealer_id = ?
"""


class Store:
    """The emulator's tables. Rows go in and out as dicts that name the API's fields.

    A prefix or linecard that is not set is "" here, whatever form the API gives it.

    Args:
        path: a file that outlives the emulator, or None to keep everything in memory.
        clock: seconds since 1970, for created_at.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self._lock = threading.RLock()
        self._history: list[tuple[float, str, int, Row | None]] = []
        self._settling: float | None = None
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._clock = clock
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
                with self._db:
                    self._db.execute("BEGIN")
                    yield self._db

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def clear(self) -> None:
        """Forget everything, the counters of ids included."""
        self._history.clear()
        self._due.clear()
        with self.transaction() as db:
            for table in ("dealers", "stations", "sites", "answers", "sqlite_sequence"):
                db.execute("DELETE FROM " + table)  # noqa: S608 - the names stand in the line above

    def _rows(self, sql: str, *values: Any) -> list[Row]:
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values)]

    def _change(self, sql: str, *values: Any) -> int:
        """Run one change and give the id of the row that it added, if it added one."""
        with self.transaction() as db:
            return db.execute(sql, values).lastrowid or 0

    def now(self, ahead: float = 0) -> str:
        """Give the time, or one so many seconds ahead, as the API writes it: ISO 8601, UTC, milliseconds."""
        moment = datetime.fromtimestamp(self._clock() + ahead, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # What was, and what is still to come

    def later(self, seconds: float, change: Callable[[], None]) -> None:
        """Make a change in so many seconds: at the first `settle` from then on."""
        with self._lock:
            self._due.append((self._clock() + seconds, change))

    def settle(self) -> None:
        """Make the changes that are due."""
        with self._lock:
            now = self._clock()
            ready = [entry for entry in self._due if entry[0] <= now]
            self._due = [entry for entry in self._due if entry[0] > now]
            for self._settling, change in ready:
                change()
            self._settling = None

    def _moment(self) -> float:
        """When the change that is being made counts as made."""
        return self._clock() if self._settling is None else self._settling

    def _remember_row(self, table: str, row_id: int) -> None:
        """Keep what a row is before it changes, for whoever asks what was."""
        now = self._moment()
        rows = self._rows(f"SELECT * FROM {table} WHERE {_KEYS[table]} = ?", row_id)  # noqa: S608 - names of ours
        self._history = [entry for entry in self._history if entry[0] >= now - LONGEST_LAG]
        self._history.append((now, table, row_id, rows[0] if rows else None))

    def _rows_then(self, table: str, dealer_id: int, lag: float) -> dict[int, Row]:
        """A dealer's rows as they were so many seconds ago, by id."""
        with self._lock:
            rows = self._rows(f"SELECT * FROM {table} WHERE dealer_id = ?", dealer_id)  # noqa: S608 - names of ours
            then = {row[_KEYS[table]]: row for row in rows}
            for changed_at, changed, row_id, before in reversed(self._history):
                if changed != table or changed_at <= self._clock() - lag:
                    continue
                then.pop(row_id, None)
                if before is not None and before["dealer_id"] == dealer_id:
                    then[row_id] = before
            return dict(sorted(then.items()))

    def stations_then(self, dealer_id: int, lag: float) -> list[Row]:
        """Give a dealer's stations as they were so many seconds ago."""
        rows = self._rows_then("stations", dealer_id, lag).values()
        return [{name: value for name, value in row.items() if name != "dealer_id"} for row in rows]

    def sites_then(self, dealer_id: int, lag: float) -> list[Row]:
        """Give a dealer's sites as they were so many seconds ago."""
        with self._lock:
            stations = self._rows_then("stations", dealer_id, lag)
            sites = self._rows_then("sites", dealer_id, lag).values()
        return [
            {name: site[name] for name in ("site_id", "external_site_id", "name", "monitoring_station_id")}
            | {
                "external_monitoring_station_id": stations.get(site["monitoring_station_id"], {}).get(
                    "external_monitoring_station_id"
                )
            }
            | {name: site[name] for name in ("account_number", "address1", "address2", "timezone")}
            | {name: site[name] for name in ("is_activated", "created_at")}
            for site in sites
        ]

    def was_there(self, station_id: int) -> bool:
        """Whether a station ever had this number."""
        rows = self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'stations'")
        return bool(rows) and station_id <= rows[0]["seq"]

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
            raise Refusal(
                HTTPStatus.FORBIDDEN, "forbidden", f"this app has no access to dealer {dealer_id}", "dealer_id"
            )
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
        return self._rows(_STATIONS + "ORDER BY monitoring_station_id", dealer_id)

    def station(self, dealer_id: int, station_id: int) -> Row:
        """Give one station, or raise NotThere."""
        rows = self._rows(_STATIONS + "AND monitoring_station_id = ?", dealer_id, station_id)
        if not rows:
            raise NotThere(f"monitoring station {station_id} does not exist", "monitoring_station_id")
        return rows[0]

    def stations_called(self, dealer_id: int, external_id: str) -> list[Row]:
        """Give the stations with this external id: none, one, or twins."""
        return self._rows(_STATIONS + "AND external_monitoring_station_id = ?", dealer_id, external_id)

    def add_station(
        self,
        dealer_id: int,
        external_id: str,
        name: str,
        prefix: str = "",
        linecard: str = "",
        *,
        created_at: str = "",
        number: int | None = None,
    ) -> int:
        """Add a station and give its id: the next one, unless there is a number for it."""
        with self.transaction():
            row = (dealer_id, external_id, name, prefix, linecard, created_at or self.now())
            station_id = self._change("INSERT INTO stations VALUES (?, ?, ?, ?, ?, ?, ?)", number, *row)
            self._history.append((self._moment(), "stations", station_id, None))
            return station_id

    def free_number(self) -> int:
        """Give the smallest number that no station has."""
        taken = {row["monitoring_station_id"] for row in self._rows("SELECT monitoring_station_id FROM stations")}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    def put_station(self, dealer_id: int, station_id: int, values: Row) -> None:
        """Give a number to another station, whatever had it before."""
        with self.transaction() as db:
            self._remember_row("stations", station_id)
            db.execute("DELETE FROM stations WHERE monitoring_station_id = ?", (station_id,))
            self.add_station(dealer_id, **values, number=station_id)

    def change_station(self, dealer_id: int, station_id: int, changes: Row) -> None:
        """Change name, prefix or linecard of a station, or raise NotThere."""
        with self.transaction() as db:
            row = self.station(dealer_id, station_id) | changes
            self._remember_row("stations", station_id)
            db.execute(
                "UPDATE stations SET name = ?, prefix = ?, linecard = ? WHERE monitoring_station_id = ?",
                (row["name"], row["prefix"], row["linecard"], station_id),
            )

    def remove_station(self, dealer_id: int, station_id: int) -> None:
        """Remove a station and leave its sites without one, or raise NotThere."""
        with self.transaction() as db:
            self.station(dealer_id, station_id)
            self._remember_row("stations", station_id)
            for site in self._rows("SELECT site_id FROM sites WHERE monitoring_station_id = ?", station_id):
                self._remember_row("sites", site["site_id"])
            db.execute("UPDATE sites SET monitoring_station_id = NULL WHERE monitoring_station_id = ?", (station_id,))
            db.execute("DELETE FROM stations WHERE monitoring_station_id = ?", (station_id,))

    # Sites

    def sites(self, dealer_id: int) -> list[Row]:
        """Give a dealer's sites in order of id; none for a dealer that does not exist."""
        return self._rows(_SITES + "ORDER BY site_id", dealer_id)

    def site(self, dealer_id: int, site_id: int) -> Row:
        """Give one site, or raise NotThere."""
        rows = self._rows(_SITES + "AND site_id = ?", dealer_id, site_id)
        if not rows:
            raise NotThere(f"site {site_id} does not exist", "site_id")
        return rows[0]

    def sites_called(self, dealer_id: int, external_id: str) -> list[Row]:
        """Give the sites with this external id."""
        return self._rows(_SITES + "AND external_site_id = ?", dealer_id, external_id)

    def sites_of(self, station_id: int) -> int:
        """Count the sites on a station."""
        return int(self._rows("SELECT count(*) AS n FROM sites WHERE monitoring_station_id = ?", station_id)[0]["n"])

    def add_site(self, dealer_id: int, fields: Row) -> int:
        """Add a site and give its id."""
        with self.transaction() as db:
            cursor = db.execute(
                "INSERT INTO sites (dealer_id, external_site_id, name, timezone, is_activated, created_at)"
                " VALUES (?, ?, ?, ?, 0, ?)",
                (dealer_id, fields["external_site_id"], fields["name"], fields["timezone"], self.now()),
            )
            site_id = cursor.lastrowid or 0
            self._history.append((self._moment(), "sites", site_id, None))
            self._write_site(dealer_id, site_id, fields)
            return site_id

    def change_site(self, dealer_id: int, site_id: int, changes: Row) -> None:
        """Change fields of a site, or raise NotThere."""
        with self.transaction():
            self._remember_row("sites", site_id)
            self._write_site(dealer_id, site_id, changes)

    def _write_site(self, dealer_id: int, site_id: int, changes: Row) -> None:
        with self.transaction() as db:
            db.execute(
                "UPDATE sites SET external_site_id = :external_site_id, name = :name, timezone = :timezone,"
                " monitoring_station_id = :monitoring_station_id, account_number = :account_number,"
                " address1 = :address1, address2 = :address2, is_activated = :is_activated WHERE site_id = :site_id",
                self.site(dealer_id, site_id) | changes,
            )

    # Remembered answers

    def remembered(self, client_id: str, endpoint: str, key: str) -> Row | None:
        """Give the answer that this idempotency key got in the last 24 hours, if there is one."""
        with self.transaction() as db:
            db.execute("DELETE FROM answers WHERE expires <= ?", (self._clock(),))
            rows = self._rows(
                "SELECT digest, status, content_type, body FROM answers"
                " WHERE client_id = ? AND endpoint = ? AND key = ?",
                client_id,
                endpoint,
                key,
            )
            return rows[0] if rows else None

    def remember(self, client_id: str, endpoint: str, key: str, answer: Row) -> None:
        """Keep an answer (digest of the request's body, status, content_type, body) for 24 hours."""
        self._change(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            client_id,
            endpoint,
            key,
            answer["digest"],
            answer["status"],
            answer["content_type"],
            answer["body"],
            self._clock() + DAY,
        )

"""The store's tables, and what stations and sites have in common there."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from chekt_provider.emulator.shapes import STATION_UNSET, SiteOptions

Row = dict[str, Any]
Values = tuple[Any, ...]

SCHEMA = """
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


@dataclass(frozen=True)
class Table:
    """A table of numbered rows, each of a dealer.

    Attributes:
        name: its name.
        what: one of its rows, in words.
        key: the column of a row's number.
        columns: the fields that have columns of their own, the external id first; the others are one JSON text.
        unset: the fields that a new row may leave out.
        select: SQL that selects the rows of a dealer.
    """

    name: str
    what: str
    key: str
    columns: tuple[str, ...]
    unset: Row
    select: str

    def values(self, db: sqlite3.Connection, number: int) -> Values | None:
        """Give the values of a row, one for each column of the table; None when there is no such row."""
        sql = f"SELECT * FROM {self.name} WHERE {self.key} = ?"  # noqa: S608 - our names
        row = db.execute(sql, (number,)).fetchone()
        return tuple(row) if row else None

    def put(self, db: sqlite3.Connection, values: Values) -> int:
        """Write a row, in place of the row with its number, and give the number."""
        marks = ", ".join("?" * len(values))
        return db.execute(f"INSERT OR REPLACE INTO {self.name} VALUES ({marks})", values).lastrowid or 0  # noqa: S608

    def delete(self, db: sqlite3.Connection, number: int) -> None:
        """Delete a row, if it is there."""
        db.execute(f"DELETE FROM {self.name} WHERE {self.key} = ?", (number,))  # noqa: S608


STATIONS = Table(
    name="stations",
    what="monitoring station",
    key="monitoring_station_id",
    columns=("external_monitoring_station_id",),
    unset=STATION_UNSET,
    select="""
SELECT monitoring_station_id, external_monitoring_station_id, created_at, fields FROM stations WHERE dealer_id = ?
""",
)
SITES = Table(
    name="sites",
    what="site",
    key="site_id",
    columns=("external_site_id", "monitoring_station_id"),
    unset=dict.fromkeys(SiteOptions.model_fields) | {"monitoring_station_id": None, "is_activated": 0},
    select="""
SELECT site_id, external_site_id, sites.monitoring_station_id, stations.external_monitoring_station_id,
       sites.created_at, sites.fields
FROM sites LEFT JOIN stations USING (monitoring_station_id) WHERE sites.dealer_id = ?
""",
)

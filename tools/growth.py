"""`make growth`: the processor time that our own work takes, among few stations and among many.

No Pulumi and no HTTP: an API in memory answers at once. So what is left are the looks at lists, the safety rules and
the records, which may not grow with the number of stations that CHeKT lists.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rich.console import Console

from chekt_provider.api.client import Client, Created, Listing
from chekt_provider.api.operation import Operation
from chekt_provider.api.transport import Transport
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.kinds import Value
from chekt_provider.model.wire import Site
from chekt_provider.operations.stations import StationOperations
from chekt_provider.settings import Settings

SETTINGS = Settings(client_id="growth", client_secret="growth", dealer_id="1")  # noqa: S106 - of no app


class Memory(Client):
    """An API that holds its stations and sites in memory."""

    def __init__(self, stations: int) -> None:
        super().__init__(Transport(SETTINGS, say=lambda _: None))
        self._numbers = itertools.count(1)
        self._stations: dict[str, Station] = {}
        for n in range(stations):
            self._add(f"listed-{n:06}", f"Listed {n}", "2026-01-01T00:00:00.000Z")
        self._sites = tuple(
            Site(site_id=str(n), external_site_id=f"site-{n:06}", name=f"House {n}", monitoring_station_id="999999999")
            for n in range(1, stations + 1)
        )
        self.take_turn = _at_once
        self.reserve = _at_once

    def list_stations(self, operation: Operation, dealer_id: str) -> Listing[Station]:
        """Every station."""
        return Listing(tuple(self._stations.values()))

    def list_sites(self, operation: Operation, dealer_id: str) -> Listing[Site]:
        """As many sites as there were stations, on another one."""
        return Listing(self._sites)

    def create_station(self, operation: Operation, dealer_id: str, body: Mapping[str, Value], key: str) -> Created:
        """A new station."""
        now = datetime.now(UTC).replace(microsecond=0)
        made = self._add(str(body["external_monitoring_station_id"]), str(body["name"]), now.isoformat())
        return Created(made, now, 201)

    def update_station(
        self,
        operation: Operation,
        dealer_id: str,
        station_id: str,
        body: Mapping[str, Value | None],
        key: str,
        admit: Callable[[], object],
    ) -> Station | None:
        """A station with other values."""
        admit()
        self._stations[station_id] = self._stations[station_id].model_copy(update=dict(body))
        return self._stations[station_id]

    def delete_station(
        self, operation: Operation, dealer_id: str, station_id: str, key: str, admit: Callable[[], object]
    ) -> bool:
        """Deleted at once."""
        admit()
        del self._stations[station_id]
        return True

    def _add(self, external_id: str, name: str, created_at: str) -> Station:
        made = Station(
            monitoring_station_id=str(next(self._numbers)),
            external_monitoring_station_id=external_id,
            name=name,
            created_at=created_at,
        )
        self._stations[made.number] = made
        return made


def milliseconds(listed: int, count: int) -> dict[str, float]:
    """Processor time of one operation of each kind, among so many listed stations, over so many operations."""
    operations = StationOperations(Memory(listed), SETTINGS, lambda _: None)

    def wanted(n: int, name: str) -> StationInputs:
        key = f"new-{n:06}"
        return StationInputs(external_monitoring_station_id=key, name=name, dealer_id="1", declared_by=f"a/b/c/{key}")

    operations.create(wanted(count, "First"))  # the list is read here
    made = []
    took = {}
    took["create"] = _timed(count, lambda n: made.append(operations.create(wanted(n, "New"))))
    took["refresh"] = _timed(count, lambda n: operations.read(made[n].id, made[n]))
    took["update"] = _timed(count, lambda n: operations.update(made[n], wanted(n, "Other")))
    took["delete"] = _timed(count, lambda n: operations.delete(made[n]))
    return took


def _at_once(*_: object, **__: object) -> None:
    """No queue, and so no wait in it."""


def _timed(count: int, act: Callable[[int], object]) -> float:
    began = time.process_time()
    for n in range(count):
        act(n)
    return (time.process_time() - began) * 1000 / count


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="make growth", description=__doc__)
    parser.add_argument("--listed", default="200,2000,20000", help="how many stations and sites CHeKT lists")
    parser.add_argument("--count", type=int, default=2000, help="how many operations of each kind")
    given = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    console.print("| listed | create | refresh | update | delete |\n| ---: | ---: | ---: | ---: | ---: |")
    for listed in map(int, given.listed.split(",")):
        took = milliseconds(listed, given.count)
        console.print(f"| {listed:,} | {' | '.join(f'{each:.2f} ms' for each in took.values())} |")


if __name__ == "__main__":
    main()

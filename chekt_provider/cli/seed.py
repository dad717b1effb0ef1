"""What an emulator begins with: stations and sites from a YAML file.

stations:
  - external_monitoring_station_id: backup-01
    name: Backup Receiving Centre
sites:
  - external_site_id: villa-01
    name: Villa
    account_number: "0042"
    monitoring_station: backup-01
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict

from chekt_provider.emulator.shapes import SiteOptions, StationOptions
from chekt_provider.files.document import Shape, read_document
from chekt_provider.files.yaml_file import BadFileError

if TYPE_CHECKING:
    from chekt_provider.emulator import Emulator


class _Row(Shape):
    model_config = ConfigDict(strict=True)

    name: str
    dealer_id: int | None = None


class SeedStation(_Row, StationOptions):
    """A station, as the emulator takes it."""

    external_monitoring_station_id: str


class SeedSite(_Row, SiteOptions):
    """A site; `monitoring_station` is the external id of its station."""

    external_site_id: str
    timezone: str = "UTC"
    monitoring_station: str | None = None


class Seed(Shape):
    """What there is at first."""

    stations: tuple[SeedStation, ...] = ()
    sites: tuple[SeedSite, ...] = ()


_MEANINGS = {"stations": "a list of stations", "sites": "a list of sites", "dealer_id": "the number of a dealer"}


def read_seed(file: Path) -> Seed:
    """Read a file.

    Raises:
        BadFileError: it is unreadable or wrong; a line for each problem.
    """
    return read_document(str(file), Seed, _MEANINGS).content


def plant(seed: Seed, emulator: Emulator) -> None:
    """Add what is not there yet, by external id: a kept state may hold it already.

    Raises:
        BadFileError: a dealer, or a site's station, is not there.
    """
    try:
        for station in seed.stations:
            if not _number(emulator, station.dealer_id, station.external_monitoring_station_id):
                emulator.add_station(**station.model_dump())
        for site in seed.sites:
            if all(known["external_site_id"] != site.external_site_id for known in emulator.sites(site.dealer_id)):
                emulator.add_site(**_fields(emulator, site))
    except LookupError as error:
        raise BadFileError(str(error)) from None


def _fields(emulator: Emulator, site: SeedSite) -> dict[str, Any]:
    fields = site.model_dump(exclude={"monitoring_station"})
    if site.monitoring_station is None:
        return fields
    number = _number(emulator, site.dealer_id, site.monitoring_station)
    if number is None:
        raise BadFileError(f"site {site.external_site_id!r}: there is no station {site.monitoring_station!r}")
    return fields | {"monitoring_station_id": number}


def _number(emulator: Emulator, dealer_id: int | None, external_id: str) -> int | None:
    for station in emulator.stations(dealer_id):
        if station["external_monitoring_station_id"] == external_id:
            return int(station["monitoring_station_id"])
    return None

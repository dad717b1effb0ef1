"""`chekt stations --yaml`: what CHeKT holds, as a stations file that `Fleet` takes as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import yaml

from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.forms import common_form
from chekt_provider.model.inputs import input_problems
from chekt_provider.model.records import STATION_FIELDS
from chekt_provider.operations.directory import called
from chekt_provider.text import listed, shown


def stations_file(dealer_id: str, stations: Iterable[Station]) -> tuple[str, list[str]]:
    """The text of a stations file that adopts stations, and a sentence for each station that it leaves out.

    Args:
        dealer_id: whose they are, digits.
        stations: as CHeKT answers them.
    """
    everyone = list(stations)
    alike = defaultdict[str, list[Station]](list)
    for station in everyone:
        alike[_form(station)].append(station)
    entries, left_out = [], []
    for station in everyone:
        if why := _why_not(dealer_id, station, alike[_form(station)]):
            name = shown(station.name, 60)
            left_out.append(f"Left out: station {station.monitoring_station_id} {name!r}: {why}")
        else:
            entries.append(_entry(station))
    content = {"groups": [{"dealer_id": int(dealer_id), "stations": entries}]} if entries else {"stations": []}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1_000_000)
    head = f"# What CHeKT holds for dealer {dealer_id}. After the first `pulumi up`, adopt_existing has no effect.\n"
    return head + text, left_out


def _form(station: Station) -> str:
    return common_form(station.external_monitoring_station_id)


def _entry(station: Station) -> dict[str, Any]:
    values = {name: getattr(station, name) for name in STATION_FIELDS if getattr(station, name) != ""}
    return {**values, "adopt_existing": True}


def _why_not(dealer_id: str, station: Station, alike: list[Station]) -> str:
    """Why no program can declare a station, "" when one can. `alike` are those that may share its external id."""
    external_id = station.external_monitoring_station_id
    if not external_id:
        return "it has no external id, by which a program knows it."
    if others := [s for s in called(alike, external_id) if s is not station]:
        numbers = listed([other.monitoring_station_id for other in others])
        return f"its external id {shown(external_id)!r} is also that of {numbers}: delete all but one."
    return " ".join(input_problems(StationInputs, {"dealer_id": dealer_id, **_entry(station)}))

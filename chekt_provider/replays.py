"""Whether a station that a POST was answered with is there.

CHeKT replays the answer of an earlier POST with the same key for 24 hours, also when its station was deleted since.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation
from chekt_provider.directory import SharedList
from chekt_provider.errors import ChektError, NotFound
from chekt_provider.models import Station
from chekt_provider.records import StationId, age_of, same_form
from chekt_provider.text import shown

OLD_SECONDS = 60.0
"""From this age on, by CHeKT's own clock, a station was surely there before the answer: its clocks may differ."""


def living(
    client: Client,
    stations: SharedList[Station],
    operation: Operation,
    station: Station,
    station_id: StationId,
    answered_at: datetime | None,
    say: Callable[[str], None],
) -> Station | None:
    """The station that a POST was answered with, as it is now; None for one that was deleted.

    One that is new by CHeKT's own clock is no replay; any other is asked for by id until CHeKT must show it. One whose
    age cannot be told, and that does not show, counts as there: an error would lose it.
    """
    age = age_of(station.created_at, answered_at)
    if stations.deleted(station.monitoring_station_id) == station.created_at:
        return None
    if age is not None and age < 2:  # both clocks may be cut to whole seconds
        return station
    why = "CHeKT does not show it yet"
    for _ in client.looks(operation):
        try:
            live = client.get_station(operation, station_id.dealer_id, station_id.station_id)
        except NotFound:
            continue
        except ChektError as error:
            age, why = None, f"whether it is there cannot be read ({error.cause})"
            break
        if not same_form(live.external_monitoring_station_id, station.external_monitoring_station_id):
            return None  # its number is another's now
        if age is not None and age >= OLD_SECONDS:
            named = f"{shown(live.external_monitoring_station_id)!r} ({station_id})"
            say(f"Taking monitoring station {named}: an earlier run created it.")
        return live
    if age is not None:
        return None
    say(
        f"CHeKT answered that it created monitoring station {station_id}, but {why}: "
        "run `pulumi up --refresh` in a minute."
    )
    return station

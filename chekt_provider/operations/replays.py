"""Whether a station that answered a POST is there.

CHeKT replays the answer of an earlier POST with the same key for 24 hours, even if its station was deleted since.
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import CREATED

from chekt_provider.api.client import Client, Created
from chekt_provider.api.operation import Operation
from chekt_provider.errors import ChektError, NotFound
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.forms import same_form
from chekt_provider.model.ids import StationId
from chekt_provider.model.moments import age_of
from chekt_provider.operations.directory import SharedList
from chekt_provider.operations.identity import not_taken

OLD_SECONDS = 60.0
"""From this age on a station was surely there before the answer, although CHeKT's clocks may differ."""


def is_new(created: Created) -> bool:
    """Whether this very POST made the station in its answer, by CHeKT's own clock."""
    age = _age(created)
    is_dead = created.station is not None and created.station.is_deleted
    return age is not None and -2 < age < 2 and not is_dead  # both clocks may be cut to whole seconds


def is_old(created: Created) -> bool:
    """Whether the station in the answer was surely there before the POST, by CHeKT's own clock."""
    age = _age(created)
    return age is not None and age >= OLD_SECONDS


def is_ours(created: Created, station: Station, wanted: StationInputs, *, came_since: bool) -> bool:
    """Whether a POST, or an earlier one of the same resource, made the station in its answer.

    A 200 may show what was there. So may a 201 show another's, where CHeKT cut two external ids to one: then its number
    was in the list before the POST.
    """
    was_made = is_new(created) or created.status == CREATED
    if same_form(station.external_monitoring_station_id, wanted.external_monitoring_station_id):
        return was_made or not not_taken(station, wanted)
    return was_made and came_since


def _age(created: Created) -> float | None:
    return age_of(created.station.created_at, created.answered_at) if created.station else None


def living(
    client: Client,
    stations: SharedList[Station],
    operation: Operation,
    created: Created,
    station_id: StationId,
    say: Callable[[str], None],
) -> Station | None:
    """The station whose number answered a POST; None where it was deleted.

    A new station is no replay; any other is asked for by id until CHeKT must show it. One of unknown or negative age
    that does not show counts as there: an error would lose it.
    """
    station = created.station
    if station is None:
        return None
    deleted = stations.deleted(station.monitoring_station_id)
    was_deleted = deleted is not None and deleted.created_at == station.created_at
    if was_deleted and station.created_at:
        return None
    if is_new(created):
        return station
    age = _age(created)
    is_known = was_deleted or station.is_deleted or (age is not None and age > 0)
    why = "CHeKT does not show it yet"
    for _ in client.looks(operation):
        try:
            live = client.get_station(operation, station_id.dealer_id, station_id.station_id)
        except NotFound:
            continue
        except ChektError as error:
            is_known, why = False, f"whether it is there cannot be read ({error.cause})"
            break
        return live
    if is_known:
        return None
    say(
        f"CHeKT answered that it created monitoring station {station_id}, but {why}: "
        "run `pulumi up --refresh` in a minute."
    )
    return station

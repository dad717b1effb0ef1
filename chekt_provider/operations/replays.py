"""Whether a station that a POST was answered with is there.

CHeKT replays the answer of an earlier POST with the same key for 24 hours, also when its station was deleted since.
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
"""From this age on, by CHeKT's own clock, a station was surely there before the answer: its clocks may differ."""


def is_new(created: Created) -> bool:
    """Whether a station was made by the very POST that was answered with it, by CHeKT's own clock."""
    age = _age(created)
    is_dead = created.station is not None and created.station.is_deleted
    return age is not None and -2 < age < 2 and not is_dead  # both clocks may be cut to whole seconds


def is_old(created: Created) -> bool:
    """Whether a station was surely there before the POST that was answered with it, by CHeKT's own clock."""
    age = _age(created)
    return age is not None and age >= OLD_SECONDS


def is_ours(created: Created, station: Station, wanted: StationInputs, *, came_since: bool) -> bool:
    """Whether a station with which a POST was answered was made by it, or by an earlier one of the same resource.

    A 200 may show what was there. So may a 201, with another's, where CHeKT cut two external ids to one: then its
    number was in the list before the POST.
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
    """The station that has the number with which a POST was answered; None where that station was deleted.

    One that is new is no replay; any other is asked for by id until CHeKT must show it. One whose age cannot be told,
    or is in the future, and that does not show, counts as there: an error would lose it.
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

"""Taking over a station that exists, only where that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.errors import ListIncomplete, NotFound, StationExists
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.records import UPDATED_IN_PLACE, Recorded, id_of, value
from chekt_provider.operations.identity import differing, not_taken, require_same_station
from chekt_provider.operations.writes import Writes
from chekt_provider.text import shown


def told(station: Station, wanted: StationInputs) -> str:
    """What adopting a station changes on it, in a sentence."""
    changes = [
        f"{name} from {shown(str(value(station, name)))!r} to {shown(str(value(wanted, name)))!r}"
        for name in differing(station, wanted)
    ]
    means = f"changing {', '.join(changes)}" if changes else "nothing changes on it"
    external_id = shown(wanted.external_monitoring_station_id)
    return f"Adopting monitoring station {external_id!r} ({id_of(wanted, station)}): {means}."


def exists(operation: Operation, station: Station, wanted: StationInputs) -> StationExists:
    """The error for a station that exists, and may not be adopted."""
    live = ", ".join(f"{name} {shown(str(value(station, name)))!r}" for name in UPDATED_IN_PLACE)
    kept = station.external_monitoring_station_id
    other = f"external id {shown(kept)!r}, " if kept != wanted.external_monitoring_station_id else ""
    return operation.error(
        StationExists,
        f"it exists already as {id_of(wanted, station)}, with {other}{live}",
        remedy="To manage this one, pass adopt_existing=True (after a killed run, once: `CHEKT_ADOPT_EXISTING=true "
        "pulumi up`; for a resource with a new name in the program, in its options: "
        "aliases=[pulumi.Alias(name=<old name>)]); to make another one, choose another external_monitoring_station_id.",
    )


def adopt(
    client: Client,
    writes: Writes,
    operation: Operation,
    listed: Station,
    wanted: StationInputs,
    say: Callable[[str], None],
) -> Recorded:
    """Take over a station, say so, and give it the wanted values.

    Raises:
        ListIncomplete: CHeKT lists it, and says that it does not exist.
        OtherStation: its number belongs to another station than the listed one.
    """
    try:
        live = client.get_station(operation, wanted.dealer_id, listed.monitoring_station_id)
    except NotFound:
        raise operation.error(
            ListIncomplete,
            f"CHeKT lists it as {id_of(wanted, listed)}, which it says does not exist: "
            "it is being deleted, or has just been",
            remedy="Run again in a minute.",
        ) from None
    recorded = writes.record(wanted.dealer_id, listed, {})
    require_same_station(operation, recorded, live)
    say(told(live, wanted))
    if not differing(live, wanted):
        return writes.record_write(wanted, live)
    put = writes.put_and_look(operation, recorded, live, wanted)
    adopted = writes.record_write(wanted, put)
    if kept := ", ".join(not_taken(put, wanted, live)):  # an error would leave it without a resource for good
        say(f"CHeKT gave {adopted} to this resource but did not take {kept}; the next preview shows it.")
    return adopted

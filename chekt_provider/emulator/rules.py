"""What the API allows: the rules of stations and sites, with a switch where the documentation is silent."""

from typing import Any

from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.settings import Switches
from chekt_provider.emulator.shapes import STATION_TEXTS, STATION_UNSET, SiteOptions
from chekt_provider.emulator.store import Store
from chekt_provider.emulator.tables import SITES, STATIONS, Row

REQUIRED_OF_SITE = ("external_site_id", "name", "timezone")
"""Texts of a site that POST requires; so does PUT under one switch."""

_OPTIONAL_OF_SITE = ("monitoring_station_id", *SiteOptions.model_fields)


def create_station(store: Store, switches: Switches, dealer_id: int, fields: Row) -> Row:
    """Make a station from a POST's fields, and give it as stored.

    Raises:
        Refusal: 422 for a value that does not clear, or what `Switches.duplicate` says for an external id in use.
    """
    values = _kept(_cleared(fields, switches), switches)
    external_id = values["external_monitoring_station_id"]
    with store.transaction():
        if switches.duplicate != "twin" and store.rows(STATIONS, dealer_id, external_monitoring_station_id=external_id):
            raise _duplicate(int(switches.duplicate), "external_monitoring_station_id", external_id)
        return store.row(STATIONS, dealer_id, add_station(store, switches, dealer_id, values))


def add_station(store: Store, switches: Switches, dealer_id: int, values: Row) -> int:
    """Add a station, and give its number, which `Switches.numbers` decides."""
    with store.transaction():
        return store.add(STATIONS, dealer_id, values, store.free_number() if switches.numbers == "again" else None)


def update_station(store: Store, switches: Switches, dealer_id: int, station_id: int, fields: Row) -> Row:
    """Change a station by a PUT's fields, and give it as stored.

    With `Switches.put` = replace, PUT unsets the options that it leaves out. The name stays: a station always has one.

    Raises:
        NotThere: no such station.
        Refusal: 422 for a value that does not clear.
    """
    unset = STATION_UNSET if switches.put == "replace" else {}
    with store.transaction():
        store.change(STATIONS, dealer_id, station_id, unset | _kept(_cleared(fields, switches), switches))
        return store.row(STATIONS, dealer_id, station_id)


def delete_station(store: Store, switches: Switches, dealer_id: int, station_id: int) -> None:
    """Delete a station, now or when `Switches.delete_delay` is over.

    Raises:
        NotThere: no such station.
        Refusal: 409 when sites use it and `Switches.delete_with_sites` is refuse.
    """
    with store.transaction():
        store.row(STATIONS, dealer_id, station_id)
        sites = store.sites_of(station_id)
        if sites and switches.delete_with_sites == "refuse":
            raise Refusal(409, f"monitoring station {station_id} still has sites: {sites}")
        if switches.delete_answer == "202":
            store.later(
                switches.delete_delay, STATIONS, station_id, lambda: store.remove(STATIONS, dealer_id, station_id)
            )
        else:
            store.remove(STATIONS, dealer_id, station_id)


def create_site(store: Store, dealer_id: int, fields: Row) -> Row:
    """Make a site from a POST's fields, and give it as stored.

    Raises:
        NotThere: the station it names does not exist.
        Refusal: 409, the external id is in use.
    """
    with store.transaction():
        _check_site(store, dealer_id, fields, None)
        return store.row(SITES, dealer_id, store.add(SITES, dealer_id, fields))


def update_site(store: Store, switches: Switches, dealer_id: int, site_id: int, fields: Row) -> Row:
    """Change a site by a PUT's fields; the switches that begin with `site_` say how, and what it gives.

    Raises:
        NotThere: no such site, or the station it names does not exist.
        Refusal: 409, the external id is another site's; 422, a field that is required is left out.
    """
    with store.transaction():
        old = store.row(SITES, dealer_id, site_id)
        _check_site(store, dealer_id, fields, site_id)
        changes = _site_changes(fields, switches)
        new = _put_site(store, dealer_id, site_id, changes, switches.site_put_delay)
    return old if switches.site_put_answer == "old" else new


def _site_changes(fields: Row, switches: Switches) -> Row:
    """Give all changes that a PUT makes to a site."""
    missing = [field for field in REQUIRED_OF_SITE if field not in fields]
    if switches.site_put == "required" and missing:
        raise Refusal(422, f"{missing[0]} is required", missing[0])
    unset: Row = {}
    if switches.site_put == "replace":
        unset = dict.fromkeys(REQUIRED_OF_SITE, "") | dict.fromkeys(_OPTIONAL_OF_SITE)
    off = {"is_activated": 0} if switches.site_activation == "off" else {}
    return unset | fields | off


def _put_site(store: Store, dealer_id: int, site_id: int, changes: Row, delay: float) -> Row:
    """Change a site, at once or so many seconds later, and give it as it is then."""
    if not delay:
        store.change(SITES, dealer_id, site_id, changes)
        return store.row(SITES, dealer_id, site_id)
    store.later(delay, SITES, site_id, lambda: store.change(SITES, dealer_id, site_id, changes))
    with store.glimpse():
        store.change(SITES, dealer_id, site_id, changes)
        return store.row(SITES, dealer_id, site_id)


def shown_station(row: Row, switches: Switches) -> Row:
    """Give a station as the API answers it: see `Switches.unset` and `Switches.created_at`."""
    if switches.created_at == "absent":
        row = {field: value for field, value in row.items() if field != "created_at"}
    if switches.created_at == "naive":
        row = row | {"created_at": row["created_at"].removesuffix("Z")}
    if switches.unset == "null":
        row = row | {field: row[field] or None for field in STATION_TEXTS}
    if switches.unset == "absent":
        row = {field: value for field, value in row.items() if (field, value) not in STATION_UNSET.items()}
    return row


def _cleared(fields: Row, switches: Switches) -> Row:
    """Turn the value that clears into ""; refuse the other one."""
    refused = None if switches.clear == "empty" else ""
    for field in STATION_TEXTS:
        if field in fields and fields[field] == refused:
            shown = "null" if refused is None else "an empty string"
            raise Refusal(422, f"{field} must not be {shown}", field)
    return {field: STATION_UNSET.get(field) if value is None else value for field, value in fields.items()}


def _kept(fields: Row, switches: Switches) -> Row:
    """Give a station's fields as they are stored."""
    return {
        field: _kept_id(value, switches) if field == "external_monitoring_station_id" else _kept_value(value, switches)
        for field, value in fields.items()
    }


def _kept_id(text: str, switches: Switches) -> str:
    if switches.external_ids == "folded":
        return text.lower()
    return " ".join(text.split()) if switches.external_ids == "trimmed" else text


def _kept_value(text: Any, switches: Switches) -> Any:
    if not isinstance(text, str):
        return text
    if switches.values == "capitals":
        return text.upper()
    return text[: switches.cut_at] if switches.values == "cut" else text


def _duplicate(status: int, field: str, value: object) -> Refusal:
    return Refusal(status, f"{field} {value!r} is already in use", field)


def _check_site(store: Store, dealer_id: int, fields: Row, site_id: int | None) -> None:
    station_id = fields.get("monitoring_station_id")
    if station_id is not None:
        store.row(STATIONS, dealer_id, station_id)
    external_id = fields.get("external_site_id")
    namesakes = store.rows(SITES, dealer_id, external_site_id=external_id)  # none for None
    if any(other["site_id"] != site_id for other in namesakes):
        raise _duplicate(409, "external_site_id", external_id)

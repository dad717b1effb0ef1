"""The JSON schema of stations files, by which editors complete them and mark what is wrong while it is typed.

It says what a schema can say: keys, kinds, lengths, what is required. A Fleet refuses more than that: twins, blanks at
the ends, characters that cannot be seen.
"""

from __future__ import annotations

from typing import Any

from chekt_provider.model.inputs import MAX_LENGTH, StationInputs

_MEANINGS = {
    "external_monitoring_station_id": "Your own key of it, such as central-01. Changing it replaces the station.",
    "name": "The name that people see.",
    "prefix": "Text in front of the account number. Left out: the group's, or none.",
    "linecard": "The receiver hardware that handles the lines. Numbers need quotes.",
    "dealer_id": "Whose station it is. Left out: the group's, or chekt:dealerId. Changing it replaces the station.",
    "adopt_existing": "Take over a station that has this external id already. Left out: chekt:adoptExisting.",
    "reassign_sites_to": "CHeKT's number of another station, where its sites go before this one is deleted.",
}


def stations_schema() -> dict[str, Any]:
    """The schema, draft 2020-12."""
    made = StationInputs.model_json_schema()
    fields = {name: _field(name, made["properties"][name]) for name in _MEANINGS}
    required = [name for name in made["required"] if name != "dealer_id"]  # a group or a setting may say it
    station = _object("A monitoring station.", fields, required)
    listed = {"description": "The stations.", "type": "array", "items": {"$ref": "#/$defs/station"}}
    common = {name: _common(name, fields[name]) for name in ("dealer_id", "prefix")}
    group = _object("Stations that have something in common.", {**common, "stations": listed}, ["stations"])
    groups = {"description": "Groups of stations.", "type": "array", "items": {"$ref": "#/$defs/group"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Monitoring stations of CHeKT",
        **_object("What a Fleet of chekt_provider reads.", {"groups": groups, "stations": listed}, []),
        "minProperties": 1,
        "$defs": {"group": group, "station": station},
    }


def _object(description: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    made = {"description": description, "type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _field(name: str, made: dict[str, Any]) -> dict[str, Any]:
    described = {"description": _MEANINGS[name]}
    if name in MAX_LENGTH:
        shortest = {} if "default" in made else {"minLength": 1}
        return {**described, "type": "string", **shortest, "maxLength": MAX_LENGTH[name]}
    if made["type"] == "string":  # which in a file may be written as a number too
        digits = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
        return {**described, "anyOf": [{"type": "integer", "minimum": 1}, digits]}
    return {**described, "type": made["type"]}


def _common(name: str, field: dict[str, Any]) -> dict[str, Any]:
    return {**field, "description": f"The {name} of the group's stations that have none of their own."}

"""The JSON schema of stations files, for editors: they complete keys and mark mistakes.

It says what a schema can say: keys, kinds, lengths, what is required. A Fleet refuses more: twins, blanks at the ends,
invisible characters.
"""

from __future__ import annotations

from typing import Any

from chekt_provider.model.fields import Change, Fact, StationInputs, facts
from chekt_provider.model.kinds import Text

IN_COMMON = ("dealer_id", "prefix")
"""What a group may say for all its stations."""


def stations_schema() -> dict[str, Any]:
    """The schema, draft 2020-12."""
    known = facts(StationInputs)
    fields = {name: _field(name, fact) for name, fact in known.items()}
    required = [name for name, fact in known.items() if fact.is_required and name not in IN_COMMON]
    station = _object("A monitoring station.", fields, required)
    listed = {"description": "The stations.", "type": "array", "items": {"$ref": "#/$defs/station"}}
    common = {}
    for name in IN_COMMON:
        about = f"The {name} of the group's stations that have none of their own."
        common[name] = {**fields[name], "description": about}
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


def _field(name: str, fact: Fact) -> dict[str, Any]:
    notes = [fact.meaning]
    if fact.change is Change.REPLACES:
        notes.append("Changing it replaces the station.")
    if isinstance(fact.kind, Text):
        notes.append("Numbers need quotes.")
    if name in IN_COMMON:
        notes.append("A group may say it for all its stations.")
    return {"description": " ".join(notes), **fact.kind.schema(is_required=fact.is_required)}

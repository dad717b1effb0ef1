"""The fields of stations and assignments: each once, with its kind, its meaning, and what a change of it does.

Inputs, comparison, records, the JSON schema and tables follow from it. docs/architecture.md says how to add a field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from chekt_provider.model.kinds import Flag, Id, Kind, Number, Probe, Text, refusal
from chekt_provider.model.wire import Listed, WireId, WireText

_YEAR = re.compile(r"[0-9]{4}(?=-)")
_FIRST_YEAR = 2010
"""Of dates that say something; 1970-01-01, 9999-12-31 and the like stand for "never" in databases."""


class Change(Enum):
    """What a change of an input does to the resource."""

    UPDATES = "updated in place"
    REPLACES = "replaced"
    RECORDED = "recorded, without a call"
    NOTHING = "no change by itself"


class Blank(Enum):
    """What "" means."""

    REFUSED = "is an error"
    KEPT = "left out, and in the state"
    ABSENT = "left out"


@dataclass(frozen=True)
class Fact:
    """What there is to know of an input.

    Attributes:
        meaning: in a sentence, for people.
        give: what to give where it is missing or blank; a clause.
    """

    kind: Kind
    meaning: str
    change: Change
    blank: Blank = Blank.REFUSED
    is_required: bool = False
    give: str = ""


@cache
def facts(model: type[BaseModel]) -> dict[str, Fact]:
    """What there is to know of each input of a model, by name."""
    found = {name: [it for it in field.metadata if isinstance(it, Fact)] for name, field in model.model_fields.items()}
    return {name: told[0] for name, told in found.items() if told}


def changing(model: type[BaseModel], change: Change) -> tuple[str, ...]:
    """The inputs whose change does that."""
    return tuple(name for name, fact in facts(model).items() if fact.change is change)


def of_kind(model: type[BaseModel], kind: type[Kind]) -> frozenset[str]:
    """The inputs of a kind."""
    return frozenset(name for name, fact in facts(model).items() if isinstance(fact.kind, kind))


def _dealer(meaning: str) -> Fact:
    give = "pass dealer_id, or set chekt:dealerId (CHEKT_DEALER_ID)"
    return Fact(Id(), meaning, Change.REPLACES, is_required=True, give=give)


class StationFields(BaseModel):
    """What a program gives a station, and CHeKT answers of it."""

    external_monitoring_station_id: Annotated[
        str,
        Fact(
            Text(200, is_key=True),
            "Your own key of the station, such as central-01.",
            Change.REPLACES,
            is_required=True,
            give="give the station your own key, such as 'central-01'",
        ),
    ] = ""
    name: Annotated[
        str,
        Fact(
            Text(200),
            "The name that people see.",
            Change.UPDATES,
            is_required=True,
            give="give the station the name that people will see",
        ),
    ] = ""
    prefix: Annotated[
        str, Fact(Text(50), "Text in front of the account number. Left out: none.", Change.UPDATES, Blank.KEPT)
    ] = ""
    linecard: Annotated[
        str, Fact(Text(50), "The receiver hardware that handles the lines. Left out: none.", Change.UPDATES, Blank.KEPT)
    ] = ""


class Inputs(BaseModel):
    """What a program asks for, checked and in canonical form: an optional input left out has its default, "" mostly.

    Attributes:
        WHAT: what the inputs describe.
        declared_by: organization/project/stack/resource name; the resource's class gives it, not the program.
        secret_inputs: the names of secret inputs; likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    WHAT: ClassVar[str]

    declared_by: str = ""
    secret_inputs: tuple[str, ...] = ()

    @classmethod
    def conflicts(cls, given: Collection[str]) -> list[str]:
        """What is wrong with the choice of inputs, one sentence each; `given` names those that are not left out."""
        return []

    @field_validator("*", mode="before")
    @classmethod
    def _checked(cls, value: object, info: ValidationInfo) -> object:
        fact = facts(cls).get(info.field_name or "")
        if fact is None or (value == "" and fact.blank is not Blank.REFUSED):
            return value
        if fact.give and isinstance(value, str) and not value.strip() and isinstance(fact.kind, Text):
            raise refusal(f"is blank: {fact.give}")
        return fact.kind.checked(value)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name, fact in facts(type(self)).items():
            if fact.is_required and not getattr(self, name):
                raise refusal(f"{name} is missing")
        return self


class StationInputs(StationFields, Inputs):
    """What a program asks for of a monitoring station. Ids are digits."""

    WHAT = "a monitoring station"

    dealer_id: Annotated[str, _dealer("Whose station it is. Left out: chekt:dealerId.")] = ""
    adopt_existing: Annotated[
        bool,
        Fact(
            Flag(),
            "Take over a station that has this external id already. Left out: chekt:adoptExisting.",
            Change.NOTHING,
        ),
    ] = False
    reassign_sites_to: Annotated[
        str,
        Fact(
            Id(),
            "CHeKT's number of another station of the dealer, where its sites go before this one is deleted.",
            Change.RECORDED,
            Blank.ABSENT,
        ),
    ] = ""


class AssignmentInputs(Inputs):
    """What a program asks for of a site's assignment. Ids are digits; site_id or external_site_id names the site."""

    WHAT = "a site assignment"

    dealer_id: Annotated[str, _dealer("Whose site and station they are. Left out: chekt:dealerId.")] = ""
    monitoring_station_id: Annotated[
        str,
        Fact(
            Id(),
            "CHeKT's number of the station that receives the site's signals; one of the same dealer.",
            Change.UPDATES,
            is_required=True,
            give="pass the monitoring_station_id of a MonitoringStation",
        ),
    ] = ""
    site_id: Annotated[
        str, Fact(Id(), "CHeKT's number of the site. Give this or external_site_id.", Change.REPLACES)
    ] = ""
    external_site_id: Annotated[
        str,
        Fact(
            Text(200, is_key=True),
            "Your own key of the site.",
            Change.REPLACES,
            give="give the site's own key, such as 'house-01', or its site_id",
        ),
    ] = ""
    probe: Annotated[
        str,
        Fact(
            Probe(),
            "tcp://host:port of the receiver, which must accept a connection before the site is moved. Left out: none.",
            Change.RECORDED,
        ),
    ] = ""
    probe_timeout: Annotated[
        float, Fact(Number(1, 60, "seconds"), "How long the receiver has to accept it. Left out: 5.", Change.RECORDED)
    ] = 5.0

    @classmethod
    def conflicts(cls, given: Collection[str]) -> list[str]:
        """A site is named once."""
        named = sum(name in given for name in ("site_id", "external_site_id"))
        if named == 0:
            return ["site_id or external_site_id is missing: pass the one by which you know the site."]
        return ["site_id and external_site_id are both given: pass one of them."] if named > 1 else []


class Station(StationFields, Listed):
    """A monitoring station as CHeKT answers it; "" for null and for what is absent.

    Source: CHeKT's Partner API, Monitoring Stations.

    Attributes:
        monitoring_station_id: CHeKT's id, as digits.
        created_at: ISO 8601, UTC, milliseconds.
        is_deleted: whether CHeKT keeps it for its records only: it counts as not there.
    """

    monitoring_station_id: WireId
    created_at: WireText = ""
    is_deleted: bool = Field(default=False, exclude=True)

    @property
    def number(self) -> str:
        """Its monitoring_station_id."""
        return self.monitoring_station_id

    @field_validator(*StationFields.model_fields, mode="before")
    @classmethod
    def _answered(cls, value: object, info: ValidationInfo) -> object:
        return facts(cls)[info.field_name or ""].kind.answered(value)

    @model_validator(mode="before")
    @classmethod
    def _see_marks(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        flags = [data.get(name) for name in ("deleted", "is_deleted")]
        year = _YEAR.match(str(data.get("deleted_at")))
        is_dated = year is not None and _FIRST_YEAR <= int(year[0]) <= datetime.now(UTC).year
        is_gone = any(str(data.get(name)).lower() == "deleted" for name in ("status", "state"))
        return {**data, "is_deleted": is_dated or is_gone or any(flag in (1, "1", "true") for flag in flags)}

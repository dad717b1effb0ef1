"""What a program may ask for, and the rules for it.

The limits of length are ours and generous; CHeKT documents none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from chekt_provider.model.ids import INEXACT_FROM, id_digits
from chekt_provider.text import did_you_mean, hides, unsafe

MAX_LENGTH = {
    "external_monitoring_station_id": 200,
    "name": 200,
    "prefix": 50,
    "linecard": 50,
    "external_site_id": 200,
}
"""The longest text taken for each input, in characters."""


_PROBE = re.compile(r"tcp://([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


_LONGEST_PROBE_SECONDS = 60


_WHAT_TO_GIVE = {
    "external_monitoring_station_id": "give the station your own key, such as 'central-01'",
    "name": "give the station the name that people will see",
    "dealer_id": "pass dealer_id, or set chekt:dealerId (CHEKT_DEALER_ID)",
    "monitoring_station_id": "pass the monitoring_station_id of a MonitoringStation",
    "external_site_id": "give the site's own key, such as 'house-01', or its site_id",
}


def _refuse(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("input", "{sentence}", {"sentence": sentence})


def _id(value: object) -> str:
    if isinstance(value, float) and abs(value) >= INEXACT_FROM:
        raise _refuse('is too large to be exact as a number: write it as text, "…"')
    digits = id_digits(value)
    if digits is None:
        raise _refuse("is not an id: write digits only, such as 12345")
    return digits


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise _refuse(f"must be text, not {_kind(value)}")
    refuses = hides if field.endswith("_id") else unsafe
    for position, character in enumerate(value, start=1):
        if refuses(character):
            raise _refuse(f"holds the invisible or control character U+{ord(character):04X} at position {position}")
    if value != value.strip():
        raise _refuse("begins or ends with a blank")
    if len(value) > MAX_LENGTH[field]:
        raise _refuse(f"is {len(value):,} characters long; at most {MAX_LENGTH[field]} are taken")
    if value != unicodedata.normalize("NFC", value):
        raise _refuse("is not in Unicode's composed form (NFC), so that it may look the same as another and not be it")
    return value


def _kind(value: object) -> str:
    kinds: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a map"}
    return kinds.get(type(value), type(value).__name__)


def _required(field: str) -> BeforeValidator:
    def validate(value: object) -> str:
        if isinstance(value, str) and not value.strip():
            raise _refuse(f"is blank: {_WHAT_TO_GIVE[field]}")
        return _text(value, field)

    return BeforeValidator(validate)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse("must be true or false")
    return value


def probe_address(probe: str) -> tuple[str, int] | None:
    """Host and port of "tcp://host:port", an IPv6 address without its brackets; None for anything else."""
    found = _PROBE.fullmatch(probe)
    if found is None or not 0 < int(found[2]) < 2**16:
        return None
    return found[1].strip("[]"), int(found[2])


def _probe(value: object) -> str:
    if not isinstance(value, str) or probe_address(value) is None:
        raise _refuse("is not of the form tcp://host:port, such as tcp://receiver.example:5000")
    return value


def _probe_seconds(value: object) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not 1 <= float(str(value)) <= _LONGEST_PROBE_SECONDS:
        raise _refuse(f"must be a number of seconds from 1 to {_LONGEST_PROBE_SECONDS}")
    return float(str(value))


class Inputs(BaseModel):
    """What a program asks for, checked and in canonical form: an optional input left out is "".

    Attributes:
        WHAT: what the inputs describe.
        IDS: the inputs that are ids: digits, whatever form a program gives them.
        TEXTS: the optional texts that are outputs too, so that they are "" in the state when left out.
        ABSENT_WHEN_BLANK: the optional inputs that are not in the state when left out.
        declared_by: organization/project/stack/resource name; given by the resource's class, not by a program.
        secret_inputs: the inputs that are secret; likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    WHAT: ClassVar[str]
    IDS: ClassVar[tuple[str, ...]]
    TEXTS: ClassVar[tuple[str, ...]] = ()
    ABSENT_WHEN_BLANK: ClassVar[tuple[str, ...]] = ()

    declared_by: str = ""
    secret_inputs: tuple[str, ...] = ()

    @classmethod
    def names(cls) -> list[str]:
        """The inputs that a program may give."""
        return [name for name in cls.model_fields if name not in ("declared_by", "secret_inputs")]

    @classmethod
    def conflicts(cls, given: Collection[str]) -> list[str]:
        """What is wrong with the choice of inputs, one sentence each.

        Args:
            given: names of the inputs that are not left out, were their values not known yet.
        """
        return []


class StationInputs(Inputs):
    """What a program asks for of a monitoring station.

    Attributes:
        dealer_id: digits.
        external_monitoring_station_id: the caller's own key.
        name, prefix, linecard: text without control characters or outer blanks.
        adopt_existing: take over a station that already has this external id.
        reassign_sites_to: digits; the station that its sites are moved to before it is deleted.
    """

    WHAT = "a monitoring station"
    IDS = ("dealer_id", "reassign_sites_to")
    TEXTS = ("prefix", "linecard")
    ABSENT_WHEN_BLANK = ("reassign_sites_to",)

    dealer_id: Annotated[str, BeforeValidator(_id)]
    external_monitoring_station_id: Annotated[str, _required("external_monitoring_station_id")]
    name: Annotated[str, _required("name")]
    prefix: Annotated[str, BeforeValidator(lambda value: _text(value, "prefix"))] = ""
    linecard: Annotated[str, BeforeValidator(lambda value: _text(value, "linecard"))] = ""
    adopt_existing: Annotated[bool, BeforeValidator(_flag)] = False
    reassign_sites_to: Annotated[str, BeforeValidator(lambda value: "" if value == "" else _id(value))] = ""


class AssignmentInputs(Inputs):
    """What a program asks for of a site's assignment.

    Attributes:
        dealer_id, monitoring_station_id: digits.
        site_id, external_site_id: digits, and the caller's own key; one of them names the site.
        probe: "tcp://host:port", which must accept a connection before the site is moved.
        probe_timeout: seconds.
    """

    WHAT = "a site assignment"
    IDS = ("dealer_id", "monitoring_station_id", "site_id")

    dealer_id: Annotated[str, BeforeValidator(_id)]
    monitoring_station_id: Annotated[str, BeforeValidator(_id)]
    site_id: Annotated[str, BeforeValidator(_id)] = ""
    external_site_id: Annotated[str, _required("external_site_id")] = ""
    probe: Annotated[str, BeforeValidator(_probe)] = ""
    probe_timeout: Annotated[float, BeforeValidator(_probe_seconds)] = 5.0

    @classmethod
    def conflicts(cls, given: Collection[str]) -> list[str]:
        """A site is named once."""
        named = sum(name in given for name in ("site_id", "external_site_id"))
        if named == 0:
            return ["site_id or external_site_id is missing: pass the one by which you know the site."]
        return ["site_id and external_site_id are both given: pass one of them."] if named > 1 else []


def input_problems(model: type[Inputs], given: Mapping[str, object], unknown: Collection[str] = ()) -> list[str]:
    """Every rule that inputs break, one sentence each, none of them repeating the value.

    Args:
        model: what the inputs describe.
        given: the inputs whose values are known; None counts as left out.
        unknown: names of the inputs whose values a preview does not know yet.
    """
    given = present(given)
    conflicts = model.conflicts({*given, *unknown})
    try:
        model.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        broken = [
            _problem(model, str(problem["loc"][0]), problem["type"], problem["msg"])
            for problem in problems
            if problem["loc"][0] not in unknown
        ]
        return [*broken, *conflicts]
    return conflicts


def _problem(model: type[Inputs], name: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"{name} is missing: {_WHAT_TO_GIVE[name]}."
    if kind == "extra_forbidden":
        return f"{name!a} is not an input of {model.WHAT}{did_you_mean(name, model.names())}"
    return f"{name} {message}."


def present(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that say something: None and "" are the same as absent, but a blank required one stays."""
    return {name: value for name, value in properties.items() if value is not None}

"""The shapes that CHeKT answers with. Source: CHeKT's Partner API, Monitoring Stations and Sites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chekt_provider.model.ids import id_digits

_YEAR = re.compile(r"[0-9]{4}(?=-)")


_FIRST_YEAR = 2010
"""Of dates that say something: databases have some that stand for "never", such as 1970-01-01 and 9999-12-31."""


def _wire_id(value: object) -> str:
    digits = id_digits(value)
    if digits is None:
        raise PydanticCustomError("id", "is not an id")
    return digits


def _absent_is_blank(value: object) -> object:
    """Text of an answer; half a surrogate pair, which JSON can hold and nothing can store, becomes "\ufffd"."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "" if value is None else value


def _account_number(value: object) -> object:
    """Text that is all digits may come as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _absent_is_blank(value)


def _blank_is_none(value: object) -> object:
    return None if value in ("", 0, "0") and value is not False else value


WireId = Annotated[str, BeforeValidator(_wire_id)]


OptionalWireId = Annotated[WireId | None, BeforeValidator(_blank_is_none)]


WireText = Annotated[str, BeforeValidator(_absent_is_blank)]


class Station(BaseModel):
    """A monitoring station as CHeKT answers it; null, "" and absent are all "". Fields we do not know are left aside.

    Attributes:
        monitoring_station_id: CHeKT's id, as digits.
        created_at: ISO 8601, UTC, milliseconds.
        is_deleted: whether it is kept for CHeKT's records only, and counts as not there.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    monitoring_station_id: WireId
    external_monitoring_station_id: WireText = ""
    name: WireText = ""
    prefix: WireText = ""
    linecard: WireText = ""
    created_at: WireText = ""
    is_deleted: bool = Field(default=False, exclude=True)

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


class Site(BaseModel):
    """A protected site as CHeKT answers it, as far as its monitoring station is concerned.

    Attributes:
        site_id: CHeKT's id, as digits.
        external_site_id: the caller's own key.
        account_number: by which the station knows the site; "" where it has none.
        is_activated: whether its signals are on.
        monitoring_station_id: digits; None for a site that no station monitors.
        address1, address2: not ours to manage; known to see that a write leaves them as they are.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    site_id: WireId
    external_site_id: WireText = ""
    name: WireText = ""
    account_number: Annotated[str, BeforeValidator(_account_number)] = ""
    is_activated: Annotated[bool, BeforeValidator(lambda value: value in (1, "1"))] = False
    address1: WireText = ""
    address2: WireText = ""
    monitoring_station_id: OptionalWireId = None
    external_monitoring_station_id: WireText = ""

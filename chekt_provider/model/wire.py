"""What CHeKT lists, a site as CHeKT answers it, and the types on the wire. Source: CHeKT's Partner API, Sites."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from chekt_provider.model.ids import id_digits
from chekt_provider.model.kinds import answered, refusal


def _wire_id(value: object) -> str:
    digits = id_digits(value)
    if digits is None:
        raise refusal("is not an id")
    return digits


def _account_number(value: object) -> object:
    """Text that is all digits may come as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else answered(value)


def _blank_is_none(value: object) -> object:
    return None if value in ("", 0, "0") and value is not False else value


WireId = Annotated[str, BeforeValidator(_wire_id)]
OptionalWireId = Annotated[WireId | None, BeforeValidator(_blank_is_none)]
WireText = Annotated[str, BeforeValidator(answered)]


class Listed(BaseModel):
    """What CHeKT lists; ignores fields that we do not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    @property
    def number(self) -> str:
        """CHeKT's id of it, as digits."""
        raise NotImplementedError


class Site(Listed):
    """A protected site as CHeKT answers it: what matters for its monitoring station.

    Attributes:
        site_id: CHeKT's id, as digits.
        external_site_id: the caller's own key.
        account_number: by which the station knows the site; "" where it has none.
        is_activated: whether its signals are on.
        monitoring_station_id: digits; None for a site that no station monitors.
        address1, address2: not ours to manage; a write must leave them as they are.
    """

    site_id: WireId
    external_site_id: WireText = ""
    name: WireText = ""
    account_number: Annotated[str, BeforeValidator(_account_number)] = ""
    is_activated: Annotated[bool, BeforeValidator(lambda value: value in (1, "1"))] = False
    address1: WireText = ""
    address2: WireText = ""
    monitoring_station_id: OptionalWireId = None
    external_monitoring_station_id: WireText = ""

    @property
    def number(self) -> str:
        """Its site_id."""
        return self.site_id

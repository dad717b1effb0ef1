"""CHeKT's ids, and those that Pulumi keeps of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chekt_provider.errors import Unsafe
from chekt_provider.text import shown

_ID = re.compile(r"[1-9][0-9]{0,18}")
INEXACT_FROM = 2**53  # as a float this may have been 2**53 + 1


def id_digits(value: object) -> str | None:
    """The digits of a CHeKT id, or None for what is no id.

    Ids have up to 19 digits. Pulumi carries numbers as floats, which are exact below 2**53 only.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < INEXACT_FROM:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    return digits if _ID.fullmatch(digits) else None


@dataclass(frozen=True)
class StationId:
    """The id that Pulumi keeps: "12345/17", dealer id and monitoring station id."""

    dealer_id: str
    station_id: str

    @classmethod
    def parse(cls, text: str) -> StationId:
        """Read "12345/17". Raises Unsafe for anything else, before it can end up in a path."""
        return cls(
            *_parts(text, "/", "a monitoring station", "Write dealer id and monitoring station id, such as 12345/17.")
        )

    def __str__(self) -> str:
        return f"{self.dealer_id}/{self.station_id}"


@dataclass(frozen=True)
class SiteId:
    """A site of a dealer, and the id that Pulumi keeps of its assignment: "12345/site/5", never one of a station."""

    dealer_id: str
    site_id: str

    @classmethod
    def parse(cls, text: str) -> SiteId:
        """Read "12345/site/5". Raises Unsafe for anything else, before it can end up in a path."""
        return cls(*_parts(text, "/site/", "a site", "Write dealer id and site id, such as 12345/site/5."))

    def __str__(self) -> str:
        return f"{self.dealer_id}/site/{self.site_id}"


def _parts(text: str, separator: str, what: str, remedy: str) -> tuple[str, str]:
    dealer_id, _, number = text.partition(separator)
    if not id_digits(dealer_id) or not id_digits(number):
        raise Unsafe(f"{shown(text, 60)!r} is not the id of {what}", outcome="Nothing was sent.", remedy=remedy)
    return dealer_id, number

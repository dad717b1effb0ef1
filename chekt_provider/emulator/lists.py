"""Lists: whole or cut into pages, as the switch `lists` says."""

import base64
import binascii
from collections.abc import Mapping

from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.settings import Switches
from chekt_provider.emulator.tables import Row

_DIGITS = 15  # of the longest number taken

PAGING: dict[str, dict[str, int]] = {
    "whole": {},
    "pages": {"page": 1, "page_size": 1},
    "pages_from_0": {"page": 0, "page_size": 1},
    "offset": {"offset": 0, "limit": 1},
    "skip": {"skip": 0, "limit": 1},
    "added": {"page": 1, "page_size": 1, "offset": 0},
    "links": {},
}
"""Numbers that the query may hold under each value of the switch `lists`, and their least values."""


def cut(rows: list[Row], switches: Switches, query: Mapping[str, str], url: str) -> tuple[list[Row], dict[str, str]]:
    """Give the rows of one page, and its headers.

    Args:
        rows: the whole list, in order of id.
        switches: `lists`, `page_size`, `list_total` and `unknown_query` count.
        query: the query parameters.
        url: the list's address without query, for the Link header.

    Raises:
        Refusal: 422 for a paging parameter that is not a whole number in range, or an unknown cursor; 400 for a
            parameter of no meaning, where those are refused.
    """
    if switches.unknown_query == "refused":
        _refuse_unknown(query, switches)
    headers = {"X-Total-Count": str(len(rows))} if switches.list_total == "told" else {}
    if switches.lists == "whole":
        return rows, headers
    first, size = _window(query, switches)
    last = first + size
    if switches.lists == "links" and last < len(rows):
        cursor = base64.urlsafe_b64encode(f"after:{last}".encode()).decode()
        headers["Link"] = f'<{url}?cursor={cursor}>; rel="next"'
    return rows[first:last], headers


def _refuse_unknown(query: Mapping[str, str], switches: Switches) -> None:
    known = {"cursor"} if switches.lists == "links" else set(PAGING[switches.lists])
    for name in query:
        if name not in known:
            raise Refusal(400, f"{name} is not a parameter of this list", name)


def _window(query: Mapping[str, str], switches: Switches) -> tuple[int, int]:
    """Give the place of the first row asked for, from 0, and the number of rows."""
    if switches.lists == "links":
        return _place(query["cursor"]) if "cursor" in query else 0, switches.page_size
    least = PAGING[switches.lists]
    asked = {name: _number(query, name, least[name]) for name in least if name in query}
    size = asked.get("page_size", asked.get("limit", switches.page_size))
    pages = asked["page"] - least["page"] if "page" in asked else 0
    return pages * size + asked.get("offset", asked.get("skip", 0)), size


def _number(query: Mapping[str, str], name: str, least: int) -> int:
    text = query[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= least):
        raise Refusal(422, f"{name} must be a whole number from {least}", name)
    return int(text)


def _place(cursor: str) -> int:
    try:
        word, _, place = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, ValueError):
        word, place = "", ""
    if word != "after" or not place.isdigit():
        raise Refusal(422, "cursor is not one that this API gave", "cursor")
    return int(place)

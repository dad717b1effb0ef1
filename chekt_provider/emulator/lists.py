"""Lists: whole or cut into pages, as the switch `lists` says."""

import base64
import binascii
from collections.abc import Mapping

from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.settings import Switches
from chekt_provider.emulator.store import Row

_DIGITS = 15  # of the longest number taken


def cut(rows: list[Row], switches: Switches, query: Mapping[str, str], url: str) -> tuple[list[Row], dict[str, str]]:
    """Give the rows of one page and the headers that belong to it.

    Args:
        rows: the whole list, in order of id.
        switches: `lists` and `page_size` count.
        query: the query parameters; those of no meaning under the switch are ignored.
        url: the list's own address without query, for the Link header.

    Raises:
        Refusal: 422 for a paging parameter that is not a whole number in range, or an unknown cursor.
    """
    for name in query.keys() - PARAMETERS[switches.lists].keys() - {"cursor"}:
        if switches.unknown_query == "refused":
            raise Refusal(400, "bad_request", f"{name} is not a parameter of lists", name)
    total = {"X-Total-Count": str(len(rows))} if switches.list_total == "told" else {}
    if switches.lists == "links":
        first = _place(query["cursor"]) if "cursor" in query else 0
        last = first + switches.page_size
        more = {"Link": f'<{url}?cursor={_cursor(last)}>; rel="next"'} if last < len(rows) else {}
        return rows[first:last], more | total
    if switches.lists == "whole":
        return rows, total
    first, size = _cut(switches, query)
    return rows[first : first + size], total


PARAMETERS: dict[str, dict[str, int]] = {
    "whole": {},
    "pages": {"page": 1, "page_size": 1},
    "pages_from_0": {"page": 0, "page_size": 1},
    "offset": {"offset": 0, "limit": 1},
    "added": {"page": 1, "page_size": 1, "offset": 0},
    "skip": {"skip": 0, "limit": 1},
    "links": {},
}
"""Paging parameters under each value of the switch `lists`, with their least values."""


def _cut(switches: Switches, query: Mapping[str, str]) -> tuple[int, int]:
    """Where a page begins, and how many rows it has at most."""
    known = PARAMETERS[switches.lists]
    size = _number(query, "limit" if "limit" in known else "page_size", switches.page_size, least=1)
    first = sum(_number(query, name, 0, least=0) for name in ("offset", "skip") if name in known)
    if "page" in known:
        lowest = known["page"]
        first += (_number(query, "page", lowest, least=lowest) - lowest) * size
    return first, size


def _number(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= least):
        raise Refusal(422, "validation_failed", f"{name} must be a whole number from {least}", name)
    return int(text)


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"after:{place}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        word, _, place = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, ValueError):
        word, place = "", ""
    if word != "after" or not place.isdigit():
        raise Refusal(422, "validation_failed", "cursor is not one that this API gave", "cursor")
    return int(place)

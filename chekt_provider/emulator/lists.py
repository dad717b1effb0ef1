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
    if switches.lists == "pages":
        size = _number(query, "page_size", switches.page_size, least=1)
        first = (_number(query, "page", 1, least=1) - 1) * size
        return rows[first : first + size], {}
    if switches.lists == "offset":
        first = _number(query, "offset", 0, least=0)
        return rows[first : first + _number(query, "limit", switches.page_size, least=1)], {}
    if switches.lists == "links":
        first = _place(query["cursor"]) if "cursor" in query else 0
        last = first + switches.page_size
        more = {"Link": f'<{url}?cursor={_cursor(last)}>; rel="next"'} if last < len(rows) else {}
        return rows[first:last], more
    return rows, {}


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

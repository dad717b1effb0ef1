"""What the headers of a list say of its extent: how long it is, and whether it goes on. CHeKT documents none of them.

Only the letters of a header's name count; in a header that holds a JSON object, also those of each field's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

_LIST = "(?:x|chekt|api|wp|opc|list|results?|collection|pagination|paging|page|meta)*"
_ITEMS = "(?:items?|records?|results?|rows?|elements?|entries|stations|sites)"
_TOTAL = re.compile(f"{_LIST}(?:total{_ITEMS}?(?:count)?|(?:count|{_ITEMS})total)")
_PAGES = re.compile(f"{_LIST}(?:pages|(?:total|num|last)pages?|pages?(?:count|total))")
_CUT = "(?:truncated|partial|incomplete)"
_PART = re.compile(f"{_LIST}(?:is)?{_CUT}")
_WHERE = "(?:page|cursor|token|link|url|offset|id|key|marker)"
_MORE = re.compile(f"{_LIST}(?:is|has)?(?:next|more|cursor|continuation|{_CUT}){_WHERE}*")
_NO = ("", "0", "-1", "false", "null", "nil", "none", "undefined", "no", "off", "n", "n/a", "[]", "{}", "0.0")
_MOST = 999_999_999

_PLACE = re.compile("page|start|offset|skip|cursor|after|token|^p$")
_FROM_ONE = re.compile("page|start|^p$")
_SIZE = re.compile("size|limit|per|count")
"""Parts of names in a link's query: where a page begins, and how long it is."""


@dataclass(frozen=True)
class Extent:
    """What an answer says of the list that it shows; None where it does not say.

    Attributes:
        next_page: path and query of the next page.
        total: items of the whole list.
        pages: pages of the whole list.
        is_part: whether the answer says that it is a part, and not how the list goes on.
        goes_on: whether a header says that the list goes on.
    """

    next_page: str | None = None
    total: int | None = None
    pages: int | None = None
    is_part: bool = False
    goes_on: bool = False


NOTHING_SAID = Extent()


def extent_of(status: int, headers: Mapping[str, str]) -> Extent:
    """Read the headers of an answer that shows a list, or a part of one."""
    links, said = _links(headers), [*_said(headers)]
    total = _figure(_TOTAL, said)
    is_of_unknown = status == HTTPStatus.PARTIAL_CONTENT and total is None
    return Extent(
        next_page=_next_page(links),
        total=total,
        pages=_figure(_PAGES, said),
        is_part="next" not in links and (is_of_unknown or _affirmed(_PART, said) or _ends_elsewhere(links)),
        goes_on=_affirmed(_MORE, said),
    )


def _next_page(links: Mapping[str, str]) -> str | None:
    """Path and query of the next page, without its host: no other host is ever asked."""
    following = links.get("next")
    if following is None:
        return None
    try:
        target = urlsplit(following)
    except ValueError:
        return ""
    return f"{target.path}?{target.query}"


def _ends_elsewhere(links: Mapping[str, str]) -> bool:
    """Whether the last page is another than the first."""
    last = links.get("last")
    if last is None or last in (links.get("self"), links.get("first")):
        return False
    places, first = _places(last), _places(links.get("first", ""))
    if first or not places:
        return "first" in links and places != first
    return any(_is_beyond_the_first(name, value) for name, value in places)


def _places(link: str) -> list[tuple[str, str]]:
    """What a link's query says of where a page begins."""
    query = [(name.lower(), value) for name, value in parse_qsl(link.partition("?")[2].partition("#")[0])]
    return [(name, value) for name, value in query if _PLACE.search(name) and not _SIZE.search(name)]


def _is_beyond_the_first(name: str, value: str) -> bool:
    """Whether a parameter names a place behind the beginning of a list. Pages may count from 0 or 1."""
    return value not in (("0", "1") if _FROM_ONE.search(name) else ("0",))


def _links(headers: Mapping[str, str]) -> dict[str, str]:
    """The targets of the Link header by relation; the first of each."""
    links: dict[str, str] = {}
    for parsed in requests.utils.parse_header_links(headers.get("Link", "")):
        link = {name.lower(): text for name, text in parsed.items()}
        for relation in link.get("rel", "").lower().split():
            links.setdefault(relation, link["url"])
    return links


def _affirmed(named: re.Pattern[str], said: Iterable[tuple[str, str]]) -> bool:
    """Whether anything but a no stands under such a name."""
    return any(named.fullmatch(name) and text.strip().lower() not in _NO for name, text in said)


def _figure(named: re.Pattern[str], said: Iterable[tuple[str, str]]) -> int | None:
    """The largest number under such a name; None where there is none."""
    texts = [re.sub("[,+]", "", text) for name, text in said if named.fullmatch(name)]
    return max((min(int(text), _MOST) for text in texts if re.fullmatch("[0-9]{1,99}", text)), default=None)


def _said(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each name in lowercase letters, and its text; Content-Range has the total behind its stroke."""
    yield "total", headers.get("Content-Range", "").rpartition("/")[2]
    for name, text in headers.items():
        fields = json_fields(text) if re.search("pag|meta", name, re.IGNORECASE) else {}
        for each, value in {name: text, **fields}.items():
            yield re.sub("[^a-z]", "", each.lower()), str(value)


def json_fields(text: str | bytes) -> Mapping[str, Any]:
    """The fields of a JSON object; none of anything else."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}

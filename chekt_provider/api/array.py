"""The items of a JSON array, one by one as the text arrives: a long list is never in memory as a whole."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

LONGEST_ITEM = 1024 * 1024
"""Characters."""

_BLANKS = " \t\r\n"
BROKEN = "the answer is not the JSON it says it is"


class BadArrayError(ValueError):
    """What came is no array of the kind; the text says why, in a clause."""


def array_items(pieces: Iterable[bytes]) -> Iterator[Any]:
    """Give the items of a JSON array that comes in pieces of UTF-8. Raises BadArrayError for anything else."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    decode = json.JSONDecoder(parse_constant=refuse_constant).raw_decode
    text, awaited = "", "array"
    try:
        for piece in pieces:
            text += decoder.decode(piece)
            while text := text.lstrip(_BLANKS):
                if awaited == "array":
                    _require(text[0] == "[", "the list is not an array")
                    text, awaited = text[1:], "first item"
                elif text[0] == "]" and awaited in ("first item", "comma"):
                    text, awaited = text[1:], "nothing"
                elif awaited == "comma":
                    _require(text[0] == ",")
                    text, awaited = text[1:], "item"
                else:
                    _require(awaited != "nothing")
                    try:
                        item, end = decode(text)
                    except ValueError:  # the rest of it may be in the next piece
                        _require(len(text) <= LONGEST_ITEM)
                        break
                    if end == len(text) and isinstance(item, int | float) and not isinstance(item, bool):
                        break  # so may more digits
                    yield item
                    text, awaited = text[end:], "comma"
        decoder.decode(b"", final=True)
    except (UnicodeDecodeError, RecursionError):
        raise BadArrayError(BROKEN) from None
    _require(awaited == "nothing", BROKEN if awaited != "array" else "the list is not an array")


def _require(so: bool, why: str = BROKEN) -> None:
    if not so:
        raise BadArrayError(why)


def refuse_constant(constant: str) -> None:
    """Refuse NaN and Infinity, which Python takes and JSON does not know."""
    raise ValueError(constant)

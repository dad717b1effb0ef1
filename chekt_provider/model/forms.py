"""In which forms CHeKT may keep a text: another case, cut short, other signs, or something around it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape

SHORTEST_WITHIN = 4
"""Letters of a text to look for within another: a shorter one is within many."""

_SHORTEST_CUT = 16
"""Characters that an external id has at least after CHeKT cut it."""


def same_form(kept: str, wanted: str) -> bool:
    """Whether two texts differ in nothing but case, blanks, Unicode form and HTML's escapes; false for blank ones."""
    return bool(kept.strip()) and common_form(kept) == common_form(wanted)


def is_form_of(kept: str, wanted: str, *, untouched: bool = False) -> bool:
    """Whether CHeKT may have made one out of the other: another case or the like, as in `same_form`, or cut short.

    An untouched value was not cut.
    """
    return same_form(kept, wanted) or (
        bool(kept) and not untouched and common_form(wanted).startswith(common_form(kept))
    )


def is_rewritten(kept: str, sent: str) -> bool:
    """Whether CHeKT may have made one out of the other, if only letters and digits count, and it may cut them."""
    return letters(kept) != "" and letters(sent).startswith(letters(kept))


def is_cut_anywhere(kept: str, sent: str) -> bool:
    """Whether an external id may be another one, cut short."""
    return len(kept) >= _SHORTEST_CUT and is_rewritten(kept, sent)


def is_like_it(kept: str, sent: str) -> bool:
    """Whether an external id may be another one with other signs between its letters, or cut, but not in a number."""
    return has_same_letters(kept, sent) or (is_cut_anywhere(kept, sent) and not splits_number(kept, sent))


def is_like_loosely(kept: str, sent: str) -> bool:
    """Whether it may be another one that CHeKT cut anywhere, also within a number, or put something around.

    Or wrote without accents, or without the zeros in front of its numbers.
    """
    return (
        has_same_letters(kept, sent)
        or is_cut_anywhere(kept, sent)
        or is_around(kept, sent)
        or folded(kept) == folded(sent) != ""
    )


def folded(text: str) -> str:
    """The letters and digits of a text, without accents, and without zeros in front of its numbers."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"0+(?=\d)", "", letters(plain))


def has_same_letters(kept: str, sent: str) -> bool:
    """Whether two external ids have the same letters and digits."""
    return letters(kept) == letters(sent) != ""


def is_around(kept: str, sent: str) -> bool:
    """Whether CHeKT may have put something in front of a text, or after it, but not within a number."""
    if len(letters(sent)) < SHORTEST_WITHIN:
        return False
    parts = [form(kept).partition(form(sent)) for form in (common_form, letters)]
    return any(
        found and not _is_one_number(before, found) and not _is_one_number(found, after)
        for before, found, after in parts
    )


def _is_one_number(text: str, following: str) -> bool:
    """Whether the last character of a text and the first of the following one are digits of one number."""
    return text[-1:].isdigit() and following[:1].isdigit()


def splits_number(kept: str, sent: str) -> bool:
    """Whether a text is cut between two digits."""
    cut = len(letters(kept))
    return letters(sent)[cut - 1 : cut + 1].isdigit() and cut < len(letters(sent))


@lru_cache(maxsize=100_000)  # each creation compares its external id with those of all stations
def common_form(text: str) -> str:
    """The form in which `same_form` compares texts."""
    return " ".join(unicodedata.normalize("NFKC", unescape(text)).casefold().split())


@lru_cache(maxsize=100_000)  # likewise
def letters(text: str) -> str:
    """The letters and digits of a text, in the form in which they are compared."""
    return "".join(character for character in common_form(text) if character.isalnum())

"""Text that comes from outside, made safe to show on one line of a terminal or a log."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # format characters that ordinary words and emoji are spelt with


def unsafe(character: str) -> bool:
    """Whether a character can steer a terminal, hide, or turn the direction of the text around it."""
    return unicodedata.category(character) in _REFUSED_CATEGORIES and character not in _JOINERS


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """The end of a sentence about an unknown name: a question about the nearest known one, or a full stop.

    All names begin with `prefix`, which makes none of them near.
    """
    by_form = {other.removeprefix(prefix).casefold(): other for other in known}
    near = difflib.get_close_matches(name.removeprefix(prefix).casefold(), by_form, n=1)
    return f"; did you mean {by_form[near[0]]!r}?" if near else "."


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first names, and how many more there are: "a, b and 3 more"."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def on_one_line(text: str) -> str:
    """Give text back on one line, unsafe characters escaped by code point."""
    return "".join(f"\\u{ord(c):04x}" if unsafe(c) else c for c in " ".join(text.split()))


def shown(text: str, limit: int = 200) -> str:
    """Give text back on one line of at most `limit` characters."""
    line = on_one_line(text)
    return line if len(line) <= limit else line[: limit - 1] + "…"

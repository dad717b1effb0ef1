"""Makes text from outside safe to show on one line of a terminal or a log."""

from __future__ import annotations

import difflib
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # format characters in ordinary words and emoji
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and signs that show nothing
_LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u04ae"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b9\u03bd\u03bf\u03c1\u03c5\u0131\u0261\u2010\u2011\u2012\u2013\u2212",
    "aeopcyxijsdqwhABEKMHOPCTXIJSYABEZHIKMNOPTYXaivopuig-----",
)
"""Cyrillic and Greek letters, and dashes, and the Latin ones that look the same."""

_SHORTEST_BARE = 4
"""Length from which a hidden text is hidden outside of quotes too."""


def unsafe(character: str) -> bool:
    """Whether a character can steer a terminal, hide, or turn the direction of the text around it."""
    refused = unicodedata.category(character) in _REFUSED_CATEGORIES or character in _BLANK
    return refused and character not in _JOINERS


def hides(character: str) -> bool:
    """Whether a character of an id shows nothing of its own, or is a blank other than a space."""
    is_selector = unicodedata.name(character, "").startswith("VARIATION SELECTOR")
    is_other_blank = unicodedata.category(character) == "Zs" and character != " "
    return unsafe(character) or character in _JOINERS or is_selector or is_other_blank


def as_it_looks(text: str) -> str:
    """A text with Latin letters in place of letters that look the same."""
    return unicodedata.normalize("NFKC", text).translate(_LATIN)


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """The end of a sentence about an unknown name: a question about the nearest known one, or a full stop.

    All names begin with `prefix`, which does not count as likeness.
    """
    by_form = {other.removeprefix(prefix).casefold(): other for other in known}
    near = difflib.get_close_matches(name.removeprefix(prefix).casefold(), by_form, n=1)
    return f"; did you mean {by_form[near[0]]!r}?" if near else "."


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first names, and how many more there are: "a, b and 3 more"."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


class Hidden:
    """Texts that nobody may read, such as the values of secret inputs."""

    def __init__(self) -> None:
        self._forms: dict[str, str] = {}
        """Each form that may stand in a sentence, and its case-folded form for a quick look."""

    def add(self, text: str) -> None:
        """Hide a text from now on, unless it is blank."""
        if not text or repr(text) in self._forms:
            return
        spellings = {text, html.escape(text), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        for known in spellings | {shown(spelling, limit) for spelling in spellings for limit in (200, 60)}:
            bare = [known] if len(known) >= _SHORTEST_BARE else []
            self._forms |= {form: form.casefold() for form in (repr(known), f'"{known}"', *bare)}

    def mask(self, sentence: str) -> str:
        """A sentence without them, in any case; texts of less than four characters go only where they are in quotes."""
        folded = sentence.casefold()
        there = [form for form, small in tuple(self._forms.items()) if small in folded]
        for form in sorted(there, key=len, reverse=True):
            sentence = re.sub(re.escape(form), "[secret]", sentence, flags=re.IGNORECASE)
        return sentence


def on_one_line(text: str) -> str:
    """The text on one line, with code points for unsafe characters."""
    return "".join(f"\\u{ord(c):04x}" if unsafe(c) else c for c in " ".join(text.split()))


def shown(text: str, limit: int = 200) -> str:
    """The text on one line of at most `limit` characters."""
    line = on_one_line(text)
    return line if len(line) <= limit else line[: limit - 1] + "…"

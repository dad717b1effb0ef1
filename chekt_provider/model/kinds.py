"""The kinds of inputs, each with its rule; and how a value comes over the wire."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from chekt_provider.model.ids import INEXACT_FROM, id_digits
from chekt_provider.text import hides, unsafe

Value = str | int | float | bool
"""The value of a field; "" for an unset field of any kind."""

_PROBE = re.compile(r"tcp://([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


class Kind:
    """What a value may be."""

    json_type = "string"

    def checked(self, value: object) -> Value:
        """The canonical form of an input. Raises PydanticCustomError, a sentence without its subject."""
        raise NotImplementedError

    def schema(self, *, is_required: bool) -> dict[str, Any]:
        """What a JSON schema says of it; a file may spell it otherwise than a program."""
        return {"type": self.json_type}

    def answered(self, value: object) -> object:
        """A value as CHeKT answers it; pydantic looks at its type after that."""
        return answered(value)

    def limit(self) -> str:
        """The limit, for people; "" for none."""
        return ""


@dataclass(frozen=True)
class Text(Kind):
    """Text without control characters or outer blanks.

    Attributes:
        longest: in characters. The limits are ours and generous; CHeKT documents none.
        is_key: an external id, in which nothing may be invisible.
    """

    longest: int
    is_key: bool = False

    def checked(self, value: object) -> str:
        """As it is."""
        if not isinstance(value, str):
            raise refusal(f"must be text, not {_kind(value)}")
        refuses = hides if self.is_key else unsafe
        for position, character in enumerate(value, start=1):
            if refuses(character):
                raise refusal(f"holds the invisible or control character U+{ord(character):04X} at position {position}")
        if value != value.strip():
            raise refusal("begins or ends with a blank")
        if len(value) > self.longest:
            raise refusal(f"is {len(value):,} characters long; at most {self.longest} are taken")
        if value != unicodedata.normalize("NFC", value):
            raise refusal(
                "is not in Unicode's composed form (NFC), so that it may look the same as another and not be it"
            )
        return value

    def schema(self, *, is_required: bool) -> dict[str, Any]:
        """Text of a length."""
        shortest = {"minLength": 1} if is_required else {}
        return {"type": "string", **shortest, "maxLength": self.longest}

    def limit(self) -> str:
        """Its length."""
        return f"up to {self.longest} characters"


class Id(Kind):
    """CHeKT's number of something, as digits."""

    def checked(self, value: object) -> str:
        """As digits."""
        if isinstance(value, float) and abs(value) >= INEXACT_FROM:
            raise refusal('is too large to be exact as a number: write it as text, "…"')
        digits = id_digits(value)
        if digits is None:
            raise refusal("is not an id: write digits only, such as 12345")
        return digits

    def schema(self, *, is_required: bool) -> dict[str, Any]:
        """A number, or digits."""
        digits = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
        return {"anyOf": [{"type": "integer", "minimum": 1}, digits]}


class Flag(Kind):
    """True or false."""

    json_type = "boolean"

    def checked(self, value: object) -> bool:
        """As it is."""
        if not isinstance(value, bool):
            raise refusal("must be true or false")
        return value

    def answered(self, value: object) -> object:
        """1 and 0 are true and false, too."""
        is_number = isinstance(value, int | str) and str(value) in ("1", "0")
        return str(value) == "1" if is_number else answered(value)


class Probe(Kind):
    """The address of a receiver."""

    def checked(self, value: object) -> str:
        """As it is."""
        if not isinstance(value, str) or probe_address(value) is None:
            raise refusal("is not of the form tcp://host:port, such as tcp://receiver.example:5000")
        return value


@dataclass(frozen=True)
class Number(Kind):
    """A number.

    Attributes:
        least, most: the range, both included.
        of: what it counts, in the plural.
    """

    least: float
    most: float
    of: str
    json_type = "number"

    def checked(self, value: object) -> float:
        """As a float: Pulumi knows no other numbers."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.least <= value <= self.most:
            raise refusal(f"must be a number of {self.of} from {self.least:g} to {self.most:g}")
        return float(value)

    def limit(self) -> str:
        """From the least to the most."""
        return f"{self.least:g} to {self.most:g} {self.of}"


def answered(value: object) -> object:
    """A value as CHeKT answers it, "" for null; pydantic looks at its type after that.

    Half a surrogate pair, which JSON can hold and nothing can store, becomes U+FFFD.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "" if value is None else value


def probe_address(probe: str) -> tuple[str, int] | None:
    """Host and port of "tcp://host:port", an IPv6 address without its brackets; None for anything else."""
    found = _PROBE.fullmatch(probe)
    if found is None or not 0 < int(found[2]) < 2**16:
        return None
    return found[1].strip("[]"), int(found[2])


def refusal(sentence: str) -> PydanticCustomError:
    """What is wrong with a value, in a sentence without its subject."""
    return PydanticCustomError("input", "{sentence}", {"sentence": sentence})


def _kind(value: object) -> str:
    kinds: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a map"}
    return kinds.get(type(value), type(value).__name__)

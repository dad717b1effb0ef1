"""Writes the README's tables of inputs and settings from the tables in the code: `make tables`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from chekt_provider.model.fields import AssignmentInputs, Fact, StationInputs, facts
from chekt_provider.settings import SETTINGS

README = Path(__file__).parent.parent / "README.md"


def with_tables(page: str) -> str:
    """A page with each of the tables as the code has it now."""
    settings = ((f"`{key}`", f"`{setting.variable}`", setting.meaning) for key, setting in SETTINGS.items())
    page = _with_table(page, ("input", "meaning", "when it changes"), _inputs(StationInputs))
    page = _with_table(page, ("input of an assignment", "meaning", "when it changes"), _inputs(AssignmentInputs))
    return _with_table(page, ("stack config", "environment variable", "meaning"), settings)


def _inputs(model: type[BaseModel]) -> Iterable[tuple[str, ...]]:
    return ((f"`{name}`", _meaning(fact), fact.change.value) for name, fact in facts(model).items())


def _meaning(fact: Fact) -> str:
    limit = fact.kind.limit()
    return _marked(f"{fact.meaning} {limit[:1].upper()}{limit[1:]}." if limit else fact.meaning)


def _with_table(page: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A page in which the table with this head has these rows."""
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows)]
    old = re.compile(rf"^{re.escape(lines[0])}\n(\|.*\n)+", re.MULTILINE)
    assert old.search(page), f"there is no table that begins with {lines[0]}"  # noqa: S101 - a tool of ours
    return old.sub(lambda _: "\n".join([*lines, ""]), page)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _marked(meaning: str) -> str:
    """A meaning with the settings in it as code."""
    return re.sub(r"\bchekt:\w+", r"`\g<0>`", meaning)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")

"""What a roll-out did, for machines as JSON and for people as Markdown."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from chekt_provider.rollout.changes import Change
from chekt_provider.text import on_one_line

Outcome = Literal["done", "previewed", "done before", "refused", "failed", "stopped", "not started"]
"""What became of a stack. "refused": by a gate. "stopped": by Ctrl-C. "done before": by the run that is resumed."""

GOOD: tuple[Outcome, ...] = ("done", "previewed", "done before")
OPS = ("create", "update", "replace", "delete")


@dataclass(frozen=True)
class StackReport:
    """What became of one stack.

    Attributes:
        wave: the wave that it is in.
        stack: its name.
        outcome: what became of it.
        changes: what was made, or would be.
        same: how many resources stay as they are.
        problems: why it is not done, a sentence each.
        said: what the provider and policy packs said, a sentence each.
        seconds: how long it took.
    """

    wave: str
    stack: str
    outcome: Outcome
    changes: Sequence[Change] = ()
    same: int = 0
    problems: Sequence[str] = ()
    said: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """How many resources each op concerns."""
        found = Counter(change.op for change in self.changes)
        return {op: found[op] for op in OPS}


@dataclass(frozen=True)
class Report:
    """What a roll-out did.

    Attributes:
        rollout: the path of rollout.yaml, as it was given.
        preview: whether nothing was to be changed.
        stacks: all of them, in the plan's order.
        waiting: what the next wave waits for; "" where it waits for nothing.
        seconds: how long it took.
        unsaved: why it is not kept beside rollout.yaml, a sentence; "" where it is.
    """

    rollout: str
    preview: bool
    stacks: Sequence[StackReport]
    waiting: str = ""
    seconds: float = 0.0
    unsaved: str = ""

    @property
    def good(self) -> bool:
        """Whether every stack is as it should be."""
        return not self.waiting and all(stack.outcome in GOOD for stack in self.stacks)

    @property
    def waits(self) -> bool:
        """Whether nothing is wrong but that the next wave waits."""
        return bool(self.waiting) and all(stack.outcome in (*GOOD, "not started") for stack in self.stacks)

    @property
    def advice(self) -> str:
        """How a roll-out that ended before its end goes on; "" for one that did not, or that waits, which says it."""
        if self.preview or self.good or self.waiting:
            return ""
        is_stopped = all(stack.outcome in (*GOOD, "not started", "stopped") for stack in self.stacks)
        return f"{'Run' if is_stopped else 'Fix that, then run'} again with --resume: it passes over what is done."

    def as_json(self) -> dict[str, Any]:
        """Plain values: the attributes, and `good`."""
        return {"good": self.good, **asdict(self)}

    def as_markdown(self) -> str:
        """A page for a pull request or a job's summary."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"## {'Preview' if self.preview else 'Roll-out'} of {_cell(self.rollout)}: {self._headline()}"
        yield ""
        yield "| wave | stack | result | create | update | replace | delete | same |"
        yield "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"
        for stack in self.stacks:
            numbers = " | ".join(str(number or "") for number in (*stack.counts.values(), stack.same))
            yield f"| {_cell(stack.wave)} | {_cell(stack.stack)} | {stack.outcome} | {numbers} |"
        if sentence := self.waiting or self.advice:
            yield from ("", _cell(sentence))
        for stack in self.stacks:
            yield from _details(stack)

    def _headline(self) -> str:
        found = Counter(stack.outcome for stack in self.stacks)
        return ", ".join(f"{number} {outcome}" for outcome, number in found.items()) or "no stacks"


def _details(stack: StackReport) -> Iterator[str]:
    if not (stack.changes or stack.problems or stack.said):
        return
    yield from ("", f"### {_cell(stack.stack)}", "")
    yield from (f"- **{_cell(problem)}**" for problem in stack.problems)
    yield from (f"- {_cell(sentence)}" for sentence in stack.said)
    for change in stack.changes:
        fields = "; ".join(f"{name}: {_code(old)} → {_code(new)}" for name, (old, new) in change.fields.items())
        yield f"- {change.op} {_cell(change.type)} {_code(change.name)}{f': {fields}' if fields else ''}"


def _cell(text: str) -> str:
    """Text that is nothing but text, also in a table of Markdown."""
    return re.sub(r"([\\`*_{}\[\]#|~@])", r"\\\1", html.escape(on_one_line(text), quote=False))


def _code(text: str) -> str:
    """A value in a code span, which nothing in it can end."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    inner = on_one_line(text)
    return f"{fence} {inner} {fence}" if "`" in inner else f"{fence}{inner}{fence}" if inner else "nothing"

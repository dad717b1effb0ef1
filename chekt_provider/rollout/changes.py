"""What Pulumi tells while it works on a stack, as far as a roll-out wants to know it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import StepEventMetadata
from pulumi.runtime.rpc import UNKNOWN

from chekt_provider.log import SAID

_COLOURS = re.compile(r"<\{%.*?%\}>")
_OPS = {
    OpType.CREATE: "create",
    OpType.UPDATE: "update",
    OpType.REPLACE: "replace",
    OpType.DELETE: "delete",
    OpType.DELETE_REPLACED: "delete",
}
_OF_PULUMI = ("preview failed", "update failed", "an unhandled error occurred")


@dataclass(frozen=True)
class Change:
    """What happens to one resource.

    Attributes:
        op: "create", "update", "replace" or "delete".
        name: Pulumi's name of the resource.
        type: its type, without the module: "MonitoringStation".
        fields: an update's or a replacement's, each with the value that was and the one that will be.
    """

    op: str
    name: str
    type: str
    fields: Mapping[str, tuple[str, str]]


class Events:
    """Gathers what the events of one command tell.

    Args:
        step: called for each resource that Pulumi has done with.

    Attributes:
        same: how many resources stay as they are.
    """

    def __init__(self, step: Callable[[], None]) -> None:
        self.same = 0
        self._changes: list[Change] = []
        self._left: dict[str, Change] = {}
        self._replaced: set[str] = set()
        self._demands: dict[str, None] = {}
        self._errors: dict[str, None] = {}
        self._said: dict[str, None] = {}
        self._step = step

    @property
    def changes(self) -> list[Change]:
        """What was made or would be, of custom resources, by name.

        Also the deletion of what an earlier run replaced and could not delete any more: its step is one of no program.
        """
        left = [change for urn, change in self._left.items() if urn not in self._replaced]
        return sorted(self._changes + left, key=lambda change: (change.name, change.type, change.op))

    @property
    def demands(self) -> list[str]:
        """What mandatory policies of policy packs demand, each once."""
        return sorted(self._demands)

    @property
    def errors(self) -> list[str]:
        """The sentences of what failed, each once."""
        return list(self._errors)

    @property
    def said(self) -> list[str]:
        """The provider's sentences, each once."""
        return list(self._said)

    def __call__(self, event: EngineEvent) -> None:
        """Take one event."""
        if event.res_outputs_event and _ours(event.res_outputs_event.metadata):
            self._done(event.res_outputs_event.metadata)
        elif event.policy_event:
            policy = event.policy_event
            which = self._demands if policy.enforcement_level == "mandatory" else self._said
            sentences = " ".join(_plain(policy.message).split("\n"))
            which[f"policy {policy.policy_name} ({policy.enforcement_level}): {sentences}"] = None
        elif event.diagnostic_event:
            self._diagnostic(event.diagnostic_event.severity, _plain(event.diagnostic_event.message))

    def _done(self, step: StepEventMetadata) -> None:
        # A replacement comes in three steps, of which the logical one stands for all. What a refresh finds is no
        # logical step.
        if step.op == OpType.DELETE_REPLACED:
            self._left[step.urn] = _change(step)
        elif step.op in _OPS and (step.logical or step.op in (OpType.UPDATE, OpType.DELETE)):
            self._changes.append(_change(step))
        if step.op == OpType.REPLACE:
            self._replaced.add(step.urn)
        self.same += step.op == OpType.SAME
        self._step()

    def _diagnostic(self, severity: str, text: str) -> None:
        if severity == "error" and not text.startswith(_OF_PULUMI):
            self._errors[text.removeprefix("Preview failed: ")] = None
        elif severity == "info#err":
            for line in text.splitlines():
                if line.startswith(SAID):
                    self._said[line.removeprefix(SAID)] = None


def _ours(step: StepEventMetadata) -> bool:
    """Whether it is a resource that somebody wrote: not the stack, not a component, not a provider."""
    state = step.new or step.old
    return bool(state and state.custom) and not step.type.startswith("pulumi:")


def _change(step: StepEventMetadata) -> Change:
    old = dict(step.old.inputs or {}) if step.old else {}
    new = dict(step.new.inputs or {}) if step.new else {}
    names = [name for name in {**old, **new} if not name.startswith("__") and old.get(name) != new.get(name)]
    fields = {name: (_value(old.get(name)), _value(new.get(name))) for name in names} if old and new else {}
    return Change(_OPS[step.op], step.urn.rpartition("::")[2], re.split("[:/]", step.type)[-1], fields)


def _value(value: Any) -> str:
    """A value for people. Secrets come as mappings; no input of ours is one."""
    if value is None:
        return ""
    if value == UNKNOWN:
        return "[not known yet]"
    return "[secret]" if isinstance(value, Mapping) else str(value)


def _plain(text: str) -> str:
    return _COLOURS.sub("", text).strip()

"""What Pulumi tells while it works on a stack, as far as a roll-out wants to know it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import StepEventMetadata
from pulumi.runtime.rpc import UNKNOWN

_COLOURS = re.compile(r"<\{%.*?%\}>")
_VERBS = {
    OpType.CREATE: "create",
    OpType.UPDATE: "update",
    OpType.REPLACE: "replace",
    OpType.DELETE: "delete",
}
_OF_PULUMI = ("preview failed", "update failed", "an unhandled error occurred")


@dataclass(frozen=True)
class Change:
    """What happens to one resource.

    Attributes:
        verb: "create", "update", "replace" or "delete".
        name: Pulumi's name of the resource.
        type: its type, without the module: "MonitoringStation".
        fields: an update's or a replacement's, each with the value that was and the one that will be.
    """

    verb: str
    name: str
    type: str
    fields: Mapping[str, tuple[str, str]]


class Events:
    """Gathers what the events of one command tell.

    Args:
        step: called for each resource that Pulumi has done with.

    Attributes:
        changes: of custom resources, in the order in which they came.
        same: how many stay as they are.
    """

    def __init__(self, step: Callable[[], None]) -> None:
        self.changes: list[Change] = []
        self.same = 0
        self._demands: dict[str, None] = {}
        self._errors: dict[str, None] = {}
        self._said: dict[str, None] = {}
        self._step = step

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
        if event.resource_pre_event:
            self._change(event.resource_pre_event.metadata)
        elif event.res_outputs_event and _ours(event.res_outputs_event.metadata):
            self._after(event.res_outputs_event.metadata)
        elif event.policy_event:
            policy = event.policy_event
            which = self._demands if policy.enforcement_level == "mandatory" else self._said
            sentences = " ".join(_plain(policy.message).split("\n"))
            which[f"policy {policy.policy_name} ({policy.enforcement_level}): {sentences}"] = None
        elif event.diagnostic_event:
            self._diagnostic(event.diagnostic_event.severity, _plain(event.diagnostic_event.message))

    def _change(self, step: StepEventMetadata) -> None:
        # A replacement comes in three steps; the logical one stands for all of them.
        if _ours(step) and step.logical and step.op in _VERBS:
            self.changes.append(_change(step))

    def _after(self, step: StepEventMetadata) -> None:
        """A refresh tells what it found afterwards, in a step that is not a logical one."""
        if step.logical is None and step.op in (OpType.UPDATE, OpType.DELETE):
            self.changes.append(_change(step))
        self.same += step.op == OpType.SAME
        self._step()

    def _diagnostic(self, severity: str, text: str) -> None:
        if severity == "error" and not text.startswith(_OF_PULUMI):
            self._errors[text.removeprefix("Preview failed: ")] = None
        elif severity == "info#err":
            for line in text.splitlines():
                if line.startswith("chekt: "):
                    self._said[line.removeprefix("chekt: ")] = None


def _ours(step: StepEventMetadata) -> bool:
    """Whether it is a resource that somebody wrote: not the stack, not a component, not a provider."""
    state = step.new or step.old
    return bool(state and state.custom) and not step.type.startswith("pulumi:")


def _change(step: StepEventMetadata) -> Change:
    old = dict(step.old.inputs or {}) if step.old else {}
    new = dict(step.new.inputs or {}) if step.new else {}
    names = [name for name in {**old, **new} if not name.startswith("__") and old.get(name) != new.get(name)]
    fields = {name: (_value(old.get(name)), _value(new.get(name))) for name in names} if old and new else {}
    return Change(_VERBS[step.op], step.urn.rpartition("::")[2], re.split("[:/]", step.type)[-1], fields)


def _value(value: Any) -> str:
    """A value for people. Secrets come as mappings; no input of ours is one."""
    if value is None:
        return ""
    if value == UNKNOWN:
        return "[not known yet]"
    return "[secret]" if isinstance(value, Mapping) else str(value)


def _plain(text: str) -> str:
    return _COLOURS.sub("", text).strip()

"""One stack of a roll-out: preview, gates, up, verify."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from pulumi.automation import Stack

from chekt_provider.rollout.changes import Events
from chekt_provider.rollout.gates import broken
from chekt_provider.rollout.plan import Wave
from chekt_provider.rollout.pulumi_command import GentleCommand, PulumiFailedError, QuietWorkspace
from chekt_provider.rollout.report import Outcome, StackReport

LATE_SECONDS = 16.0
"""How late CHeKT may show what was made."""

_LOCKED = "the stack is currently locked by"
WITHOUT_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "1"}
"""Environment in which Pulumi writes the state once a run, not after every step."""


class Watch(Protocol):
    """What is told while a roll-out goes on; from several threads."""

    def begins(self, stack: str, phase: str, steps: int | None) -> None:
        """A stack enters "preview", "up" or "verify"; `steps` are the resources it has to look at, where known."""

    def step(self, stack: str) -> None:
        """Pulumi has done with one of its resources."""

    def ended(self, report: StackReport) -> None:
        """A stack is through, well or not."""


class StackWork:
    """Works on one stack.

    Args:
        name: the stack's.
        wave: the wave that it is in.
        folder: the project's.
        command: the Pulumi to use.
        checkpoints: whether Pulumi writes the state after each resource.
        watch: is told how far it is.
        clock: seconds that only go up.
        sleep: waits so many seconds.

    Attributes:
        name: the stack's.
    """

    def __init__(
        self,
        name: str,
        wave: Wave,
        folder: str,
        command: GentleCommand,
        *,
        checkpoints: bool,
        watch: Watch,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._wave = wave
        self._packs = list(wave.gates.policies) or None
        self._stack = self._select(folder, command, {})
        self._uppable = self._stack if checkpoints else self._select(folder, command, WITHOUT_CHECKPOINTS)
        self._watch = watch
        self._clock = clock
        self._sleep = sleep
        self._began = clock()

    @property
    def wave(self) -> str:
        """The name of the wave that it is in."""
        return self._wave.name

    def _select(self, folder: str, command: GentleCommand, environment: Mapping[str, str]) -> Stack:
        workspace = QuietWorkspace(work_dir=folder, pulumi_command=command, env_vars=environment)
        return Stack.select(self.name, workspace)

    def preview(self) -> StackReport:
        """What would happen; nothing is changed."""
        events = self._events("preview", None)
        try:
            self._stack.preview(on_event=events, policy_packs=self._packs)
        except PulumiFailedError as error:
            if not events.demands:
                return self._report("failed", events, _told(error, events, self.name))
        sentences = events.demands + broken(self._wave.gates, events.changes)
        return self._report("refused" if sentences else "previewed", events, sentences)

    def roll_out(self) -> StackReport:
        """Preview, up and verify; ends with the first of them that is not as it should be."""
        before = self.preview()
        if before.outcome != "previewed":
            return before
        events = self._events("up", len(before.changes) + before.same)
        try:
            message = f"chekt rollout, wave {self._wave.name}"
            self._uppable.up(message=message, on_event=events, policy_packs=self._packs, show_secrets=False)
        except PulumiFailedError as error:
            return self._report("failed", events, _told(error, events, self.name))
        if more := broken(self._wave.gates, events.changes):
            return self._report("failed", events, ["the up did more than its preview showed.", *more])
        if not (problems := self._verify()):
            return self._report("done", events, [])
        return self._report("failed", events, problems)

    def _verify(self) -> list[str]:
        """Why CHeKT does not hold what was made, a sentence each; looked at twice, since it may show it late."""
        for look in ("first", "last"):
            after = self._events("verify", None)
            try:
                self._stack.preview_refresh(on_event=after, expect_no_changes=True)
            except PulumiFailedError as error:
                drift = self._drifted(after)
                if not drift:
                    return _told(error, after, self.name)
                if look == "first":
                    self._sleep(LATE_SECONDS)
            else:
                return []
        return drift + after.errors

    def _drifted(self, events: Events) -> list[str]:
        """What a refresh directly after the up found otherwise than it was made."""
        names = ", ".join(change.name for change in events.changes)
        remedy = f"run `pulumi preview --refresh --diff --stack {self.name}` to see what."
        return [f"after the up CHeKT holds something else for {names}: {remedy}"] if names else []

    def _events(self, phase: str, steps: int | None) -> Events:
        self._watch.begins(self.name, phase, steps)
        return Events(lambda: self._watch.step(self.name))

    def _report(self, outcome: Outcome, events: Events, problems: list[str]) -> StackReport:
        return StackReport(
            wave=self._wave.name,
            stack=self.name,
            outcome=outcome,
            changes=events.changes,
            same=events.same,
            problems=problems,
            said=events.said,
            seconds=round(self._clock() - self._began, 1),
        )


def _told(error: PulumiFailedError, events: Events, stack: str) -> list[str]:
    """Why a command failed: what the engine said of resources, else what the command printed."""
    if any(_LOCKED in line for line in error.printed):
        holder = "; ".join(line[line.index("created by") :] for line in error.printed if "created by" in line)
        remedy = f"wait for it, or, if it was killed, run `pulumi cancel --stack {stack}`."
        return [f"another run has locked the stack ({holder}): {remedy}"]
    lines = [line.removeprefix("error: ") for line in error.printed if not line.startswith(("warning", "Please"))]
    return events.demands + events.errors or lines or ["Pulumi failed and said nothing."]

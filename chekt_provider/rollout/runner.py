"""The waves of a roll-out, one after the other; inside a wave several stacks at once."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from chekt_provider.rollout.plan import Plan, Wave
from chekt_provider.rollout.pulumi_command import GentleCommand, QuietWorkspace
from chekt_provider.rollout.report import Report, StackReport
from chekt_provider.rollout.stack import StackWork, Watch
from chekt_provider.text import listed

_CHANGED = "its program or its settings have changed since the roll-out began: run it again, with --resume."


class CannotBeginError(ValueError):
    """A roll-out that cannot begin, and did nothing; its text is one line."""


class Runner:
    """Runs a plan.

    Args:
        plan: what to do.
        watch: is told how far it is, from several threads.
        approve: asks a person whether a wave may begin; None: there is nobody to ask.
        command: the Pulumi to use.
        clock: seconds that only go up.
    """

    def __init__(
        self,
        plan: Plan,
        watch: Watch,
        approve: Callable[[Wave], bool] | None,
        command: GentleCommand,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._watch = watch
        self._approve = approve
        self._command = command
        self._clock = clock
        self._began = clock()
        self._stopped = threading.Event()
        self._halt = threading.Event()
        self._reports: dict[str, StackReport] = {}

    def stop(self) -> None:
        """Begin nothing more, and let Pulumi end what it is at: for a signal's handler."""
        self._stopped.set()
        self._command.interrupt()

    def preview(self) -> Report:
        """What the roll-out would change, in all stacks. Raises CannotBeginError."""
        self._refuse_missing()
        for wave in self._plan.waves:
            self._each(wave, wave.stacks, StackWork.preview)
        return self._report(preview=True)

    def roll_out(self, *, resume: bool) -> Report:
        """Change the stacks, wave by wave, as far as all goes well.

        Args:
            resume: pass over the stacks that are done already and whose program and settings are what they were.

        Raises:
            CannotBeginError: nothing was done.
        """
        self._refuse_missing()
        prints = self._plan.fingerprints(self._plan.stacks)
        journal = Journal(self._plan.notes / "done")
        done = {stack for stack in self._plan.stacks if resume and journal.holds(stack, prints[stack])}
        try:
            self._keep(self._report(preview=False))
            journal.forget(stack for stack in self._plan.stacks if stack not in done)
        except OSError as error:
            raise CannotBeginError(f"Nothing was done: {self._unwritable(error)}.") from None
        waiting = ""
        try:
            for wave in self._plan.waves:
                waiting = self._wave(wave, journal, prints, done)
                if waiting or self._stopped.is_set() or self._halt.is_set():
                    break
        finally:
            report = self._report(preview=False, waiting=waiting)
            try:
                self._keep(report)
            except OSError as error:
                report = replace(report, unsaved=f"This report is kept nowhere: {self._unwritable(error)}.")
        return report

    def _unwritable(self, error: OSError) -> str:
        return f"{self._plan.notes} cannot be written: {error}"

    def _wave(self, wave: Wave, journal: Journal, prints: Mapping[str, str], done: Collection[str]) -> str:
        """Roll one wave out; gives what it waits for, and does nothing, where it may not begin."""
        left = [stack for stack in wave.stacks if stack not in done]
        for stack in wave.stacks:
            if stack in done:
                self._end(StackReport(wave.name, stack, "done before"))
        waiting = self._waits_for(wave, self._plan.token(wave, prints)) if left else ""
        if not waiting:
            self._each(wave, left, lambda work: self._roll_out(work, journal, prints[work.name]))
        return waiting

    def _roll_out(self, work: StackWork, journal: Journal, fingerprint: str) -> StackReport:
        """Roll one stack out, as long as its files are what they were when the roll-out began."""
        if self._plan.fingerprints([work.name])[work.name] != fingerprint:
            self._halt.set()
            return StackReport(work.wave, work.name, "refused", problems=[_CHANGED])
        report = work.roll_out()
        if report.outcome != "done":
            self._halt.set()
            return report
        try:
            journal.add(report.stack, fingerprint)
        except OSError as error:
            return replace(report, problems=[f"--resume would do it again: {self._unwritable(error)}."])
        return report

    def _each(self, wave: Wave, stacks: Iterable[str], work: Callable[[StackWork], StackReport]) -> None:
        """Work on the stacks of a wave, `wave.parallel` at once; none begins once something stopped the roll-out."""

        def one(stack: str) -> None:
            if self._stopped.is_set() or self._halt.is_set():
                return
            try:
                report = work(self._work(stack, wave))
                if report.outcome == "failed" and self._stopped.is_set():
                    report = replace(report, outcome="stopped")
                self._end(report)
            except BaseException:
                self._halt.set()
                raise

        with ThreadPoolExecutor(wave.parallel) as threads:
            for future in [threads.submit(one, stack) for stack in stacks]:
                future.result()
        for stack in (stack for stack in wave.stacks if stack not in self._reports):
            self._end(StackReport(wave.name, stack, "not started"))

    def _work(self, stack: str, wave: Wave) -> StackWork:
        return StackWork(
            stack,
            wave,
            str(self._plan.folder),
            self._command,
            checkpoints=self._plan.checkpoints,
            watch=self._watch,
            clock=self._clock,
        )

    def _end(self, report: StackReport) -> None:
        self._reports[report.stack] = report
        self._watch.ended(report)

    def _waits_for(self, wave: Wave, token: str) -> str:
        """What a wave waits for; "" where it may begin."""
        file = self._plan.notes / f"{wave.name}.approved"
        held = _read(file)
        if not wave.approval or held == token:
            return ""
        if self._approve is not None and self._approve(wave):
            return ""
        old = (
            " That file holds another token: it is mistyped, or the program or its settings changed since."
            if held
            else ""
        )
        return f"The wave {wave.name} waits for approval: write {token} into {file}, and run again with --resume.{old}"

    def _refuse_missing(self) -> None:
        workspace = QuietWorkspace(work_dir=str(self._plan.folder), pulumi_command=self._command)
        there = {stack.name.rpartition("/")[2] for stack in workspace.list_stacks()}
        missing = [stack for stack in self._plan.stacks if stack not in there]
        if missing:
            raise CannotBeginError(
                f"The backend has no stack {listed(missing)}. Nothing was done. Check which backend "
                "`pulumi whoami --verbose` names; a new stack is made by `pulumi stack init`."
            )

    def _report(self, *, preview: bool, waiting: str = "") -> Report:
        """What became of the stacks so far."""
        stacks = [
            self._reports.get(stack, StackReport(wave.name, stack, "not started"))
            for wave in self._plan.waves
            for stack in wave.stacks
        ]
        seconds = round(self._clock() - self._began, 1)
        return Report(str(self._plan.file), preview, stacks, waiting, seconds)

    def _keep(self, report: Report) -> None:
        """Write a report beside rollout.yaml."""
        _write(self._plan.notes / "report.json", json.dumps(report.as_json(), indent=2) + "\n")
        _write(self._plan.notes / "report.md", report.as_markdown())


class Journal:
    """The stacks that are done, a file each, so that several machines and a kill in between do it no harm.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, stack: str, fingerprint: str) -> bool:
        """Whether the stack is done, with this program and these settings."""
        return _read(self._folder / stack) == fingerprint

    def add(self, stack: str, fingerprint: str) -> None:
        """The stack is done."""
        _write(self._folder / stack, fingerprint)

    def forget(self, stacks: Iterable[str]) -> None:
        """The stacks are to be done."""
        for stack in stacks:
            (self._folder / stack).unlink(missing_ok=True)


def _read(file: Path) -> str:
    """What a file holds; "" where it cannot be read."""
    try:
        return file.read_text("utf-8-sig", errors="replace").strip()
    except OSError:
        return ""


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    new.write_text(text, "utf-8")
    new.replace(file)

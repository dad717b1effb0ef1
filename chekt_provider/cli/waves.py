"""What `chekt rollout` does and shows. Apart from its options: it loads all of Pulumi, and a help needs none of it."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from pulumi.automation import InvalidVersionError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from chekt_provider.cli.terminal import say
from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.rollout.deployments import deployment_settings
from chekt_provider.rollout.operator import as_yaml, stack_resources
from chekt_provider.rollout.plan import Plan, Wave, read_plan
from chekt_provider.rollout.pulumi_command import GentleCommand, PulumiFailedError
from chekt_provider.rollout.report import Report, StackReport
from chekt_provider.rollout.runner import CannotBeginError, Runner
from chekt_provider.rollout.stack import Watch


def planned(file: str, wave: str | None, shard: str | None) -> Plan:
    """The plan of the file and the options. Ends the command when they are wrong."""
    try:
        plan = read_plan(file)
    except BadFileError as error:
        _usage(str(error))
    if plan.left_out:
        say(f"In no wave: {', '.join(plan.left_out)}.")
    if wave is not None:
        try:
            plan = plan.wave_alone(wave)
        except KeyError:
            _usage(f"--wave {wave}: {file} has no wave of that name; it has {', '.join(w.name for w in plan.waves)}.")
    if shard is None:
        return plan
    parts = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", shard)
    if not parts or int(parts[1]) > int(parts[2]):
        _usage(f"--shard {shard}: write which part, and of how many, such as 3/10.")
    if len(plan.waves) > 1:
        _usage("--shard splits one wave, since machines do not wait for each other: name it with --wave.")
    return plan.shard(int(parts[1]), int(parts[2]))


def run(plan: Plan, *, preview: bool, resume: bool) -> Report:
    """Preview the plan's stacks, or roll them out. Ends the command when it cannot begin."""
    console = Console(stderr=True, highlight=False)
    asks = sys.stdin.isatty() and console.is_terminal
    try:
        command = GentleCommand()
    except FileNotFoundError:
        _usage("There is no pulumi on PATH: see https://www.pulumi.com/docs/install/.")
    except InvalidVersionError as error:
        _usage(str(error))
    bars = _bars(console)
    watch = _Bars(bars) if console.is_terminal else _Lines()
    with bars:
        try:
            runner = Runner(plan, watch, (lambda wave: _approved(wave, bars)) if asks else None, command)
            with _stopping(runner):
                return runner.preview() if preview else runner.roll_out(resume=resume)
        except CannotBeginError as error:
            _usage(str(error))
        except PulumiFailedError as error:
            _usage(f"Pulumi cannot list the stacks, and nothing was done: {' '.join(error.printed)}")


def print_templates(plan: Plan, *, operator: bool) -> None:
    """Print the stacks as resources of Pulumi's operator, else as settings of Pulumi Deployments."""
    try:
        if operator:
            typer.echo(as_yaml(stack_resources(plan.waves, plan.project, plan.operator)))
        else:
            typer.echo(json.dumps(deployment_settings(plan.waves, plan.project, plan.deployments), indent=2))
    except BadFileError as error:
        _usage(f"{plan.file}: {error}")


def listed(plan: Plan) -> dict[str, Any]:
    """The plan for machines. `approval` is what a wave's file of approval must hold; None where it needs none."""
    prints = plan.fingerprints(plan.stacks)
    waves = [
        {
            "name": wave.name,
            "parallel": wave.parallel,
            "approval": plan.token(wave, prints) if wave.approval else None,
            "stacks": list(wave.stacks),
        }
        for wave in plan.waves
    ]
    return {"project": plan.project, "waves": waves}


def print_list(plan: Plan) -> None:
    """Print a table of the plan."""
    console = Console(highlight=False)
    console.print(f"Waves of {plan.project}", markup=False, soft_wrap=True)
    table = Table()
    for heading in ("wave", "stack", "at once", "approval"):
        table.add_column(heading, overflow="fold")
    for wave in plan.waves:
        for stack in wave.stacks:
            table.add_row(wave.name, stack, str(wave.parallel), "asked for" if wave.approval else "")
    console.print(table)


def print_report(report: Report) -> None:
    """Print a table of what was done, then what went wrong."""
    console = Console(highlight=False)
    console.print(f"Roll-out of {report.rollout}", markup=False, soft_wrap=True)
    table = Table()
    for heading in ("wave", "stack", "result", "resources"):
        table.add_column(heading, overflow="fold")
    table.add_column("seconds", justify="right")
    for stack in report.stacks:
        table.add_row(stack.wave, stack.stack, stack.outcome, _counted(stack), str(stack.seconds or ""))
    console.print(table)
    for stack in report.stacks:
        for problem in stack.problems:
            console.print(f"{stack.stack}: {problem}", markup=False, soft_wrap=True)
    for sentence in filter(None, (report.waiting or report.advice, report.unsaved)):
        console.print(sentence, markup=False, soft_wrap=True)


def _approved(wave: Wave, progress: Progress) -> bool:
    """Ask the person at the terminal, without the bars."""
    progress.stop()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(f"Begin the wave {wave.name} ({', '.join(wave.stacks)})?", err=True)
    except typer.Abort:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
        progress.start()


@contextmanager
def _stopping(runner: Runner) -> Iterator[None]:
    """On Ctrl-C, SIGTERM or a lost terminal: begin nothing more, and let Pulumi finish what it has begun."""

    def stop(*_: object) -> None:
        runner.stop()
        say("Stopping: Pulumi finishes what it has begun.")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines(Watch):
    """For logs: a line for each stack that has ended."""

    def begins(self, stack: str, phase: str, steps: int | None) -> None:
        """Say nothing."""

    def step(self, stack: str) -> None:
        """Say nothing."""

    def ended(self, report: StackReport) -> None:
        """Say it in a line."""
        say(_sentence(report))


class _Bars(Watch):
    """For terminals: a bar for each stack at work."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def begins(self, stack: str, phase: str, steps: int | None) -> None:
        """Start the stack's bar again."""
        self._drop(stack)
        self._tasks[stack] = self._progress.add_task(f"{stack} {phase}", total=steps)

    def step(self, stack: str) -> None:
        """Move the bar on."""
        if stack in self._tasks:
            self._progress.advance(self._tasks[stack])

    def ended(self, report: StackReport) -> None:
        """Replace the bar by a line."""
        self._drop(report.stack)
        self._progress.console.print(_sentence(report), markup=False)

    def _drop(self, stack: str) -> None:
        if stack in self._tasks:
            self._progress.remove_task(self._tasks.pop(stack))


def _bars(console: Console) -> Progress:
    """Bars at a terminal; nothing elsewhere."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    off = not console.is_terminal
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=off)


def _sentence(report: StackReport) -> str:
    counts = _counted(report)
    return f"{report.stack}: {report.outcome}{f' ({counts})' if counts else ''}"


def _counted(report: StackReport) -> str:
    """The number of resources: "2 to create, 1 to delete, 3 the same"; when done, "2 created"."""
    form = "{} {}d" if report.outcome == "done" else "{} to {}"
    found = [form.format(number, op) for op, number in report.counts.items() if number]
    return ", ".join([*found, f"{report.same} the same"] if report.same else found)


def _usage(sentence: str) -> NoReturn:
    for line in sentence.splitlines():
        say(line)
    raise typer.Exit(2)

"""`make bench`: the life of stacks of stations through the real engine, counted and timed in one run.

The emulator counts the requests, and answers each so many milliseconds late. Seconds depend on the machine, so each
step stands beside two others of the same run: the floor is a dynamic provider that does nothing, and the bound is the
floor and what the requests take where as many are under way as the engine sends.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console

from chekt_provider.emulator import Emulator, Fault, Request
from chekt_provider.rollout.stack import WITHOUT_CHECKPOINTS
from tools.processes import cpu_seconds, family

STATIONS = """
from chekt_provider import MonitoringStation

for n in range({stations}):
    MonitoringStation(f"s-{{n}}", external_monitoring_station_id=f"s-{{n}}", name=f"{name} {{n}}")
"""
NOTHING = """
from pulumi.dynamic import Resource
from nothing import Nothing


class Station(Resource):
    pass


for n in range({stations}):
    Station(Nothing(), f"s-{{n}}", {{"name": f"{name} {{n}}"}})
"""
PROVIDER = """
from pulumi.dynamic import CreateResult, ResourceProvider


class Nothing(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        return CreateResult("1", props)
"""
"""The module `nothing`: the state then refers to it by name, as it refers to ours."""

PAGE = Path(__file__).parent.parent / "docs" / "bench.md"
UNPACED = "600000"  # requests a minute: CHeKT's plans would be all that is measured
PROCESSES = ("engine", "program", "plugin")
KINDS = {
    "pulumi.dynamic": "plugin",
    "pulumi-language-python-exec": "program",
    "pulumi": "engine",
}
"""What a command line holds, and which process it is; the first that fits."""


@dataclass(frozen=True)
class Step:
    """One command on the stack.

    Attributes:
        title: what it does to the stations.
        arguments: of `pulumi`, besides how many operations at once.
        station_name: what the program calls its stations from then on; "" as before.
    """

    title: str
    arguments: tuple[str, ...]
    station_name: str = ""


UP = ("up", "--yes", "--skip-preview")
STEPS = [
    Step("create", UP, "Station"),
    Step("preview, no change", ("preview",)),
    Step("up, no change", UP),
    Step("refresh, no change", ("refresh", "--yes", "--skip-preview")),
    Step("rename", UP, "Renamed"),
    Step("destroy", ("destroy", "--yes", "--skip-preview")),
]


@dataclass
class Cost:
    """What a command took.

    Attributes:
        seconds: of the wall clock.
        cpu: seconds of processor time, by process.
        peak: MiB of memory that all processes held together.
    """

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    peak: float = 0.0


@dataclass
class Row:
    """A step of a stack's life.

    Attributes:
        stations: how many.
        latency: milliseconds by which each answer is late.
        step: its title.
        requests: by method, those for tokens as "token".
        in_flight: how many were under way at once at most; 0 without latency, where none lasts.
        cost: of the step.
        floor: of the same with a provider that does nothing.
        bound: seconds that it takes at least: those of the floor, and those of the requests.
    """

    stations: int
    latency: int
    step: str
    requests: dict[str, int]
    in_flight: int
    cost: Cost
    floor: Cost
    bound: float


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--stations", default="100,1000", help="how many stations, one after the other")
    parser.add_argument("--latency", default="0,50,200", help="milliseconds by which answers are late")
    parser.add_argument("--parallel", type=int, default=32, help="operations at once (default: 32)")
    parser.add_argument("--json", type=Path, help="write what was measured to this file, too")
    parser.add_argument("--write", action="store_true", help=f"write it to docs/{PAGE.name}, too")
    given = parser.parse_args()
    rows: list[Row] = []
    for stations in map(int, given.stations.split(",")):
        floor = _floor(stations, given.parallel)
        for latency in map(int, given.latency.split(",")):
            rows += _life(stations, latency, given.parallel, floor)
    Console(soft_wrap=True, highlight=False).print(page(rows), markup=False)
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    if given.write:
        PAGE.write_text(page(rows))


def _floor(stations: int, parallel: int) -> dict[str, Cost]:
    """What each step costs with a provider that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nothing.py").write_text(PROVIDER)
        stack = Stack(Path(folder), environment_of(_in(folder), {"PYTHONPATH": folder}))
        return dict(_steps(stack, NOTHING, stations, parallel, lambda _: None))


def _life(stations: int, latency: int, parallel: int, floor: Mapping[str, Cost]) -> list[Row]:
    """The life of a stack of stations."""
    with Emulator(plan=None) as emulator, tempfile.TemporaryDirectory() as folder:
        if latency:
            emulator.add_fault(Fault(delay=latency / 1000, times=None))
        stack = Stack(Path(folder), environment_of(emulator.environment(), _in(folder)))
        sent: dict[str, list[Request]] = {}

        def note(title: str) -> None:
            sent[title] = emulator.requests
            emulator.clear_requests()

        costs = dict(_steps(stack, STATIONS, stations, parallel, note))
    rows = []
    for title, cost in costs.items():
        requests = dict(Counter("token" if r.path == "/oauth/token" else r.method for r in sent[title]))
        wait = sum(requests.values()) * latency / 1000 / parallel
        at_once = most_at_once([request.monotonic for request in sent[title]], latency / 1000)
        bound = floor[title].seconds + wait
        rows.append(Row(stations, latency, title, requests, at_once, cost, floor[title], bound))
    return rows


def _in(folder: str) -> dict[str, str]:
    """A state in a folder, which is not written after each step: Pulumi's own cost is not what is measured."""
    return {"PULUMI_BACKEND_URL": Path(folder).as_uri(), **WITHOUT_CHECKPOINTS}


def _steps(
    stack: Stack, program: str, stations: int, parallel: int, note: Callable[[str], None]
) -> Iterable[tuple[str, Cost]]:
    for step in STEPS:
        if step.station_name:
            stack.write(program.format(stations=stations, name=step.station_name))
        at_once = () if step.arguments[0] == "preview" else ("--parallel", str(parallel))
        cost = stack.measured(*step.arguments, *at_once)
        note(step.title)
        yield step.title, cost


def most_at_once(moments: Sequence[float], seconds: float) -> int:
    """How many of the things that began at these moments, and took so many seconds, lasted at once at most."""
    moments = sorted(moments)
    return max((sum(0 <= moment - other < seconds for other in moments) for moment in moments), default=0)


def page(rows: Sequence[Row]) -> str:
    """What was measured, as a page of Markdown: a table for each number of stations and latency, and a plot."""
    parts = [
        "# What it costs",
        "Written by `make bench`. `floor` is a dynamic provider that does nothing, on the same machine in the same "
        "run; `bound` is the floor and what the requests take at least. The last columns are seconds of processor time "
        "by process, and the most memory that all of them held together. The state is in a folder, and written once a "
        "command. In the plot of seconds the lower line is the floor.",
    ]
    for stations, latency in dict.fromkeys((row.stations, row.latency) for row in rows):
        parts.append(f"## {stations:,} stations, each answer {latency} ms late")
        parts.append(_table([row for row in rows if (row.stations, row.latency) == (stations, latency)]))
    return "\n\n".join([*parts, *_plots(rows)]) + "\n"


def _table(rows: Sequence[Row]) -> str:
    head = ["step", "requests", "a station", "at once", "seconds", "x floor", "x bound", *PROCESSES, "MiB"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> list[str]:
    sent = sum(count for kind, count in row.requests.items() if kind != "token")
    cost, floor = row.cost, row.floor.seconds
    kinds = ", ".join(f"{count} {kind}" for kind, count in row.requests.items()) or "none"
    times = [f"{cost.seconds:.1f}", f"{cost.seconds / floor:.2f}", f"{cost.seconds / row.bound:.2f}"]
    cpu = [f"{cost.cpu.get(process, 0):.1f}" for process in PROCESSES]
    a_station = f"{sent / row.stations:.2f}"
    return [row.step, kinds, a_station, str(row.in_flight), *times, *cpu, f"{cost.peak:.0f}"]


def _plots(rows: Sequence[Row]) -> list[str]:
    """Seconds and requests of a creation over the number of stations, where there are several numbers."""
    latency = max(row.latency for row in rows)
    created = [row for row in rows if (row.step, row.latency) == ("create", latency)]
    if len(created) < 2:
        return []
    numbers = [row.stations for row in created]
    seconds = [round(row.cost.seconds, 1) for row in created]
    requests = [sum(row.requests.values()) for row in created]
    return [
        _plot(f"Create, {latency} ms: seconds", numbers, seconds, [round(row.floor.seconds, 1) for row in created]),
        _plot("Create: requests", numbers, requests),
    ]


def _plot(title: str, numbers: Sequence[int], *lines: Sequence[float]) -> str:
    drawn = [f"    line {list(line)}" for line in lines]
    return "\n".join(
        ["```mermaid", "xychart-beta", f'    title "{title}"', f'    x-axis "stations" {list(numbers)}', *drawn, "```"]
    )


def environment_of(*changes: Mapping[str, str]) -> dict[str, str]:
    """What a measured command is given: this machine's variables, and changes of them."""
    environment = {**os.environ, "CHEKT_REQUESTS_PER_MINUTE": UNPACED, "PULUMI_CONFIG_PASSPHRASE": ""}
    for change in changes:
        environment.update(change)
    return environment


class Stack:
    """A stack of a program that is replaced as the measurement goes on.

    Args:
        folder: an empty folder for it.
        environment: of its commands.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self.environment = dict(environment)
        (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        self.measured("stack", "init", "bench")

    def write(self, program: str) -> None:
        """Replace the program."""
        (self._folder / "__main__.py").write_text(program)

    def measured(self, *arguments: str) -> Cost:
        """Run one command, and say what it took."""
        began, cpu, peak, pause = time.monotonic(), dict[int, tuple[str, float]](), 0.0, threading.Event()
        with subprocess.Popen(  # noqa: S603 - the arguments are ours
            ["pulumi", *arguments, "--non-interactive"],  # noqa: S607 - the engine that `make env` put on PATH
            cwd=self._folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        ) as command:
            while command.poll() is None:
                alive = family([command.pid])
                peak = max(peak, sum(process.memory for process in alive) / 1024)
                for process in alive:
                    _, so_far = cpu.get(process.pid, ("", 0.0))  # which stays where it has ended since
                    cpu[process.pid] = (_kind(process.command), max(so_far, cpu_seconds(process.pid)))
                pause.wait(0.1)
        if command.returncode:
            raise SystemExit(f"pulumi {' '.join(arguments)} failed")
        by_kind: Counter[str] = Counter()
        for kind, seconds in cpu.values():
            by_kind[kind] += seconds  # type: ignore[assignment] # a Counter counts in fractions, too
        return Cost(time.monotonic() - began, dict(by_kind), peak)


def _kind(command: str) -> str:
    return next((kind for part, kind in KINDS.items() if part in command), "other")


if __name__ == "__main__":
    main()

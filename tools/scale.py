"""`make scale`: one roll-out over many dealers, a stack for each of them or for several, as docs/scale.md shows it.

Counts the requests that CHeKT's emulator got, and the memory that the roll-out and its Pulumi processes hold together
(resident pages, those that processes share counted in each).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from chekt_provider.emulator import Emulator
from tools.bench import environment_of
from tools.processes import family

STATIONS = 5
PROGRAM = f"""
import pulumi
from chekt_provider import MonitoringStation

for dealer in pulumi.Config().require("dealers").split():
    for n in range({STATIONS}):
        MonitoringStation(
            f"{{dealer}}-{{n}}", external_monitoring_station_id=f"s-{{n}}", name=f"Station {{n}}", dealer_id=dealer
        )
"""


def main() -> None:
    """Run one roll-out and print a row of the table."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("--dealers", type=int, default=200, help="how many dealers (default: 200)")
    parser.add_argument("--stacks", type=int, help="how many stacks they are spread over (default: one for each)")
    parser.add_argument("--parallel", type=int, default=2, help="how many stacks at once (default: 2)")
    given = parser.parse_args()
    dealers = list(range(1, given.dealers + 1))
    stacks = given.stacks or given.dealers
    with Emulator(dealers=dealers, plan=None) as emulator, tempfile.TemporaryDirectory() as folder:
        environment = environment_of(emulator.environment(), {"PULUMI_BACKEND_URL": Path(folder).as_uri()})
        _prepare(Path(folder), [dealers[first::stacks] for first in range(stacks)], given.parallel, environment)
        seconds, peak = _roll_out(Path(folder), environment)
        made = sum(len(emulator.stations(dealer)) for dealer in dealers)
        if made != given.dealers * STATIONS:
            raise SystemExit(f"{made} stations were made")
        sent = len(emulator.requests)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        "| dealers | stacks | at once | seconds | seconds a dealer | peak MiB | requests | requests a dealer |"
    )
    console.print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    times = (f"{seconds:.0f}", f"{seconds / given.dealers:.2f}")
    row = (given.dealers, stacks, given.parallel, *times, f"{peak:.0f}", sent, f"{sent / given.dealers:.1f}")
    console.print("|", " | ".join(map(str, row)), "|")


def _prepare(folder: Path, stacks: list[list[int]], parallel: int, environment: dict[str, str]) -> None:
    (folder / "Pulumi.yaml").write_text("name: scale\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "rollout.yaml").write_text(f'waves: [{{name: all, stacks: ["*"], parallel: {parallel}}}]\n')

    def make(dealers: list[int]) -> None:
        stack = f"from-{dealers[0]:04}"
        command = ["pulumi", "stack", "init", stack, "--no-select", "--non-interactive"]
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
        with (folder / f"Pulumi.{stack}.yaml").open("a") as settings:
            settings.write(f'config: {{"scale:dealers": "{" ".join(map(str, dealers))}"}}\n')

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(make, stacks))


def _roll_out(folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds that it took, and the peak of its memory in MiB."""
    began = time.monotonic()
    with subprocess.Popen(
        ["chekt", "rollout", "rollout.yaml"],  # noqa: S607 - the command of this checkout
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        peak, pause = 0.0, threading.Event()
        while run.poll() is None:
            peak = max(peak, sum(process.memory for process in family([run.pid])) / 1024)
            pause.wait(0.5)
    if run.returncode:
        raise SystemExit("the roll-out failed")
    return time.monotonic() - began, peak


if __name__ == "__main__":
    main()

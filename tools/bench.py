"""`make bench`: the life of a stack of stations through the real engine, counted and timed in one run.

Requests are counted by the emulator. Seconds depend on the machine, so each step is also given as a multiple of what
the plain HTTP calls cost in the same run: a POST for each station, one after the other, on one connection.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table

from chekt_provider.emulator import Emulator
from chekt_provider.rollout.stack import WITHOUT_CHECKPOINTS

PROGRAM = """
from chekt_provider import MonitoringStation

for n in range({stations}):
    MonitoringStation(f"s-{{n}}", external_monitoring_station_id=f"s-{{n}}", name=f"{name} {{n}}")
"""
UNPACED = "600000"  # requests a minute: CHeKT's plans would be all that is measured


@dataclass
class Step:
    """One command on the stack.

    Attributes:
        title: what it does to the stations.
        arguments: of `pulumi`.
        station_name: what the program calls its stations from then on; "" as before.
    """

    title: str
    arguments: tuple[str, ...]
    station_name: str = ""


UP = ("up", "--yes", "--skip-preview", "--parallel", "32")
STEPS = [
    Step("create", UP, "Station"),
    Step("preview, no change", ("preview",)),
    Step("up, no change", UP),
    Step("refresh, no change", ("refresh", "--yes", "--skip-preview", "--parallel", "32")),
    Step("rename", UP, "Renamed"),
    Step("destroy", ("destroy", "--yes", "--skip-preview", "--parallel", "32")),
]


def main() -> None:
    """Run the steps and print the table."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--stations", type=int, default=1000, help="how many stations (default: 1000)")
    stations = parser.parse_args().stations
    table = Table("step", "requests", "per station", "seconds", "plain calls", title=f"{stations} stations")
    for column in table.columns[1:]:
        column.justify = "right"
    with Emulator(plan=None) as emulator, tempfile.TemporaryDirectory() as folder:
        plain = timed(lambda: _plain_calls(emulator, stations))
        emulator.reset()
        # Pulumi's own cost is not what is measured.
        stack = Stack(Path(folder), emulator, {"PULUMI_BACKEND_URL": Path(folder).as_uri(), **WITHOUT_CHECKPOINTS})
        for step in STEPS:
            if step.station_name:
                stack.write(PROGRAM.format(stations=stations, name=step.station_name))
            emulator.clear_requests()
            seconds = timed(partial(stack.pulumi, *step.arguments))
            sent = sum(request.path != "/oauth/token" for request in emulator.requests)
            table.add_row(step.title, str(sent), f"{sent / stations:.2f}", f"{seconds:.1f}", f"{seconds / plain:.1f} x")
    Console().print(table)


class Stack:
    """A stack of a program that is replaced as the measurement goes on.

    Args:
        folder: an empty folder for it.
        emulator: the CHeKT that it works on, at whatever pace it can.
        environment: where its state is kept, and how.
    """

    def __init__(self, folder: Path, emulator: Emulator, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self.environment = {
            **os.environ,
            **emulator.environment(),
            "CHEKT_REQUESTS_PER_MINUTE": UNPACED,
            "PULUMI_CONFIG_PASSPHRASE": "",
            **environment,
        }
        (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
        self.pulumi("stack", "init", "bench")

    def write(self, program: str) -> None:
        """Replace the program."""
        (self._folder / "__main__.py").write_text(program)

    def pulumi(self, *arguments: str) -> None:
        """Run one command."""
        subprocess.run(  # noqa: S603 - the arguments are ours
            ["pulumi", *arguments, "--non-interactive"],  # noqa: S607 - the engine that `make env` put on PATH
            cwd=self._folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _plain_calls(emulator: Emulator, stations: int) -> None:
    given = emulator.environment()
    form = {
        "grant_type": "client_credentials",
        "client_id": given["CHEKT_CLIENT_ID"],
        "client_secret": given["CHEKT_CLIENT_SECRET"],
    }
    url = f"{emulator.url}/partner/v1/dealers/{given['CHEKT_DEALER_ID']}/monitoring-stations"
    with requests.Session() as session:
        token = session.post(emulator.token_url, data=form, timeout=30).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        for n in range(stations):
            body = {"external_monitoring_station_id": f"s-{n}", "name": f"Station {n}"}
            session.post(url, json=body, timeout=30).raise_for_status()


def timed(act: Callable[[], None]) -> float:
    """The seconds that it takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


if __name__ == "__main__":
    main()

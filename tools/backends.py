"""`make backends`: what it costs to keep a stack's state in a folder, in PostgreSQL, in a bucket; all in one run.

The servers are on this machine, so what a network adds is missing. Seconds depend on the machine: the folder's are the
measure of the others'. Of several rounds the fastest counts: nothing else was in its way.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chekt_provider.emulator import Emulator
from chekt_provider.rollout.stack import WITHOUT_CHECKPOINTS
from tools.bench import STATIONS, UP, Stack, environment_of
from tools.postgres import cache_folder, ensure_programs
from tools.s3 import s3_state
from tools.states import State, folder_state, postgres_state

DESTROY = ("destroy", "--yes", "--skip-preview")
STEPS = ("create", "destroy", "create without checkpoints")


def main() -> None:
    """Run the steps on each backend and print the table."""
    parser = argparse.ArgumentParser(prog="make backends", description=__doc__)
    parser.add_argument("--stations", type=int, default=100, help="how many stations (default: 100)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default: 3)")
    given = parser.parse_args()
    rows = compared([_round(given.stations) for _ in range(given.rounds)])
    table = Table("state", *STEPS, title=f"{given.stations} stations: seconds, and how many times a folder's")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def compared(rounds: Sequence[Mapping[str, Sequence[float]]]) -> list[tuple[str, ...]]:
    """For each backend its name, and the fastest seconds of each step beside how many times the folder's they are.

    Args:
        rounds: the seconds of each step, by backend; one backend is "folder".
    """
    fastest = {name: [min(times) for times in zip(*(r[name] for r in rounds), strict=True)] for name in rounds[0]}
    return [
        (name, *(f"{here:.1f} ({here / there:.1f} x)" for here, there in zip(seconds, fastest["folder"], strict=True)))
        for name, seconds in fastest.items()
    ]


def _round(stations: int) -> dict[str, list[float]]:
    with _states() as states:
        return {name: seconds_of(state, stations) for name, state in states.items()}


@contextmanager
def _states() -> Iterator[dict[str, State]]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        yield {
            "folder": folder_state(folder),
            "PostgreSQL": opened.enter_context(postgres_state(ensure_programs(cache_folder()))),
            "S3 (moto)": opened.enter_context(s3_state()),
        }


def seconds_of(state: State, stations: int) -> list[float]:
    """How long each step takes on a new stack."""
    with Emulator(plan=None) as emulator, tempfile.TemporaryDirectory() as folder:
        environment = environment_of(emulator.environment(), {"PULUMI_BACKEND_URL": state.url, **state.environment})
        stack = Stack(Path(folder), environment)
        stack.write(STATIONS.format(stations=stations, name="Station"))
        seconds = [stack.measured(*UP).seconds, stack.measured(*DESTROY).seconds]
        stack.environment.update(WITHOUT_CHECKPOINTS)
        return [*seconds, stack.measured(*UP).seconds]


if __name__ == "__main__":
    main()

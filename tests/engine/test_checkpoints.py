"""Roll-outs whose state Pulumi writes once, at the end: wherever one is killed, the next run finds what it made."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack, until
from tests.helpers import COLLECTION, held
from tools.processes import kill

KILLS = int(os.environ.get("KILLED_RUNS", "6"))
STATIONS = 8

PROGRAM = """
    for number in range({stations}):
        MonitoringStation(f"s-{{number}}", external_monitoring_station_id=f"s-{{number}}", name="Of run {run}",
                          adopt_existing=True)
"""

ROLLOUT = ["chekt", "rollout", "rollout.yaml"]


def kill_in_the_middle(stack: Stack, emulator: Emulator, output: Path) -> bool:
    """Start a roll-out and kill all its processes once a held request is there; False if it ended before."""
    with (
        output.open("w") as opened,
        subprocess.Popen(
            ROLLOUT,
            cwd=stack.folder,
            env={**os.environ, **stack.environment},
            stdout=opened,
            stderr=opened,
            start_new_session=True,
        ) as run,
    ):
        until(lambda: emulator.faults == [] or run.poll() is not None, "the request is held")
        caught = run.poll() is None
        kill(run.pid)
    emulator.clear_faults()
    until(lambda: all(r.outcome != "pending" for r in emulator.requests), "CHeKT has done what it has begun")
    return caught


@pytest.mark.timeout(900)
def test_killed_runs_make_no_second_station_and_lose_none(emulator: Emulator, stack: Stack) -> None:
    """KILLED_RUNS runs die at random requests, before or after CHeKT carried them out; each wants other names.

    A killed run leaves the state as it was before. With adopt_existing the next run takes over what it made, so in
    the end there is one station each, with the last names, and the state knows all of them.
    """
    (stack.folder / "rollout.yaml").write_text(
        "checkpoints: false\nwaves: [{name: dev, stacks: [dev]}]\n",
    )
    (stack.folder / "Pulumi.dev.yaml").touch()
    draw = random.Random(20).randrange  # noqa: S311 - not for secrets
    kills = 0
    for run in range(KILLS):
        stack.program(PROGRAM.format(stations=STATIONS, run=run))
        fault = {"before": Fault(hang=1), "after": Fault(when="after", delay=1)}[("before", "after")[draw(2)]]
        emulator.add_fault(fault.model_copy(update={"path": f"{COLLECTION}*", "skip": draw(STATIONS + 1)}))
        emulator.clear_requests()
        kills += kill_in_the_middle(stack, emulator, stack.folder / "killed.txt")
        assert len({external_id for _, external_id, *_ in held(emulator)}) == len(held(emulator)) <= STATIONS
        for lock in (stack.folder / "state" / ".pulumi" / "locks").rglob("*.json"):
            lock.unlink()
    assert kills == KILLS
    assert stack.stations() == {}

    stack.program(PROGRAM.format(stations=STATIONS, run="the end"))
    subprocess.run(ROLLOUT, cwd=stack.folder, env={**os.environ, **stack.environment}, check=True, capture_output=True)
    assert sorted((x, name) for _, x, name, *_ in held(emulator)) == [(f"s-{n}", "Of run the end") for n in range(8)]
    assert {name: s["id"] for name, s in stack.stations().items()} == {
        external_id: f"12345/{number}" for number, external_id, *_ in held(emulator)
    }

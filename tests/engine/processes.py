"""The processes of this machine, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One line of `ps`."""

    pid: int
    parent: int
    state: str
    command: str


def processes() -> list[Process]:
    """Every process of this machine that lives."""
    lines = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat=,args="], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    found = [Process(int(p), int(parent), state, command) for p, parent, state, command in (_columns(x) for x in lines)]
    return [process for process in found if not process.state.startswith("Z")]


def _columns(line: str) -> list[str]:
    return [*line.split(maxsplit=3), ""][:4]


def kill(pid: int) -> None:
    """SIGKILL a process and what it started."""
    for process in descendants(pid):
        with suppress(ProcessLookupError):  # it ended when its parent did
            os.kill(process.pid, signal.SIGKILL)


def descendants(pid: int) -> list[Process]:
    """A process and what it started, as long as their parents live."""
    alive = processes()
    family = {pid}
    for _ in range(5):  # generations
        family |= {process.pid for process in alive if process.parent in family}
    return [process for process in alive if process.pid in family]

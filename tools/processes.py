"""The processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One line of `ps`; its resident memory in KiB."""

    pid: int
    parent: int
    memory: int
    state: str
    command: str


def family(roots: Iterable[int]) -> list[Process]:
    """Processes and what they started, as far as they live and their parents do."""
    alive = _processes()
    pids = set(roots)
    for _ in range(5):  # generations
        pids |= {process.pid for process in alive if process.parent in pids}
    return [process for process in alive if process.pid in pids]


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far; 0 where it has ended, or the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill(pid: int) -> None:
    """SIGKILL a process and what it started."""
    for process in family([pid]):
        with suppress(ProcessLookupError):  # it ended when its parent did
            os.kill(process.pid, signal.SIGKILL)


def _processes() -> list[Process]:
    """Every process of this machine that lives."""
    command = ["ps", "-A", "-o", "pid=,ppid=,rss=,stat=,args="]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()  # noqa: S603
    rows = ([*line.split(maxsplit=4), ""][:5] for line in lines)
    found = [Process(int(pid), int(parent), int(memory), *texts) for pid, parent, memory, *texts in rows]
    return [process for process in found if not process.state.startswith("Z")]

"""What is shown while a long command runs."""

import io
import sys
from pathlib import Path

import pytest

from tools.steps import Progress, SetupError, run_in_sight


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def show_every_second(stream: io.StringIO, seconds: int) -> str:
    clock = Clock()
    progress = Progress("Building", stream, clock)
    for _ in range(seconds):
        clock.now += 1
        progress.show()
    progress.close("done")
    return stream.getvalue()


def test_a_log_gets_a_line_every_twenty_seconds() -> None:
    """Enough to see that it is alive, few enough to read."""
    assert show_every_second(io.StringIO(), seconds=45) == (
        "Building ...\nBuilding ... 20 s\nBuilding ... 40 s\nBuilding: done after 45 s\n"
    )


def test_a_terminal_gets_one_line_that_is_rewritten() -> None:
    """The seconds count up in place; then the line that says how it ended replaces them."""
    assert show_every_second(Terminal(), seconds=2) == (
        "Building ...\r\x1b[KBuilding ... 1 s\r\x1b[KBuilding ... 2 s\r\x1b[KBuilding: done after 2 s\n"
    )


def test_a_command_that_fails_shows_its_last_twenty_lines(tmp_path: Path) -> None:
    """The reason comes first, for use in a sentence; the output is below it."""
    script = "for line in range(30): print(line)\nraise SystemExit(3)"

    with pytest.raises(SetupError) as failure:
        run_in_sight("Counting", [sys.executable, "-c", script], log=tmp_path / "log")

    assert failure.value.reason == "Counting failed (exit status 3)"
    assert str(failure.value).splitlines() == [
        "Counting failed (exit status 3)",
        "The last lines of its output:",
        *(f"    {line}" for line in range(10, 30)),
    ]


def test_a_command_over_its_limit_is_stopped(tmp_path: Path) -> None:
    """An installer that hangs does not hang the set-up."""
    with pytest.raises(SetupError) as failure:
        run_in_sight("Hanging", [sys.executable, "-c", "import signal; signal.pause()"], log=tmp_path / "log", limit=0)

    assert failure.value.reason == "Hanging had not finished after 0 s"

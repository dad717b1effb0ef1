"""What the parts of the set-up share: one run at a time, long commands in sight, failures in one sentence.

Everything is said on stderr, so that `make -s env` can print nothing but shell on stdout.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

CHECKOUT = Path(__file__).resolve().parents[1]
SECONDS_BETWEEN_LINES = 20
SECONDS_BETWEEN_LOOKS = 0.2
LINES_OF_OUTPUT = 20
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ERASE = "\r\x1b[K"  # back to the start of the terminal's line, and empty it


class SetupError(Exception):
    """The set-up cannot go on; `reason` says why, and what to do, to the person at the keyboard.

    `output` is what a failed command printed last, or nothing.
    """

    def __init__(self, reason: str, output: str = "") -> None:
        shown = "".join(f"\n    {line}" for line in output.splitlines()[-LINES_OF_OUTPUT:])
        super().__init__(f"{reason}\nThe last lines of its output:{shown}" if shown else reason)
        self.reason = reason
        self.output = output


def say(text: str) -> None:
    """Tell the person at the keyboard."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that prints


def run_as_command(step: Callable[[], None]) -> int:
    """Run one step of the set-up as a program of its own; returns its exit status.

    A termination or a closed terminal ends it like Ctrl-C does: commands under way are stopped, half-made folders
    removed.
    """
    for ending in ENDINGS:
        signal.signal(ending, signal.default_int_handler)
    try:
        step()
    except KeyboardInterrupt:
        say("Stopped before the set-up was ready. The same command starts it again.")
        return 130
    except (SetupError, OSError) as error:
        say(str(error))
        return 1
    return 0


@contextmanager
def one_at_a_time(lock_file: Path, meanwhile: str) -> Iterator[int]:
    """Hold the lock, and give its file descriptor; where another run holds it, say `meanwhile` and wait.

    A run that dies lets go by dying.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(meanwhile)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def run_in_sight(
    title: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    limit: float | None = None,
    lock: int | None = None,
) -> None:
    """Run a long command, its output in `log`, and show that time passes.

    Args:
        title: what is being done, shown with the seconds it has taken.
        command: program and arguments.
        log: file for the command's stdout and stderr.
        cwd: folder to run it in; None for the present one.
        environ: its environment; None for ours.
        limit: seconds after which the command is stopped; None for no limit.
        lock: from `one_at_a_time`, for the command to hold as well: when we are killed and the command is not, the
            next run waits for it; None where the command cannot do harm any more.

    Raises:
        SetupError: the command failed or took too long; carries its output.
    """
    progress = Progress(title, sys.stderr)
    with _endings_noted() as endings, log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the callers' commands are fixed
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=() if lock is None else (lock,),
            start_new_session=True,  # so that everything the command starts can be ended with it
        )
        while process.poll() is None and not endings and (limit is None or progress.seconds < limit):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=SECONDS_BETWEEN_LOOKS)
            progress.show()
        status = process.poll()
        if status is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    progress.close({0: "done", None: "stopped"}.get(status, "failed"))
    if endings:
        raise KeyboardInterrupt
    if status != 0:
        ending = f"had not finished after {limit:.0f} s" if status is None else f"failed (exit status {status})"
        raise SetupError(f"{title} {ending}", log.read_text(errors="replace"))


class Progress:
    """Seconds passed: on a terminal one line rewritten in place, elsewhere a line now and then.

    Args:
        title: what is being done.
        stream: where to show it.
        clock: gives seconds.
    """

    def __init__(self, title: str, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._stream = stream
        self._clock = clock
        self._start = clock()
        self._next_line = float(SECONDS_BETWEEN_LINES)
        self._in_place = stream.isatty()
        self._write(f"{title} ..." if self._in_place else f"{title} ...\n")

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def show(self) -> None:
        """Called a few times a second."""
        shown = f"{self._title} ... {self.seconds:.0f} s"
        if self._in_place:
            self._write(f"{ERASE}{shown}")
        elif self.seconds >= self._next_line:
            self._next_line += SECONDS_BETWEEN_LINES
            self._write(f"{shown}\n")

    def close(self, ending: str) -> None:
        """Leave one line that says how it ended."""
        self._write(f"{ERASE if self._in_place else ''}{self._title}: {ending} after {self.seconds:.0f} s\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@contextmanager
def _endings_noted() -> Iterator[list[int]]:
    """Note Ctrl-C and its kin in a list: an exception out of nowhere could lose a command that was just started."""
    noted: list[int] = []
    handlers = {ending: signal.signal(ending, lambda number, _: noted.append(number)) for ending in ENDINGS}
    try:
        yield noted
    finally:
        for ending, handler in handlers.items():
            signal.signal(ending, handler)

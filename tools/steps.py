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
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SECONDS_BETWEEN_LINES = 20
LINES_OF_OUTPUT = 15


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
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        step()
    except KeyboardInterrupt:
        say("\nStopped before the set-up was ready. The same command starts it again.")
        return 130
    except (SetupError, OSError) as error:
        say(str(error))
        return 1
    return 0


@contextmanager
def one_at_a_time(lock_file: Path, meanwhile: str) -> Iterator[None]:
    """Hold the lock; where another run holds it, say `meanwhile` and wait. A run that dies lets go by dying."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(meanwhile)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_in_sight(
    title: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> None:
    """Run a long command, its output in `log`, and show that time passes.

    Args:
        title: what is being done, shown with the seconds it has taken.
        command: program and arguments.
        log: file for the command's stdout and stderr.
        cwd: folder to run it in; None for the present one.
        environ: its environment; None for ours.
        limit: seconds after which the command is stopped; None for no limit.

    Raises:
        SetupError: the command failed or took too long; carries its output.
    """
    progress = _Progress(title)
    with log.open("wb") as output:
        # A session of its own, so that everything the command starts can be ended with it.
        process = subprocess.Popen(  # noqa: S603 - the callers' commands are fixed
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        ending = _wait(process, progress, limit)
    finally:
        progress.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    if ending:
        raise SetupError(f"{title} {ending}", log.read_text(errors="replace"))
    say(f"{title}: done in {progress.seconds:.0f} s")


def _wait(process: subprocess.Popen[bytes], progress: "_Progress", limit: float | None) -> str:
    """How the command failed, or nothing when it worked."""
    while limit is None or progress.seconds < limit:
        try:
            status = process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            progress.show()
        else:
            return f"failed (exit status {status})" if status else ""
    return f"had not finished after {limit:.0f} s"


class _Progress:
    """Seconds passed: on a terminal one line rewritten in place, elsewhere a line now and then."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._start = time.monotonic()
        self._last_line = 0.0
        self._in_place = sys.stderr.isatty()
        if self._in_place:
            self.show()
        else:
            say(f"{title} ...")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def show(self) -> None:
        if self._in_place:
            sys.stderr.write(f"\r\x1b[K{self._title} ... {self.seconds:.0f} s")
            sys.stderr.flush()
        elif self.seconds - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = self.seconds
            say(f"{self._title} ... {self.seconds:.0f} s")

    def close(self) -> None:
        if self._in_place:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

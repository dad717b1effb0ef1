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
    """The set-up cannot go on; the text says why, and what to do, to the person at the keyboard."""


def say(text: str) -> None:
    """Tell the person at the keyboard."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that prints


def run_as_command(step: Callable[[], None]) -> int:
    """Run one step of the set-up as a program of its own; returns its exit status.

    A termination or a closed terminal ends it like Ctrl-C does: commands under way are stopped, unfinished folders removed.
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
        command, cwd, environ: as for `subprocess.Popen`.
        log: file for the command's stdout and stderr.
        limit: seconds after which the command is stopped; None for no limit.

    Raises:
        SetupError: the command cannot be started, failed or took too long; carries its last lines.
    """
    progress = _Progress(title)
    with log.open("wb") as output:
        # A session of its own, so that everything the command starts can be ended with it.
        process = subprocess.Popen(  # noqa: S603 - the callers' commands are fixed
            command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        ending = _wait(process, progress, limit)
    finally:
        progress.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    if ending:
        raise SetupError(f"{title}: {ending}. Its last lines:\n{last_lines(log)}")
    say(f"{title}: done in {progress.seconds:.0f} s")


def last_lines(log: Path) -> str:
    """The end of a command's output, indented."""
    lines = log.read_text(errors="replace").splitlines()[-LINES_OF_OUTPUT:]
    return "\n".join(f"    {line}" for line in lines)


def _wait(process: subprocess.Popen[bytes], progress: "_Progress", limit: float | None) -> str:
    """How the command failed, or nothing when it worked."""
    while limit is None or progress.seconds < limit:
        try:
            status = process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            progress.show()
        else:
            return f"failed (exit status {status})" if status else ""
    return f"not finished after {limit:.0f} s"


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

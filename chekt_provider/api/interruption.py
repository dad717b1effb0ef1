"""What a run still does after Ctrl-C, or when somebody killed the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chekt_provider.errors import Interrupted

GRACE_SECONDS = 5.0
"""How long a run goes on after the call under way: enough to look what became of a change."""


class Interruption:
    """Whether somebody interrupted the run, for all its threads. `clock` and `pause` are in seconds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._pause = pause
        self._came = threading.Event()
        self._ends = 0.0
        self._lock = threading.Lock()
        self._under_way = 0

    def come(self) -> None:
        """Interrupt the run; a second time changes nothing."""
        if not self._came.is_set():
            self._ends = self._clock() + GRACE_SECONDS
            self._came.set()

    def forbids(self, *, beginning: bool) -> bool:
        """Whether the run makes no more calls; with `beginning`, none that is the first change of its operation."""
        return self._came.is_set() and (beginning or self._clock() >= self._ends)

    def require(self, *, beginning: bool) -> None:
        """Raise Interrupted for a call that `forbids` forbids."""
        if self.forbids(beginning=beginning):
            raise Interrupted("the run was interrupted")

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call as under way. An interruption meanwhile gives the run its grace after the call's end."""
        was_interrupted = self._came.is_set()
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
            if self._came.is_set() and not was_interrupted:
                self._ends = self._clock() + GRACE_SECONDS

    def is_over(self) -> bool:
        """Whether an interrupted run makes no more calls, and none is under way."""
        return self.forbids(beginning=False) and self._under_way == 0

    def sleep(self, seconds: float) -> None:
        """Wait; in an interrupted run at most until its end."""
        until = self._clock() + seconds
        if self._came.wait(seconds):
            self._pause(max(0.0, min(until, self._ends) - self._clock()))

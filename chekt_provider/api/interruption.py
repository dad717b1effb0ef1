"""Ctrl-C: what a run still does when somebody has interrupted it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

GRACE_SECONDS = 5.0
"""How long a run goes on after the call that is under way: enough to look what a change has become."""


class Interruption:
    """Whether somebody has interrupted the run, for all threads of it.

    Args:
        clock: monotonic seconds.
        pause: waits so many seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._pause = pause
        self._came = threading.Event()
        self._ends = 0.0

    def come(self) -> None:
        """Interrupt the run; a second time changes nothing."""
        if not self._came.is_set():
            self._ends = self._clock() + GRACE_SECONDS
            self._came.set()

    def forbids(self, *, beginning: bool) -> bool:
        """Whether no call may be made any more.

        Args:
            beginning: whether the call is the first change of its operation: such a one is not begun.
        """
        return self._came.is_set() and (beginning or self._clock() >= self._ends)

    def sleep(self, seconds: float) -> None:
        """Wait; in an interrupted run no longer than it still goes on."""
        until = self._clock() + seconds
        if self._came.wait(seconds):
            self._pause(max(0.0, min(until, self._ends) - self._clock()))

"""Keeps the calls of one app below its plan.

CHeKT counts with a token bucket per app: so many requests a minute, and a burst. We keep a bucket of the same size,
start with the smallest plan, and follow the X-RateLimit-Limit of the answers up and down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

SMALLEST_PLAN = 60
_BURSTS = ((3000, 200), (600, 30), (60, 5))
"""(requests a minute, burst) of CHeKT's plans: Enterprise, Pro, Free."""


def burst_of(requests_per_minute: int) -> int:
    """The burst of the largest plan that the pace covers; a pace below the smallest plan has a burst of 1."""
    return next((burst for pace, burst in _BURSTS if requests_per_minute >= pace), 1)


class RateLimit:
    """A token bucket. Safe to use from several threads.

    Args:
        requests_per_minute: a pace to keep whatever the answers say; None follows the answers.
        clock: monotonic seconds.
        sleep: waits so many seconds.
        say: tells a person, once, that a call waits longer than two seconds.
    """

    def __init__(
        self,
        requests_per_minute: int | None,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        say: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._say = say
        self._lock = threading.Lock()
        self._fixed = requests_per_minute is not None
        self._pace = requests_per_minute or SMALLEST_PLAN
        self.burst = burst_of(self._pace)
        """How many requests can leave at once after a rest."""
        self._tokens = float(self.burst)
        self._filled_at = clock()
        self._said = False

    def take(self, requests: int = 1) -> float:
        """Take so many places in the queue, and wait for the last one's turn. Gives the seconds waited."""
        with self._lock:
            self._fill()
            self._tokens -= requests
            wait = max(0.0, -self._tokens * 60 / self._pace)
            say_it, self._said = wait > 2 and not self._said, self._said or wait > 2
            pace = self._pace
        if say_it:
            self._say(f"Waiting for the rate limit of {pace} requests a minute; this is said once.")
        if wait:
            self._sleep(wait)
        return wait

    def follow(self, requests_per_minute: int) -> None:
        """Take over the plan's pace from an answer, unless a pace was set."""
        with self._lock:
            if self._fixed or requests_per_minute == self._pace:
                return
            self._fill()
            burst = burst_of(requests_per_minute)
            self._tokens += burst - self.burst
            self._pace = requests_per_minute
            self.burst = burst

    def cap(self, remaining: int) -> None:
        """Take over how many requests CHeKT would still take at once: other programs may use the same app."""
        with self._lock:
            self._fill()
            self._tokens = min(self._tokens, float(remaining))

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self._pace / 60)
        self._filled_at = now

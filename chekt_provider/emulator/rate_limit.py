"""The rate limit: one token bucket for each app."""

import math
import threading
from collections.abc import Callable

from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.settings import Plan


class RateLimit:
    """Counts requests against a plan; None means no limit and no headers. Any thread may use it.

    A bucket holds `plan.burst` requests and gains `plan.per_minute` / 60 a second; every request takes one.
    """

    def __init__(self, plan: Plan | None, clock: Callable[[], float]) -> None:
        self.plan = plan
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # client id: requests left, and when

    def reset(self) -> None:
        """Fill every bucket."""
        with self._lock:
            self._buckets.clear()

    def take(self, client_id: str) -> dict[str, str]:
        """Count one request and give the headers of its answer.

        X-RateLimit-Limit is the plan's requests a minute, -Remaining the requests that may come at once now, -Reset
        the Unix time (whole seconds, rounded up) when the bucket is full again.

        Raises:
            Refusal: 429 with the same headers and Retry-After, whole seconds until one request passes.
        """
        if self.plan is None:
            return {}
        per_second = self.plan.per_minute / 60
        with self._lock:
            now = self._clock()
            left, then = self._buckets.get(client_id, (float(self.plan.burst), now))
            left = min(self.plan.burst, left + max(0.0, now - then) * per_second)
            left = round(left, 6)  # a large float loses digits: a gain of 1 must not be 0.9999999
            passes = left >= 1
            left -= passes
            self._buckets[client_id] = (left, now)
        headers = {
            "X-RateLimit-Limit": str(self.plan.per_minute),
            "X-RateLimit-Remaining": str(int(left)),
            "X-RateLimit-Reset": str(math.ceil(now + (self.plan.burst - left) / per_second)),
        }
        if not passes:
            headers["Retry-After"] = str(math.ceil((1 - left) / per_second))
            raise Refusal(429, "too many requests", headers=headers)
        return headers

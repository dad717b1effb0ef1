"""Which failures are worth another attempt, how long to wait, and for how long altogether.

    failure                               GET, PUT, DELETE, token    POST
    no connection: nothing was sent       again                      again
    408, 425, 429                         again                      never here
    time-out, reset, cut answer           again                      never here
    500, 502, 503, 504                    again                      never here
    any other answer                      never                      never

Never again: where the host's certificate does not check out, and where CHeKT asks for a wait of more than a minute.
All calls of a process share a budget of retries: an outage uses it up after 35, and from then on every failure is final
until calls succeed again.

A POST may have made a station whatever CHeKT answers; only a list can tell, so creation.py looks before it sends again.
A 401 is not in the table: the transport renews the token and sends once more, except a POST.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from chekt_provider.errors import (
    ChektError,
    NotChekt,
    Refused,
    Replayed,
    ServerFailed,
    Throttled,
    Unclear,
    Unreachable,
    Untrusted,
)

ATTEMPTS = 5
DEADLINE_SECONDS = 120.0
"""How long one operation may take, without its waits for the rate limit."""

LONGEST_RETRY_AFTER_SECONDS = 60.0
BUDGET, COST_OF_RETRY, COST_WHEN_THROTTLED = 500, 14, 5
_TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})


def worth_repeating(error: ChektError, *, method: str) -> bool:
    """Whether the table above says "again" for a failure of this method."""
    match error:
        case Untrusted() | NotChekt() | Replayed():
            return False
        case Unreachable():
            return True
        case Throttled():
            asked = error.evidence.retry_after
            return method != "POST" and (asked is None or asked <= LONGEST_RETRY_AFTER_SECONDS)
        case ServerFailed():
            return method != "POST" and error.evidence.status in _TRANSIENT_STATUSES
        case Unclear():
            return method != "POST"
        case _:
            return False


class RetryBudget:
    """What all retries of a process are paid from; a success earns one back. Safe to use from several threads.

    Source: the retry quota of the AWS SDKs, with the figures of 2026.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = BUDGET
        self._failed_in_a_row = 0
        self._failing: set[int] = set()
        self._has_answered = False

    def pay_for_retry(self, error: ChektError) -> bool:
        """Pay for one more retry; whether the budget allows it."""
        cost = COST_WHEN_THROTTLED if isinstance(error, Throttled) else COST_OF_RETRY
        with self._lock:
            affordable = self._left >= cost
            self._left -= cost if affordable else 0
            return affordable

    def note(self, error: ChektError | None, operation: object, *, of_token: bool = False) -> None:
        """Count one attempt: an error, or None for a success; a refusal is an answer as well.

        An attempt `of_token` says nothing of the API.
        """
        with self._lock:
            if isinstance(error, Unreachable | Unclear):
                self._failed_in_a_row += 1
                self._failing.add(id(operation))
            elif error is None or (isinstance(error, Refused) and not isinstance(error, Throttled)):
                self._failed_in_a_row = 0
                self._failing.clear()
                self._has_answered |= not of_token
                self._left = min(BUDGET, self._left + 1)

    @property
    def is_outage(self) -> bool:
        """Whether many attempts in a row got no answer: of several operations, where the API has answered before."""
        is_general = len(self._failing) > 1 or not self._has_answered
        return self._failed_in_a_row >= ATTEMPTS and is_general


def backoff_seconds(
    retry: int, *, base: float = 0.5, cap: float = 20.0, draw: Callable[[], float] = random.random
) -> float:
    """Seconds to wait before the given retry when the answer names no Retry-After.

    Full jitter: uniform over [0, min(cap, base * 2 ** (retry - 1))).

    Args:
        retry: 1 for the first retry; the first attempt never waits.
        base: seconds that the first retry waits at most.
        cap: seconds that any retry waits at most.
        draw: gives a float in [0, 1); tests pass a constant.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return draw() * min(cap, base * 2.0 ** (retry - 1))


def wait_seconds(error: ChektError, attempt: int, draw: Callable[[], float]) -> float:
    """Seconds to wait after an attempt: what CHeKT asked for, else the backoff; a throttled call has a longer base."""
    if isinstance(error, Throttled):
        if error.evidence.retry_after is not None:
            return error.evidence.retry_after
        return backoff_seconds(attempt, base=1.0, draw=draw)
    return backoff_seconds(attempt, draw=draw)


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a 429 asks to wait: its Retry-After as seconds or as a date, else until its X-RateLimit-Reset.

    Nonsense ("soon", -5, a date in no calendar) asks for nothing: None. `now` is our Unix time, for an answer without
    a Date.
    """
    answered_at = _date(headers.get("Date", "")) or now
    retry_after = headers.get("Retry-After", "").strip()
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    if (date := _date(retry_after)) is not None:
        return max(0.0, date - answered_at)
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if not retry_after and reset.isascii() and reset.isdigit():
        away = float(reset) - answered_at
        margin = 0 if away == LONGEST_RETRY_AFTER_SECONDS else 1  # a whole minute is just worth waiting for
        return max(0.0, away + margin)
    return None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None

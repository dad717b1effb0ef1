"""Which failures are worth another attempt, how long to wait, and for how long altogether.

    failure                               GET, PUT, DELETE, token    POST
    no connection: nothing was sent       again                      again
    429: refused for its rate             again                      again
    time-out, reset, cut answer           again                      never here
    500, 502, 503, 504                    again                      never here
    any other answer                      never                      never

A POST whose answer is unclear may have made a station; only a list can tell, so `operations` looks before it sends
again. A 401 is not in the table: it means that nothing was done, so the transport renews the token and replays once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState

from chekt_provider.errors import NotChekt, ServerFailed, Throttled, Unclear, Unreachable, Untrusted

ATTEMPTS = 5
DEADLINE_SECONDS = 120.0
"""How long one operation may take, its waits for the rate limit left out."""

LONGEST_RETRY_AFTER_SECONDS = 60.0
_TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})


def worth_repeating(error: BaseException, *, verb: str) -> bool:
    """Whether the table above says "again" for a failure of this verb."""
    match error:
        case Untrusted():
            return False
        case Unreachable():
            return True
        case Throttled():
            asked = error.evidence.retry_after
            return asked is None or asked <= LONGEST_RETRY_AFTER_SECONDS
        case ServerFailed():
            return verb != "POST" and error.evidence.status in _TRANSIENT_STATUSES
        case NotChekt():
            return False
        case Unclear():
            return verb != "POST"
        case _:
            return False


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


def wait_seconds(state: RetryCallState, draw: Callable[[], float]) -> float:
    """Tenacity's wait: what CHeKT asked for, else the backoff; a throttled call starts from a longer base."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Throttled):
        if error.evidence.retry_after is not None:
            return error.evidence.retry_after
        return backoff_seconds(state.attempt_number, base=1.0, draw=draw)
    return backoff_seconds(state.attempt_number, draw=draw)


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a 429 asks to wait: its Retry-After as seconds or as a date, else until its X-RateLimit-Reset.

    Args:
        headers: the answer's.
        now: our Unix time, for an answer that has no Date of its own.

    Nonsense ("soon", -5, a date in no calendar) asks for nothing: None.
    """
    answered_at = _date(headers.get("Date", "")) or now
    retry_after = headers.get("Retry-After", "").strip()
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    if (date := _date(retry_after)) is not None:
        return max(0.0, date - answered_at)
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if not retry_after and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset) - answered_at + 1)
    return None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None

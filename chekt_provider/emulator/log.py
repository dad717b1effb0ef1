"""The request log: requests and their outcome, without secrets."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

KEPT = 100_000
"""Requests that the log holds; it drops older ones."""

_SECRET = frozenset({"client_secret", "client_assertion", "access_token", "refresh_token"})

Outcome = Literal["pending", "answered", "hang", "reset", "cut"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the imitated API.

    Attributes:
        number: 1 for the first request of an emulator; neither clearing the log nor a reset starts again.
        time: when it came, seconds since 1970.
        monotonic: when it came, seconds of `time.monotonic()`: for differences.
        method, path: as sent; the path without its query.
        query: what came after the question mark, secrets masked.
        trace_id, idempotency_key: those headers, None when not sent.
        request_id: the API's own id of this request, also in the answer's `x-request-id`.
        client_id: the app that the bearer token belongs to; None without a live token.
        body: parsed JSON or form fields, secrets masked; None when empty, a remark on its size when it is neither.
        status: the HTTP status that was answered; None when there was none (yet).
        outcome: pending while it is being served; answered; or what a fault did instead: hang, reset or cut.
        replayed: whether the answer is an earlier one, repeated for its idempotency key.
    """

    number: int
    time: float
    monotonic: float
    method: str
    path: str
    query: str
    trace_id: str | None
    idempotency_key: str | None
    request_id: str
    client_id: str | None = None
    body: Any = None
    status: int | None = None
    outcome: Outcome = "pending"
    replayed: bool = False


class Log:
    """The requests so far, oldest first. Any thread may use it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: deque[Request] = deque(maxlen=KEPT)
        self._count = 0

    def requests(self) -> list[Request]:
        """Give the requests so far."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget the requests; the numbers go on."""
        with self._lock:
            self._requests.clear()

    def add(self, **known: Any) -> Request:
        """Note a new request."""
        with self._lock:
            self._count += 1
            request = Request(number=self._count, time=self._clock(), monotonic=time.monotonic(), **known)
            self._requests.append(request)
            return request

    def note(self, number: int, **news: Any) -> None:
        """Note news of a request, unless somebody has cleared it."""
        with self._lock:
            if not self._requests:
                return
            place = number - self._requests[0].number
            if 0 <= place < len(self._requests):
                self._requests[place] = replace(self._requests[place], **news)


def masked_query(query: str) -> str:
    """Give a query string with secret values as ***."""
    fields = parse_qsl(query, keep_blank_values=True)
    if not any(name in _SECRET for name, _ in fields):
        return query
    return urlencode(_masked(dict(fields)), safe="*")


def masked_body(content_type: str, body: bytes) -> Any:
    """Give a body's content with secret values as ***; keep nothing that is unreadable."""
    if not body:
        return None
    try:
        if content_type == "application/x-www-form-urlencoded":
            return _masked(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        return _masked(json.loads(body))
    except (ValueError, RecursionError):
        return f"({len(body)} bytes)"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "***" if name in _SECRET else _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value

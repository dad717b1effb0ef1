"""One call to CHeKT: token, pace, time limits, retries, and a check of the answer."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from chekt_provider.api import retry
from chekt_provider.api.answers import Answer, RawAnswer, judged, require_no_error
from chekt_provider.api.attempts import Attempts
from chekt_provider.api.auth import TokenSource
from chekt_provider.api.exchange import READ_SECONDS, Exchange
from chekt_provider.api.interruption import Interruption
from chekt_provider.api.operation import Operation
from chekt_provider.api.rate_limit import RateLimit
from chekt_provider.api.redact import without_token
from chekt_provider.api.token import TokenEndpoint
from chekt_provider.errors import ChektError, Unclear
from chekt_provider.model.ids import id_digits
from chekt_provider.model.kinds import Value
from chekt_provider.settings import Settings


class Transport:
    """Makes calls on behalf of one app.

    Args:
        settings: base URL, token URL, credentials and pace.
        say: tells a person what takes time.
        clock: monotonic seconds.
        sleep: waits so many seconds.
        draw: gives a float in [0, 1), for the jitter.
        read_seconds: how long the server may send nothing.
        interruption: ends the calls; None for a run that nobody interrupts.

    Attributes:
        say, clock, sleep: as given, for whoever waits between calls.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
        read_seconds: float = READ_SECONDS,
        interruption: Interruption | None = None,
    ) -> None:
        self._settings = settings
        self.say = say
        self.clock = clock
        self.sleep = sleep
        self._read_seconds = read_seconds
        self._interruption = interruption or Interruption()
        self._limit = RateLimit(settings.requests_per_minute, clock=clock, sleep=sleep, say=say)
        self._attempts = Attempts(clock, sleep, draw)
        self._exchange = Exchange(clock, self._interruption)
        endpoint = TokenEndpoint(settings, self._exchange, self._attempts, self._limit, self._interruption, clock)
        self._tokens = TokenSource(lambda: endpoint.fetch(self.operation("get an access token")), clock)

    def operation(self, action: str, seconds: float = retry.DEADLINE_SECONDS) -> Operation:
        """Begin an operation that may take so many seconds."""
        trace_id = self._settings.trace_id or str(uuid.uuid4())
        return Operation(action, trace_id, self.clock() + seconds)

    def call(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Value | None] | None = None,
        idempotency_key: str = "",
        item: Callable[[Any], object] | None = None,
        admit: Callable[[], object] | None = None,
    ) -> Answer:
        """Make one call, repeated as `retry` says, and give its answer.

        Args:
            operation: what the call is for.
            method: the HTTP method.
            path: below the base URL.
            query: parameters.
            body: sent as JSON.
            idempotency_key: "" for none.
            item: converts each item of a list, or raises BadArrayError; None for any other answer.
            admit: called before each attempt, to take its turn, and to refuse it by an error.

        Raises:
            ChektError: with the operation's action and trace id; see errors.py for which means what.
        """
        self._settings.require_credentials(operation.action)
        headers = {"x-partner-trace-id": operation.trace_id}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key

        attempt = partial(
            self._attempt, operation, method, path, admit, headers=headers, params=query, json=body, item=item
        )
        try:
            return self._attempts.make(operation, method, attempt)
        except _NotAdmitted as refused:
            outcome = Unclear.default_outcome if operation.changed else refused.error.outcome
            raise refused.error.replace(action=operation.action, outcome=outcome) from None

    def take_turn(self, operation: Operation) -> None:
        """Wait until an operation's next change can leave at once, with a token; then read what it rests on."""
        operation.excuse(self._limit.take())
        self._tokens.token()
        operation.has_turn = True

    def reserve(self, operation: Operation, requests: int) -> None:
        """Wait until so many reads of an operation can leave at once, or as many as the plan's burst allows."""
        requests = min(requests, self._limit.burst)
        operation.excuse(self._limit.take(requests))
        operation.paid += requests

    def _attempt(
        self,
        operation: Operation,
        method: str,
        path: str,
        admit: Callable[[], object] | None,
        number: int,
        headers: Mapping[str, str],
        **content: Any,
    ) -> Answer:
        """Send in turn; once more with a fresh token where the first is refused."""
        for _ in range(2):
            token = self._admitted(operation, method, admit)
            url = self._settings.base_url + path
            signed = {**headers, "Authorization": f"Bearer {token}"}
            raw = self._exchange.send(number, method, url, self._read_seconds, headers=signed, **content)
            self._follow(raw)
            raw = without_token(raw, token)
            if raw.status != HTTPStatus.UNAUTHORIZED:
                break
            self._tokens.drop(token)
            operation.changed |= method != "GET"  # it may have been done all the same
            if method == "POST":  # whoever sends it looks first
                break
        return require_no_error(judged(raw, operation.trace_id), raw)

    def _admitted(self, operation: Operation, method: str, admit: Callable[[], object] | None) -> str:
        """Wait until the call may leave; gives the token for it."""
        if admit:
            try:
                admit()
            except ChektError as error:
                raise _NotAdmitted(error) from None
        operation.changing |= method != "GET"
        self._wait(operation, method)
        self._interruption.require(beginning=method != "GET" and not operation.changed)
        # After the wait, in which it could expire. A call that was admitted waits for a new one only after a refusal.
        return self._tokens.token(to_its_end=admit is not None and not operation.changed)

    def _wait(self, operation: Operation, method: str) -> None:
        """Wait for a place in the queue, unless the operation has one."""
        if method != "GET" and operation.has_turn:
            operation.has_turn = False
        elif method == "GET" and operation.paid:
            operation.paid -= 1
        else:
            operation.excuse(self._limit.take())

    def _follow(self, raw: RawAnswer) -> None:
        """Keep the pace that an answer names."""
        if limit := id_digits(raw.headers.get("X-RateLimit-Limit")):
            self._limit.follow(int(limit))
        remaining = raw.headers.get("X-RateLimit-Remaining", "")
        if raw.status == HTTPStatus.TOO_MANY_REQUESTS or remaining == "0":
            self._limit.cap(0)
        elif remaining_count := id_digits(remaining):
            self._limit.cap(int(remaining_count))


class _NotAdmitted(Exception):
    """`admit` refused a call. No ChektError, so that no other attempt follows."""

    def __init__(self, error: ChektError) -> None:
        super().__init__(str(error))
        self.error = error

"""The loop of attempts: repeats a call as long as `retry` says, and ends in an answer or in one error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chekt_provider.api import retry
from chekt_provider.api.operation import Operation
from chekt_provider.errors import ChektError, Evidence, Interrupted, Throttled, TokenRefused, Unclear
from chekt_provider.log import log

T = TypeVar("T")


class Attempts:
    """Makes the attempts of all calls of a process, which share one budget of retries. Parameters: as of Transport."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None], draw: Callable[[], float]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._budget = retry.RetryBudget()

    def make(self, operation: Operation, method: str, attempt: Callable[[int], T]) -> T:
        """Make attempts until one succeeds.

        Args:
            operation: `changed` afterwards where an attempt may have changed something.
            method: the HTTP method, or "TOKEN".
            attempt: makes one, by its number from 1.

        Raises:
            ChektError: the last one failed, with the operation's action and trace id.
        """
        changes = method in ("POST", "PUT", "DELETE")
        number = 0
        while True:
            number += 1
            try:
                result = attempt(number)
            except ChektError as error:
                self._budget.note(error, operation)
                operation.doubtful |= changes and _is_in_doubt(error)
                operation.changed |= operation.doubtful
                pause = self._pause_before_another(error, number, operation, method)
                if pause is None:
                    raise self._told(error, number, operation) from None
                log.info(
                    "Could not %s: %s; again in %.1f s (trace id %s)",
                    operation.action,
                    error.cause,
                    pause,
                    operation.trace_id,
                )
                self._sleep(pause)
            else:
                self._budget.note(None, operation, of_token=method == "TOKEN")
                operation.changed |= changes
                return result

    def _pause_before_another(self, error: ChektError, number: int, operation: Operation, method: str) -> float | None:
        """Pay for one more attempt; the seconds to wait before it, or None for no further attempt."""
        if not retry.worth_repeating(error, method=method) or number >= retry.ATTEMPTS:
            return None
        pause = retry.wait_seconds(error, number, self._draw)
        is_in_time = self._clock() + pause <= operation.deadline
        return pause if is_in_time and self._budget.pay_for_retry(error) else None

    def _told(self, error: ChektError, tried: int, operation: Operation) -> ChektError:
        """The last attempt's failure as the operation's."""
        is_of_all = tried > 1 and not isinstance(error, Interrupted)
        cause = f"{error.cause}, {tried} times" if is_of_all else error.cause
        if isinstance(error, Unclear) and self._budget.is_outage:
            cause = f"{cause}; no call gets through, this is an outage"
        evidence = error.evidence if error.evidence.trace_id else Evidence(trace_id=operation.trace_id)
        return operation.weighed(error).replace(cause=cause, action=operation.action, evidence=evidence)


def _is_in_doubt(error: ChektError) -> bool:
    """Whether CHeKT may have made a change despite this answer: some gateways judge after the fact."""
    is_unclear = isinstance(error, Unclear) and error.outcome == Unclear.default_outcome
    return is_unclear or isinstance(error, TokenRefused | Throttled)

"""Which things the resources of one run have taken, so that no two of them work on the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chekt_provider.api.transport import Operation
from chekt_provider.errors import DeclaredTwice
from chekt_provider.records import SiteId, StationId

Claim = tuple[str, str]
"""Dealer id, and the thing's own id or key."""

Holder = tuple[StationId | SiteId, str]
"""What a resource has, and the mark that tells it from another resource which has the same."""


class Claims:
    """Which things the resources of one run have taken. Safe to use from several threads.

    Held by a resource that was there before, or by the creation of one that was not.

    Args:
        taken: the cause of the error for the second that wants a thing.
        remedy: of that error.
    """

    def __init__(self, taken: str, remedy: str = DeclaredTwice.default_remedy) -> None:
        self._cause = taken
        self._remedy = remedy
        self._lock = threading.Lock()
        self._holders: dict[Claim, Holder | None] = {}

    @contextmanager
    def hold(self, claim: Claim, operation: Operation) -> Iterator[None]:
        """Take a thing for a creation, and give it back when that fails."""
        with self._lock:
            if claim in self._holders:
                raise DeclaredTwice(self._cause, action=operation.action, remedy=self._remedy)
            self._holders[claim] = None
        try:
            yield
        except BaseException:
            self.release(claim)
            raise

    def keep(self, claim: Claim, holder: Holder, action: str) -> None:
        """Take a thing for the resource that has it, however often it is asked for."""
        with self._lock:
            if self._holders.setdefault(claim, holder) != holder:
                raise DeclaredTwice(self._cause, action=action, remedy=self._remedy)

    def is_with_another(self, claim: Claim, holder: Holder) -> bool:
        """Whether another resource of this run goes on with what this one has."""
        with self._lock:
            other = self._holders.get(claim)
        return other is not None and other[0] == holder[0] and other != holder

    def release(self, claim: Claim) -> None:
        """Let another resource have the thing."""
        with self._lock:
            self._holders.pop(claim, None)

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

    Held by the creation of a resource, or by resources that were there before. Of the latter Pulumi compares each once
    with the program, and one that it refreshed once more before that, also where the program has it no longer: then
    only the second time counts.

    Args:
        taken: the cause of the error for the second that wants a thing.
        remedy: of that error.
    """

    def __init__(self, taken: str, remedy: str = DeclaredTwice.default_remedy) -> None:
        self._cause = taken
        self._remedy = remedy
        self._lock = threading.Lock()
        self._created: set[Claim] = set()
        self._refreshed: set[Holder] = set()
        self._compared: dict[Claim, dict[Holder, int]] = {}

    @contextmanager
    def hold(self, claim: Claim, operation: Operation) -> Iterator[None]:
        """Take a thing for a creation, and give it back when that fails."""
        with self._lock:
            if claim in self._created or self._kept(claim):
                raise DeclaredTwice(self._cause, action=operation.action, remedy=self._remedy)
            self._created.add(claim)
        try:
            yield
        except BaseException:
            self.release(claim)
            raise

    def refreshed(self, holder: Holder) -> None:
        """Take note that a resource was refreshed."""
        with self._lock:
            self._refreshed.add(holder)

    def keep(self, claim: Claim, holder: Holder, action: str) -> None:
        """Take a thing for the resource that has it, each time that it is compared with the program."""
        with self._lock:
            compared = self._compared.setdefault(claim, {})
            compared[holder] = compared.get(holder, 0) + 1
            if claim in self._created or self._kept(claim) - {holder}:
                raise DeclaredTwice(self._cause, action=action, remedy=self._remedy)

    def leave(self, claim: Claim, holder: Holder) -> bool:
        """Let go what a resource has; whether another resource has it as well."""
        with self._lock:
            compared = self._compared.get(claim, {})
            compared.pop(holder, None)
            return any(other[0] == holder[0] for other in compared)

    def release(self, claim: Claim) -> None:
        """Let another resource have the thing."""
        with self._lock:
            self._created.discard(claim)

    def _kept(self, claim: Claim) -> set[Holder]:
        """Those that go on with the thing for certain."""
        compared = self._compared.get(claim, {})
        return {holder for holder, times in compared.items() if times > (holder in self._refreshed)}

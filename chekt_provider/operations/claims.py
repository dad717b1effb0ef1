"""Which things the resources of one run have: no two of them work on the same.

What Pulumi calls for a resource in its state, in one process:

    command             in the program          no longer in the program
    up                  diff                    delete
    up --refresh        read, diff, diff        read, diff, delete
    refresh             read, diff              read, diff
    destroy             delete                  delete

So a resource goes on with its thing if it was compared (diff) more often than it was refreshed (read).
tests/engine/test_claims.py holds the table against the engine.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from chekt_provider.api.operation import Operation
from chekt_provider.errors import DeclaredTwice, Unsafe
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.ids import SiteId, StationId
from chekt_provider.model.moments import may_be_one_moment
from chekt_provider.model.records import Recorded, id_of, named
from chekt_provider.operations.identity import is_given_again

Claim = tuple[str, str] | SiteId
"""Dealer id and external id of a station; or a site."""

Holder = tuple[StationId | SiteId, str]
"""What a resource has, and which resource that is."""


class Claims:
    """Which things the resources of one run have. Safe to use from several threads.

    Args:
        taken: cause of the error for the second resource that wants a thing.
        remedy: of that error.
    """

    def __init__(self, taken: str, remedy: str = DeclaredTwice.default_remedy) -> None:
        self._cause = taken
        self._remedy = remedy
        self._lock = threading.RLock()
        self._created: set[Claim] = set()
        self._refreshed: Counter[Holder] = Counter()
        self._compared: Counter[Holder] = Counter()
        self._by_claim: dict[Claim, set[Holder]] = {}
        self._by_thing: dict[StationId | SiteId, set[Holder]] = {}

    @contextmanager
    def hold(self, claim: Claim, operation: Operation) -> Iterator[None]:
        """Take a thing for a creation, and give it back when that fails."""
        with self._lock:
            if self.has(claim):
                raise operation.error(DeclaredTwice, self._cause, remedy=self._remedy, sent=False)
            self._created.add(claim)
        try:
            yield
        except BaseException:
            with self._lock:
                self._created.discard(claim)
            raise

    def refreshed(self, holder: Holder) -> None:
        """Take note that a resource was refreshed."""
        with self._lock:
            self._refreshed[holder] += 1

    def keep(self, claim: Claim, holder: Holder, operation: Operation) -> None:
        """Take a thing for the resource that has it, each time that Pulumi compares the resource."""
        with self._lock:
            self._compared[holder] += 1
            holders = self._by_claim.setdefault(claim, set())
            holders.add(holder)
            self._by_thing.setdefault(holder[0], set()).add(holder)
            if claim in self._created or self._going_on(holders - {holder}):
                raise operation.error(DeclaredTwice, self._cause, remedy=self._remedy, sent=False)

    def goes_on(self, thing: StationId | SiteId) -> bool:
        """Whether a resource of the program goes on with a thing."""
        with self._lock:
            return self._going_on(self._by_thing.get(thing, set()))

    def has(self, claim: Claim) -> bool:
        """Whether a resource of the program has a thing, or is about to."""
        with self._lock:
            return claim in self._created or self._going_on(self._by_claim.get(claim, set()))

    def _going_on(self, holders: set[Holder]) -> bool:
        return any(self._compared[holder] > self._refreshed[holder] for holder in holders)


class StationClaims(Claims):
    """Which stations the resources of one run have, by external id and by number. Safe to use from several threads."""

    def __init__(self) -> None:
        super().__init__("another resource of this program has the same external id")
        self._taken: set[StationId] = set()
        self._born: dict[StationId, str] = {}
        self._replaced: set[StationId] = set()
        self._doomed: dict[StationId, Recorded] = {}
        self._not_adopted: set[StationId] = set()

    def keep_station(self, recorded: Recorded, declared_by: str, operation: Operation) -> None:
        """Take a station for the resource that has it, each time that Pulumi compares the resource."""
        with self._lock:
            self._born.setdefault(recorded.id, recorded.created_at)
        claim = (recorded.id.dealer_id, recorded.sent_external_id)
        self.keep(claim, (recorded.id, declared_by), operation)

    def note_replaced(self, recorded: Recorded) -> None:
        """Take note that a resource is about to have another station in place of this one."""
        with self._lock:
            self._replaced.add(recorded.id)

    def hold_station(self, wanted: StationInputs, operation: Operation) -> AbstractContextManager[None]:
        """Take an external id for a creation, and give it back when that fails."""
        return self.hold((wanted.dealer_id, wanted.external_monitoring_station_id), operation)

    def take(self, wanted: StationInputs, station: Station, operation: Operation) -> None:
        """Take the station that a creation ends with, before it is changed. Raises as `require_free`."""
        with self._lock:
            station_id = self.require_free(wanted, station, operation)
            self._taken.add(station_id)
            self._born[station_id] = station.created_at

    def take_over(self, wanted: StationInputs, station: Station, operation: Operation) -> None:
        """Take a station that was there before a creation. Raises as `require_not_doomed` and `require_free`."""
        with self._lock:  # a deletion takes note of itself under the same lock
            self.require_not_doomed(wanted, station, operation)
            self.take(wanted, station, operation)

    def give_back(self, wanted: StationInputs, station: Station) -> None:
        """Take note that taking a station over failed: it is nobody's, and this run must not delete it."""
        with self._lock:
            self._taken.discard(id_of(wanted, station))
            self._not_adopted.add(id_of(wanted, station))

    def require_free(self, wanted: StationInputs, station: Station, operation: Operation) -> StationId:
        """Raise DeclaredTwice where another resource has a station.

        CHeKT may keep two external ids as one, and answer for both with one station. A number that it gave again, to a
        new station, has another time of creation.
        """
        station_id = id_of(wanted, station)
        with self._lock:
            is_held = self.goes_on(station_id) or station_id in self._taken
            if is_held and may_be_one_moment(self._born.get(station_id, ""), station.created_at):
                cause = f"CHeKT answered with {named(wanted, station)}, which another resource of this program has"
                raise operation.error(DeclaredTwice, cause, remedy="Choose external ids that CHeKT keeps apart.")
        return station_id

    def doom(self, recorded: Recorded, operation: Operation) -> bool:
        """Take note that a station is about to be deleted, so that no creation takes it over; false for a kept one.

        Raises Unsafe where a resource of this run failed to take it over: the next run may succeed.
        """
        with self._lock:
            if self.is_kept(recorded.id):
                return False
            if recorded.id in self._not_adopted:
                cause = "a resource of this program was to adopt it, which failed"
                raise operation.error(Unsafe, cause, outcome="Nothing was deleted.", remedy="Fix that, and run again.")
            self._doomed[recorded.id] = recorded
            return True

    def require_not_doomed(self, wanted: StationInputs, station: Station, operation: Operation) -> None:
        """Raise Unsafe where this run deletes a station that was there before a creation."""
        with self._lock:
            doomed = self._doomed.get(id_of(wanted, station))
        if doomed and not is_given_again(doomed, station):
            cause = f"{named(wanted, station)} has its external id, and is being deleted by the same run"
            raise operation.error(Unsafe, cause, remedy="Run `pulumi up` again.")

    def is_kept(self, station_id: StationId) -> bool:
        """Whether a resource goes on with a station, or a creation of this run ended with it.

        The creation may be the same resource's: with a new parent, or by `--replace`, it adopts what it had.
        """
        with self._lock:
            return station_id in self._taken or self.goes_on(station_id)

    def may_be_of_another(self, wanted: StationInputs, station: Station) -> bool:
        """Whether a station that shows during a creation is another resource's, or may become it."""
        station_id = id_of(wanted, station)
        claim = (wanted.dealer_id, station.external_monitoring_station_id)
        with self._lock:
            return self.is_kept(station_id) or station_id in self._replaced or self.has(claim)

"""Creating a station once, whatever the network does, and adopting one only where that was asked for.

look             the external id is there: adopt or refuse; an empty list is looked at twice
POST             under a key that is the same for the same external id, in every run
unclear answer   look again: there now = ours, if it is what was sent; not there = POST again, three times at most
    201              of a station older than the look: a replay of an earlier answer; gone = the key's next generation
    409              the key was used for other values: look again; not there = the key's next generation
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation
from chekt_provider.directory import Directory, Look
from chekt_provider.errors import (
    ChektError,
    Conflict,
    Evidence,
    InvalidInput,
    ListIncomplete,
    NotFound,
    ServerFailed,
    StationExists,
    TwinStations,
    Unclear,
)
from chekt_provider.models import Station, StationInputs
from chekt_provider.records import UPDATED_IN_PLACE, Recorded, StationId, differing, not_taken, value
from chekt_provider.text import shown
from chekt_provider.writes import Writes

POSTS = 3
"""How often one creation sends its POST; each after the first only when a list has shown that nothing was made."""

GENERATIONS = 20
"""How many derived keys one creation tries, should CHeKT replay the answers of stations that were deleted since: who
makes and deletes the same station more often within a day gets a random key."""

KEY_NAMESPACE = uuid.UUID("6f0c1d1e-8f0b-5d5b-9d8e-3f2a7c1b4e90")
"""Of the idempotency keys of POST. Fixed for ever: a newer version must find what an older one began."""


def creation_key(dealer_id: str, external_id: str, generation: int) -> str:
    """The idempotency key of a POST: it survives a crash, and of two runs that create at once one is refused.

    The values are left out of it: with them, two runs that want different values would each make a station where CHeKT
    takes an external id twice.

    Args:
        dealer_id: digits.
        external_id: the caller's own key of the station.
        generation: 0, and one more for each earlier key that is used up.
    """
    return str(uuid.uuid5(KEY_NAMESPACE, json.dumps([dealer_id, external_id, generation])))


def adoption(station: Station, wanted: StationInputs) -> str:
    """What adopting a station means for it, in a sentence."""
    station_id = StationId(wanted.dealer_id, station.monitoring_station_id)
    changes = [
        f"{name} from {shown(value(station, name))!r} to {shown(value(wanted, name))!r}"
        for name in differing(station, wanted)
    ]
    told = f"changing {', '.join(changes)}" if changes else "nothing changes on it"
    return f"Adopting monitoring station {shown(wanted.external_monitoring_station_id)!r} ({station_id}): {told}."


class Creation:
    """One creation of one station.

    Args:
        client: the API.
        directory: what CHeKT lists.
        writes: PUT and records.
        operation: whose action errors name.
        wanted: the station.
        adopt: whether a station that has the external id may be taken over.
        say: told what a person should know although nothing failed.
    """

    def __init__(
        self,
        client: Client,
        directory: Directory,
        writes: Writes,
        operation: Operation,
        wanted: StationInputs,
        *,
        adopt: bool,
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._directory = directory
        self._writes = writes
        self._operation = operation
        self._wanted = wanted
        self._adopt = adopt
        self._say = say
        self._doubts: list[Unclear] = []
        self._random_key = str(uuid.uuid4())
        self.adopted = False
        """Whether the station was there before."""

    def run(self) -> Recorded:
        """Make the station, or take over the one that is there.

        Raises:
            StationExists, TwinStations: the external id is taken.
            ChektError: see errors.py.
        """
        look = self._directory.look(self._operation, self._wanted.dealer_id)
        if look.first and not look.stations:  # which is also what a list that went wrong can look like
            look = self._directory.look_again(self._operation, self._wanted.dealer_id, look)
        if existing := self._existing(look):
            return self._take_over(existing, look)
        generation = 0
        while generation <= GENERATIONS:
            try:
                station = self._post(generation)
            except (Unclear, Conflict, InvalidInput) as error:
                look = self._look_after(error, look)
                if found := self._existing(look):
                    return self._found_after(error, found, look)
                generation += self._next_generation(error)
                continue
            if _created_after(station, look.answered_at) and not self._is_deleted(station):
                return self._settle(station)
            if living := self._living(station):
                return self._found_after(None, living, look)
            generation += 1
        raise ListIncomplete(
            f"CHeKT keeps answering with stations that were deleted, under {GENERATIONS + 1} idempotency keys",
            action=self._operation.action,
            evidence=Evidence(trace_id=self._operation.trace_id),
        )

    def _existing(self, look: Look) -> Station | None:
        twins = look.with_external_id(self._wanted.external_monitoring_station_id)
        if len(twins) > 1:
            ids = ", ".join(str(self._id(twin)) for twin in twins)
            raise TwinStations(
                f"{len(twins)} stations have this external id already: {ids}",
                action=self._operation.action,
                evidence=Evidence(trace_id=look.trace_id),
            )
        return twins[0] if twins else None

    def _id(self, station: Station) -> StationId:
        return StationId(self._wanted.dealer_id, station.monitoring_station_id)

    def _post(self, generation: int) -> Station:
        dealer_id, external_id = self._wanted.dealer_id, self._wanted.external_monitoring_station_id
        values = {name: value(self._wanted, name) for name in UPDATED_IN_PLACE if value(self._wanted, name)}
        derived = generation < GENERATIONS
        key = creation_key(dealer_id, external_id, generation) if derived else self._random_key
        body = {"external_monitoring_station_id": external_id, **values}
        return self._client.create_station(self._operation, dealer_id, body, key)

    def _look_after(self, error: ChektError, look: Look) -> Look:
        """Look again after a POST that failed, unless the failure says itself that nothing can have been made."""
        names_other_field = error.evidence.field not in ("", "external_monitoring_station_id")
        if isinstance(error, InvalidInput) and names_other_field and not self._doubts:
            raise error
        try:
            return self._directory.look_again(self._operation, self._wanted.dealer_id, look)
        except ChektError as failed:
            doubts = [*self._doubts, error] if isinstance(error, Unclear) else self._doubts
            if not doubts:
                raise
            raise doubts[-1].replace(
                outcome=f"The station may have been created: looking for it failed too ({failed.cause}).",
                remedy="Run `pulumi up` again: it looks before it creates.",
            ) from None

    def _found_after(self, error: ChektError | None, station: Station, look: Look) -> Recorded:
        """A station that a look shows after a POST is ours where a POST may have made it, just as it was sent."""
        may_be_ours = error is None or isinstance(error, Unclear) or bool(self._doubts)
        if may_be_ours and not differing(station, self._wanted):
            if error is None:
                station_id, external_id = self._id(station), shown(self._wanted.external_monitoring_station_id)
                self._say(f"Taking monitoring station {external_id!r} ({station_id}): an earlier run created it.")
            return self._settle(station)
        return self._take_over(station, look)

    def _next_generation(self, error: ChektError) -> int:
        """After a look without the station: how many generations on to send again, 0 for the same key; or raise."""
        if isinstance(error, Unclear):
            self._doubts.append(error)
            if len(self._doubts) < POSTS:
                # A 5xx that comes twice may be a stored answer, which any derived key could replay for a day.
                stored = isinstance(error, ServerFailed) and len(self._doubts) == POSTS - 1
                return GENERATIONS if stored else 0
            raise error.replace(
                cause=f"{error.cause}, after {POSTS} attempts",
                outcome="Nothing was created: the dealer's list does not show the station.",
                remedy="Run `pulumi up` again.",
            )
        if error.evidence.code == "idempotency_conflict":
            return 1
        raise error.replace(outcome="Nothing was created.")

    def _is_deleted(self, station: Station) -> bool:
        return self._directory.is_deleted(self._wanted.dealer_id, station.monitoring_station_id)

    def _living(self, station: Station) -> Station | None:
        """The station as it is now; None for one that was deleted.

        CHeKT replays the answer of an earlier POST with the same key for 24 hours, also when its station is gone. Such
        an answer is older than the look that did not show the station.
        """
        try:
            return self._client.get_station(self._operation, self._wanted.dealer_id, station.monitoring_station_id)
        except NotFound:
            return None

    def _settle(self, station: Station) -> Recorded:
        """Record a creation; fields that CHeKT lost are put once more, then named.

        From here on nothing is raised: an error would lose a station that exists.
        """
        self._directory.note_written(self._wanted.dealer_id, station)
        reason = ""
        if not_taken(station, self._wanted):
            try:
                station = self._writes.put(self._operation, self._id(station), self._wanted)
            except ChektError as error:
                reason = f" ({error.cause})"
        recorded = self._writes.record_write(self._wanted, station)
        if lost := ", ".join(not_taken(station, self._wanted)):
            self._say(f"CHeKT created {recorded} but did not take {lost}{reason}; the next preview shows it.")
        return recorded

    def _take_over(self, station: Station, look: Look) -> Recorded:
        """Adopt a station that exists, and give it the wanted values; only where that was asked for."""
        station_id = self._id(station)
        if not self._adopt:
            live = ", ".join(f"{name} {shown(value(station, name))!r}" for name in UPDATED_IN_PLACE)
            raise StationExists(
                f"it exists already as {station_id}, with {live}",
                action=self._operation.action,
                evidence=Evidence(trace_id=look.trace_id),
                remedy="To manage this one, pass adopt_existing=True; "
                "to make another one, choose another external_monitoring_station_id.",
            )
        self._say(adoption(station, self._wanted))
        if differing(station, self._wanted):
            station = self._writes.put_over(self._operation, station_id, station, self._wanted)
        self.adopted = True
        return self._writes.record_write(self._wanted, station)


def _created_after(station: Station, moment: datetime | None) -> bool:
    try:
        return moment is not None and datetime.fromisoformat(station.created_at) >= moment
    except (ValueError, TypeError):  # no date, or one without a time zone
        return False

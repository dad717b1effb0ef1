"""What creating, reading, updating and deleting a monitoring station means. Here live the safety rules.

    create   look first; never a second station; one that exists is adopted only where that was asked for
    read     gone only when two looks agree and the dealer itself still answers
    update   every field is sent; what others changed is named before it is overwritten; a field not taken is an error
    delete   already gone is success; refused while sites send their signals to the station

Plain Python: nothing of Pulumi and nothing of HTTP, so that another shell can be put around it.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation
from chekt_provider.directory import Directory, Look
from chekt_provider.errors import (
    ChektError,
    Conflict,
    DeclaredTwice,
    InvalidInput,
    ListIncomplete,
    NotFound,
    NotTaken,
    PermissionDenied,
    ServerFailed,
    SitesAttached,
    StationExists,
    TwinStations,
    Unclear,
    Unsafe,
    WrongEnvironment,
)
from chekt_provider.models import Site, Station, StationInputs, id_digits
from chekt_provider.settings import Settings
from chekt_provider.text import shown

UPDATED_IN_PLACE = ("name", "prefix", "linecard")
REPLACED_ON = ("dealer_id", "external_monitoring_station_id")

POSTS = 3
"""How often one creation sends its POST; each after the first only when a list has shown that nothing was made."""

GENERATIONS = 20
"""How many keys one creation tries, should CHeKT replay the answers of stations that were deleted since."""

KEY_NAMESPACE = uuid.UUID("6f0c1d1e-8f0b-5d5b-9d8e-3f2a7c1b4e90")
"""Of the idempotency keys of POST. Fixed for ever: a newer version must find what an older one began."""

SITES_NAMED = 10


@dataclass(frozen=True)
class StationId:
    """The id that Pulumi keeps: "12345/17", dealer id and monitoring station id."""

    dealer_id: str
    station_id: str

    @classmethod
    def parse(cls, text: str) -> StationId:
        """Read "12345/17". Raises Unsafe for anything else, before it can end up in a path."""
        dealer_id, _, station_id = text.partition("/")
        if not id_digits(dealer_id) or not id_digits(station_id):
            raise Unsafe(
                f"{shown(text, 60)!r} is not the id of a monitoring station",
                outcome="Nothing was sent.",
                remedy="Write dealer id and monitoring station id, such as 12345/17.",
            )
        return cls(dealer_id, station_id)

    def __str__(self) -> str:
        return f"{self.dealer_id}/{self.station_id}"


@dataclass(frozen=True)
class Recorded:
    """A station as state records it.

    Attributes:
        id: dealer id and monitoring station id.
        fields: what CHeKT holds, by the names of the inputs; "" is unset.
        created_at: ISO 8601, UTC.
        api_host: the host that holds the station; "" where the state does not say.
        asked: what was sent for the fields that CHeKT keeps in a form of its own.
    """

    id: StationId
    fields: Mapping[str, str]
    created_at: str = ""
    api_host: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)

    def answers(self, name: str, wanted: str) -> bool:
        """Whether this field is what was wanted, or CHeKT's own form of it."""
        return wanted in (self.fields.get(name, ""), self.asked.get(name))

    def __str__(self) -> str:
        return f"monitoring station {shown(self.fields.get('external_monitoring_station_id', ''))!r} ({self.id})"


class StationOperations:
    """The four verbs, for all threads of one process.

    Args:
        client: the API.
        settings: of this run.
        say: told, in a sentence, what a person should know although nothing failed.
    """

    def __init__(self, client: Client, settings: Settings, say: Callable[[str], None]) -> None:
        self._client = client
        self._settings = settings
        self._say = say
        self._directory = Directory(client)
        self._claims = _Claims()
        self._adopted: set[StationId] = set()
        self._deleted: set[StationId] = set()
        self._cleared_as: str | None = ""

    # create

    def create(self, wanted: StationInputs) -> Recorded:
        """Make the station once, or adopt the one that has its external id where that was asked for.

        Raises:
            DeclaredTwice: another resource of this run has the same external id.
            StationExists, TwinStations: the external id is taken.
            ChektError: see errors.py.
        """
        external_id = shown(wanted.external_monitoring_station_id)
        operation = self._client.operation(f"create monitoring station {external_id!r} of dealer {wanted.dealer_id}")
        with self._claims.hold(wanted, operation):
            look = self._directory.look(operation, wanted.dealer_id)
            existing = self._matching(operation, look, wanted)
            if existing:
                return self._adopt(operation, existing, wanted)
            return self._create_once(operation, wanted, look)

    def _create_once(self, operation: Operation, wanted: StationInputs, look: Look) -> Recorded:
        """POST until the station is there; between two sends a list must show that nothing was made."""
        generation, doubts = 0, list[Unclear]()
        while generation < GENERATIONS:
            try:
                station = self._post(operation, wanted, generation)
            except (Unclear, Conflict, InvalidInput) as error:
                look = self._look_after(operation, wanted, look, error, doubts)
                found = self._matching(operation, look, wanted)
                if found and (doubts or isinstance(error, Unclear)):
                    return self._settle_created(operation, found, wanted)
                if found:
                    return self._adopt(operation, found, wanted)
                generation += self._next_generation(error, doubts)
            else:
                if self._is_living(operation, station, wanted, look):
                    return self._settle_created(operation, station, wanted)
                generation += 1
        raise ListIncomplete(
            f"CHeKT keeps answering with stations that were deleted, under {GENERATIONS} idempotency keys",
            action=operation.action,
        )

    def _post(self, operation: Operation, wanted: StationInputs, generation: int) -> Station:
        body = {name: getattr(wanted, name) for name in ("external_monitoring_station_id", *UPDATED_IN_PLACE)}
        body = {name: value for name, value in body.items() if value}
        key = creation_key(wanted.dealer_id, body, generation)
        return self._client.create_station(operation, wanted.dealer_id, body, key)

    def _look_after(
        self, operation: Operation, wanted: StationInputs, look: Look, error: ChektError, doubts: list[Unclear]
    ) -> Look:
        """Look again after a POST that failed, unless the failure says itself that nothing can have been made."""
        names_other_field = error.evidence.field not in ("", "external_monitoring_station_id")
        if isinstance(error, InvalidInput) and names_other_field and not doubts:
            raise error
        try:
            return self._directory.look_again(operation, wanted.dealer_id, look)
        except ChektError as failed:
            doubt = error if isinstance(error, Unclear) else doubts[-1] if doubts else None
            if doubt is None:
                raise
            raise doubt.replace(
                outcome=f"The station may have been created: looking for it failed too ({failed.cause}).",
                remedy="Run `pulumi up` again: it looks before it creates.",
            ) from None

    def _next_generation(self, error: ChektError, doubts: list[Unclear]) -> int:
        """After a list without the station: 0 to send again under the same key, 1 under a new one, or raise."""
        if isinstance(error, Unclear):
            doubts.append(error)
            if len(doubts) < POSTS:
                # A 5xx that comes twice may be a stored answer that the key replays.
                return int(isinstance(error, ServerFailed) and len(doubts) == POSTS - 1)
            raise error.replace(
                cause=f"{error.cause}, after {POSTS} attempts",
                outcome="Nothing was created: the dealer's list does not show the station.",
                remedy="Run `pulumi up` again.",
            )
        if isinstance(error, Conflict) and error.evidence.code == "idempotency_conflict":
            return 1
        raise error.replace(outcome="Nothing was created.")

    def _is_living(self, operation: Operation, station: Station, wanted: StationInputs, look: Look) -> bool:
        """Whether the answer to a POST belongs to a station that exists.

        CHeKT replays the answer of an earlier POST with the same key for 24 hours, also when that station was deleted
        since. A replay is older than the list that did not show it.
        """
        station_id = StationId(wanted.dealer_id, station.monitoring_station_id)
        if station_id not in self._deleted and _created_after(station, look.answered_at):
            return True
        try:
            self._client.get_station(operation, wanted.dealer_id, station.monitoring_station_id)
        except NotFound:
            return False
        return True

    def _settle_created(self, operation: Operation, station: Station, wanted: StationInputs) -> Recorded:
        """Record a creation; fields that CHeKT lost are put once more, then named."""
        if _lost(station, wanted):
            station = self._put(operation, StationId(wanted.dealer_id, station.monitoring_station_id), wanted)
        for name in _lost(station, wanted):
            self._say(
                f"CHeKT created {self._record(station, wanted)} but did not take {name}; the next preview shows it."
            )
        return self._record(station, wanted)

    def _matching(self, operation: Operation, look: Look, wanted: StationInputs) -> Station | None:
        twins = look.with_external_id(wanted.external_monitoring_station_id)
        if len(twins) > 1:
            ids = ", ".join(f"{wanted.dealer_id}/{twin.monitoring_station_id}" for twin in twins)
            raise TwinStations(f"{len(twins)} stations have this external id already: {ids}", action=operation.action)
        return twins[0] if twins else None

    def _adopt(self, operation: Operation, station: Station, wanted: StationInputs) -> Recorded:
        """Take over a station that exists, and give it the wanted values; only where that was asked for."""
        station_id = StationId(wanted.dealer_id, station.monitoring_station_id)
        live = ", ".join(f"{name} {shown(getattr(station, name))!r}" for name in UPDATED_IN_PLACE)
        if not (wanted.adopt_existing or self._settings.adopt_existing):
            raise StationExists(
                f"it exists already as {station_id}, with {live}",
                action=operation.action,
                remedy="To manage this one, pass adopt_existing=True; "
                "to make another one, choose another external_monitoring_station_id.",
            )
        differing = [name for name in UPDATED_IN_PLACE if getattr(station, name) != getattr(wanted, name)]
        if differing:
            self._say(f"Adopting monitoring station {station_id}, which had {live}; changing {', '.join(differing)}.")
            before = station
            station = self._put(operation, station_id, wanted)
            self._refuse_not_taken(operation, station, wanted, before)
        self._adopted.add(station_id)
        return self._record(station, wanted)

    # read

    def read(self, station_id: StationId, recorded: Recorded | None) -> Recorded | None:
        """What CHeKT holds now; None when a recorded station is gone for certain.

        Args:
            station_id: of the station to read.
            recorded: what state holds; None for one that is managed elsewhere.

        Raises:
            NotFound: a station that is managed elsewhere does not exist.
        """
        operation = self._client.operation(f"read {recorded or f'monitoring station {station_id}'}")
        if recorded:
            self._require_same_host(operation, recorded)
        station = self._live(operation, station_id)
        if station is None and recorded:
            return None
        if station is None:
            # Pulumi goes on with a blank answer to `.get()` as if nothing had happened.
            raise NotFound("it does not exist", action=operation.action, remedy="Correct the id given to get().")
        kept = recorded.asked if recorded else {}
        asked = {
            name: sent for name, sent in kept.items() if recorded and _value(station, name) == recorded.fields[name]
        }
        return self._recorded(station_id.dealer_id, station, asked)

    def _live(self, operation: Operation, station_id: StationId) -> Station | None:
        """The station as the list has it, or as it answers itself; None only when two looks agree that it is gone."""
        look = self._directory.look(operation, station_id.dealer_id)
        if station := look.stations.get(station_id.station_id):
            return station
        try:
            return self._client.get_station(operation, station_id.dealer_id, station_id.station_id)
        except NotFound:
            # Also the answer when the dealer is unknown or its access was withdrawn: then the list fails, loudly.
            look = self._directory.look_again(operation, station_id.dealer_id, look)
            return look.stations.get(station_id.station_id)

    # update

    def update(self, recorded: Recorded, wanted: StationInputs) -> Recorded:
        """Bring the station to the wanted values; nothing is sent where the record has them already.

        Raises:
            NotFound: the station is gone.
            NotTaken: CHeKT answered that it changed the station, and did not.
        """
        if all(recorded.answers(name, getattr(wanted, name)) for name in UPDATED_IN_PLACE):
            return recorded
        operation = self._client.operation(f"update {recorded}")
        self._require_same_host(operation, recorded)
        before = self._live(operation, recorded.id)
        if before is None:
            raise NotFound(
                "it does not exist any more",
                action=operation.action,
                remedy="Run `pulumi up --refresh`: it takes the station out of the state and creates it anew.",
            )
        self._name_overwritten(recorded, before, wanted)
        station = self._put(operation, recorded.id, wanted)
        self._refuse_not_taken(operation, station, wanted, before)
        return self._record(station, wanted)

    def _name_overwritten(self, recorded: Recorded, live: Station, wanted: StationInputs) -> None:
        for name in UPDATED_IN_PLACE:
            value = _value(live, name)
            if value not in (recorded.fields.get(name, ""), getattr(wanted, name)):
                self._say(
                    f"Overwriting {name} of {recorded}: somebody changed it to {shown(value)!r} since the last refresh."
                )

    def _put(self, operation: Operation, station_id: StationId, wanted: StationInputs) -> Station:
        """PUT every field. Which form clears one is not documented: "" first, null where CHeKT refuses ""."""
        cleared_as = self._cleared_as  # another thread may learn better meanwhile
        try:
            station = self._put_once(operation, station_id, wanted, cleared_as=cleared_as)
        except InvalidInput as error:
            cleared = [name for name in UPDATED_IN_PLACE if not getattr(wanted, name)]
            refused_blank = error.evidence.field in cleared or (cleared and not error.evidence.field)
            if cleared_as is None or not refused_blank:
                raise
            try:
                station = self._put_once(operation, station_id, wanted, cleared_as=None)
            except InvalidInput:
                raise error from None  # it was not about the form that clears
            self._cleared_as = None
        self._directory.note_written(station_id.dealer_id, station)
        return station

    def _put_once(
        self, operation: Operation, station_id: StationId, wanted: StationInputs, *, cleared_as: str | None
    ) -> Station:
        body = {name: getattr(wanted, name) or cleared_as for name in UPDATED_IN_PLACE}
        key = str(uuid.uuid4())  # random: with a derived key the change from A to B and back to A would be a replay
        return self._client.update_station(operation, station_id.dealer_id, station_id.station_id, body, key)

    def _refuse_not_taken(self, operation: Operation, station: Station, wanted: StationInputs, before: Station) -> None:
        kept = [
            name
            for name in UPDATED_IN_PLACE
            if name in _lost(station, wanted) or _value(before, name) == _value(station, name) != getattr(wanted, name)
        ]
        if kept:
            held = ", ".join(f"{name}, which is still {shown(_value(station, name))!r}" for name in kept)
            raise NotTaken(f"CHeKT did not take {held}", action=operation.action)

    # delete

    def delete(self, recorded: Recorded) -> None:
        """Delete the station; one that is gone already is a success.

        Raises:
            SitesAttached: sites send their signals to it, or whether they do cannot be read.
        """
        operation = self._client.operation(f"delete {recorded}")
        self._require_same_host(operation, recorded)
        if recorded.id in self._adopted:
            self._say(f"Keeping {recorded}: another resource of this run has adopted it.")
            return
        self._refuse_with_sites(operation, recorded)
        try:
            key = str(uuid.uuid4())
            self._client.delete_station(operation, recorded.id.dealer_id, recorded.id.station_id, key)
        except NotFound as error:
            if self._live(operation, recorded.id) is not None:
                raise error.replace(remedy="Run again.") from None
        self._directory.note_deleted(recorded.id.dealer_id, recorded.id.station_id)
        self._deleted.add(recorded.id)
        self._claims.release(recorded.id.dealer_id, recorded.fields.get("external_monitoring_station_id", ""))

    def _refuse_with_sites(self, operation: Operation, recorded: Recorded) -> None:
        try:
            sites = self._directory.sites(operation, recorded.id.dealer_id)
        except (PermissionDenied, NotFound) as error:
            if not self._settings.site_guard:
                return
            raise SitesAttached(
                f"whether sites send their signals to it cannot be read: {error.cause}",
                action=operation.action,
                evidence=error.evidence,
                remedy="Give the app access to the dealer's sites, or set chekt:siteGuard (CHEKT_SITE_GUARD) to off "
                "to delete without looking.",
            ) from None
        attached = [site for site in sites if _sends_to(site, recorded)]
        if attached:
            raise SitesAttached(
                _who_sends(attached),
                action=operation.action,
                outcome="Nothing was deleted.",
                remedy="Move them to another monitoring station first.",
            )

    # shared

    def _require_same_host(self, operation: Operation, recorded: Recorded) -> None:
        configured = self._settings.api_host
        if recorded.api_host not in ("", configured):
            raise WrongEnvironment(
                f"the state says that it is on {recorded.api_host}, but chekt:baseUrl (CHEKT_BASE_URL) is {configured}",
                action=operation.action,
                outcome="Nothing was sent.",
                remedy="Select the stack that belongs to this environment, or correct chekt:baseUrl.",
            )

    def _record(self, station: Station, wanted: StationInputs) -> Recorded:
        """The record of a write; a value that CHeKT keeps in its own form is recorded as both."""
        self._directory.note_written(wanted.dealer_id, station)
        lost = _lost(station, wanted)
        asked = {
            name: getattr(wanted, name)
            for name in ("external_monitoring_station_id", *UPDATED_IN_PLACE)
            if name not in lost and _value(station, name) != getattr(wanted, name)
        }
        return self._recorded(wanted.dealer_id, station, asked)

    def _recorded(self, dealer_id: str, station: Station, asked: Mapping[str, str]) -> Recorded:
        names = ("external_monitoring_station_id", *UPDATED_IN_PLACE)
        return Recorded(
            id=StationId(dealer_id, station.monitoring_station_id),
            fields={"dealer_id": dealer_id, **{name: _value(station, name) for name in names}},
            created_at=station.created_at,
            api_host=self._settings.api_host,
            asked=asked,
        )


def creation_key(dealer_id: str, body: Mapping[str, str], generation: int) -> str:
    """The idempotency key of a POST: the same for the same station, so that it survives a crash.

    Args:
        dealer_id: digits.
        body: what is sent.
        generation: 0, and one more for each earlier key that replays a dead answer.
    """
    return str(uuid.uuid5(KEY_NAMESPACE, json.dumps([dealer_id, body, generation], sort_keys=True)))


class _Claims:
    """Which external ids the resources of this run have taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, wanted: StationInputs, operation: Operation) -> Iterator[None]:
        """Take the external id, and give it back when the creation fails."""
        claim = (wanted.dealer_id, wanted.external_monitoring_station_id)
        with self._lock:
            if claim in self._taken:
                raise DeclaredTwice(
                    "another resource of this program has the same external id", action=operation.action
                )
            self._taken.add(claim)
        try:
            yield
        except BaseException:
            self.release(*claim)
            raise

    def release(self, dealer_id: str, external_id: str) -> None:
        with self._lock:
            self._taken.discard((dealer_id, external_id))


def _value(station: Station, name: str) -> str:
    value: str = getattr(station, name)
    return value


def _lost(station: Station, wanted: StationInputs) -> list[str]:
    """The fields that were given and came back unset, or cleared and came back set."""
    return [name for name in UPDATED_IN_PLACE if bool(_value(station, name)) != bool(getattr(wanted, name))]


def _created_after(station: Station, moment: datetime | None) -> bool:
    try:
        return moment is not None and datetime.fromisoformat(station.created_at) >= moment
    except (ValueError, TypeError):  # no date, or one without a time zone
        return False


def _sends_to(site: Site, recorded: Recorded) -> bool:
    external_id = recorded.fields.get("external_monitoring_station_id", "")
    return site.monitoring_station_id == recorded.id.station_id or (
        bool(external_id) and site.external_monitoring_station_id == external_id
    )


def _who_sends(sites: list[Site]) -> str:
    names = ", ".join(f"{shown(site.name, 60)!r} ({site.site_id})" for site in sites[:SITES_NAMED])
    more = f" and {len(sites) - SITES_NAMED} more" if len(sites) > SITES_NAMED else ""
    count = f"{len(sites)} sites send their" if len(sites) > 1 else "1 site sends its"
    return f"{count} signals to it: {names}{more}"

"""What creating, reading, updating and deleting a monitoring station means. Here live the safety rules.

    create   look first; never a second station; one that exists is adopted only where that was asked for (creation.py)
    read     gone only when two looks agree, the dealer itself still answers, and CHeKT must show the station by now
    update   every field is sent; what others changed is named before it is overwritten; a field not taken is an error
    delete   already gone is success; refused while sites send their signals to the station, moved first where asked

Before read, update and delete the number must still belong to the external id that the state has.

Plain Python: nothing of Pulumi and no calls of HTTP, so that another shell can be put around it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.errors import ChektError, NotFound, NotTaken
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.ids import StationId
from chekt_provider.model.records import UPDATED_IN_PLACE, Recorded, value
from chekt_provider.operations import adoption
from chekt_provider.operations.claims import StationClaims
from chekt_provider.operations.creation import Creation
from chekt_provider.operations.directory import BEHIND_SECONDS, Directory, called_in
from chekt_provider.operations.identity import require_same_host, require_same_station, shows_same
from chekt_provider.operations.sites import Sites
from chekt_provider.operations.writes import Writes
from chekt_provider.settings import Settings
from chekt_provider.text import shown

PREVIEW_SECONDS = 10.0
"""How long a preview may ask CHeKT for one thing."""

DELETION_SECONDS = 30.0
"""How long a deletion that CHeKT has accepted may take."""


class StationOperations:
    """Creates, reads, updates and deletes stations, for all threads of one process.

    Args:
        client: the API.
        settings: of this run.
        say: told, in a sentence, what a person should know although nothing failed.

    Attributes:
        sites: the sites as this run knows them.
    """

    def __init__(self, client: Client, settings: Settings, say: Callable[[str], None]) -> None:
        self._client = client
        self._settings = settings
        self._say = _each_once(say)
        self._directory = Directory(client)
        self._writes = Writes(client, self._directory, settings.api_host)
        self.sites = Sites(client, self._directory, self._say)
        self._claims = StationClaims()
        self._reassign_now: dict[str | StationId, StationId] = {}
        self._preview_failed = False

    def create(self, wanted: StationInputs) -> Recorded:
        """Make the station once, or adopt the one that has its external id where that was asked for.

        Raises:
            DeclaredTwice: another resource of this run has the same external id, or the station.
            StationExists, TwinStations: the external id is taken.
            ChektError: see errors.py.
        """
        operation = self._client.operation(f"create {_named(wanted)}")
        with self._claims.hold_station(wanted, operation):
            creation = Creation(
                self._client,
                self._directory,
                self._writes,
                operation,
                wanted,
                adopt=self._adopts(wanted),
                claims=self._claims,
                say=self._say,
            )
            recorded = creation.run()
        self._directory.remember(recorded)
        self.sites.moves.open(recorded.id)
        return replace(recorded, declared_by=wanted.declared_by)

    def note_inputs(self, of: str | StationId, dealer_id: str, reassign_sites_to: str) -> None:
        """Take note of where a resource's sites go by what the program says now.

        It holds for a station that the resource had before as well, which Pulumi deletes with the inputs of that time.

        Args:
            of: the resource, "" for an unknown one; or the station that it has.
            dealer_id: whose station the program names; "" where a preview does not know it.
            reassign_sites_to: digits; "" for nowhere.
        """
        if of:
            self._reassign_now[of] = StationId(dealer_id, reassign_sites_to)

    def preview_creation(self, wanted: StationInputs) -> None:
        """Say what creating a station would adopt, where adopting was asked for. Best effort: it never fails."""
        if self._adopts(wanted):
            self._preview(f"preview the adoption of {_named(wanted)}", lambda op: self._preview_adoption(op, wanted))

    def _preview_adoption(self, operation: Operation, wanted: StationInputs) -> None:
        look = self._directory.stations(wanted.dealer_id).look(operation)
        found = called_in(look.items, wanted.external_monitoring_station_id)
        self._name_twins(wanted.dealer_id, found)
        if len(found) == 1:
            self._say(adoption.told(found[0], wanted))

    def preview_replacement(self, recorded: Recorded) -> None:
        """Say which sites hang on a station that is about to be replaced. Best effort: it never fails."""
        self._claims.note_replaced(recorded)
        self._preview(f"preview the replacement of {recorded}", lambda op: self._preview_replacement(op, recorded))

    def _preview_replacement(self, operation: Operation, recorded: Recorded) -> None:
        if told := self.sites.told(operation, recorded):
            self._say(f"Replacing {recorded}: {told}.")

    def _preview(self, action: str, look: Callable[[Operation], None]) -> None:
        """Ask CHeKT for what a preview shows beside Pulumi's own; once that failed, not again in this run."""
        if self._preview_failed or not self._settings.can_call:
            return
        try:
            look(self._client.operation(action, PREVIEW_SECONDS))
        except ChektError as error:
            self._preview_failed = True
            self._say(f"{error} The preview goes on without.")

    def keep(self, recorded: Recorded, declared_by: str) -> None:
        """Take note that a resource of this run goes on with its station. Sends nothing.

        Raises:
            DeclaredTwice: another resource of this run has it, has adopted it, or is about to.
        """
        self._directory.expect(recorded)
        operation = self._client.operation(f"keep {recorded}")
        self._claims.keep_station(recorded, declared_by, operation)

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
            self._directory.expect(recorded)
        station = self._live(operation, station_id, recorded)
        if station is None and recorded:
            self._directory.stations(station_id.dealer_id).note_gone(recorded)
            return None
        if station is None:
            # Pulumi goes on with a blank answer to `.get()` as if nothing had happened.
            raise operation.error(NotFound, "it does not exist", remedy="Correct the id given to get().")
        kept = recorded.declared_as.items() if recorded else ()
        declared_as = {name: sent for name, sent in kept if recorded and value(station, name) == recorded.fields[name]}
        if recorded and recorded.external_id:  # whatever form of it CHeKT shows
            declared_as["external_monitoring_station_id"] = recorded.sent_external_id
        live = self._writes.record(station_id.dealer_id, station, declared_as)
        if recorded is None:
            return live
        self._claims.refreshed((recorded.id, recorded.declared_by))
        return replace(live, declared_by=recorded.declared_by)

    def update(self, recorded: Recorded, wanted: StationInputs) -> Recorded:
        """Bring the station to the wanted values; nothing is sent where the record has them already.

        Raises:
            NotFound: the station is gone.
            NotTaken: CHeKT answered that it changed the station, and did not.
        """
        if all(recorded.answers(name, value(wanted, name)) for name in UPDATED_IN_PLACE):
            return replace(recorded, declared_by=wanted.declared_by)
        operation = self._client.operation(f"update {recorded}")
        self._require_same_host(operation, recorded)
        before = self._live(operation, recorded.id, recorded)
        if before is None:
            raise operation.error(
                NotFound,
                "it does not exist any more",
                remedy="Run `pulumi up --refresh`: it takes the station out of the state and creates it anew.",
            )
        if _overwritten(recorded, before, wanted):  # by the list, which may be behind
            before = self._directory.stations(recorded.id.dealer_id).get(operation, recorded.id.station_id) or before
        self._name_overwritten(recorded, before, wanted)
        station = self._writes.put_over(operation, recorded, before, wanted)
        return replace(self._writes.record_write(wanted, station), declared_by=wanted.declared_by)

    def delete(self, recorded: Recorded) -> None:
        """Delete the station; one that is gone already is a success.

        Where the record says `reassign_sites_to`, its sites are moved there first.

        Raises:
            SitesAttached: sites send their signals to it, or whether they do cannot be read.
            AccountTaken: a site cannot move, since one with its account number is there.
        """
        operation = self._client.operation(f"delete {recorded}")
        self._require_same_host(operation, recorded)
        if not self._claims.doom(recorded, operation):
            self._say(f"Keeping {recorded}: another resource of this program has it.")
            return
        reassign = self._reassign_target(recorded)
        recorded = replace(recorded, reassign_sites_to=reassign)
        is_guarded = self._settings.site_guard or reassign != ""
        self.sites.moves.close(recorded.id)
        moved = self.sites.reassign(operation, self._as_shown(operation, recorded)) if reassign else ""

        def admit() -> None:
            with self.sites.turn(operation, recorded.id.dealer_id):
                if moved:
                    self.sites.moves.require_there(operation, StationId(recorded.id.dealer_id, reassign))
                shown_now = self._as_shown(operation, recorded)
                if is_guarded:
                    self.sites.require_none(operation, shown_now)
                    self._directory.require_still_same_station(operation, recorded)

        try:
            self._delete(operation, recorded, admit)
        except ChektError as error:
            if not moved:
                raise
            raise error.replace(outcome=_after_moves(moved, error)) from None
        self._directory.stations(recorded.id.dealer_id).note_deleted(recorded)

    def _reassign_target(self, recorded: Recorded) -> str:
        """Where a station's sites go: what the program says now holds, but not what it says of another dealer's."""
        as_recorded = StationId(recorded.id.dealer_id, recorded.reassign_sites_to)
        by_resource = self._reassign_now.get(recorded.declared_by, as_recorded)
        target = self._reassign_now.get(recorded.id, by_resource)
        return (target if target.dealer_id == recorded.id.dealer_id else as_recorded).station_id

    def _as_shown(self, operation: Operation, recorded: Recorded) -> Recorded:
        """The record with the external id that CHeKT shows now: its sites may name it in that form."""
        live = self._directory.require_same_station(operation, recorded)
        return recorded.shown_as(live) if live else recorded

    def _delete(self, operation: Operation, recorded: Recorded, admit: Callable[[], None]) -> None:
        """Send the DELETE, and see it through. A 404 may come from a server that is behind: then it is sent once more.

        Raises:
            NotTaken: CHeKT shows the station all the same.
        """
        dealer_id, number = recorded.id.dealer_id, recorded.id.station_id
        for _ in range(2):
            try:
                if not self._client.delete_station(operation, dealer_id, number, str(uuid.uuid4()), admit):
                    self._wait_for_the_end(operation, recorded.id)
                return
            except NotFound:
                if not operation.changing:  # it is the list of the stations that says so: nothing was sent
                    raise
                operation.changed = True  # by an attempt whose answer was lost, or in spite of the answer
                live = self._shown_late(operation, recorded.id)
            if live is None:
                return
            require_same_station(operation, recorded, live)
        raise _still_shown(operation, "answered that it does not exist", BEHIND_SECONDS)

    def _wait_for_the_end(self, operation: Operation, station_id: StationId) -> None:
        """Look until a deletion is done for certain: CHeKT answers 404 by id, and the dealer still answers.

        Raises:
            NotTaken: it still shows the station after 30 s.
        """
        stations = self._directory.stations(station_id.dealer_id)
        began, seen = self._client.clock(), stations.latest
        while self._client.clock() - began <= DELETION_SECONDS:
            if stations.get(operation, station_id.station_id) is None:
                stations.look_again(operation, seen)  # which fails, loudly, where it is the dealer that does not exist
                return
            self._client.sleep(2)
        raise _still_shown(operation, "accepted the deletion", DELETION_SECONDS)

    def _adopts(self, wanted: StationInputs) -> bool:
        return wanted.adopt_existing or self._settings.adopt_existing

    def _live(self, operation: Operation, station_id: StationId, recorded: Recorded | None) -> Station | None:
        """The station as the list has it, else as it answers itself; None when it is gone for certain.

        Raises:
            OtherStation: the number belongs to another station than the recorded one.
        """
        stations, number = self._directory.stations(station_id.dealer_id), station_id.station_id
        look = stations.recent_look(operation)
        station = look.items.get(number)
        if station is None or (recorded and not shows_same(recorded, station)):  # a list may cut external ids short
            station = stations.get(operation, number)
        station = station or self._shown_late(operation, station_id)
        if station:
            if recorded:
                require_same_station(operation, recorded, station)
            look = stations.latest or look
            twins = called_in(look.items, station.external_monitoring_station_id)
            self._name_twins(station_id.dealer_id, twins)
        return station

    def _shown_late(self, operation: Operation, station_id: StationId) -> Station | None:
        """A station that CHeKT said does not exist, once it shows it all the same; None when it is gone for certain.

        Gone is what no list shows for as long as CHeKT may be behind, and no GET by id after that: new stations show
        late, and the age that CHeKT tells is no proof. A 404 is also the answer when the dealer is unknown or access
        to it was withdrawn: then a fresh list fails, loudly.
        """
        stations, number = self._directory.stations(station_id.dealer_id), station_id.station_id
        look = stations.look(operation)
        for _ in self._client.looks(operation):
            look = stations.look_again(operation, look)
            if number in look.items or stations.absent_for(number) >= BEHIND_SECONDS:
                break
        return look.items.get(number) or stations.get(operation, number)

    def _name_twins(self, dealer_id: str, found: list[Station]) -> None:
        """Say it where several stations share an external id."""
        if len(found) > 1:
            ids = ", ".join(str(StationId(dealer_id, twin.monitoring_station_id)) for twin in found)
            external_id = shown(found[0].external_monitoring_station_id)
            self._say(
                f"{len(found)} stations have the external id {external_id!r}: {ids}. "
                "Delete all but one of them in CHeKT's portal."
            )

    def _name_overwritten(self, recorded: Recorded, live: Station, wanted: StationInputs) -> None:
        for name in _overwritten(recorded, live, wanted):
            now = shown(str(value(live, name)))
            self._say(f"Overwriting {name} of {recorded}: somebody changed it to {now!r} since the last refresh.")

    def _require_same_host(self, operation: Operation, recorded: Recorded) -> None:
        require_same_host(operation.action, recorded.api_host, self._settings.api_host)


def _overwritten(recorded: Recorded, live: Station, wanted: StationInputs) -> list[str]:
    """The fields that are neither as the state has them nor as they are wanted."""
    return [
        name
        for name in UPDATED_IN_PLACE
        if value(live, name) not in (recorded.fields.get(name, ""), value(wanted, name))
    ]


def _after_moves(moved: str, error: ChektError) -> str:
    """What a deletion that failed has done: it moved sites, and then what the error says of the station."""
    nothing = error.outcome in (ChektError.default_outcome, "Nothing was deleted.")
    return f"{moved} {'The station was not deleted.' if nothing else error.outcome}"


def _still_shown(operation: Operation, answered: str, seconds: float) -> NotTaken:
    return operation.error(
        NotTaken,
        f"CHeKT {answered}, and still shows the station after {seconds:.0f} s",
        outcome="It may still be deleted.",
        remedy="Run again in a minute.",
    )


def _named(wanted: StationInputs) -> str:
    return f"monitoring station {shown(wanted.external_monitoring_station_id)!r} of dealer {wanted.dealer_id}"


def _each_once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Say each sentence once in a run: preview and check come by several times."""
    lock, said = threading.Lock(), set[str]()

    def say_once(sentence: str) -> None:
        with lock:
            known = sentence in said
            said.add(sentence)
        if not known:
            say(sentence)

    return say_once

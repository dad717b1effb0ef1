"""What creating, reading, updating and deleting a monitoring station means. Here live the safety rules.

    create   look first; never a second station; one that exists is adopted only where that was asked for (creation.py)
    read     gone only when two looks agree and the dealer itself still answers
    update   every field is sent; what others changed is named before it is overwritten; a field not taken is an error
    delete   already gone is success; refused while sites send their signals to the station, moved first where asked

Plain Python: nothing of Pulumi and nothing of HTTP, so that another shell can be put around it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation
from chekt_provider.claims import Claim, Claims
from chekt_provider.creation import Creation, adoption
from chekt_provider.directory import Directory
from chekt_provider.errors import ChektError, Evidence, NotFound
from chekt_provider.models import Station, StationInputs
from chekt_provider.records import UPDATED_IN_PLACE, Recorded, StationId, require_same_host, value
from chekt_provider.settings import Settings
from chekt_provider.sites import Sites
from chekt_provider.text import shown
from chekt_provider.writes import Writes

PREVIEW_SECONDS = 10.0
"""How long a preview may ask CHeKT for one thing."""


class StationOperations:
    """The four verbs, for all threads of one process.

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
        self._claims = Claims("another resource of this program has the same external id")
        self._adopted: set[StationId] = set()
        self._preview_failed = False

    def create(self, wanted: StationInputs) -> Recorded:
        """Make the station once, or adopt the one that has its external id where that was asked for.

        Raises:
            DeclaredTwice: another resource of this run has the same external id.
            StationExists, TwinStations: the external id is taken.
            ChektError: see errors.py.
        """
        operation = self._client.operation(f"create {_named(wanted)}")
        with self._claims.hold((wanted.dealer_id, wanted.external_monitoring_station_id), operation):
            creation = Creation(
                self._client,
                self._directory,
                self._writes,
                operation,
                wanted,
                adopt=self._adopts(wanted),
                say=self._say,
            )
            recorded = creation.run()
        if not creation.adopted:
            return recorded
        self._adopted.add(recorded.id)
        return replace(recorded, mark=str(uuid.uuid4()))

    def preview_creation(self, wanted: StationInputs) -> None:
        """Say what creating a station would adopt, where adopting was asked for. Best effort: it never fails."""
        if self._adopts(wanted):
            self._preview(f"preview the adoption of {_named(wanted)}", lambda op: self._preview_adoption(op, wanted))

    def _preview_adoption(self, operation: Operation, wanted: StationInputs) -> None:
        look = self._directory.look(operation, wanted.dealer_id)
        found = look.with_external_id(wanted.external_monitoring_station_id)
        self._name_twins(wanted.dealer_id, found)
        if len(found) == 1:
            self._say(adoption(found[0], wanted))

    def preview_replacement(self, recorded: Recorded) -> None:
        """Say which sites hang on a station that is about to be replaced. Best effort: it never fails."""
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

    def keep(self, recorded: Recorded) -> None:
        """Take note that a resource of this run goes on with its station. Sends nothing.

        Raises:
            DeclaredTwice: another resource of this run has adopted it, or is about to.
        """
        self._claims.keep(_claim(recorded), (recorded.id, recorded.mark), f"keep {recorded}")

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
            raise NotFound(
                "it does not exist",
                action=operation.action,
                evidence=Evidence(trace_id=operation.trace_id),
                remedy="Correct the id given to get().",
            )
        kept = recorded.asked.items() if recorded else ()
        asked = {name: sent for name, sent in kept if recorded and value(station, name) == recorded.fields[name]}
        live = self._writes.record(station_id.dealer_id, station, asked)
        if recorded is None:
            return live
        self._claims.refreshed((recorded.id, recorded.mark))
        return replace(live, mark=recorded.mark)

    def update(self, recorded: Recorded, wanted: StationInputs) -> Recorded:
        """Bring the station to the wanted values; nothing is sent where the record has them already.

        Raises:
            NotFound: the station is gone.
            NotTaken: CHeKT answered that it changed the station, and did not.
        """
        if all(recorded.answers(name, value(wanted, name)) for name in UPDATED_IN_PLACE):
            return recorded
        operation = self._client.operation(f"update {recorded}")
        self._require_same_host(operation, recorded)
        before = self._live(operation, recorded.id)
        if before is None:
            raise NotFound(
                "it does not exist any more",
                action=operation.action,
                evidence=Evidence(trace_id=operation.trace_id),
                remedy="Run `pulumi up --refresh`: it takes the station out of the state and creates it anew.",
            )
        self._name_overwritten(recorded, before, wanted)
        station = self._writes.put_over(operation, recorded.id, before, wanted)
        return replace(self._writes.record_write(wanted, station), mark=recorded.mark)

    def delete(self, recorded: Recorded) -> None:
        """Delete the station; one that is gone already is a success.

        Where the record says `reassign_sites_to`, its sites are moved there first.

        Raises:
            SitesAttached: sites send their signals to it, or whether they do cannot be read.
            AccountTaken: a site cannot move, since one with its account number is there.
        """
        operation = self._client.operation(f"delete {recorded}")
        self._require_same_host(operation, recorded)
        if recorded.id in self._adopted or self._claims.leave(_claim(recorded), (recorded.id, recorded.mark)):
            self._say(f"Keeping {recorded}: another resource of this program has it.")
            return
        self.sites.clear(operation, recorded, guard=self._settings.site_guard)
        try:
            key = str(uuid.uuid4())
            self._client.delete_station(operation, recorded.id.dealer_id, recorded.id.station_id, key)
        except NotFound as error:
            if self._second_look(operation, recorded.id) is not None:
                raise error.replace(remedy="Run again.") from None
        self._directory.note_deleted(recorded.id.dealer_id, recorded.id.station_id)
        self._claims.release(_claim(recorded))

    def _adopts(self, wanted: StationInputs) -> bool:
        return wanted.adopt_existing or self._settings.adopt_existing

    def _live(self, operation: Operation, station_id: StationId) -> Station | None:
        """The station as the list has it; None only when a second look agrees that it is gone."""
        look = self._directory.look(operation, station_id.dealer_id)
        station = look.stations.get(station_id.station_id) or self._second_look(operation, station_id)
        if station:
            self._name_twins(station_id.dealer_id, look.with_external_id(station.external_monitoring_station_id))
        return station

    def _name_twins(self, dealer_id: str, found: list[Station]) -> None:
        """Say it where several stations share an external id."""
        if len(found) > 1:
            ids = ", ".join(str(StationId(dealer_id, twin.monitoring_station_id)) for twin in found)
            external_id = shown(found[0].external_monitoring_station_id)
            self._say(
                f"{len(found)} stations have the external id {external_id!r}: {ids}. "
                "Delete all but one of them in CHeKT's portal."
            )

    def _second_look(self, operation: Operation, station_id: StationId) -> Station | None:
        """The station as it answers itself, else as a fresh list has it; None when both agree that it is gone.

        A list may be paged, and a 404 is also the answer when the dealer is unknown or access to it was withdrawn: then
        the fresh list fails, loudly.
        """
        seen = self._directory.latest(station_id.dealer_id)
        try:
            return self._client.get_station(operation, station_id.dealer_id, station_id.station_id)
        except NotFound:
            look = self._directory.look_again(operation, station_id.dealer_id, seen)
            return look.stations.get(station_id.station_id)

    def _name_overwritten(self, recorded: Recorded, live: Station, wanted: StationInputs) -> None:
        for name in UPDATED_IN_PLACE:
            now = value(live, name)
            if now not in (recorded.fields.get(name, ""), value(wanted, name)):
                self._say(
                    f"Overwriting {name} of {recorded}: somebody changed it to {shown(now)!r} since the last refresh."
                )

    def _require_same_host(self, operation: Operation, recorded: Recorded) -> None:
        require_same_host(operation.action, recorded.api_host, self._settings.api_host)


def _claim(recorded: Recorded) -> Claim:
    return (recorded.id.dealer_id, recorded.external_id)


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

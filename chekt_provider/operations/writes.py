"""PUT, and what is recorded of a write: shared by creation, adoption and update."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.errors import InvalidInput, NotTaken, Unclear
from chekt_provider.model.fields import Station, StationInputs, of_kind
from chekt_provider.model.ids import StationId
from chekt_provider.model.kinds import Text, Value
from chekt_provider.model.records import STATION_FIELDS, UPDATED_IN_PLACE, Recorded, value
from chekt_provider.operations.directory import Directory
from chekt_provider.operations.identity import not_taken
from chekt_provider.text import shown


class Writes:
    """PUTs stations, and records what came of it, for all threads of one run."""

    def __init__(self, client: Client, directory: Directory, api_host: str) -> None:
        self._client = client
        self._directory = directory
        self._api_host = api_host
        self._cleared_as: str | None = ""

    def put(self, operation: Operation, recorded: Recorded, wanted: StationInputs) -> Station:
        """PUT every field. Which form clears a field is not documented: "" first, null where CHeKT refuses "".

        Raises OtherStation where the number belongs to another station than the recorded one.
        """
        cleared_as = self._cleared_as  # another thread may learn better meanwhile
        try:
            return self._put_once(operation, recorded, wanted, cleared_as=cleared_as)
        except InvalidInput as error:
            cleared = [name for name in UPDATED_IN_PLACE if value(wanted, name) == ""]
            refused_blank = error.evidence.field in cleared or (cleared and not error.evidence.field)
            if cleared_as is None or not refused_blank:
                raise
            try:
                station = self._put_once(operation, recorded, wanted, cleared_as=None)
            except InvalidInput:
                raise error from None  # it was not about the form that clears
            self._cleared_as = None
            return station

    def _put_once(
        self, operation: Operation, recorded: Recorded, wanted: StationInputs, *, cleared_as: str | None
    ) -> Station:
        def admit() -> None:
            self._client.take_turn(operation)
            self._directory.require_same_station(operation, recorded)

        body = {name: _sent(wanted, name, cleared_as) for name in UPDATED_IN_PLACE}
        key = str(uuid.uuid4())  # random: with a derived key the change from A to B and back to A would be a replay
        dealer_id, number = recorded.id.dealer_id, recorded.id.station_id
        station = self._client.update_station(operation, dealer_id, number, body, key, admit)
        if station is None:
            station = self._shown(operation, recorded.id, wanted)
        self._directory.stations(dealer_id).note(number, station)
        return station

    def _shown(self, operation: Operation, station_id: StationId, wanted: StationInputs) -> Station:
        """The station as it answers itself, once it shows a PUT, or at last. Raises Unclear where it does not show."""
        stations = self._directory.stations(station_id.dealer_id)
        for _ in self._client.looks(operation):
            station = stations.get(operation, station_id.station_id)
            if station and not not_taken(station, wanted):
                break
        if station is None:
            raise operation.error(Unclear, "CHeKT answered that it changed it, and does not show it")
        return station

    def put_and_look(self, operation: Operation, recorded: Recorded, before: Station, wanted: StationInputs) -> Station:
        """PUT over a known station; where the answer does not show the change, look whether the station does."""
        station = self.put(operation, recorded, wanted)
        if not_taken(station, wanted, before):
            station = self._shown(operation, recorded.id, wanted)
            self._directory.stations(recorded.id.dealer_id).note(recorded.id.station_id, station)
        return station

    def put_over(self, operation: Operation, recorded: Recorded, before: Station, wanted: StationInputs) -> Station:
        """PUT over a known station. Raises NotTaken where CHeKT answered that it changed it, and did not."""
        station = self.put_and_look(operation, recorded, before, wanted)
        if kept := not_taken(station, wanted, before):
            held = ", ".join(f"{name}, which is still {shown(str(value(station, name)))!r}" for name in kept)
            raise operation.error(NotTaken, f"CHeKT did not take {held}")
        return station

    def record(self, dealer_id: str, station: Station, declared_as: Mapping[str, Value]) -> Recorded:
        """The record of a station; of `declared_as`, what the program has for its fields, only what differs."""
        fields = {name: value(station, name) for name in STATION_FIELDS}
        return Recorded(
            id=StationId(dealer_id, station.monitoring_station_id),
            fields={"dealer_id": dealer_id, **fields},
            created_at=station.created_at,
            api_host=self._api_host,
            declared_as={name: sent for name, sent in declared_as.items() if sent != fields[name]},
        )

    def record_write(self, wanted: StationInputs, station: Station) -> Recorded:
        """The record of a write, with both forms of the fields that CHeKT keeps in its own."""
        lost = not_taken(station, wanted)
        return self.record(wanted.dealer_id, station, {n: value(wanted, n) for n in STATION_FIELDS if n not in lost})


def _sent(wanted: StationInputs, name: str, cleared_as: str | None) -> Value | None:
    """A field as PUT sends it; only null can clear what is no text."""
    held = value(wanted, name)
    if held != "":
        return held
    return cleared_as if name in of_kind(StationInputs, Text) else None

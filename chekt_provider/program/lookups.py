"""Lookups: what a program asks CHeKT about stations that something else manages.

They run in the program's own process, in every preview too, with the credentials of the environment and the stack's
config (the environment wins). However many there are, on whatever threads, a run reads each dealer's list once.

As usual with Pulumi each has two forms: the plain one takes values and gives a value at once, the one whose name ends
in `_output` takes inputs and gives an output.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import pulumi
from pulumi import Input, Output
from pulumi.runtime.settings import get_monitor

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.api.transport import Transport
from chekt_provider.errors import ChektError, Evidence, NotFound, SettingsError, TwinStations
from chekt_provider.log import show_log
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.ids import StationId, id_digits
from chekt_provider.model.inputs import input_problems
from chekt_provider.model.records import STATION_FIELDS, value
from chekt_provider.operations.directory import Directory, Look, called_in
from chekt_provider.plugin.host import say
from chekt_provider.program.resources import MonitoringStationResult
from chekt_provider.program.stack_config import refuse_bad_config, stack_config
from chekt_provider.settings import DEBUG_VARIABLE, VARIABLES, Settings, read_settings
from chekt_provider.text import shown


def get_monitoring_station(
    *, external_monitoring_station_id: str, dealer_id: int | str | None = None
) -> MonitoringStationResult:
    """Look up the station of a dealer that has an external id.

    Args:
        external_monitoring_station_id: the external id; in another case, or with other blanks, where none has it
            exactly so.
        dealer_id: whose station it is. Default: CHEKT_DEALER_ID, else chekt:dealerId.

    Raises:
        pulumi.RunError: there is none, there are several, or CHeKT could not be asked; one line says which.
    """
    with _told_in_one_line():
        return _lookups().station(external_monitoring_station_id, dealer_id)


def get_monitoring_station_output(
    *, external_monitoring_station_id: Input[str], dealer_id: Input[int | str | None] = None
) -> Output[MonitoringStationResult]:
    """Look up a station as `get_monitoring_station` does, by inputs; unknown in a preview that does not know them."""
    return Output.all(external_monitoring_station_id, dealer_id).apply(
        lambda given: get_monitoring_station(external_monitoring_station_id=given[0], dealer_id=given[1])
    )


def list_monitoring_stations(*, dealer_id: int | str | None = None) -> list[MonitoringStationResult]:
    """List every station of a dealer, in CHeKT's order.

    Args:
        dealer_id: whose stations. Default: CHEKT_DEALER_ID, else chekt:dealerId.

    Raises:
        pulumi.RunError: CHeKT could not be asked, or refused; one line says why.
    """
    with _told_in_one_line():
        return _lookups().stations(dealer_id)


def list_monitoring_stations_output(
    *, dealer_id: Input[int | str | None] = None
) -> Output[list[MonitoringStationResult]]:
    """List stations as `list_monitoring_stations` does, by inputs; unknown in a preview that does not know them."""
    return Output.from_input(dealer_id).apply(lambda given: list_monitoring_stations(dealer_id=given))


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """Turn our errors into the one kind of error that Pulumi shows without a traceback."""
    try:
        yield
    except ChektError as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        raise pulumi.RunError(str(error)) from None


class Lookups:
    """The lookups of one run with the same settings: of each dealer one list, or one failure to get it.

    Args:
        client: the API.
        settings: of this run.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._directory = Directory(client)
        self._failures: dict[str, ChektError] = {}

    def station(self, external_id: str, dealer_id: int | str | None) -> MonitoringStationResult:
        """Give the one station of the dealer that has the external id. Raises ChektError."""
        given = {"external_monitoring_station_id": external_id}
        dealer = self._checked("look up a monitoring station", given, dealer_id)
        operation = self._client.operation(f"look up monitoring station {shown(external_id)!r} of dealer {dealer}")
        look = self._look(operation, dealer)
        found = called_in(look.items, external_id)
        evidence = Evidence(trace_id=look.trace_id)
        if len(found) > 1:
            ids = ", ".join(str(StationId(dealer, twin.monitoring_station_id)) for twin in found)
            cause = f"{len(found)} stations have this external id: {ids}"
            raise TwinStations(cause, action=operation.action, evidence=evidence)
        if not found:
            raise NotFound(
                "no station of this dealer has this external id",
                action=operation.action,
                evidence=evidence,
                remedy=f"Correct external_monitoring_station_id or dealer_id; `chekt stations --dealer {dealer}` "
                "lists what there is.",
            )
        return _result(dealer, found[0])

    def stations(self, dealer_id: int | str | None) -> list[MonitoringStationResult]:
        """Give every station of the dealer. Raises ChektError."""
        dealer = self._checked("list the monitoring stations of a dealer", {}, dealer_id)
        operation = self._client.operation(f"list the monitoring stations of dealer {dealer}")
        look = self._look(operation, dealer)
        return [_result(dealer, station) for station in look.items.values()]

    def _look(self, operation: Operation, dealer_id: str) -> Look[Station]:
        """The run's look at the dealer. A failure ends the run, so that those who come after it need not ask again."""
        if failure := self._failures.get(dealer_id):
            raise operation.shared(failure)
        try:
            return self._directory.stations(dealer_id).look(operation)
        except ChektError as error:
            self._failures.setdefault(dealer_id, error)
            raise

    def _checked(self, action: str, given: Mapping[str, object], dealer_id: int | str | None) -> str:
        """The dealer's id as digits. Raises SettingsError for what is wrong in the arguments or the settings."""
        dealer = (self._settings.dealer_id or None) if dealer_id is None else dealer_id
        not_asked = {"name", "external_monitoring_station_id"} - given.keys()
        problems = self._settings.problems or input_problems(StationInputs, {**given, "dealer_id": dealer}, not_asked)
        digits = id_digits(dealer)
        if problems or digits is None:
            raise SettingsError(" ".join(problems).rstrip("."), action=action, outcome="Nothing was sent.")
        return digits


def _result(dealer_id: str, station: Station) -> MonitoringStationResult:
    number = station.monitoring_station_id
    return MonitoringStationResult(
        id=str(StationId(dealer_id, number)),
        monitoring_station_id=int(number),
        dealer_id=dealer_id,
        created_at=station.created_at,
        **{name: value(station, name) for name in STATION_FIELDS},  # type: ignore[arg-type]
    )


_Source = tuple[tuple[str | None, str | None], ...]

_lock = threading.Lock()
_of_runs: WeakKeyDictionary[object, dict[_Source, Lookups]] = WeakKeyDictionary()
"""By a run's connection to the engine: one process may run several programs, one after the other or at once."""


def _lookups() -> Lookups:
    """Those of this run; new ones where no program is run, or where it changed the settings meanwhile."""
    refuse_bad_config()
    run = get_monitor()
    source = tuple((os.environ.get(variable), stack_config(key)) for key, variable in VARIABLES.items())
    with _lock:
        of_run = {} if run is None else _of_runs.setdefault(run, {})
        if source not in of_run:
            of_run[source] = _new_lookups()
        return of_run[source]


def _new_lookups() -> Lookups:
    settings = read_settings(stack_config, os.environ)
    show_log(settings.log_level)
    for note in settings.notes:
        say(note)
    return Lookups(Client(Transport(settings, say=say)), settings)

"""Reading a station: gone only for certain, and never because something else failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import ChektError, NotChekt, NotFound, PermissionDenied, ServerFailed, Unsafe
from chekt_provider.model.ids import StationId
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from tests.clock import Clock
from tests.helpers import COLLECTION, WAITING, anonymous, calls

NewRun = Callable[..., StationOperations]


def test_a_station_in_the_list_is_read_from_the_list(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """One list serves all reads; its other requests ask whether more comes after it."""
    assert stations.read(recorded.id, recorded) == recorded
    assert stations.read(recorded.id, recorded) == recorded
    assert calls(emulator) == ["GET /monitoring-stations"] * 3


def test_drift_is_what_the_list_says(emulator: Emulator, stations: StationOperations, recorded: Recorded) -> None:
    """Every field that somebody changed is read as it is now."""
    emulator.edit_station(1, name="Other", prefix="", linecard="8")

    live = stations.read(recorded.id, recorded)

    assert live is not None
    assert live.fields == {
        "dealer_id": "12345",
        "external_monitoring_station_id": "central-01",
        "name": "Other",
        "prefix": "",
        "linecard": "8",
    }


def test_a_removed_station_is_gone_after_sixteen_seconds(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, said: list[str], clock: Clock
) -> None:
    """List, the station itself, lists until CHeKT must show it, and itself again; an empty list is read twice."""
    emulator.remove_station(1)

    assert stations.read(recorded.id, recorded) is None

    empty, itself = ["GET /monitoring-stations"] * 2, "GET /monitoring-stations/1"
    assert calls(emulator) == [*empty, itself, *(empty * 5), itself]
    assert clock.slept == [1, 2, 4, 9]
    assert said == [WAITING]


def test_stations_that_are_gone_wait_once(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, clock: Clock
) -> None:
    """Neither the run's first look nor its latest shows them: the second one needs no sixteen seconds of its own."""
    emulator.remove_station(1)
    other = replace(recorded, id=StationId("12345", "2"))
    stations.read(recorded.id, recorded)
    emulator.clear_requests()

    assert stations.read(other.id, other) is None

    itself = "GET /monitoring-stations/2"
    assert calls(emulator) == [itself, *["GET /monitoring-stations"] * 2, itself]
    assert clock.slept == [1, 2, 4, 9]


def test_a_station_that_shows_after_a_while_is_not_gone(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, clock: Clock
) -> None:
    """A node that answers [] and 404 for some seconds loses nothing, however old the station is."""
    old = replace(recorded, created_at="2020-01-01T00:00:00.000Z")
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=200, body="[]", times=6))
    emulator.add_fault(Fault(method="GET", path=f"{COLLECTION}/1", status=404, times=1))

    assert stations.read(old.id, old) == recorded
    assert 9 not in clock.slept, "it ends as soon as a list shows the station"


def test_a_station_on_a_later_page_is_not_gone(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Absence on one page is not absence: a list that hides its pages is completed by asking for the station itself."""
    emulator.switches = Switches(lists="pages", page_size=1)
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=200, body="[]", times=1))

    assert stations.read(recorded.id, recorded) == recorded


@pytest.mark.parametrize("status", [403, 404])
def test_a_dealer_that_does_not_answer_leaves_the_state_alone(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, status: int
) -> None:
    """If every station of a dealer is 404 or 403, that is an error, and no station is gone."""
    if status == 403:
        emulator.withdraw_dealer(12345, status=403)
    else:
        emulator.withdraw_dealer(12345, status=404)

    with pytest.raises((PermissionDenied, NotFound)) as caught:
        stations.read(recorded.id, recorded)

    assert str(caught.value).startswith("Could not read monitoring station 'central-01' (12345/1): CHeKT refused: ")
    assert "Nothing was changed." in str(caught.value)


def test_an_empty_list_is_not_believed_at_once(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """One empty list and one 404 are not enough if the second list shows the station."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=200, body="[]"))
    emulator.add_fault(Fault(method="GET", path=f"{COLLECTION}/1", status=404))

    assert stations.read(recorded.id, recorded) == recorded


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(path=COLLECTION, status=503, times=None), ServerFailed),
        (Fault(path=COLLECTION, status=200, body="<html>", content_type="text/html"), NotChekt),
        (Fault(path=COLLECTION, status=200, body='{"stations": []}'), NotChekt),
        (Fault(path=COLLECTION, status=404, body="<html>", content_type="text/html"), NotChekt),
    ],
)
def test_an_outage_is_an_error_and_not_a_missing_station(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, fault: Fault, kind: type[ChektError]
) -> None:
    """A refresh never swallows a failure."""
    emulator.add_fault(fault)

    with pytest.raises(kind):
        stations.read(recorded.id, recorded)


def test_html_in_place_of_the_station_is_not_a_404(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A proxy's own 404 page says nothing about a station."""
    emulator.remove_station(1)
    emulator.add_fault(Fault(path=f"{COLLECTION}/1", status=404, body="<html>", content_type="text/html"))

    with pytest.raises(NotChekt):
        stations.read(recorded.id, recorded)


def test_a_station_that_is_managed_elsewhere_can_be_read_by_its_id_alone(
    stations: StationOperations, recorded: Recorded
) -> None:
    """`.get()` knows only the id."""
    assert stations.read(StationId("12345", "1"), None) == recorded


def test_a_station_that_get_does_not_find_is_an_error(stations: StationOperations, recorded: Recorded) -> None:
    """Otherwise Pulumi would go on with blank outputs."""
    with pytest.raises(NotFound) as caught:
        stations.read(StationId("12345", "77"), None)

    assert anonymous(str(caught.value)) == (
        "Could not read monitoring station 12345/77: it does not exist. Nothing was changed. "
        "Correct the id given to get(). (trace id T)"
    )


@pytest.mark.parametrize(
    "text",
    ["", "17", "12345/", "/17", "12345/17/4", "12345/../sites/5", "12345/5?x", "12345/1.0", "\uff11\uff12/3", "0/1"],
)
def test_a_hostile_id_never_reaches_a_path(text: str) -> None:
    """Only digits, a slash and digits are an id."""
    with pytest.raises(Unsafe) as caught:
        StationId.parse(text)

    assert str(caught.value) == (
        f"{text!r} is not the id of a monitoring station. Nothing was sent. "
        "Write dealer id and monitoring station id, such as 12345/17."
    )


def test_another_environment_is_not_read(emulator: Emulator, stations: StationOperations, recorded: Recorded) -> None:
    """The state of one API host is not compared with what another one holds."""
    elsewhere = Recorded(recorded.id, recorded.fields, recorded.created_at, "api.chekt.com")

    with pytest.raises(Unsafe) as caught:
        stations.read(elsewhere.id, elsewhere)

    assert anonymous(str(caught.value)) == (
        "Could not read monitoring station 'central-01' (12345/1): the state says that it is on api.chekt.com, but "
        "chekt:baseUrl (CHEKT_BASE_URL) is localhost. Nothing was sent. Select the stack that belongs to this "
        "environment, or correct chekt:baseUrl."
    )
    assert emulator.requests == []


def test_a_state_that_does_not_name_its_host_is_read(stations: StationOperations, recorded: Recorded) -> None:
    """It can only come from the configured one."""
    assert stations.read(recorded.id, Recorded(recorded.id, recorded.fields)) == recorded


def test_what_was_asked_is_remembered_only_while_chekt_keeps_its_form(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """CHeKT's own form of a value is no drift; a later change of it is."""
    kept = Recorded(recorded.id, recorded.fields, recorded.created_at, "localhost", {"name": " Central"})

    live = stations.read(kept.id, kept)
    assert live is not None
    assert live.declared_as == {"name": " Central"}


def test_drift_of_a_value_in_chekts_own_form_is_drift(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Once somebody changes the value, the requested form is forgotten."""
    kept = Recorded(recorded.id, recorded.fields, recorded.created_at, "localhost", {"name": " Central"})
    emulator.edit_station(1, name="Drifted")

    live = stations.read(kept.id, kept)
    assert live is not None
    assert live.declared_as == {}
    assert live.fields["name"] == "Drifted"

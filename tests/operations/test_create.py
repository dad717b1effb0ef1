"""Creating a station: look first, create once, and say what was found."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import (
    ChektError,
    Conflict,
    DeclaredTwice,
    InvalidInput,
    NotChekt,
    PermissionDenied,
    StationExists,
    TwinStations,
    Unclear,
)
from chekt_provider.operations.creation import creation_key
from chekt_provider.operations.stations import StationOperations
from tests.helpers import COLLECTION, EXISTS_REMEDY, anonymous, calls, central, held

NewRun = Callable[..., StationOperations]

OLD = (
    '{"monitoring_station_id": 99, "external_monitoring_station_id": "central-01", "name": "Central", '
    '"prefix": "CH", "linecard": "7", "created_at": "2020-01-01T00:00:00.000Z"}'
)
"""The answer to an earlier POST, of a station that is gone."""

AT_THAT_TIME = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
"""CHeKT's clock when it answers with a station that was created in that moment."""


def keys_of_posts(emulator: Emulator) -> list[str | None]:
    """The idempotency key of each POST so far."""
    return [r.idempotency_key for r in emulator.requests if r.method == "POST" and r.path == COLLECTION]


def refusal(field: str = "") -> str:
    """The body of a refusal that names a field, or none."""
    return f'{{"error": {{"code": "invalid", "message": "no", "field": "{field}", "request_id": "r-1"}}}}'


def test_a_creation_lists_once_and_posts_once(emulator: Emulator, stations: StationOperations, said: list[str]) -> None:
    """One look, a second because the first was empty, one POST, no confirmation, and nothing to tell."""
    recorded = stations.create(central())

    assert str(recorded.id) == "12345/1"
    assert recorded.fields == {
        "dealer_id": "12345",
        "external_monitoring_station_id": "central-01",
        "name": "Central",
        "prefix": "CH",
        "linecard": "7",
    }
    assert recorded.api_host == "localhost"
    assert calls(emulator) == ["GET /monitoring-stations"] * 2 + ["POST /monitoring-stations"]
    assert held(emulator) == [(1, "central-01", "Central", "CH", "7")]
    assert said == []


def test_a_new_station_is_in_the_list_of_the_run(emulator: Emulator, stations: StationOperations) -> None:
    """Reading it in the same run asks CHeKT nothing."""
    recorded = stations.create(central())
    emulator.clear_requests()

    assert stations.read(recorded.id, recorded) == recorded

    assert calls(emulator) == []


def test_an_empty_list_is_not_believed_at_once(emulator: Emulator, stations: StationOperations) -> None:
    """A list that comes empty once, by mistake, makes no second station."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Old")
    emulator.add_fault(Fault(method="GET", path=COLLECTION, body="[]"))

    with pytest.raises(StationExists):
        stations.create(central())

    assert not [call for call in calls(emulator) if not call.startswith("GET")]


def test_unset_fields_are_left_out_of_the_post(emulator: Emulator, stations: StationOperations) -> None:
    """An unset prefix is not sent: CHeKT does not document which form it takes for "unset"."""
    stations.create(central(prefix="", linecard=""))

    assert emulator.requests[-1].body == {"external_monitoring_station_id": "central-01", "name": "Central"}


def test_twenty_creations_share_one_look(emulator: Emulator, stations: StationOperations) -> None:
    """N creations for an empty dealer cost N POSTs and two lists, from several threads too."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: stations.create(central(external_monitoring_station_id=f"s-{n}")), range(20)))

    assert sorted(calls(emulator)) == ["GET /monitoring-stations"] * 2 + ["POST /monitoring-stations"] * 20
    assert len(held(emulator)) == 20


def test_an_existing_station_is_not_adopted_unasked(emulator: Emulator, stations: StationOperations) -> None:
    """The error names the id, the live values and the two ways out; nothing is written."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Old", prefix="OL")

    with pytest.raises(StationExists) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: it exists already as 12345/1, "
        "with name 'Old', prefix 'OL', linecard ''. Nothing was changed. "
        f"{EXISTS_REMEDY} (trace id T)"
    )
    assert str(emulator.requests[-1].trace_id) in str(caught.value), "of the request that showed the station"
    assert calls(emulator) == ["GET /monitoring-stations"] * 3, "a list and the questions for its rest: one look"
    assert held(emulator) == [(1, "central-01", "Old", "OL", "")]


def test_an_equal_station_is_adopted_without_a_write(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """If it already has the wanted values, adopting it sends only the look, and the run says so."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central", prefix="CH", linecard="7")

    recorded = stations.create(central(adopt_existing=True))

    assert str(recorded.id) == "12345/1"
    assert said == ["Adopting monitoring station 'central-01' (12345/1): nothing changes on it."]
    assert not [call for call in calls(emulator) if not call.startswith("GET")]


def test_a_different_station_is_adopted_with_one_put_and_its_old_values_are_told(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """The run says what the adopted station had before it overwrites it."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Old", linecard="7")

    stations.create(central(adopt_existing=True))

    assert said == [
        "Adopting monitoring station 'central-01' (12345/1): changing name from 'Old' to 'Central', prefix from '' to "
        "'CH'."
    ]
    assert [call for call in calls(emulator) if not call.startswith("GET")] == ["PUT /monitoring-stations/1"]
    assert held(emulator) == [(1, "central-01", "Central", "CH", "7")]


def test_twins_stop_everything(emulator: Emulator, stations: StationOperations) -> None:
    """Two stations with our external id: an error names both, even if adoption was asked for."""
    emulator.add_station(external_monitoring_station_id="central-01", name="One")
    emulator.add_station(external_monitoring_station_id="central-01", name="Two")

    with pytest.raises(TwinStations) as caught:
        stations.create(central(adopt_existing=True))

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: 2 stations have this external id already: "
        "12345/1, 12345/2. Nothing was changed. Delete all but one of them in CHeKT's portal, then run again. "
        "(trace id T)"
    )
    assert not [call for call in calls(emulator) if not call.startswith("GET")]


def test_two_resources_cannot_share_an_external_id(emulator: Emulator, stations: StationOperations) -> None:
    """The second one fails before its POST; adoption does not help it."""
    stations.create(central())

    with pytest.raises(DeclaredTwice) as caught:
        stations.create(central(adopt_existing=True))

    assert str(caught.value) == (
        "Could not create monitoring station 'central-01' of dealer 12345: another resource of this program has the "
        "same external id. Nothing was changed. Give each resource its own external_monitoring_station_id."
    )
    assert len(held(emulator)) == 1


def test_a_failed_creation_gives_its_external_id_back(emulator: Emulator, stations: StationOperations) -> None:
    """A refused creation does not block a later one of the same run."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=403))
    with pytest.raises(PermissionDenied):
        stations.create(central())

    assert str(stations.create(central()).id) == "12345/1"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(method="POST", path=COLLECTION, when="after", reset=True), id="reset"),
        pytest.param(Fault(method="POST", path=COLLECTION, when="after", status=502), id="502"),
        pytest.param(Fault(method="POST", path=COLLECTION, when="after", cut=10), id="cut"),
        pytest.param(
            Fault(method="POST", path=COLLECTION, when="after", status=200, body="<p>", content_type="text/html"),
            id="html",
        ),
        pytest.param(Fault(method="POST", path=COLLECTION, when="after", status=201, body=""), id="empty"),
        pytest.param(Fault(method="POST", path=COLLECTION, when="after", status=201, body="[]"), id="other shape"),
    ],
)
def test_a_stored_post_whose_answer_was_lost_is_found_by_a_list(
    emulator: Emulator, stations: StationOperations, fault: Fault
) -> None:
    """One POST, one more list, and the station that it made."""
    emulator.add_fault(fault)

    recorded = stations.create(central())

    assert str(recorded.id) == "12345/1"
    assert [call for call in calls(emulator) if call.startswith("POST")] == ["POST /monitoring-stations"]
    assert len(held(emulator)) == 1


def test_a_station_that_somebody_else_made_meanwhile_is_not_taken_for_ours(
    emulator: Emulator, stations: StationOperations
) -> None:
    """After a lost answer, a station with our external id is ours only if it has what was sent."""
    stations.create(central(external_monitoring_station_id="other"))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, reset=True))
    emulator.add_station(external_monitoring_station_id="central-01", name="Theirs")

    with pytest.raises(StationExists):
        stations.create(central())

    assert held(emulator)[1] == (2, "central-01", "Theirs", "", "")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(method="POST", path=COLLECTION, reset=True), id="reset"),
        pytest.param(Fault(method="POST", path=COLLECTION, status=503), id="503"),
    ],
)
def test_a_lost_post_is_sent_again_with_the_same_key_after_a_look(
    emulator: Emulator, stations: StationOperations, fault: Fault
) -> None:
    """Lists must show nothing until CHeKT must show it; only then does a second POST go, with the first one's key."""
    emulator.add_fault(fault)

    stations.create(central())

    empty = ["GET /monitoring-stations"] * 2
    assert calls(emulator) == [*empty, "POST /monitoring-stations", *empty * 5, "POST /monitoring-stations"]
    keys = [r.idempotency_key for r in emulator.requests if r.method == "POST" and r.path == COLLECTION]
    assert keys[0] == keys[1]
    assert len(held(emulator)) == 1


def test_a_post_that_got_lost_twice_keeps_its_key(emulator: Emulator, stations: StationOperations) -> None:
    """Only a stored 5xx needs a new key; without an answer the first key prevents a second station."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, reset=True, times=2))

    stations.create(central())

    assert keys_of_posts(emulator) == [creation_key(central())] * 3


def test_a_post_is_sent_three_times_at_most(emulator: Emulator, stations: StationOperations) -> None:
    """After three unclear answers and three lists without the station, the error says that it may still come."""
    emulator.add_fault(
        Fault(method="POST", path=COLLECTION, status=503, times=None, body="", content_type="text/plain")
    )

    with pytest.raises(Unclear) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT failed: without a reason, after 3 "
        "attempts. The dealer's list does not show the station, which may still come. Run `pulumi up` again: it names "
        "the station where it is there. (HTTP 503, trace id T)"
    )
    assert [call for call in calls(emulator) if call.startswith("POST")] == ["POST /monitoring-stations"] * 3
    keys = [r.idempotency_key for r in emulator.requests if r.method == "POST" and r.path == COLLECTION]
    assert len(set(keys)) == 1, (
        "a gateway's failure is stored under no key, and CHeKT may still be at work on the first"
    )


def test_no_second_post_without_a_look(emulator: Emulator, stations: StationOperations) -> None:
    """If looking fails too, the error says that the station may have been created."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, skip=2, status=403, times=None))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", reset=True))

    with pytest.raises(Unclear) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: the connection to 127.0.0.1 broke before "
        "the answer was complete. The station may have been created: looking for it failed too (CHeKT refused: "
        'forbidden, "a fault of the emulator"). Run `pulumi up` again: it names the station '
        "where it is there. (trace id T)"
    )
    assert [call for call in calls(emulator) if call.startswith("POST")] == ["POST /monitoring-stations"]


def test_a_list_that_is_no_list_stops_the_creation(emulator: Emulator, stations: StationOperations) -> None:
    """HTML from a proxy is not an empty list: no POST."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=200, body="<html>", content_type="text/html"))

    with pytest.raises(NotChekt):
        stations.create(central())

    assert calls(emulator) == ["GET /monitoring-stations"]


@pytest.mark.parametrize("duplicate", ["409", "400", "422"])
def test_a_station_that_appears_between_look_and_post_is_not_taken_for_ours(
    emulator: Emulator, stations: StationOperations, duplicate: str
) -> None:
    """CHeKT's refusal of the POST leads to a look, and the look to the rule of adoption."""
    emulator.switches = Switches.model_validate({"duplicate": duplicate})
    stations.create(central(external_monitoring_station_id="other"))
    emulator.add_station(external_monitoring_station_id="central-01", name="Theirs")

    with pytest.raises(StationExists):
        stations.create(central())

    assert len(held(emulator)) == 2


def test_an_equal_station_of_somebody_else_is_not_taken_for_ours(
    emulator: Emulator, stations: StationOperations
) -> None:
    """After a clear refusal our POST made nothing, so a station just like ours is not ours."""
    stations.create(central(external_monitoring_station_id="other"))
    emulator.add_station(external_monitoring_station_id="central-01", name="Central", prefix="CH", linecard="7")

    with pytest.raises(StationExists):
        stations.create(central())


def test_a_refusal_that_names_no_field_is_looked_into(emulator: Emulator, stations: StationOperations) -> None:
    """It may be about the external id: the look shows a station, or the error gives the refusal after one POST."""
    stations.create(central(external_monitoring_station_id="other"))
    emulator.clear_requests()
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=400, body=refusal(), times=2))

    with pytest.raises(InvalidInput) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT refused: invalid, \"no\". "
        "Nothing was created. Correct the input and run again. (HTTP 400, trace id T, request id R)"
    )
    assert calls(emulator) == ["POST /monitoring-stations"] + ["GET /monitoring-stations"] * 15, "five looks"

    emulator.add_station(external_monitoring_station_id="central-01", name="Theirs")
    with pytest.raises(StationExists):
        stations.create(central())


@pytest.mark.parametrize("status", [409, 503])
def test_only_a_refused_input_is_told_without_a_look(
    emulator: Emulator, stations: StationOperations, status: int
) -> None:
    """A conflict or a failure leads to a look, whatever field it names."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=status, body=refusal("name")))

    with contextlib.suppress(StationExists):  # what a conflict leads to
        stations.create(central())

    assert calls(emulator)[2:] == ["POST /monitoring-stations"] + ["GET /monitoring-stations"] * 3


@pytest.mark.parametrize("second", [409, 422])
def test_a_refusal_after_a_lost_answer_is_looked_into(
    emulator: Emulator, stations: StationOperations, second: int
) -> None:
    """The first POST made the station, but the first list after it did not show it yet: it is ours."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, skip=2, body="[]"))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", reset=True))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=second, body=refusal("name")))

    assert str(stations.create(central()).id) == "12345/1"


def test_a_look_that_fails_after_a_refusal_leaves_the_station_in_doubt(
    emulator: Emulator, stations: StationOperations
) -> None:
    """Only a look can tell that nothing was created."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, skip=2, status=403, times=None))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=409))

    with pytest.raises(Conflict) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT refused: conflict, \"a fault of the "
        'emulator". The station may have been created: looking for it failed too (CHeKT refused: forbidden, "a fault '
        'of the emulator"). Run `pulumi up` again: it names the station where it is there. '
        "(HTTP 409, trace id T, request id R)"
    )


def test_a_refused_field_is_told_at_once(emulator: Emulator, stations: StationOperations) -> None:
    """A 422 that names another field needs no look."""
    body = '{"error": {"code": "validation_failed", "message": "too odd", "field": "prefix", "request_id": "r-1"}}'
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=422, body=body))

    with pytest.raises(InvalidInput) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT refused: validation_failed, "
        '"too odd", field prefix. Nothing was changed. Correct the input and run again. '
        "(HTTP 422, trace id T, request id R)"
    )
    assert calls(emulator)[-1] == "POST /monitoring-stations"


def test_create_destroy_create_within_a_day_makes_a_living_station(emulator: Emulator, new_run: NewRun) -> None:
    """CHeKT replays the answer of the first POST for 24 hours, though its station is gone: a new key is used."""
    made = new_run().create(central())
    run = new_run()
    run.delete(made)

    recorded = run.create(central())

    assert str(recorded.id) == "12345/2"
    assert held(emulator) == [(2, "central-01", "Central", "CH", "7")]


@pytest.mark.parametrize("created_at", ["2999-01-01T00:00:00", "2999-01-01T00:00:00Z", "tomorrow", ""])
def test_an_answer_that_does_not_say_when_is_confirmed(
    emulator: Emulator, stations: StationOperations, created_at: str
) -> None:
    """Without a comparable date it may be a replay: one GET shows that the station lives."""
    undated = json.dumps({**json.loads(OLD), "monitoring_station_id": 1, "created_at": created_at})
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=201, body=undated))

    assert str(stations.create(central()).id) == "12345/1"

    assert calls(emulator)[-2:] == ["POST /monitoring-stations", "GET /monitoring-stations/1"]


def test_stations_that_were_deleted_are_not_answered_for_ever(emulator: Emulator, stations: StationOperations) -> None:
    """If random keys are replayed too, the creation ends after three POSTs, and says what it knows."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=201, body=OLD, times=None))

    with pytest.raises(Unclear) as caught:
        stations.create(central())

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT answers with 12345/99, which was "
        "deleted, after 3 attempts. Nothing was created: the dealer's list does not show the station. Run `pulumi up` "
        "again: it names the station where it is there. (trace id T)"
    )
    assert len(set(keys_of_posts(emulator))) == 3


def test_a_key_that_was_used_for_other_values_gives_way_to_another(emulator: Emulator, new_run: NewRun) -> None:
    """An earlier run made it under another name, and deleted it."""
    new_run().delete(new_run().create(central(name="Old")))
    emulator.clear_requests()

    recorded = new_run().create(central())

    used, other = keys_of_posts(emulator)
    assert used == creation_key(central()) != other
    assert held(emulator) == [(2, "central-01", "Central", "CH", "7")]
    assert str(recorded.id) == "12345/2"


def test_a_killed_run_is_found_by_the_next(emulator: Emulator, new_run: NewRun) -> None:
    """A station that was made but never recorded is named, and adopted on request."""
    new_run().create(central())

    with pytest.raises(StationExists):
        new_run().create(central())
    assert str(new_run().create(central(adopt_existing=True)).id) == "12345/1"
    assert len(held(emulator)) == 1


def test_a_field_that_a_creation_lost_is_put_again_and_then_named(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """CHeKT answered without the prefix: one PUT; if it is lost again, the run says so, and the record is true."""
    lost = (
        '{"monitoring_station_id": 1, "external_monitoring_station_id": "central-01", "name": "Central", '
        '"prefix": null, "linecard": "7", "created_at": "2026-01-01T00:00:00.000Z"}'
    )
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=201, body=lost, headers=AT_THAT_TIME))
    emulator.add_fault(Fault(method="PUT", when="after", status=200, body=lost))

    recorded = stations.create(central())

    assert recorded.fields["prefix"] == ""
    assert not recorded.answers("prefix", "CH"), "or the next preview would not show it"
    assert said == [
        "CHeKT created monitoring station 'central-01' (12345/1) but did not take prefix; the next preview shows it."
    ]
    assert [call for call in calls(emulator) if call.startswith("PUT")] == ["PUT /monitoring-stations/1"]


def test_a_creation_that_cannot_be_completed_is_recorded(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """The PUT of a lost field is refused: an error would lose the existing station, so a line tells it."""
    lost = (
        '{"monitoring_station_id": 1, "external_monitoring_station_id": "central-01", "name": "Central", '
        '"linecard": "7", "created_at": "2026-01-01T00:00:00.000Z"}'
    )
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=201, body=lost, headers=AT_THAT_TIME))
    emulator.add_fault(Fault(method="PUT", status=403))

    recorded = stations.create(central())

    assert (str(recorded.id), recorded.fields["prefix"]) == ("12345/1", "")
    assert said == [
        "CHeKT created monitoring station 'central-01' (12345/1) but did not take prefix (CHeKT refused: forbidden, "
        '"a fault of the emulator"); the next preview shows it.'
    ]


def test_a_value_that_chekt_keeps_in_its_own_form_is_recorded_as_both(
    emulator: Emulator, stations: StationOperations
) -> None:
    """CHeKT trims or folds a name: the state holds what it keeps and what was asked, so no update follows."""
    folded = (
        '{"monitoring_station_id": 1, "external_monitoring_station_id": "central-01", "name": "CENTRAL", '
        '"prefix": "CH", "linecard": "7", "created_at": "2026-01-01T00:00:00.000Z"}'
    )
    emulator.add_fault(
        Fault(method="POST", path=COLLECTION, when="after", status=201, body=folded, headers=AT_THAT_TIME)
    )

    recorded = stations.create(central())

    assert recorded.fields["name"] == "CENTRAL"
    assert recorded.declared_as == {"name": "Central"}
    assert recorded.answers("name", "Central")
    assert not recorded.answers("name", "Zentrale")


def test_the_key_of_a_creation_is_the_same_in_every_process() -> None:
    """A later run, and a later version, recognises a crashed run's POST: the key is fixed forever."""
    mine = central(declared_by="acme/alarms/dev/central")

    assert creation_key(mine) == "1ec13ca3-ba19-5dc1-a968-42c191b0aa67"
    for changes in (
        {"declared_by": "acme/alarms/prod/central"},
        {"dealer_id": "12346"},
        {"external_monitoring_station_id": "central-02"},
    ):
        assert creation_key(mine.model_copy(update=changes)) != "1ec13ca3-ba19-5dc1-a968-42c191b0aa67"
    assert creation_key(mine.model_copy(update={"name": "New"})) == "1ec13ca3-ba19-5dc1-a968-42c191b0aa67"


def test_every_call_of_a_creation_carries_one_trace_id(emulator: Emulator, stations: StationOperations) -> None:
    """It is a UUID of the operation's own."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=503))

    stations.create(central())

    traces = {r.trace_id for r in emulator.requests if r.path == COLLECTION}
    assert len(traces) == 1
    assert uuid.UUID(str(traces.pop()))


def test_an_error_never_holds_the_secret(emulator: Emulator, stations: StationOperations) -> None:
    """Neither the secret nor the token is in an error's text or representation."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=403))

    with pytest.raises(ChektError) as caught:
        stations.create(central())

    shown = f"{caught.value}{caught.value!r}{vars(caught.value)}{vars(stations)}"
    assert "emulator-secret" not in shown
    assert "Bearer" not in shown

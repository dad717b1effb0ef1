"""Updating a station: every field is sent, others' changes are named, what CHeKT did not take is an error."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import InvalidInput, NotFound, NotTaken, PermissionDenied, ServerFailed, WrongEnvironment
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from tests.helpers import NO_ACCESS, anonymous, calls, central, held

NewRun = Callable[..., StationOperations]
ITEM = "/partner/v1/dealers/12345/monitoring-stations/1"


@pytest.mark.parametrize("put", ["merge", "replace"])
@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"name": "Zentrale"}, (1, "central-01", "Zentrale", "CH", "7")),
        ({"prefix": "ZE"}, (1, "central-01", "Central", "ZE", "7")),
        ({"linecard": "9"}, (1, "central-01", "Central", "CH", "9")),
        ({"prefix": ""}, (1, "central-01", "Central", "", "7")),
        ({"linecard": ""}, (1, "central-01", "Central", "CH", "")),
    ],
)
def test_each_field_is_changed_or_cleared_alone(
    emulator: Emulator,
    stations: StationOperations,
    recorded: Recorded,
    put: str,
    change: dict[str, str],
    after: tuple[int, str, str, str, str],
) -> None:
    """Whether PUT merges or replaces, the other fields stay."""
    emulator.switches = Switches.model_validate({"put": put})

    updated = stations.update(recorded, central(**change))

    assert held(emulator) == [after]
    assert tuple(updated.fields[name] for name in ("name", "prefix", "linecard")) == after[2:]


def test_nothing_is_sent_when_nothing_differs(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """State that came from elsewhere is taken over without a call."""
    assert stations.update(recorded, central()) == recorded
    assert emulator.requests == []


def test_one_put_that_fails_is_no_outage(emulator: Emulator, stations: StationOperations, recorded: Recorded) -> None:
    """Everything else is answered: the line does not say that no call gets through."""
    emulator.add_fault(Fault(method="PUT", path="*", status=503, times=None))

    with pytest.raises(ServerFailed) as caught:
        stations.update(recorded, central(name="Zentrale"))

    assert caught.value.cause == 'CHeKT failed: service_unavailable, "a fault of the emulator", 5 times'


def test_ten_updates_cost_one_look_and_ten_puts(emulator: Emulator, new_run: NewRun) -> None:
    """The look is shared; its other requests ask whether more comes after it."""
    first = new_run()
    before = [first.create(central(external_monitoring_station_id=f"s-{n}")) for n in range(10)]
    emulator.clear_requests()
    run = new_run()

    for n, recorded in enumerate(before):
        run.update(recorded, central(external_monitoring_station_id=f"s-{n}", name="New"))

    assert calls(emulator) == ["GET /monitoring-stations"] * 3 + [f"PUT /monitoring-stations/{n}" for n in range(1, 11)]


def test_a_field_is_cleared_with_null_where_a_blank_is_refused(emulator: Emulator, new_run: NewRun) -> None:
    """After CHeKT refused "", the run goes on with null."""
    emulator.switches = Switches(clear="null")
    run = new_run()
    first, second = (run.create(central(external_monitoring_station_id=f"s-{n}")) for n in range(2))
    emulator.clear_requests()

    run.update(first, central(external_monitoring_station_id="s-0", prefix=""))
    run.update(second, central(external_monitoring_station_id="s-1", prefix=""))

    bodies = [(r.body["prefix"], r.status) for r in emulator.requests if r.method == "PUT"]
    assert bodies == [("", 422), (None, 200), (None, 200)]
    assert [station[3] for station in held(emulator)] == ["", ""]


def test_a_blank_refused_without_naming_the_field_is_tried_as_null_too(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A bare 400 to a PUT with a blank may be about the blank."""
    emulator.switches = Switches(clear="null")
    emulator.add_fault(Fault(method="PUT", status=400, body=""))

    stations.update(recorded, central(prefix=""))

    assert [r.body["prefix"] for r in emulator.requests if r.method == "PUT"] == ["", None]


def test_once_null_is_known_to_clear_a_refusal_is_told_at_once(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """There is no third form to try."""
    emulator.switches = Switches(clear="null")
    cleared = stations.update(recorded, central(prefix=""))
    emulator.clear_requests()
    emulator.add_fault(Fault(method="PUT", status=400, body=""))

    with pytest.raises(InvalidInput):
        stations.update(cleared, central(prefix="", linecard=""))

    assert calls(emulator) == ["PUT /monitoring-stations/1"]


def test_an_update_is_in_the_list_of_the_run(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Reading the station in the same run gives the new values, and asks CHeKT nothing."""
    updated = stations.update(recorded, central(name="New"))
    emulator.clear_requests()

    assert stations.read(updated.id, updated) == updated

    assert calls(emulator) == []


def test_threads_that_learn_at_once_which_form_clears_all_succeed(emulator: Emulator, new_run: NewRun) -> None:
    """A refusal that comes after another thread has learnt about null is still about the blank."""
    emulator.switches = Switches(clear="null")
    run = new_run()
    recorded = [run.create(central(external_monitoring_station_id=f"s-{n}")) for n in range(8)]
    emulator.add_fault(Fault(method="PUT", times=4, delay=0.05))

    def clear(n: int) -> None:
        run.update(recorded[n], central(external_monitoring_station_id=f"s-{n}", prefix=""))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clear, range(8)))

    assert [station[3] for station in held(emulator)] == [""] * 8


def test_when_neither_form_clears_the_first_refusal_is_told(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A bare 400 that was about something else keeps its text."""
    emulator.add_fault(Fault(method="PUT", status=400, body='"computer says no"'))

    with pytest.raises(InvalidInput) as caught:
        stations.update(recorded, central(prefix=""))

    assert anonymous(str(caught.value)) == (
        'Could not update monitoring station \'central-01\' (12345/1): CHeKT refused: ""computer says no"". Nothing '
        "was changed. Correct the input and run again. (HTTP 400, trace id T)"
    )


def test_a_refusal_of_another_field_is_not_about_the_blank(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """The error names the field; no second PUT."""
    body = '{"error": {"code": "validation_failed", "message": "too odd", "field": "name"}}'
    emulator.add_fault(Fault(method="PUT", status=422, body=body))

    with pytest.raises(InvalidInput) as caught:
        stations.update(recorded, central(name="Odd", prefix=""))

    assert anonymous(str(caught.value)) == (
        "Could not update monitoring station 'central-01' (12345/1): CHeKT refused: validation_failed, \"too odd\", "
        "field name. Nothing was changed. Correct the input and run again. (HTTP 422, trace id T)"
    )
    assert [call for call in calls(emulator) if call.startswith("PUT")] == ["PUT /monitoring-stations/1"]


def test_what_somebody_else_changed_is_named_before_it_is_overwritten(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, said: list[str]
) -> None:
    """It names only fields that differ from both the state and the wanted value."""
    emulator.edit_station(1, name="Zentrale", prefix="XX")

    stations.update(recorded, central(name="Zentrale", linecard="8"))

    assert said == [
        "Overwriting prefix of monitoring station 'central-01' (12345/1): "
        "somebody changed it to 'XX' since the last refresh."
    ]
    assert held(emulator) == [(1, "central-01", "Zentrale", "CH", "8")]


def test_a_vanished_station_is_not_updated(emulator: Emulator, stations: StationOperations, recorded: Recorded) -> None:
    """The error says how it comes back."""
    emulator.remove_station(1)

    with pytest.raises(NotFound) as caught:
        stations.update(recorded, central(name="New"))

    assert anonymous(str(caught.value)) == (
        "Could not update monitoring station 'central-01' (12345/1): it does not exist any more. Nothing was changed. "
        "Run `pulumi up --refresh`: it takes the station out of the state and creates it anew. (trace id T)"
    )


def test_a_field_that_was_not_taken_is_an_error(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A 200 that left the prefix as it was is not a success."""
    body = (
        '{"monitoring_station_id": 1, "external_monitoring_station_id": "central-01", "name": "New", "prefix": "CH", '
        '"linecard": "7", "created_at": "2026-01-01T00:00:00.000Z"}'
    )
    emulator.edit_station(1, name="New")
    emulator.add_fault(Fault(method="PUT", status=200, body=body))

    with pytest.raises(NotTaken) as caught:
        stations.update(recorded, central(name="New", prefix=""))

    assert anonymous(str(caught.value)) == (
        "Could not update monitoring station 'central-01' (12345/1): CHeKT did not take prefix, which is still 'CH'. "
        "The rest of the change was made. Run `pulumi up --refresh` to see what CHeKT holds, and give the trace id to "
        "CHeKT's support. (trace id T)"
    )


def test_a_name_back_to_its_first_value_within_a_day_takes_effect(emulator: Emulator, new_run: NewRun) -> None:
    """A, B, A: with a derived key the third PUT would be a replay of the first; the key is random."""
    run = new_run()
    recorded = run.create(central(name="A"))

    for name in ("B", "A", "B"):
        recorded = run.update(recorded, central(name=name))

    assert held(emulator)[0][2] == "B"
    keys = [r.idempotency_key for r in emulator.requests if r.method == "PUT"]
    assert len(set(keys)) == 3


def test_a_put_whose_answer_was_lost_is_repeated_with_its_key(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A PUT is safe to repeat; all its attempts have the same key."""
    emulator.add_fault(Fault(method="PUT", path=ITEM, when="after", reset=True))

    stations.update(recorded, central(name="New"))

    puts = [r for r in emulator.requests if r.method == "PUT"]
    assert len(puts) == 2
    assert puts[0].idempotency_key == puts[1].idempotency_key
    assert held(emulator)[0][2] == "New"


def test_an_update_that_stays_unclear_says_so(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """After five attempts the error says that nobody knows, and how to find out."""
    emulator.add_fault(Fault(method="PUT", status=503, times=None, body=""))

    with pytest.raises(ServerFailed) as caught:
        stations.update(recorded, central(name="New"))

    assert anonymous(str(caught.value)) == (
        "Could not update monitoring station 'central-01' (12345/1): CHeKT failed: without a reason, 5 times. "
        "Whether the change was made is not known. Run `pulumi up --refresh`: it looks at what is there before it "
        "changes anything. (HTTP 503, trace id T)"
    )


def test_a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_changed(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """The first PUT was stored and its answer lost; its repeat is refused."""
    emulator.add_fault(Fault(method="PUT", when="after", reset=True))
    emulator.add_fault(Fault(method="PUT", status=403, body=""))

    with pytest.raises(PermissionDenied) as caught:
        stations.update(recorded, central(name="New"))

    assert anonymous(str(caught.value)) == (
        "Could not update monitoring station 'central-01' (12345/1): CHeKT refused: without a reason, 2 times. "
        "Whether the change was made is not known. "
        f"{NO_ACCESS} (HTTP 403, trace id T)"
    )
    assert held(emulator)[0][2] == "New"


def test_another_environment_is_not_updated(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Nothing is sent to a host that the state does not belong to."""
    elsewhere = Recorded(recorded.id, recorded.fields, recorded.created_at, "api.chekt.com")

    with pytest.raises(WrongEnvironment):
        stations.update(elsewhere, central(name="New"))

    assert emulator.requests == []

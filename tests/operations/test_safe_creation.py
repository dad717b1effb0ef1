"""One station for each declaration, whatever CHeKT does: lags, clocks, forms, answers, second stacks."""

from __future__ import annotations

from typing import Any

import pytest

from chekt_provider.emulator import Fault, Switches
from chekt_provider.errors import ChektError, Conflict, ListIncomplete, StationExists, TwinStations, Unclear
from tests.helpers import COLLECTION, EXISTS_REMEDY, WAITING, anonymous, held
from tests.safe_world import STACK, World


def others(world: World) -> None:
    """Two stations of somebody else, so that lists are not empty."""
    for name in ("x", "y"):
        world.emulator.add_station(external_monitoring_station_id=name, name=name)
    world.clock.now += 3600


AGES = [
    pytest.param({"created_at": "naive"}, id="no zone"),
    pytest.param({"created_at": "absent"}, id="no created_at"),
    pytest.param({"date_header": "absent"}, id="no Date"),
    pytest.param({"database_clock": -1}, id="a second behind"),
    pytest.param({"database_clock": -3}, id="three seconds behind"),
    pytest.param({"database_clock": -45}, id="45 seconds behind"),
    pytest.param({"database_clock": 3}, id="three seconds ahead"),
]
DUPLICATES = ["twin", "409", "400", "422"]


@pytest.mark.parametrize("duplicate", DUPLICATES)
@pytest.mark.parametrize("age", AGES)
def test_a_201_that_no_read_shows_yet_is_one_station(world: World, age: dict[str, Any], duplicate: str) -> None:
    """Lists and GET are two seconds behind, and its age is unknown or wrong: one POST, one station, recorded."""
    others(world)
    world.emulator.switches = Switches.model_validate({"list_lag": 2, "item_lag": 2, "duplicate": duplicate, **age})

    recorded = world.up()

    assert len(world.posts()) == 1
    assert world.numbers == [1, 2, int(recorded.id.station_id)]


@pytest.mark.parametrize("age", AGES)
def test_nothing_untrue_is_said_of_a_new_station(world: World, age: dict[str, Any]) -> None:
    """If a server tells no age, or its clock differs, nobody says that it had the station before."""
    world.emulator.switches = Switches(**age)

    world.up()

    assert world.said == []


def test_a_station_of_unknown_age_that_never_shows_is_recorded_and_told(world: World) -> None:
    """An error would lose it."""
    world.emulator.switches = Switches(list_lag=60, item_lag=60, created_at="absent")

    assert str(world.up().id) == "12345/1"

    assert world.said == [
        WAITING,
        "CHeKT answered that it created monitoring station 12345/1, but CHeKT does not show it yet: "
        "run `pulumi up --refresh` in a minute.",
    ]


def test_a_new_station_that_cannot_be_read_is_recorded_and_told(world: World) -> None:
    """Its age is unknown, and GET by id is refused: an error would lose it."""
    world.emulator.switches = Switches(created_at="absent")
    world.emulator.add_fault(Fault(method="GET", path=f"{COLLECTION}/1", status=403, times=None))

    assert str(world.up().id) == "12345/1"

    assert world.said == [
        "CHeKT answered that it created monitoring station 12345/1, but whether it is there cannot be read (CHeKT "
        'refused: forbidden, "a fault of the emulator"): run `pulumi up --refresh` in a minute.'
    ]


@pytest.mark.parametrize("marked", ["unmarked", "marked"])
@pytest.mark.parametrize("pause", [3, 30, 3600])
def test_a_station_can_be_made_again_after_it_was_deleted(world: World, pause: float, marked: str) -> None:
    """CHeKT replays the first answer, of a station that is gone: the second POST has its own key."""
    world.emulator.switches = Switches.model_validate({"replays": marked})
    first = world.up()
    world.process().stations.delete(first)
    world.clock.now += pause
    world.emulator.clear_requests()

    second = world.up()

    assert str(second.id) == "12345/2"
    assert world.numbers == [2]
    assert len(set(world.posts())) == 2
    assert world.said == [WAITING]


def test_a_station_that_this_run_deleted_is_not_taken_for_a_new_one(world: World) -> None:
    """It was deleted and made again in one process, within a second."""
    made = world.up()
    run = world.process()
    run.stations.delete(made)

    assert str(world.up(run).id) == "12345/2"


def test_a_number_that_is_given_again_is_a_new_station(world: World) -> None:
    """Its created_at differs from that of the station that this run deleted."""
    world.emulator.switches = Switches(numbers="again")
    other = world.up(external_monitoring_station_id="other")
    run = world.process()
    run.stations.delete(other)
    world.clock.now += 1

    assert str(world.up(run).id) == "12345/1"
    assert world.numbers == [1]


def test_a_replay_whose_number_is_another_s_now_is_not_taken(world: World) -> None:
    """A backup was restored: CHeKT's earlier answer to the key is about another station."""
    world.up()
    world.emulator.put_station(1, external_monitoring_station_id="shop-77", name="Shop")
    world.clock.now += 600

    assert str(world.up().id) == "12345/2"


def test_a_replay_of_a_station_that_lives_is_recorded_as_it_is_now(world: World) -> None:
    """Somebody renamed it since a killed run made it, and the list does not show it yet."""
    world.up()
    world.emulator.edit_station(1, name="Renamed")
    world.clock.now += 600
    world.emulator.add_fault(Fault(method="GET", path=COLLECTION, body="[]", times=2))

    recorded = world.up()

    assert str(recorded.id) == "12345/1"
    assert world.said[0] == "Taking monitoring station 'central-01' (12345/1), which CHeKT dates before this run."
    assert [station[2] for station in held(world.emulator)] == ["Central"]


def test_an_answer_about_another_station_is_not_taken_for_ours(world: World) -> None:
    """A gateway mixed up two answers: the run looks for the station that was made."""
    others(world)
    body = '{"monitoring_station_id": 1, "external_monitoring_station_id": "x", "name": "x"}'
    world.fault(when="after", status=201, body=body)

    assert str(world.up().id) == "12345/3"
    assert len(world.posts()) == 1


UNCLEAR: list[dict[str, Any]] = [
    {"reset": True},
    {"status": 401},
    {"status": 408},
    {"status": 425},
    {"status": 429},
    {"status": 429, "headers": {"Retry-After": "3"}},
    {"status": 500},
    {"status": 502},
    {"status": 503},
    {"status": 504},
    {"status": 200, "body": "<p>", "content_type": "text/html"},
    {"status": 200, "body": '{"error": {"code": "internal"}}'},
    {"cut": 10},
    {"status": 201, "body": ""},
]


@pytest.mark.parametrize("idempotency", ["kept", "ignored"])
@pytest.mark.parametrize("lag", [0, 2, 15])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("what", UNCLEAR, ids=lambda what: "-".join(str(value) for value in what.values())[:20])
def test_a_post_that_was_stored_is_never_sent_again(
    world: World, what: dict[str, Any], times: int, lag: float, idempotency: str
) -> None:
    """Whatever the answer, and however late the list shows it: looks come before every second POST."""
    others(world)
    world.emulator.switches = Switches.model_validate(
        {"list_lag": lag, "item_lag": lag, "duplicate": "twin", "idempotency": idempotency}
    )
    world.fault(when="after", times=times, **what)

    recorded = world.up()

    assert len(world.posts()) == 1
    assert world.numbers == [1, 2, 3]
    assert str(recorded.id) == "12345/3"


@pytest.mark.parametrize("answer", ["location", "accepted"])
@pytest.mark.parametrize("lag", [0, 2, 15])
def test_an_answer_without_the_station_is_looked_up(world: World, answer: str, lag: float) -> None:
    """201 with only a Location, 202 with nothing: one POST."""
    others(world)
    world.emulator.switches = Switches.model_validate(
        {"post_answer": answer, "duplicate": "twin", "idempotency": "ignored", "list_lag": lag, "item_lag": lag}
    )

    assert str(world.up().id) == "12345/3"
    assert len(world.posts()) == 1


def test_an_answer_without_the_station_may_be_a_replay(world: World) -> None:
    """Made, deleted, made again: the first key gets its old answer, and that makes nothing."""
    world.emulator.switches = Switches(post_answer="location")
    world.process().stations.delete(world.up())
    world.clock.now += 30

    assert str(world.up().id) == "12345/2"


def test_what_was_only_accepted_gets_another_key_after_a_minute(world: World) -> None:
    """It may be a replay; if it is not, another key would make a second station when the first one comes."""
    world.emulator.switches = Switches(post_answer="accepted")
    world.process().stations.delete(world.up())
    world.clock.now += 30

    began = world.clock.now

    assert str(world.up().id) == "12345/2"
    assert world.clock.now - began >= 60
    assert len(set(world.posts())) == 2


@pytest.mark.parametrize(
    "kept",
    [
        {"values": "capitals"},
        {"values": "cut"},
        {"external_ids": "folded"},
        {"external_ids": "folded", "values": "capitals"},
    ],
    ids=str,
)
@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("clock", [0, -3])
def test_our_own_station_is_recognised_in_chekt_s_form(
    world: World, kept: dict[str, Any], lost: bool, clock: float
) -> None:
    """Other case, cut to length: with and without a lost answer it is ours, and is no change in the next run."""
    world.emulator.switches = Switches(database_clock=clock, **kept)
    if lost:
        world.fault(when="after", reset=True)
    wanted: dict[str, Any] = {"external_monitoring_station_id": "Central-01", "name": "Central Station", "prefix": "ch"}

    recorded = world.up(**wanted)

    assert len(world.posts()) == 1
    assert world.said == []
    assert all(recorded.answers(name, value) for name, value in wanted.items())


def test_a_station_in_another_form_of_the_external_id_is_not_made_twice(world: World) -> None:
    """A killed run made it, and CHeKT keeps its external id in lower case: the next run names it."""
    world.emulator.switches = Switches(external_ids="folded", duplicate="twin", idempotency="ignored")
    world.up(external_monitoring_station_id="Central-01")

    with pytest.raises(StationExists) as caught:
        world.up(external_monitoring_station_id="Central-01")

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'Central-01' of dealer 12345: it exists already as 12345/1, with external "
        "id 'central-01', name 'Central', prefix 'CH', linecard '7'. Nothing was changed. "
        f"{EXISTS_REMEDY} (trace id T)"
    )


def test_two_stacks_never_share_a_key(world: World) -> None:
    """Other resource names, dealers or external ids do not share one either; a repeated run of one resource does."""
    world.fault(times=None, status=403)
    changed: list[dict[str, Any]] = [
        {},
        {},
        {"declared_by": "acme/alarms/prod/central"},
        {"external_monitoring_station_id": "central-02"},
    ]
    for changes in changed:
        with pytest.raises(ChektError):
            world.up(**changes)

    keys = world.posts()
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.parametrize("duplicate", ["409", "400", "422"])
@pytest.mark.parametrize("lag", [0, 2])
def test_of_two_stacks_that_create_at_once_one_owns_the_station(world: World, duplicate: str, lag: float) -> None:
    """Both looked before either made it; the second one learns that it exists."""
    others(world)
    world.emulator.switches = Switches.model_validate({"duplicate": duplicate, "list_lag": lag, "item_lag": lag})
    first, second = world.process(), world.process()
    for run in (first, second):
        run.stations._directory.stations("12345").look(run.stations._client.operation("look"))

    assert str(world.up(first).id) == "12345/3"
    with pytest.raises(StationExists):
        world.up(second, declared_by="acme/alarms/prod/central")

    assert world.numbers == [1, 2, 3]


def test_twins_of_two_stacks_are_named_at_every_look(world: World) -> None:
    """Where CHeKT takes an external id twice there are two stations, and every look names them."""
    world.emulator.switches = Switches(duplicate="twin")
    first, second = world.process(), world.process()
    for run in (first, second):
        run.stations._directory.stations("12345").look(run.stations._client.operation("look"))
    recorded = world.up(first)
    world.up(second, declared_by="acme/alarms/prod/central")
    world.said.clear()

    world.process().stations.read(recorded.id, recorded)

    assert world.said == [
        "2 stations have the external id 'central-01': 12345/1, 12345/2. Delete all but one of them in CHeKT's portal."
    ]
    assert world.numbers == [1, 2]


@pytest.mark.parametrize(("times", "keys"), [(1, 1), (2, 2)])
def test_a_409_that_stays_and_cannot_be_read_gets_another_key(world: World, times: int, keys: int) -> None:
    """The external id is free in a complete list, so it is about the key: once more with it, then with another."""
    others(world)
    world.fault(status=409, body="conflict", content_type="text/plain", times=times)

    assert str(world.up().id) == "12345/3"
    assert len(set(world.posts())) == keys


def test_a_409_of_an_external_id_that_never_shows_is_told(world: World) -> None:
    """It can be read, and says what it is about; another key would not help."""
    others(world)
    world.fault(status=409, body='{"error": {"code": "conflict", "message": "in use", "request_id": "r-1"}}')

    with pytest.raises(Conflict) as caught:
        world.up()

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT refused: conflict, \"in use\". "
        "CHeKT lists no such station yet, but an earlier attempt may still make it. Run `pulumi up` again in a minute; "
        "if it stays so, give the trace id to CHeKT's support. (HTTP 409, trace id T, request id R)"
    )
    assert len(world.posts()) == 1


def test_three_answers_of_three_kinds_end_in_a_true_sentence(world: World) -> None:
    """409 idempotency_conflict, then 500 twice: it says what CHeKT said last."""
    world.fault(status=409, body='{"error": {"code": "idempotency_conflict", "message": "no", "request_id": "r"}}')
    world.fault(status=500, times=2)

    with pytest.raises(Unclear) as caught:
        world.up()

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT failed: internal_error, "
        '"a fault of the emulator", after 3 attempts. The dealer\'s list does not show the station, which may still '
        "come. Run `pulumi up` again: it names the station where it is there. (HTTP 500, trace id T, request id R)"
    )
    assert len(world.posts()) == 3
    assert world.numbers == []


LISTS = ["pages", "pages_from_0", "offset", "added", "skip", "links", "whole"]


@pytest.mark.parametrize("unknown", ["ignored", "refused"])
@pytest.mark.parametrize(("lists", "total"), [(way, total) for way in LISTS for total in ("told", "untold")])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
def test_a_station_on_a_later_page_is_not_made_twice(
    world: World, lists: str, total: str, unknown: str, count: int
) -> None:
    """A list may come in any kind of pages: its last station is seen."""
    if lists == "skip" and total == "untold":
        count = 2  # what nothing tells, nobody can know: see the test below
    on_pages(world, count, lists=lists, list_total=total, unknown_query=unknown)

    with pytest.raises(StationExists):
        world.up()

    assert world.posts() == []


def test_what_is_on_a_page_that_nothing_tells_of_cannot_be_seen(world: World) -> None:
    """docs/limits.md names it: a list that is cut short, does not say so, and takes neither offset nor page."""
    on_pages(world, 3, lists="skip")

    world.up()

    assert len(world.numbers) == 4


def on_pages(world: World, count: int, **switches: Any) -> None:
    """This many stations, central-01 the last one, two on a page."""
    for number in range(count - 1):
        world.emulator.add_station(external_monitoring_station_id=f"s-{number}", name="Other")
    world.emulator.add_station(external_monitoring_station_id="central-01", name="Old")
    world.emulator.switches = Switches.model_validate({"page_size": 2, "duplicate": "twin", **switches})


def test_a_list_that_leaves_out_what_the_state_has_creates_nothing(world: World) -> None:
    """A station of the state is asked for by id: if it is there, the list is not whole."""
    others(world)
    run = world.process()
    known = world.up(external_monitoring_station_id="known")
    run.stations.keep(known, STACK)
    half = '[{"monitoring_station_id": 1, "external_monitoring_station_id": "x", "name": "x"}]'
    world.emulator.add_fault(Fault(method="GET", path=COLLECTION, body=half, times=None))
    world.emulator.clear_requests()

    with pytest.raises(ListIncomplete) as caught:
        world.up(run)

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: what CHeKT lists is not whole: it leaves "
        "out 3. Nothing was changed. Give the trace id to CHeKT's support, and run again. (trace id T)"
    )
    assert world.posts() == []


def test_a_list_that_is_only_behind_is_waited_for(world: World) -> None:
    """If the list does not show a station of the state yet, a creation waits until then, and no longer."""
    others(world)
    world.emulator.switches = Switches(list_lag=6)
    known = world.up(external_monitoring_station_id="known")
    run = world.process()
    run.stations.keep(known, STACK)

    assert str(world.up(run).id) == "12345/4"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "0-0/3"},
        {"Content-Range": "items 0-0/3"},
        {"X-Total-Count": "3"},
        {"X-Cursor": "abc"},
        {"X-Next-Page-Token": "abc"},
        {"X-Has-More": "true"},
        {"opc-next-page": "MTAx"},
        {"X-Next-Id": "101"},
        {"X-Next-Marker": "m"},
        {"X-Total-Pages": "2"},
        {"X-Pagination": '{"hasNext":true}'},
        {"Link": '<?page=2>; rel="last"'},
    ],
    ids=str,
)
def test_a_list_that_says_that_it_goes_on_is_not_believed(world: World, headers: dict[str, str]) -> None:
    """Whatever way of paging it means."""
    half = '[{"monitoring_station_id": 1, "external_monitoring_station_id": "x", "name": "x"}]'
    world.emulator.add_fault(Fault(method="GET", path=COLLECTION, body=half, headers=headers, times=None))

    with pytest.raises(ListIncomplete):
        world.up()


@pytest.mark.parametrize("status", [204, 404, 416])
def test_nothing_beyond_the_end_is_the_end(world: World, status: int) -> None:
    """A server may say so in any way."""
    others(world)
    world.emulator.switches = Switches(lists="offset", page_size=1)
    world.emulator.add_fault(Fault(method="GET", path=COLLECTION, status=status, skip=2, times=1))

    assert str(world.up().id) == "12345/3"


def test_half_a_list_once_is_not_believed(world: World) -> None:
    """The question for what comes after its end brings the whole list."""
    others(world)
    world.emulator.add_station(external_monitoring_station_id="central-01", name="Old")
    half = '[{"monitoring_station_id": 1, "external_monitoring_station_id": "x", "name": "x"}]'
    world.emulator.add_fault(Fault(method="GET", path=COLLECTION, body=half))

    with pytest.raises(StationExists):
        world.up()


def test_a_station_whose_deletion_is_pending_is_not_adopted(world: World) -> None:
    """The list still shows it, but the station itself says that it is gone."""
    others(world)
    world.emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    world.clock.now += 60
    world.emulator.switches = Switches(list_lag=10)
    world.emulator.remove_station(3)

    with pytest.raises(ListIncomplete) as caught:
        world.up(adopt_existing=True)

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT lists it as 12345/3, which it says "
        "does not exist: it is being deleted, or has just been. Nothing was changed. Run again in a minute. "
        "(trace id T)"
    )


def test_twins_after_a_lost_answer_are_both_named(world: World) -> None:
    """Somebody made one in between; nothing is deleted."""
    others(world)
    world.emulator.switches = Switches(duplicate="twin")
    run = world.process()
    run.stations._directory.stations("12345").look(run.stations._client.operation("look"))
    world.emulator.add_station(external_monitoring_station_id="central-01", name="Theirs")
    world.fault(when="after", reset=True)

    with pytest.raises(TwinStations) as caught:
        world.up(run)

    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'central-01' of dealer 12345: 2 stations have this external id already: "
        "12345/3, 12345/4. Nothing was deleted. Delete all but one of them in CHeKT's portal, then run again. "
        "(trace id T)"
    )
    assert world.numbers == [1, 2, 3, 4]

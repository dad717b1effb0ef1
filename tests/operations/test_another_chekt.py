"""One station, the right station, against a server written to break that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from chekt_provider.errors import ChektError, NotChekt, NotTaken, SitesAttached, StationExists
from tests.another_chekt import AnotherChekt, ForgetsKeys, Reply, Row
from tests.another_world import Stacks
from tests.helpers import anonymous, central


class Loses(AnotherChekt):
    """Treats each POST as a new one, and answers none."""

    def post(self, body: Row, key: str) -> Reply:
        self.add(**body)
        return (0, None)


# The age of a station


class LocalTime(AnotherChekt):
    """Writes local time and labels it UTC."""

    hours = 0

    def created_at(self) -> str:
        local = datetime.fromtimestamp(self.clock() + self.hours * 3600, UTC)
        return local.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class East(LocalTime):
    hours = 9


class West(LocalTime):
    hours = -6


@pytest.mark.parametrize("kind", [AnotherChekt, East, West])
@pytest.mark.parametrize("lag", [2, 15])
def test_a_refresh_right_after_an_up_keeps_the_station(stack: Stacks, kind: type[AnotherChekt], lag: float) -> None:
    """Neither list nor GET shows it, and its age is hours off."""
    acme = stack(kind)
    acme.api.list_lag = acme.api.item_lag = lag
    recorded = acme.up()

    assert acme.process().stations.read(recorded.id, recorded) == recorded
    assert len(acme.keys()) == 1


@pytest.mark.parametrize("kind", [AnotherChekt, West])
def test_a_station_that_was_deleted_is_made_anew(stack: Stacks, kind: type[AnotherChekt]) -> None:
    """CHeKT replays the first answer; its station never shows."""
    acme = stack(kind)
    acme.process().stations.delete(acme.up())
    acme.clock.now += 30

    assert str(acme.up().id) == "12345/2"
    assert list(acme.api.stations) == [2]


def test_a_station_from_the_future_that_was_deleted_is_made_anew_after_a_refresh(stack: Stacks) -> None:
    """Nobody can tell whether it is a replay, so it is recorded and told; the refresh that the line advises helps."""
    acme = stack(East)
    acme.process().stations.delete(acme.up())
    acme.clock.now += 30
    recorded = acme.up()
    assert acme.said[-1] == (
        "CHeKT answered that it created monitoring station 12345/1, but CHeKT does not show it yet: "
        "run `pulumi up --refresh` in a minute."
    )

    run = acme.process()
    assert run.stations.read(recorded.id, recorded) is None
    assert str(acme.up(run).id) == "12345/2"
    assert list(acme.api.stations) == [2]


# External ids that CHeKT changes


class Cuts(Loses):
    def external_id(self, sent: str) -> str:
        return sent[:5]


class Rewrites(Loses):
    def external_id(self, sent: str) -> str:
        return sent.replace("-", "_")


class AnswersRewritten(ForgetsKeys):
    def external_id(self, sent: str) -> str:
        return f"acme/{sent}"


@pytest.mark.parametrize(("kind", "kept"), [(Cuts, "centr"), (Rewrites, "central_01")])
def test_a_lost_answer_about_a_changed_external_id_makes_no_second_station(
    stack: Stacks, kind: type[AnotherChekt], kept: str
) -> None:
    """The error names the new station; nobody guesses that it is ours, and nothing is sent twice."""
    acme = stack(kind)

    assert acme.fails() == (
        "Could not create monitoring station 'central-01' of dealer 12345: the connection to 127.0.0.1 broke before "
        f"the answer was complete; since then CHeKT lists monitoring station {kept!r} (12345/1). That may be this "
        f"station, with an external id that CHeKT changed. If it is, pass external_monitoring_station_id={kept!r} and "
        "adopt_existing=True; if not, choose an external_monitoring_station_id that has other letters. (trace id T)"
    )
    assert len(acme.api.stations) == 1


def test_an_answer_with_another_external_id_makes_no_second_station(stack: Stacks) -> None:
    """It is named as it was answered."""
    acme = stack(AnswersRewritten)

    assert acme.fails() == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT answered with monitoring station "
        "'acme/central-01' (12345/1). That may be this station, with an external id that CHeKT changed. If it is, pass "
        "external_monitoring_station_id='acme/central-01' and adopt_existing=True; if not, choose an "
        "external_monitoring_station_id that has other letters. (trace id T)"
    )
    assert len(acme.api.stations) == 1


class Absorbs(AnotherChekt):
    """Loses the POST, and meanwhile somebody makes a station that has nothing in common with ours."""

    def post(self, body: Row, key: str) -> Reply:
        if len(self.stations) == 1:
            return super().post(body, key)
        self.add(external_monitoring_station_id="central-99", name="Another")
        return (0, None)


def test_a_new_station_that_is_unlike_ours_stops_nothing(stack: Stacks) -> None:
    """Neither its external id nor its values are ours: the POST is sent again."""
    acme = stack(Absorbs)

    assert str(acme.up().id) == "12345/2"
    assert acme.said[-1] == (
        "To create monitoring station 'central-01' of dealer 12345 took 2 attempts, since the connection to 127.0.0.1 "
        "broke before the answer was complete: should an earlier one have made a station as well, `pulumi preview "
        "--refresh` names both."
    )


# What POST answers


class Upserts(AnotherChekt):
    """Answers 200 with the station that has the external id, which no list shows yet."""

    list_lag = 15.0

    def post(self, body: Row, key: str) -> Reply:
        for row in self.stations.values():
            if row["external_monitoring_station_id"] == body["external_monitoring_station_id"]:
                return (200, row)
        return super().post(body, key)


def test_another_s_station_that_is_answered_with_200_is_not_taken_over(stack: Stacks) -> None:
    """Somebody made it five seconds ago, and it has other values: nobody asked to adopt it."""
    acme = stack(Upserts)
    acme.api.add(external_monitoring_station_id="central-01", name="Theirs")
    acme.clock.now += 5

    with pytest.raises(StationExists):
        acme.up()

    assert acme.api.stations[1]["name"] == "Theirs"
    assert str(acme.up(adopt_existing=True).id) == "12345/1"
    assert acme.api.stations[1]["name"] == "Central"


class Accepts(AnotherChekt):
    """Answers 202, and makes the station twenty seconds later; the same key makes one."""

    accepted: tuple[float, Row] | None = None

    def post(self, body: Row, key: str) -> Reply:
        if key not in self._replays:
            self._replays[key] = (202, None)
            self.accepted = (self.clock() + 20, body)
        return self._replays[key]

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if self.accepted and self.clock() >= self.accepted[0]:
            self.add(**self.accepted[1])
            self.accepted = None
        return super().answer(method, path, query, body, key)


def test_what_was_only_accepted_is_asked_for_again_under_its_key(stack: Stacks) -> None:
    """Another key would make a second station when the first one comes."""
    acme = stack(Accepts)

    recorded = acme.up()

    assert len(set(acme.keys())) == 1
    assert list(acme.api.stations) == [int(recorded.id.station_id)]


class Works(AnotherChekt):
    """Answers each POST in its own way, and later makes a station of it, whatever its key."""

    answers: list[Reply]
    seconds = 30.0

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.answers = []
        self.jobs: list[tuple[float, Row]] = []

    def post(self, body: Row, key: str) -> Reply:
        status, said = self.answers.pop(0)
        if status in (202, 504):
            self.jobs.append((self.clock() + self.seconds, body))
        return status, said

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        due = [job for job in self.jobs if self.clock() >= job[0]]
        for job in due:
            self.jobs.remove(job)
            self.add(**job[1])
        return super().answer(method, path, query, body, key)


@pytest.mark.parametrize("said", [None, {"status": "accepted", "job_id": 5}, {"monitoring_station_id": None}, []])
def test_what_was_accepted_gets_a_minute_before_another_post(stack: Stacks, said: Any) -> None:
    """Whatever the answer shows: without idempotency another POST would make a second station."""
    acme = stack(Works)
    acme.api.answers = [(202, said)]  # type: ignore[attr-defined]

    recorded = acme.up()

    assert list(acme.api.stations) == [int(recorded.id.station_id)] == [1]
    assert len(acme.keys()) == 1
    assert acme.said[-1] == (
        "Waiting up to 42 s more, since CHeKT has accepted to create monitoring station 'central-01' of dealer 12345."
    )


def test_a_second_station_that_may_come_is_named(stack: Stacks) -> None:
    """Two POSTs without an answer may both be done: one is taken, and the line names the other."""
    acme = stack(Works)
    acme.api.answers, acme.api.seconds = [(504, {}), (504, {})], 20.0  # type: ignore[attr-defined]

    acme.up()

    assert "took 2 attempts" in acme.said[-1]
    assert "`pulumi preview --refresh` names both" in acme.said[-1]


@pytest.mark.parametrize("refusal", [403, 404, 422])
@pytest.mark.parametrize("first", [202, 504])
def test_a_refusal_after_a_post_in_doubt_does_not_say_that_nothing_was_created(
    stack: Stacks, first: int, refusal: int
) -> None:
    """The first one may still be done later."""
    acme = stack(Works)
    body = {"error": {"code": "no", "message": "no"}}
    acme.api.answers, acme.api.seconds = [(first, None), (refusal, body)], 90.0  # type: ignore[attr-defined]

    line = acme.fails()

    assert "CHeKT lists no such station yet, but an earlier attempt may still make it." in line
    acme.clock.sleep(90)
    acme.process().stations._client.list_stations(acme.process().stations._client.operation("look"), "12345")
    assert list(acme.api.stations) == [1]


# A change that is answered with "see other"


class SeesOther(AnotherChekt):
    def put(self, number: int, body: Row) -> Reply:
        super().put(number, body)
        return (303, None)

    def delete(self, number: int) -> Reply:
        super().delete(number)
        return (303, None)


def test_a_change_that_is_answered_with_see_other_is_in_doubt(stack: Stacks) -> None:
    """It was made: "Nothing was changed" would be untrue."""
    acme = stack(SeesOther)
    recorded = acme.up()

    with pytest.raises(NotChekt) as updating:
        acme.process().stations.update(recorded, central(name="Renamed"))
    with pytest.raises(NotChekt) as deleting:
        acme.process().stations.delete(recorded)

    for caught in (updating, deleting):
        assert "which is not followed. Whether the change was made is not known." in str(caught.value)


# Text that nothing can store


def test_half_a_surrogate_pair_is_no_traceback(stack: Stacks) -> None:
    """JSON can hold it; the state cannot, so it becomes the mark for what cannot be shown."""
    acme = stack()
    recorded = acme.up()
    acme.api.stations[1]["name"] = "Central \ud83c"

    read = acme.process().stations.read(recorded.id, recorded)

    assert read is not None
    assert read.fields["name"] == "Central \ufffd"


# Pages


class Pages(AnotherChekt):
    """Four unasked, three for a page by number."""

    def page(self, rows: list[Row], query: str) -> list[Row]:
        asked = parse_qs(query)
        first = (int(asked["page"][0]) - 1) * 3 if "page" in asked else 0
        return rows[first : first + 3] if "page" in asked else rows[:4]


def test_a_station_beyond_a_page_of_another_size_is_seen(stack: Stacks) -> None:
    """Page 2 by number brings nothing new, and is not the end."""
    acme = stack(Pages)
    for number in range(1, 9):
        acme.api.add(external_monitoring_station_id=f"s-{number}", name="S")
    acme.api.add(external_monitoring_station_id="central-01", name="Theirs")

    assert "it exists already as 12345/9" in acme.fails()
    assert acme.keys() == []


class Flaps(AnotherChekt):
    """A node that is behind: it answers [] and 404 for five seconds."""

    behind_until = 0.0

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if self.clock() < self.behind_until:
            return (200, []) if not path[-1].isdigit() else (404, {"error": {"code": "not_found"}})
        return super().answer(method, path, query, body, key)


@pytest.mark.parametrize("operation", ["read", "delete"])
def test_a_node_that_is_behind_loses_no_station(stack: Stacks, operation: str) -> None:
    """A refresh does not lose it from the state, nor does a deletion that gets a 404."""
    acme = stack(Flaps)
    recorded = acme.up()
    acme.clock.now += 86_400
    assert isinstance(acme.api, Flaps)
    acme.api.behind_until = acme.clock.now + 5
    stations = acme.process().stations

    if operation == "read":
        assert stations.read(recorded.id, recorded) == recorded
        return
    stations.delete(recorded)
    assert acme.api.stations == {}, "the DELETE was sent once more"


class Behind(AnotherChekt):
    """Lists the station, but answers by id like a server that does not know it yet."""

    knows_from = 0.0

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if path[-1].isdigit() and self.clock() < self.knows_from:
            return (404, {"error": {"code": "not_found"}})
        return super().answer(method, path, query, body, key)


def test_a_deletion_that_is_answered_404_is_looked_into_although_the_list_shows_the_station(stack: Stacks) -> None:
    """Neither the 404 to DELETE nor the one to GET is proof: both may come from a server that is behind."""
    acme = stack(Behind)
    recorded = acme.up()
    assert isinstance(acme.api, Behind)
    acme.api.knows_from = acme.clock.now + 10_000

    with pytest.raises(NotTaken) as caught:
        acme.process().stations.delete(recorded)
    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): CHeKT answered that it does not exist, and still "
        "shows the station after 16 s. It may still be deleted. Run again in a minute. (trace id T)"
    )
    assert list(acme.api.stations) == [1]


def test_get_of_a_station_made_seconds_ago_waits_for_it(stack: Stacks) -> None:
    """`.get()` looks as long as a refresh does."""
    acme = stack()
    recorded = acme.up()
    acme.clock.now += 1
    acme.api.list_lag = acme.api.item_lag = 10

    live = acme.process().stations.read(recorded.id, None)

    assert live is not None
    assert live.external_id == "central-01"


class GetsASite(AnotherChekt):
    """Answers the first DELETE like a server that is behind; meanwhile a person attaches a site."""

    def delete(self, number: int) -> Reply:
        if self.sites:
            return super().delete(number)
        self.sites[5] = {"site_id": 5, "name": "Shop", "monitoring_station_id": number, "is_activated": 1}
        return (404, {"error": {"code": "not_found"}})


def test_the_second_delete_is_guarded_as_the_first(stack: Stacks) -> None:
    """The sites are read again."""
    acme = stack(GetsASite)
    recorded = acme.up()
    acme.clock.now += 60

    with pytest.raises(SitesAttached):
        acme.process().stations.delete(recorded)
    assert list(acme.api.stations) == [1]


class LosesAndRewrites(Loses):
    """Keeps no value as it was sent."""

    def add(self, **fields: Any) -> Row:
        return super().add(**fields | {"name": "Central &amp; Sons", "linecard": "0007", "prefix": ""})

    def external_id(self, sent: str) -> str:
        return sent.replace("-", "_").upper()


def test_a_lost_answer_about_a_station_of_which_nothing_is_kept_as_sent_makes_no_second_one(stack: Stacks) -> None:
    """Its letters and digits tell."""
    acme = stack(LosesAndRewrites)

    assert "since then CHeKT lists monitoring station 'CENTRAL_01' (12345/1). That may be this station" in acme.fails()
    assert list(acme.api.stations) == [1]


# Refusals of what was done


class RefusesAfterwards(AnotherChekt):
    """Makes the station, and says that it did not."""

    status = 403

    def post(self, body: Row, key: str) -> Reply:
        self.add(**body)
        return (self.status, {"error": {"code": "no", "message": "no"}})


@pytest.mark.parametrize("status", [402, 403, 404, 405, 410, 418, 451])
def test_a_station_that_was_made_and_refused_is_found(stack: Stacks, status: int) -> None:
    """It may show as late as it likes."""
    acme = stack(RefusesAfterwards)
    assert isinstance(acme.api, RefusesAfterwards)
    acme.api.status = status
    acme.api.list_lag = acme.api.item_lag = 15

    assert str(acme.up().id) == "12345/1"
    assert len(acme.keys()) == 1


class RefusesToShow(AnotherChekt):
    """Does what it is asked, and then lets nobody look."""

    refuses = False

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if method == "GET" and self.refuses and "sites" not in path:
            return (403, {"error": {"code": "forbidden", "message": "no"}})
        return super().answer(method, path, query, body, key)

    def put(self, number: int, body: Row) -> Reply:
        super().put(number, body)
        self.refuses = True
        return (204, None)

    def delete(self, number: int) -> Reply:
        super().delete(number)
        self.refuses = True
        return (202, None)


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_change_whose_end_cannot_be_seen_is_not_called_nothing(stack: Stacks, operation: str) -> None:
    """The refusal is about the look, not about the change."""
    acme = stack(RefusesToShow)
    recorded = acme.up()
    stations = acme.process().stations
    acts: dict[str, Callable[[], object]] = {
        "update": lambda: stations.update(recorded, central(name="New")),
        "delete": lambda: stations.delete(recorded),
    }

    with pytest.raises(ChektError) as caught:
        acts[operation]()

    assert caught.value.outcome == "Whether the change was made is not known."


@pytest.mark.parametrize(
    "mark",
    [
        {"deleted": False, "is_deleted": 0, "deleted_at": None},
        {"deleted": "no", "is_deleted": "0", "deleted_at": "0000-00-00 00:00:00"},
        {"deleted": "N", "is_deleted": [], "deleted_at": "9999-12-31"},
        {"status": "active", "state": None},
    ],
)
def test_a_mark_that_is_not_clear_makes_no_station_deleted(stack: Stacks, mark: Row) -> None:
    """Otherwise the state would lose it, and the next creation would make a second one."""
    acme = stack()
    recorded = acme.up()
    acme.api.stations[1] |= mark

    assert acme.process().stations.read(recorded.id, recorded) == recorded


class Marks(AnotherChekt):
    """Keeps what was deleted, marked as deleted; the list may leave it out."""

    mark: tuple[str, object] = ("deleted", True)
    lists_it = False

    def delete(self, number: int) -> Reply:
        self.stations[number] |= [self.mark]
        return (200, dict(self.stations[number]))

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return rows if self.lists_it else [row for row in rows if self.mark not in row.items()]


@pytest.mark.parametrize(
    "mark", [("deleted", True), ("is_deleted", 1), ("deleted_at", "2026-01-01T00:00:00Z"), ("status", "deleted")]
)
@pytest.mark.parametrize("lists_it", [False, True])
def test_a_station_that_is_marked_as_deleted_is_gone(stack: Stacks, mark: tuple[str, object], lists_it: bool) -> None:
    """This holds for deletion, refresh and creation."""
    acme = stack(Marks)
    assert isinstance(acme.api, Marks)
    acme.api.mark, acme.api.lists_it = mark, lists_it
    recorded = acme.up()
    acme.process().stations.delete(recorded)
    acme.clock.now += 60

    run = acme.process()
    assert run.stations.read(recorded.id, recorded) is None
    assert str(acme.up(run, name="New").id) == "12345/2"

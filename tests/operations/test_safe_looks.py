"""A change relies on what was read after its wait, a minute ago at most; sites move to the right station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chekt_provider.errors import AccountTaken, ChektError, OtherSite, OtherStation, SitesAttached
from chekt_provider.model.fields import AssignmentInputs
from tests.another_chekt import AnotherChekt, Reply, Row
from tests.another_world import Stack, Stacks
from tests.helpers import anonymous, central


class Meanwhile(AnotherChekt):
    """Lets something happen at a given time, or when the next token is asked for."""

    at = float("inf")
    with_token = False

    def happens(self) -> None:
        """What happens."""

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if not self.with_token:
            self._let_happen()
        return super().answer(method, path, query, body, key)

    def token(self) -> Row:
        if self.with_token and self.clock() >= self.at:
            self.clock.sleep(15)  # type: ignore[attr-defined]
            self._let_happen()
        return super().token()

    def _let_happen(self) -> None:
        if self.clock() >= self.at:
            self.at = float("inf")
            self.happens()


class TakesOver(Meanwhile):
    """Gives the number 1 to another station."""

    def happens(self) -> None:
        self.stations[1] |= {"external_monitoring_station_id": "shop", "name": "Theirs"}


class PutsASite(Meanwhile):
    """Puts a site on station 1."""

    def happens(self) -> None:
        self.sites[5] = {"site_id": 5, "name": "Shop", "monitoring_station_id": 1, "is_activated": 1}


def acts(acme: Stack, operation: str, **settings: str) -> tuple[Callable[[], object], Any]:
    """An update or a deletion of station 1 by a process that read it a moment ago."""
    recorded = acme.up()
    acme.clock.now += 60
    run = acme.process(**settings)
    run.stations.read(recorded.id, recorded)
    wanted = central(name="New")
    by_verb: dict[str, Callable[[], object]] = {
        "update": lambda: run.stations.update(recorded, wanted),
        "delete": lambda: run.stations.delete(recorded),
    }
    return by_verb[operation], run


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_whose_number_it_is_is_read_after_the_wait_for_the_rate_limit(stack: Stacks, operation: str) -> None:
    """It became another station's while the change waited for its turn."""
    acme = stack(TakesOver)
    assert isinstance(acme.api, TakesOver)
    act, run = acts(acme, operation, CHEKT_REQUESTS_PER_MINUTE="60")
    run.stations._client._transport._limit._tokens -= 70  # as many requests of other operations stand in the queue
    acme.api.at = acme.clock.now + 5

    with pytest.raises(OtherStation):
        act()
    assert acme.api.stations[1]["name"] == "Theirs"


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_whose_number_it_is_is_read_after_the_wait_for_a_token(stack: Stacks, operation: str) -> None:
    """It became another station's while the token was renewed; the list of a minute ago does not show that."""
    acme = stack(TakesOver)
    assert isinstance(acme.api, TakesOver)
    act, run = acts(acme, operation, CHEKT_SITE_GUARD="off")
    acme.clock.now += 3495
    run.stations._directory.stations("12345").look_now(run.stations._client.operation("look"))
    acme.api.with_token = True
    acme.clock.now += 50
    acme.api.at = acme.clock.now

    with pytest.raises(OtherStation):
        act()
    assert acme.api.stations[1]["name"] == "Theirs"


def test_the_sites_are_read_after_the_wait_for_a_token(stack: Stacks) -> None:
    """A person put one on the station while the token was renewed."""
    acme = stack(PutsASite)
    assert isinstance(acme.api, PutsASite)
    act, run = acts(acme, "delete")
    acme.clock.now += 3539
    for listed in (run.stations._directory.stations("12345"), run.stations._directory.sites("12345")):
        listed.look_now(run.stations._client.operation("look"))
    acme.api.with_token = True
    acme.clock.now += 1
    acme.api.at = acme.clock.now

    with pytest.raises(SitesAttached):
        act()
    assert list(acme.api.stations) == [1]


def test_what_somebody_changed_since_the_run_s_first_look_is_named(stack: Stacks) -> None:
    """The list is a minute old at most."""
    acme = stack()
    recorded = acme.up()
    run = acme.process()
    run.stations.read(recorded.id, recorded)
    acme.clock.now += 60
    acme.api.stations[1]["prefix"] = "THEIRS"

    run.stations.update(recorded, central(name="New"))

    assert acme.said == [
        "Overwriting prefix of monitoring station 'central-01' (12345/1): somebody changed it to 'THEIRS' since the "
        "last refresh."
    ]


# Moving sites


def assignment(station: int) -> AssignmentInputs:
    return AssignmentInputs.model_validate(
        {"dealer_id": "12345", "monitoring_station_id": str(station), "site_id": "5", "declared_by": "acme/a/dev/site"}
    )


def site(number: int, station: int | None) -> Row:
    return {"site_id": number, "name": f"Shop {number}", "account_number": "0042", "monitoring_station_id": station}


def test_a_site_with_the_same_account_number_that_came_a_minute_ago_is_seen(stack: Stacks) -> None:
    """The run read the sites before."""
    acme = stack()
    acme.up()
    acme.api.sites[5] = site(5, None)
    run = acme.process()
    run.stations.sites.called(run.stations._client.operation("look"), "12345", "any")
    acme.clock.now += 60
    acme.api.sites[6] = site(6, 1)

    with pytest.raises(AccountTaken):
        run.assignments.create(assignment(1))
    assert acme.api.sites[5]["monitoring_station_id"] is None


@pytest.mark.parametrize("by", ["assignment", "reassign_sites_to"])
def test_no_site_is_moved_to_a_number_that_is_another_station_s_now(stack: Stacks, by: str) -> None:
    """The program has the station that had the number before."""
    acme = stack()
    first = acme.up()
    second = acme.up(external_monitoring_station_id="old", declared_by="acme/alarms/dev/old", reassign_sites_to="1")
    acme.api.stations[1] |= {"external_monitoring_station_id": "shop", "name": "Theirs"}
    acme.clock.now += 60
    acme.api.sites[5] = site(5, 2)
    run = acme.process()
    run.stations.keep(first, first.declared_by)
    moves: dict[str, Callable[[], object]] = {
        "assignment": lambda: run.assignments.create(assignment(1)),
        "reassign_sites_to": lambda: run.stations.delete(replace(second, reassign_sites_to="1")),
    }

    with pytest.raises(ChektError) as caught:
        moves[by]()
    assert "12345/1 is monitoring station 'shop' now, and was 'central-01'" in anonymous(str(caught.value))
    assert acme.api.sites[5]["monitoring_station_id"] == 2


class ActsAtPuts(AnotherChekt):
    """Lets something happen at the first PUT of a site, which it refuses for now."""

    def put_site(self, number: int, body: Row) -> Reply:
        if (act := self.act) is not None:
            self.act = None
            act(self)
            return (503, {"error": {"code": "later"}})
        return super().put_site(number, body)

    act: Callable[[AnotherChekt], object] | None = None


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (
            lambda api: api.sites[5].update(monitoring_station_id=3),
            "site 'Shop 5' (5) is on monitoring station 3 now: somebody moved it meanwhile",
        ),
        (
            lambda api: api.sites[5].update(external_site_id="other"),
            "12345/site/5 is site 'other' now, and was 'shop-5'",
        ),
    ],
)
def test_a_site_is_read_again_before_its_move_is_repeated(
    stack: Stacks, act: Callable[[AnotherChekt], object], cause: str
) -> None:
    """Somebody moved it, or its number belongs to another site."""
    acme = stack(ActsAtPuts)
    assert isinstance(acme.api, ActsAtPuts)
    for name in ("a-1", "b-1", "c-1"):
        acme.api.add(external_monitoring_station_id=name)
    acme.api.sites[5] = site(5, 1) | {"external_site_id": "shop-5"}
    acme.api.act = act

    with pytest.raises(ChektError) as caught:
        acme.process().assignments.create(assignment(2))
    assert caught.value.cause == cause
    assert caught.value.outcome == "Whether the change was made is not known."
    assert acme.api.sites[5]["monitoring_station_id"] != 2


class Slowly(AnotherChekt):
    """Takes half a minute for each move of a site; something may happen meanwhile."""

    def put_site(self, number: int, body: Row) -> Reply:
        self.clock.sleep(31)  # type: ignore[attr-defined]
        self.happens()
        return super().put_site(number, body)

    def happens(self) -> None:
        """What happens."""


class GetsItsNumber(Slowly):
    """Somebody puts a site on the target that has the third site's account number."""

    def happens(self) -> None:
        self.sites[9] = site(9, 2) | {"account_number": "0003"}


class GivesItsNumber(Slowly):
    """Gives the target's number to another station."""

    def happens(self) -> None:
        self.stations[2] |= {"external_monitoring_station_id": "shop", "name": "Theirs"}


@pytest.mark.parametrize(("kind", "moved"), [(GetsItsNumber, 2), (GivesItsNumber, 0)])
def test_the_target_of_many_moves_is_looked_at_again(stack: Stacks, kind: type[AnotherChekt], moved: int) -> None:
    """Who is on it each minute, and which station it is every two seconds; the line tells the moves before."""
    acme = stack(kind)
    recorded = acme.up()
    backup = acme.up(external_monitoring_station_id="backup", name="Backup", declared_by="acme/alarms/dev/backup")
    for number in (1, 2, 3, 4):
        acme.api.sites[number] = site(number, 1) | {"account_number": f"000{number}"}
    run = acme.process()
    run.stations.keep(backup, backup.declared_by)

    with pytest.raises(ChektError) as caught:
        run.stations.delete(replace(recorded, reassign_sites_to="2"))
    assert caught.value.outcome.startswith(
        f"{moved} of 4 sites were moved before, and the station was not deleted; the next run goes on."
    )
    left = [number for number, row in acme.api.sites.items() if row["monitoring_station_id"] == 1]
    assert left == [1, 2, 3, 4][max(1, moved) :]


class HidesNumbers(AnotherChekt):
    """Leaves account numbers out of lists."""

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return [{name: row[name] for name in row if name != "account_number"} for row in rows]


def test_an_account_number_that_the_list_leaves_out_is_seen(stack: Stacks) -> None:
    """The sites on the station are asked for theirs."""
    acme = stack(HidesNumbers)
    acme.up()
    acme.api.sites[5], acme.api.sites[6] = site(5, None), site(6, 1)

    with pytest.raises(AccountTaken):
        acme.process().assignments.create(assignment(1))
    assert acme.api.sites[5]["monitoring_station_id"] is None


class ReadsSlowly(AnotherChekt):
    """Takes a while for each list of sites; when the second token is asked for, a person puts a site on station 1."""

    seconds = 0.0
    asked_for = 0

    def token(self) -> Row:
        self.asked_for += 1
        if self.asked_for > 2:
            self.clock.sleep(10)  # type: ignore[attr-defined]
            self.sites[5] = site(5, 1)
        return super().token() | {"expires_in": 60}

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if path.endswith("/sites"):
            self.clock.sleep(self.seconds)  # type: ignore[attr-defined]
        return super().answer(method, path, query, body, key)


def test_a_deletion_waits_for_no_token_after_its_look_at_the_sites(stack: Stacks) -> None:
    """A token near its end is good enough: a site may come while another token is asked for."""
    acme = stack(ReadsSlowly)
    assert isinstance(acme.api, ReadsSlowly)
    recorded = acme.up()
    run = acme.process()
    run.stations.read(recorded.id, recorded)
    acme.api.seconds = 0.6
    acme.clock.now += 53

    run.stations.delete(recorded)

    assert acme.api.sites == {}
    assert acme.api.asked_for == 2


class ReadsForMinutes(TakesOver):
    """Takes a minute and a half for a list of sites."""

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if path.endswith("/sites"):
            self.clock.sleep(45)  # type: ignore[attr-defined]
        return super().answer(method, path, query, body, key)


def test_whose_number_it_is_is_read_again_after_a_long_list_of_sites(stack: Stacks) -> None:
    """By then the list of stations is older than a minute."""
    acme = stack(ReadsForMinutes)
    assert isinstance(acme.api, ReadsForMinutes)
    act, _ = acts(acme, "delete")
    acme.api.at = acme.clock.now + 40

    with pytest.raises(OtherStation):
        act()
    assert list(acme.api.stations) == [1]


class DeniesItsList(AnotherChekt):
    """Answers 404 to a list that it gave before."""

    denies = False

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if self.denies and path.endswith("/monitoring-stations"):
            return (404, {"error": {"code": "not_found"}})
        return super().answer(method, path, query, body, key)


def test_a_list_that_is_denied_before_a_deletion_leaves_nothing_in_doubt(stack: Stacks) -> None:
    """No DELETE was sent."""
    acme = stack(DeniesItsList)
    assert isinstance(acme.api, DeniesItsList)
    act, _ = acts(acme, "delete")
    acme.clock.now += 60
    acme.api.denies = True

    with pytest.raises(ChektError) as caught:
        act()
    assert caught.value.outcome == "Nothing was changed."
    assert [method for method, _, _ in acme.api.log if method == "DELETE"] == []


@pytest.mark.parametrize("answer", [(403, {"error": {"code": "forbidden"}}), (500, None)])
def test_sites_that_were_moved_are_told_when_the_rest_cannot_be_read(stack: Stacks, answer: Reply) -> None:
    """The next list of sites fails."""

    class Fails(AnotherChekt):
        def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
            has_moved = self.sites and self.sites[5]["monitoring_station_id"] == 2
            if has_moved and path.endswith("/sites"):
                return answer
            return super().answer(method, path, query, body, key)

    acme = stack(Fails)
    recorded = acme.up()
    acme.up(external_monitoring_station_id="backup", name="Backup", declared_by="acme/alarms/dev/backup")
    acme.api.sites[5] = site(5, 1)

    with pytest.raises(ChektError) as caught:
        acme.process().stations.delete(replace(recorded, reassign_sites_to="2"))
    assert caught.value.outcome == (
        "1 of 1 sites were moved before, and the station was not deleted; the next run goes on."
    )


# What the same run does elsewhere


@pytest.mark.parametrize("adopts", [True, False])
def test_a_station_that_this_run_deletes_is_not_taken_over(stack: Stacks, adopts: bool) -> None:
    """Another resource has its external id by now; the DELETE is under way."""
    acme = stack()
    recorded = acme.up()
    run = acme.process()
    original = run.stations._client.delete_station
    lines: list[str] = []

    def delete(*given: Any, **named: Any) -> bool:
        with pytest.raises(ChektError) as caught:
            acme.up(run, adopt_existing=adopts, declared_by="acme/alarms/dev/other")
        lines.append(anonymous(str(caught.value)))
        return original(*given, **named)

    run.stations._client.delete_station = delete  # type: ignore[method-assign]
    run.stations.delete(recorded)

    assert lines == [
        "Could not create monitoring station 'central-01' of dealer 12345: monitoring station 'central-01' (12345/1) "
        "has its external id, and is being deleted by the same run. Nothing was changed. Run `pulumi up` again. "
        "(trace id T)"
    ]
    run.stations._client.delete_station = original  # type: ignore[method-assign]
    assert str(acme.up(run, declared_by="acme/alarms/dev/third").id) == "12345/2"


class GivesNumbersAgain(AnotherChekt):
    """Gives the number of a deleted station to the next one."""

    def delete(self, number: int) -> Reply:
        super().delete(number)
        self._last = 0
        return (204, None)


class TellsNoTimes(GivesNumbersAgain):
    """It does not say either when a station was made."""

    def add(self, **fields: Any) -> Row:
        row = super().add(**fields)
        row["created_at"] = None
        return row


@pytest.mark.parametrize("chekt", [GivesNumbersAgain, TellsNoTimes])
def test_a_number_that_this_run_deleted_is_another_s_where_the_list_shows_it(
    stack: Stacks, chekt: type[AnotherChekt]
) -> None:
    """Somebody made a station with our external id under it: the run sees it, and makes no second one."""
    acme = stack(chekt)
    old = acme.up(external_monitoring_station_id="old", declared_by="acme/alarms/dev/old")
    acme.clock.now += 60
    run = acme.process()
    run.stations.delete(old)
    acme.clock.now += 2
    acme.api.add(external_monitoring_station_id="central-01", name="Theirs")
    look = run.stations._directory.stations("12345").look_now(run.stations._client.operation("look"))
    assert list(look.items) == ["1"]

    with pytest.raises(ChektError, match="it exists already as 12345/1"):
        acme.up(run)


def test_a_number_that_this_run_gave_a_new_station_takes_sites(stack: Stacks) -> None:
    """The state had another station under it, which the run deleted."""
    acme = stack(GivesNumbersAgain)
    old = acme.up(external_monitoring_station_id="old", declared_by="acme/alarms/dev/central")
    acme.clock.now += 60
    acme.api.sites[5] = site(5, None)
    run = acme.process()
    run.stations.read(old.id, old)
    run.stations.delete(old)
    assert str(acme.up(run).id) == "12345/1"

    run.assignments.create(assignment(1))

    assert acme.api.sites[5]["monitoring_station_id"] == 1


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"external_site_id": "bank", "name": "Bank"}, True),
        ({"external_site_id": "bank", "account_number": "77"}, True),
        ({"external_site_id": "shop-5b"}, False),
        ({"name": "Shop and Son"}, False),
    ],
)
def test_a_refresh_tells_another_s_site_from_a_renamed_one(stack: Stacks, changed: Row, refused: bool) -> None:
    """The portal can change a site's own key; if the name or account number differs too, it is another site."""
    acme = stack()
    acme.up()
    acme.api.sites[5] = site(5, 1) | {"external_site_id": "shop-5"}
    assigned = acme.process().assignments.create(assignment(1))
    acme.api.sites[5] |= changed
    acme.clock.now += 60

    if refused:
        with pytest.raises(OtherSite):
            acme.process().assignments.read(assigned.id, assigned)
    else:
        assert acme.process().assignments.read(assigned.id, assigned) is not None


class RefusesTheFirst(AnotherChekt):
    """Refuses the first DELETE as if its token had ended, whatever the token; tokens live for a minute."""

    tokens = 0
    refused = False

    def token(self) -> Row:
        self.tokens += 1
        return super().token() | {"expires_in": 60}

    def delete(self, number: int) -> Reply:
        if self.refused:
            return super().delete(number)
        self.refused = True
        return (401, {"error": {"code": "unauthorized"}})


def test_after_a_refused_token_the_next_attempt_carries_a_fresh_one(stack: Stacks) -> None:
    """The first token was near its end, and so is the next when it leaves: another refusal would be an error."""
    acme = stack(RefusesTheFirst)
    assert isinstance(acme.api, RefusesTheFirst)
    acme.api.add(external_monitoring_station_id="central-01")
    client = acme.process().stations._client
    operation = client.operation("delete")

    def admit() -> None:
        client.take_turn(operation)
        acme.clock.now += 55

    client.delete_station(operation, "12345", "1", "key", admit)

    assert acme.api.stations == {}
    assert acme.api.tokens == 3

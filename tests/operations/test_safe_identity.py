"""A number is the recorded station's, in whatever form CHeKT keeps its external id; any other is left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape

import pytest

from chekt_provider.errors import ChektError, DeclaredTwice, NotChekt, OtherStation, SitesAttached, StationExists
from tests.another_chekt import AnotherChekt, ForgetsKeys, Reply, Row
from tests.another_world import Stack, Stacks
from tests.helpers import anonymous, central

THEIRS = {"external_monitoring_station_id": "shop", "name": "Theirs"}


def takes_over(acme: Stack, number: int = 1) -> None:
    """Give a number to another station, made now."""
    acme.api.stations[number] |= {**THEIRS, "created_at": acme.api.created_at()}


# Echoes: a POST is answered with what was sent, and another form of it is kept


class Echoes(AnotherChekt):
    """Answers with what was sent, keeps another external id, and is three seconds ahead."""

    def post(self, body: Row, key: str) -> Reply:
        if key not in self._replays:
            self._replays[key] = (201, dict(self.add(**body)) | body)
        return self._replays[key]

    def created_at(self) -> str:
        return datetime.fromtimestamp(self.clock() - self.skew, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    skew = 3.0


class EchoesCut(Echoes):
    def external_id(self, sent: str) -> str:
        return sent[:16]


class EchoesCutAtOnce(EchoesCut):
    skew = 0.0


class EchoesRewritten(Echoes):
    def external_id(self, sent: str) -> str:
        return sent.replace("-", "_")


class EchoesByTheSecond(EchoesRewritten):
    """It keeps milliseconds too, but the answer leaves them out."""

    def post(self, body: Row, key: str) -> Reply:
        status, row = super().post(body, key)
        return (status, row | {"created_at": row["created_at"].replace(".000", "")})

    def created_at(self) -> str:
        return super().created_at().replace(".000", ".250")


class EchoesWithoutAge(EchoesRewritten):
    def created_at(self) -> str:
        return ""


class EchoesCutShort(Echoes):
    def external_id(self, sent: str) -> str:
        return sent[:8]


@pytest.mark.parametrize("kind", [EchoesCut, EchoesCutAtOnce])
def test_a_station_whose_external_id_was_cut_behind_the_answer_stays_ours(
    stack: Stacks, kind: type[AnotherChekt]
) -> None:
    """Its moment of creation shows that it is ours; the program is still compared with what was sent."""
    acme = stack(kind)
    recorded = acme.up(external_monitoring_station_id="central-station-01")
    acme.clock.now += 60

    live = acme.process().stations.read(recorded.id, recorded)

    assert live is not None
    assert live.external_id == "central-station-"
    assert live.answers("external_monitoring_station_id", "central-station-01")
    again = acme.process().stations.read(live.id, live)
    assert again == live
    acme.process().stations.delete(live)
    assert acme.api.stations == {}
    assert len(acme.keys()) == 1


@pytest.mark.parametrize("kind", [EchoesRewritten, EchoesByTheSecond])
def test_a_station_whose_external_id_was_rewritten_behind_the_answer_stays_ours(
    stack: Stacks, kind: type[AnotherChekt]
) -> None:
    """Its letters and digits, and its moment of creation, are those of the answer."""
    acme = stack(kind)
    recorded = acme.up()

    assert recorded.external_id == "central_01"
    assert recorded.answers("external_monitoring_station_id", "central-01")
    assert acme.process().stations.read(recorded.id, recorded) == recorded
    assert len(acme.keys()) == 1


@pytest.mark.parametrize(("kind", "kept"), [(EchoesWithoutAge, "central_01"), (EchoesCutShort, "central-")])
def test_what_may_be_ours_behind_the_answer_is_named_and_nothing_more_is_sent(
    stack: Stacks, kind: type[AnotherChekt], kept: str
) -> None:
    """Another POST would make a second station."""
    acme = stack(kind)

    assert acme.fails() == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT answered with monitoring station "
        f"{kept!r} (12345/1). That may be this station, with an external id that CHeKT changed. If it is, pass "
        f"external_monitoring_station_id={kept!r} and adopt_existing=True; if not, choose an "
        "external_monitoring_station_id that has other letters. (trace id T)"
    )
    assert len(acme.keys()) == 1


class Replays(AnotherChekt):
    """Gives a number again, but still answers the key with the station that had it before."""

    def post(self, body: Row, key: str) -> Reply:
        if not self._replays:
            self._replays[key] = (201, dict(self.add(**body)))
            del self.stations[1]
            self._last = 0
            self.clock.sleep(3600)  # type: ignore[attr-defined]
            self.add(**THEIRS)
        return super().post(body, key)


def test_a_number_that_was_given_again_behind_a_replayed_answer_is_left_alone(stack: Stacks) -> None:
    """It was created an hour later than the answer says: the next key makes ours."""
    acme = stack(Replays)

    assert str(acme.up().id) == "12345/2"
    assert acme.api.stations[1]["name"] == "Theirs"
    assert len(set(acme.keys())) == 2


class ChangesForms(AnotherChekt):
    """Shows an external id in another form each time."""

    form: Callable[[str], str] = staticmethod(str.upper)

    def post(self, body: Row, key: str) -> Reply:
        status, row = super().post(body, key)
        return (status, self._shown([row])[0])

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return self._shown(rows)

    def _shown(self, rows: list[Row]) -> list[Row]:
        name = "external_monitoring_station_id"
        return [{**row, name: self.form(row[name])} for row in rows]


def test_no_form_in_which_an_external_id_comes_back_is_a_change(stack: Stacks) -> None:
    """What was sent is kept, however often it comes back otherwise."""
    acme = stack(ChangesForms)
    recorded = acme.up(external_monitoring_station_id="Central-01")

    for form in (str.lower, str.title, str.lower):
        acme.api.form = staticmethod(form)  # type: ignore[attr-defined]
        live = acme.process().stations.read(recorded.id, recorded)
        assert live is not None
        assert live.answers("external_monitoring_station_id", "Central-01")
        recorded = live


def test_a_station_in_another_case_is_still_itself(stack: Stacks) -> None:
    """CHeKT may change the form in which it keeps external ids."""
    acme = stack()
    recorded = acme.up()
    acme.api.stations[1]["external_monitoring_station_id"] = "CENTRAL-01"

    acme.process().stations.delete(recorded)

    assert acme.api.stations == {}


# A number that belongs to another station


def test_a_station_in_another_case_that_was_made_a_minute_later_is_another_one(stack: Stacks) -> None:
    """The number was given again where CHeKT tells capitals from small letters."""
    acme = stack()
    recorded = acme.up()
    acme.clock.now += 60
    takes_over(acme)
    acme.api.stations[1]["external_monitoring_station_id"] = "CENTRAL-01"

    with pytest.raises(OtherStation):
        acme.process().stations.delete(recorded)
    assert list(acme.api.stations) == [1]


class Restored(AnotherChekt):
    """A copy of a database gave all its rows one moment of creation."""

    def created_at(self) -> str:
        return "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("operation", ["read", "update", "delete"])
def test_a_station_whose_external_id_begins_like_ours_is_another_one(stack: Stacks, operation: str) -> None:
    """This holds even if it has our number and CHeKT says that it was made at the same moment."""
    acme = stack(Restored)
    recorded = acme.up(external_monitoring_station_id="s-10")
    acme.api.stations[1] |= {"external_monitoring_station_id": "s-1", "name": "Theirs"}
    acme.clock.now += 60
    stations = acme.process().stations
    acts: dict[str, Callable[[], object]] = {
        "read": lambda: stations.read(recorded.id, recorded),
        "update": lambda: stations.update(recorded, central(external_monitoring_station_id="s-10", name="New")),
        "delete": lambda: stations.delete(recorded),
    }

    with pytest.raises(OtherStation):
        acts[operation]()
    assert acme.api.stations[1]["name"] == "Theirs"


class LeavesItOut(AnotherChekt):
    """Answers a POST without the external id."""

    def post(self, body: Row, key: str) -> Reply:
        row = dict(self.add(**body))
        del row["external_monitoring_station_id"]
        return (201, row)


def test_an_external_id_that_the_answer_leaves_out_guards_the_station_all_the_same(stack: Stacks) -> None:
    """What was sent counts."""
    acme = stack(LeavesItOut)
    recorded = acme.up()
    assert recorded.external_id == "central-01"
    acme.api.stations[1] |= {"external_monitoring_station_id": "shop"}
    acme.clock.now += 60

    with pytest.raises(OtherStation):
        acme.process().stations.delete(recorded)
    assert list(acme.api.stations) == [1]


class GivenAgain(AnotherChekt):
    """Deletes a station, gives its number to another, and says that there was none."""

    def delete(self, number: int) -> Reply:
        self.stations[number] |= {"external_monitoring_station_id": "shop", "created_at": self.created_at()}
        return (404, {"error": {"code": "not_found"}})


def test_a_number_that_is_given_again_during_its_deletion_is_left_alone(stack: Stacks) -> None:
    """Nobody knows whether ours was deleted."""
    acme = stack(GivenAgain)
    recorded = acme.up()
    acme.clock.now += 60

    with pytest.raises(OtherStation) as caught:
        acme.process().stations.delete(recorded)
    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): 12345/1 is monitoring station 'shop' now, and was "
        "'central-01'. Whether the change was made is not known. Take the resource out of the state with `pulumi state "
        "delete` and its URN (and --target-dependents, where others need it), then run `pulumi up`: it creates the "
        "station, or adopts the one that has its external id where adopt_existing is set. (trace id T)"
    )


def test_a_long_external_id_that_ends_within_our_number_is_another_s(stack: Stacks) -> None:
    """Station 1 is not station 10, cut short."""
    acme = stack(Restored)
    recorded = acme.up(external_monitoring_station_id="springfield-central-station-10")
    acme.api.stations[1] |= {"external_monitoring_station_id": "springfield-central-station-1"}

    with pytest.raises(OtherStation):
        acme.process().stations.delete(recorded)


class Daily(AnotherChekt):
    def created_at(self) -> str:
        return "2026-01-01"


def test_a_day_of_creation_is_no_moment(stack: Stacks) -> None:
    """Two stations of one day may have the same letters."""
    acme = stack(Daily)
    recorded = acme.up(external_monitoring_station_id="x-1")
    acme.api.stations[1] |= {"external_monitoring_station_id": "x_1"}

    with pytest.raises(OtherStation) as caught:
        acme.process().stations.delete(recorded)
    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'x-1' (12345/1): 12345/1 is monitoring station 'x_1' now, and was 'x-1'. "
        "Nothing was changed. If it is the same station, with an external id that CHeKT changed: pass "
        "external_monitoring_station_id='x_1' and adopt_existing=True, take the resource out of the state with `pulumi "
        "state delete` and its URN, and run `pulumi up`. (trace id T)"
    )


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_number_that_became_another_s_in_the_middle_of_a_run_is_left_alone(stack: Stacks, operation: str) -> None:
    """A change relies on a list that is not older than a minute."""
    acme = stack()
    recorded = acme.up()
    stations = acme.process().stations
    stations.read(recorded.id, recorded)
    acme.clock.now += 60
    takes_over(acme)
    acts: dict[str, Callable[[], object]] = {
        "update": lambda: stations.update(recorded, central(name="New")),
        "delete": lambda: stations.delete(recorded),
    }

    with pytest.raises(OtherStation):
        acts[operation]()
    assert acme.api.stations[1]["name"] == "Theirs"


class GivesAgain(AnotherChekt):
    """Refuses the first change, and the number belongs to another station before the second one."""

    status = 503

    def put(self, number: int, body: Row) -> Reply:
        return self._refusal(number) or super().put(number, body)

    def delete(self, number: int) -> Reply:
        return self._refusal(number) or super().delete(number)

    def _refusal(self, number: int) -> Reply | None:
        if self.stations[number]["name"] == "Theirs":
            return None
        self.stations[number] |= THEIRS
        return (self.status, {"error": {"code": "later"}})


@pytest.mark.parametrize("status", [401, 429, 503])
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_change_is_not_repeated_on_a_number_that_became_another_s(stack: Stacks, operation: str, status: int) -> None:
    """Before another attempt the station itself is read."""
    acme = stack(GivesAgain)
    assert isinstance(acme.api, GivesAgain)
    acme.api.status = status
    recorded = acme.up()
    stations = acme.process().stations
    acts: dict[str, Callable[[], object]] = {
        "update": lambda: stations.update(recorded, central(name="New")),
        "delete": lambda: stations.delete(recorded),
    }

    with pytest.raises(OtherStation) as caught:
        acts[operation]()
    assert caught.value.outcome == "Whether the change was made is not known."
    assert acme.api.stations[1]["name"] == "Theirs"


class GetsASiteAtOnce(AnotherChekt):
    """Refuses the first DELETE; during it a person attaches a site."""

    def delete(self, number: int) -> Reply:
        if self.sites:
            return super().delete(number)
        self.sites[5] = {"site_id": 5, "name": "Shop", "monitoring_station_id": number, "is_activated": 1}
        return (503, {"error": {"code": "later"}})


def test_a_repeated_delete_looks_at_the_sites_anew(stack: Stacks) -> None:
    """It does not matter how young the first one's list is."""
    acme = stack(GetsASiteAtOnce)
    recorded = acme.up()

    with pytest.raises(SitesAttached) as caught:
        acme.process().stations.delete(recorded)
    assert caught.value.outcome == "Whether the change was made is not known."
    assert list(acme.api.stations) == [1]


@pytest.mark.parametrize(("refreshed", "named"), [(False, "central_01"), (True, "central-01")])
def test_a_site_that_names_its_station_in_either_form_keeps_it(stack: Stacks, refreshed: bool, named: str) -> None:
    """One form is the program's, the other is CHeKT's."""
    acme = stack(EchoesRewritten)
    acme.api.skew = 0.0  # type: ignore[attr-defined]
    recorded = acme.up()
    if refreshed:
        recorded = acme.process().stations.read(recorded.id, recorded) or recorded
    acme.api.sites[5] = {"site_id": 5, "name": "Shop", "external_monitoring_station_id": named}

    with pytest.raises(SitesAttached):
        acme.process().stations.delete(recorded)
    assert list(acme.api.stations) == [1]


# Two external ids that CHeKT keeps as one


class Merges(AnotherChekt):
    """Cuts external ids, and answers for the second with the station of the first."""

    status = 201
    echoes = False

    def external_id(self, sent: str) -> str:
        return sent[:12]

    def post(self, body: Row, key: str) -> Reply:
        sent = body["external_monitoring_station_id"]
        rows = [
            row for row in self.stations.values() if row["external_monitoring_station_id"] == self.external_id(sent)
        ]
        status, row = (self.status, rows[0]) if rows else (201, self.add(**body))
        return (status, {**row, "external_monitoring_station_id": sent} if self.echoes else dict(row))


@pytest.mark.parametrize("echoes", [False, True])
@pytest.mark.parametrize("status", [200, 201])
def test_two_resources_never_end_with_one_station(stack: Stacks, status: int, echoes: bool) -> None:
    """The second one fails."""
    acme = stack(Merges)
    assert isinstance(acme.api, Merges)
    acme.api.status, acme.api.echoes = status, echoes
    run = acme.process()
    acme.up(run, external_monitoring_station_id="station-north-1")

    with pytest.raises(DeclaredTwice) as caught:
        acme.up(run, external_monitoring_station_id="station-north-2", name="2", declared_by="acme/alarms/dev/second")
    assert acme.api.stations[1]["name"] == "Central"
    kept = "station-north-2" if echoes else "station-nort"
    assert anonymous(str(caught.value)) == (
        "Could not create monitoring station 'station-north-2' of dealer 12345: CHeKT answered with monitoring station "
        f"{kept!r} (12345/1), which another resource of this program has. Whether the change was made is not known. "
        "Choose external ids that CHeKT keeps apart. (trace id T)"
    )


def test_a_resource_that_the_state_has_is_not_given_to_a_second_one(stack: Stacks) -> None:
    """An earlier run may have made the first one."""
    acme = stack(Merges)
    first = acme.up(external_monitoring_station_id="station-north-1")
    run = acme.process()
    run.stations.keep(first, first.declared_by)

    with pytest.raises(DeclaredTwice):
        acme.up(run, external_monitoring_station_id="station-north-2", declared_by="acme/alarms/dev/second")


@pytest.mark.parametrize("status", [200, 201])
def test_an_old_station_under_a_cut_external_id_is_another_stack_s(stack: Stacks, status: int) -> None:
    """It was there a minute before the POST, and nothing shows that it is ours."""
    acme = stack(Merges)
    assert isinstance(acme.api, Merges)
    acme.api.status = status
    acme.up(external_monitoring_station_id="station-north-1")
    acme.clock.now += 60

    with pytest.raises(StationExists):
        acme.up(external_monitoring_station_id="station-north-2", declared_by="acme/alarms/prod/central")


def test_a_number_that_a_new_station_was_given_again_is_taken(stack: Stacks) -> None:
    """A person deleted the station that the state has under it."""
    acme = stack()
    first = acme.up()
    run = acme.process()
    run.stations.keep(first, first.declared_by)
    del acme.api.stations[1]
    acme.api._last = 0
    acme.clock.now += 5

    second = acme.up(run, external_monitoring_station_id="north", declared_by="acme/alarms/dev/second")

    assert str(second.id) == "12345/1"


class ListsShort(AnotherChekt):
    """Shows twenty characters of an external id in a list."""

    def page(self, rows: list[Row], query: str) -> list[Row]:
        name = "external_monitoring_station_id"
        return [{**row, name: row[name][:20]} for row in rows]


def test_a_list_that_cuts_external_ids_hides_no_station(stack: Stacks) -> None:
    """The station itself tells all of it."""
    acme = stack(ListsShort)
    acme.up(external_monitoring_station_id="springfield-central-station")

    with pytest.raises(StationExists):
        acme.up(external_monitoring_station_id="springfield-central-station", declared_by="acme/alarms/prod/central")
    assert list(acme.api.stations) == [1]
    second = acme.up(external_monitoring_station_id="springfield-central-hall", declared_by="acme/alarms/dev/hall")
    assert str(second.id) == "12345/2"


# What the lines say


class RefusesAndAnotherMakesIt(AnotherChekt):
    """Refuses, and meanwhile another stack makes a station with the same values."""

    def post(self, body: Row, key: str) -> Reply:
        self.add(**body)
        return (403, {"error": {"code": "forbidden", "message": "no"}})


def test_a_station_that_shows_after_a_refusal_is_taken_and_named(stack: Stacks) -> None:
    """Nobody can tell whether it is ours."""
    acme = stack(RefusesAndAnotherMakesIt)

    acme.up()

    assert acme.said[-1] == (
        "Taking monitoring station 'central-01' (12345/1): CHeKT refused: forbidden, \"no\", and lists it since."
    )


class RedirectsAfterwards(AnotherChekt):
    """Makes a change without an answer; then something that is not CHeKT answers the next attempt."""

    status = 307
    asked = 0

    def put(self, number: int, body: Row) -> Reply:
        self.asked += 1
        super().put(number, body)
        return (0, None) if self.asked == 1 else (self.status, None)


@pytest.mark.parametrize("status", [307, 308, 407])
def test_a_redirect_after_a_change_in_doubt_is_not_called_nothing(stack: Stacks, status: int) -> None:
    """It is the first attempt that may have been made."""
    acme = stack(RedirectsAfterwards)
    assert isinstance(acme.api, RedirectsAfterwards)
    acme.api.status = status
    recorded = acme.up()

    with pytest.raises(NotChekt) as caught:
        acme.process().stations.update(recorded, central(name="New"))
    assert caught.value.outcome == "Whether the change was made is not known."


class RefusesAnotherName(AnotherChekt):
    """Makes the station with another name, and says that it did not."""

    def post(self, body: Row, key: str) -> Reply:
        self.add(**body | {"name": "A + B"})
        return (403, {"error": {"code": "forbidden", "message": "no"}})


def test_a_station_that_shows_otherwise_after_a_refusal_is_not_called_nothing(stack: Stacks) -> None:
    """It may be the one that the POST made."""
    acme = stack(RefusesAnotherName)

    with pytest.raises(StationExists) as caught:
        acme.up(name="A & B")
    assert caught.value.outcome == "No list showed it before: this run may have made it, or somebody else."


# Marks of deletion


class ReplaysTheDead(AnotherChekt):
    """Answers a key again with the station as it is now: marked as deleted, without its age."""

    def created_at(self) -> str:
        return ""

    def post(self, body: Row, key: str) -> Reply:
        if key not in self._replays:
            self._replays[key] = (201, self.add(**body))
        return self._replays[key]

    def delete(self, number: int) -> Reply:
        self.stations[number]["deleted"] = True
        return (204, None)


def test_an_answer_that_is_marked_as_deleted_is_a_replay(stack: Stacks) -> None:
    """It does not need to say how old it is."""
    acme = stack(ReplaysTheDead)
    recorded = acme.up()
    acme.process().stations.delete(recorded)

    assert str(acme.up().id) == "12345/2"


class DeletedMeanwhile(AnotherChekt):
    def put(self, number: int, body: Row) -> Reply:
        self.stations[number]["deleted_at"] = "2023-11-15T00:00:00Z"
        return (200, dict(self.stations[number]))


def test_a_change_that_is_answered_with_a_mark_of_deletion_was_not_made(stack: Stacks) -> None:
    """Somebody deleted it in between."""
    acme = stack(DeletedMeanwhile)
    recorded = acme.up()

    with pytest.raises(ChektError, match="CHeKT answered that it changed it, and does not show it"):
        acme.process().stations.update(recorded, central(name="New"))


@pytest.mark.parametrize("never", ["1970-01-01T00:00:00Z", "1900-01-01", "2000-01-01", "2038-01-19", "2099-12-31"])
def test_a_date_that_stands_for_never_deletes_nothing(stack: Stacks, never: str) -> None:
    """Databases have many of them."""
    acme = stack()
    recorded = acme.up()
    acme.api.stations[1]["deleted_at"] = never

    assert acme.process().stations.read(recorded.id, recorded) == recorded


# External ids that CHeKT keeps in another form everywhere


class CutsEverywhere(AnotherChekt):
    """Keeps twenty characters, forgets keys at once, and says that new stations are ninety seconds old."""

    refuses = False

    def external_id(self, sent: str) -> str:
        return sent[:20]

    def created_at(self) -> str:
        return datetime.fromtimestamp(self.clock() - 90, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def post(self, body: Row, key: str) -> Reply:
        kept = self.external_id(body["external_monitoring_station_id"])
        if self.refuses and kept in [row["external_monitoring_station_id"] for row in self.stations.values()]:
            return (409, {"error": {"code": "conflict", "message": "taken"}})
        return (201, self.add(**body))


LONG = "springfield-central-station"
KEPT_CUT = "springfield-central-"
IF_IT_IS = (
    f"That may be this station, with an external id that CHeKT changed. If it is, pass "
    f"external_monitoring_station_id={KEPT_CUT!r} and adopt_existing=True; if not, choose an "
    "external_monitoring_station_id that has other letters. (trace id T)"
)


def test_an_own_new_station_is_ours_though_its_external_id_is_cut_and_its_clock_is_wrong(stack: Stacks) -> None:
    """No list before the POST had its number."""
    acme = stack(CutsEverywhere)

    recorded = acme.up(external_monitoring_station_id=LONG)

    assert str(recorded.id) == "12345/1"
    assert recorded.answers("external_monitoring_station_id", LONG)


def test_a_station_that_may_be_ours_under_a_cut_external_id_is_named_before_the_post(stack: Stacks) -> None:
    """A killed run may have made it: another POST would make a second one."""
    acme = stack(CutsEverywhere)
    acme.up(external_monitoring_station_id=LONG)

    with pytest.raises(StationExists) as caught:
        acme.up(external_monitoring_station_id=LONG)
    assert anonymous(str(caught.value)) == (
        f"Could not create monitoring station {LONG!r} of dealer 12345: CHeKT lists monitoring station {KEPT_CUT!r} "
        f"(12345/1) with the same values. Nothing was changed. {IF_IT_IS}"
    )
    assert len(acme.keys()) == 1
    adopted = acme.up(external_monitoring_station_id=KEPT_CUT, adopt_existing=True)
    assert str(adopted.id) == "12345/1"


def test_adopting_never_makes_a_second_station_beside_one_under_a_cut_external_id(stack: Stacks) -> None:
    """Whatever its values are."""
    acme = stack(CutsEverywhere)
    acme.up(external_monitoring_station_id=LONG)

    with pytest.raises(StationExists) as caught:
        acme.up(external_monitoring_station_id=LONG, name="New", adopt_existing=True)
    assert anonymous(str(caught.value)) == (
        f"Could not create monitoring station {LONG!r} of dealer 12345: CHeKT lists monitoring station {KEPT_CUT!r} "
        f"(12345/1). Nothing was changed. {IF_IT_IS}"
    )
    assert len(acme.keys()) == 1


def test_a_refused_external_id_that_chekt_lists_cut_is_named(stack: Stacks) -> None:
    """The refusal alone would be a dead end."""
    acme = stack(CutsEverywhere)
    assert isinstance(acme.api, CutsEverywhere)
    acme.api.refuses = True
    acme.up(external_monitoring_station_id=LONG)

    with pytest.raises(ChektError) as caught:
        acme.up(external_monitoring_station_id=LONG, name="New")
    assert anonymous(str(caught.value)) == (
        f'Could not create monitoring station {LONG!r} of dealer 12345: CHeKT refused: conflict, "taken"; CHeKT '
        f"lists monitoring station {KEPT_CUT!r} (12345/1). Nothing was created. {IF_IT_IS[:-13]} (HTTP 409, trace id T)"
    )


def test_two_external_ids_that_are_cut_to_one_are_two_stations_of_one_program(stack: Stacks) -> None:
    """The first one's resource has it: it cannot be the second."""
    acme = stack(CutsEverywhere)
    run = acme.process()
    acme.up(run, external_monitoring_station_id=LONG)

    second = acme.up(run, external_monitoring_station_id=f"{KEPT_CUT}hall", declared_by="acme/alarms/dev/hall")

    assert str(second.id) == "12345/2"


class AnswersRewrittenAtOnce(ForgetsKeys):
    """Keeps other characters between the letters, and says so."""

    def external_id(self, sent: str) -> str:
        return sent.replace("-", "_")


def test_a_new_station_with_the_same_letters_is_ours(stack: Stacks) -> None:
    """It is as old as the answer."""
    acme = stack(AnswersRewrittenAtOnce)

    recorded = acme.up()

    assert recorded.external_id == "central_01"
    assert recorded.answers("external_monitoring_station_id", "central-01")


def test_a_station_with_the_same_letters_and_values_is_named_before_the_post(stack: Stacks) -> None:
    """With other values it belongs to somebody else, and is left alone."""
    acme = stack(AnswersRewrittenAtOnce)
    acme.up()
    acme.clock.now += 60

    assert acme.fails() == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT lists monitoring station 'central_01' "
        "(12345/1) with the same values. Nothing was changed. That may be this station, with an external id that CHeKT "
        "changed. If it is, pass external_monitoring_station_id='central_01' and adopt_existing=True; if not, choose "
        "an external_monitoring_station_id that has other letters. (trace id T)"
    )
    assert len(acme.keys()) == 1
    assert str(acme.up(name="Another").id) == "12345/2"


def test_a_replacement_that_changes_only_what_is_between_the_letters_is_made(stack: Stacks) -> None:
    """The station with the same letters and values is the one being replaced."""
    acme = stack()
    recorded = acme.up(external_monitoring_station_id="central 01")
    run = acme.process()
    run.stations.preview_replacement(recorded)

    assert str(acme.up(run).id) == "12345/2"


class LosesAndPrefixes(AnotherChekt):
    """Puts something in front of every text, and fails after the work is done."""

    def post(self, body: Row, key: str) -> Reply:
        self.add(**{name: f"acme/{sent}" for name, sent in body.items()})
        return (500, {"error": {"code": "failed"}})


def test_a_station_with_something_in_front_of_all_its_texts_is_named_and_not_made_again(stack: Stacks) -> None:
    """It appeared after the first look, and it contains what was sent."""
    acme = stack(LosesAndPrefixes)

    assert "since then CHeKT lists monitoring station 'acme/central-01' (12345/1). That may be this" in acme.fails()
    assert list(acme.api.stations) == [1]


class WritesTimesOtherwise(Merges):
    """Writes the time of creation in another way than the list does."""

    def post(self, body: Row, key: str) -> Reply:
        status, row = super().post(body, key)
        return (status, row | {"created_at": row["created_at"].replace(".000Z", "+00:00")})


def test_one_moment_that_is_written_in_two_ways_is_one_station(stack: Stacks) -> None:
    """Two resources cannot both have it."""
    acme = stack(WritesTimesOtherwise)
    made = acme.up(external_monitoring_station_id="station-north-1")
    first = acme.process().stations.read(made.id, made)
    assert first is not None
    assert first.created_at != made.created_at
    run = acme.process()
    run.stations.keep(first, first.declared_by)

    with pytest.raises(DeclaredTwice):
        acme.up(run, external_monitoring_station_id="station-north-2", declared_by="acme/alarms/dev/second")


# Values that CHeKT keeps in another form


class Escapes(AnotherChekt):
    """Keeps texts as HTML writes them."""

    def put(self, number: int, body: Row) -> Reply:
        return super().put(number, {name: escape(sent or "") for name, sent in body.items()})


class Spells(AnotherChekt):
    """Keeps a word in place of a sign."""

    def put(self, number: int, body: Row) -> Reply:
        return super().put(number, {name: (sent or "").replace("&", "and") for name, sent in body.items()})


def test_a_value_that_chekt_escapes_is_what_was_sent(stack: Stacks) -> None:
    """It is adopted, and the next preview shows no change."""
    acme = stack(Escapes)
    acme.api.add(external_monitoring_station_id="central-01", name="Old")

    adopted = acme.up(name="A & B", adopt_existing=True)

    assert adopted.fields["name"] == "A &amp; B"
    assert adopted.answers("name", "A & B")


def test_adopting_a_station_whose_value_chekt_does_not_take_is_no_dead_end(stack: Stacks) -> None:
    """The resource has it, the record holds the truth, and the run says so."""
    acme = stack(Spells)
    acme.api.add(external_monitoring_station_id="central-01", name="A and B", prefix="CH", linecard="7")

    adopted = acme.up(name="A & B", adopt_existing=True)

    assert str(adopted.id) == "12345/1"
    assert not adopted.answers("name", "A & B")
    assert acme.said[-1] == (
        "CHeKT gave monitoring station 'central-01' (12345/1) to this resource but did not take name; the next preview "
        "shows it."
    )


class AnswersInPart(AnotherChekt):
    """Answers a PUT with only the number."""

    def put(self, number: int, body: Row) -> Reply:
        super().put(number, body)
        return (200, {"monitoring_station_id": number})


def test_an_answer_that_leaves_out_what_was_sent_is_no_sign_that_it_was_not_taken(stack: Stacks) -> None:
    """The station itself tells."""
    acme = stack(AnswersInPart)
    recorded = acme.up()

    assert acme.process().stations.update(recorded, central(name="New")).fields["name"] == "New"


# Attempts that are still under way


class WorksOn(AnotherChekt):
    """Breaks off, and refuses the next attempt because the first one is still running."""

    def post(self, body: Row, key: str) -> Reply:
        self._last += 1
        return (0, None) if self._last == 1 else (409, {"error": {"code": "request_in_progress", "message": "wait"}})


def test_an_attempt_that_is_under_way_is_not_called_nothing(stack: Stacks) -> None:
    """CHeKT says so, and no list shows its station yet."""
    acme = stack(WorksOn)

    assert acme.fails() == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT refused: request_in_progress, "
        '"wait", after 3 attempts. The dealer\'s list does not show the station, which may still come. Run `pulumi up` '
        "again: it names the station where it is there. (HTTP 409, trace id T)"
    )


# External ids that CHeKT keeps with something around them


class Prefixes(ForgetsKeys):
    """Keeps something in front of an external id."""

    def external_id(self, sent: str) -> str:
        return f"acme/{sent}"


class Suffixes(Prefixes):
    def external_id(self, sent: str) -> str:
        return f"{sent}@12345"


class CutsNumbers(Prefixes):
    """Keeps twenty characters, and loses the first answer."""

    def external_id(self, sent: str) -> str:
        return sent[:20]

    def post(self, body: Row, key: str) -> Reply:
        super().post(body, key)
        return (0, None)


@pytest.mark.parametrize(
    ("kind", "external_id"),
    [(Prefixes, "central-01"), (Suffixes, "central-01"), (CutsNumbers, "monitoring-station-000123")],
)
def test_running_again_makes_no_second_station_under_a_changed_external_id(
    stack: Stacks, kind: type[AnotherChekt], external_id: str
) -> None:
    """The error names it again, by its values."""
    acme = stack(kind)
    for _ in range(3):
        with pytest.raises(ChektError, match="That may be this station"):
            acme.up(external_monitoring_station_id=external_id)
        acme.clock.now += 60

    assert len(acme.keys()) == 1
    kept = acme.api.stations[1]["external_monitoring_station_id"]
    assert str(acme.up(external_monitoring_station_id=kept, adopt_existing=True).id) == "12345/1"


def test_a_longer_number_with_the_same_values_is_another_station(stack: Stacks) -> None:
    """Station 10 contains station 1 by its letters alone."""
    acme = stack()
    acme.up(external_monitoring_station_id="site-10", declared_by="acme/alarms/prod/ten")

    assert str(acme.up(external_monitoring_station_id="site-1").id) == "12345/2"


class StoresAndRefuses(Prefixes):
    """Makes the station, and says that there is a conflict."""

    code: str | None = "conflict"

    def post(self, body: Row, key: str) -> Reply:
        super().post(body, key)
        return (409, {"error": {"code": self.code}} if self.code else None)


@pytest.mark.parametrize("code", ["conflict", None])
def test_a_station_that_was_made_and_refused_under_a_changed_external_id_is_named(
    stack: Stacks, code: str | None
) -> None:
    """No second POST follows."""
    acme = stack(StoresAndRefuses)
    assert isinstance(acme.api, StoresAndRefuses)
    acme.api.code = code

    assert "; since then CHeKT lists monitoring station 'acme/central-01' (12345/1). That may be this" in acme.fails()
    assert list(acme.api.stations) == [1]


class ListsShortWithoutAge(ListsShort):
    """Cuts within numbers, and tells no age."""

    def created_at(self) -> str:
        return ""


def test_a_list_that_cuts_external_ids_makes_no_station_another_one(stack: Stacks) -> None:
    """The station itself tells its whole external id: to read, change, adopt and delete it."""
    acme = stack(ListsShortWithoutAge)
    long = "monitoring-station-000123"
    made = acme.up(external_monitoring_station_id=long)
    read = acme.process().stations.read(made.id, made)
    assert read == made
    changed = acme.process().stations.update(read, central(external_monitoring_station_id=long, name="New"))
    with pytest.raises(StationExists, match=r"it exists already as 12345/1"):
        acme.up(external_monitoring_station_id=long)
    assert str(acme.up(external_monitoring_station_id=long, adopt_existing=True).id) == "12345/1"

    acme.process().stations.delete(changed)

    assert acme.api.stations == {}


def test_stations_that_may_be_cut_are_asked_for_once(stack: Stacks) -> None:
    """Sixteen creations, one list, one GET."""
    acme = stack()
    acme.api.add(external_monitoring_station_id="springfield-central")
    run = acme.process()

    for number in range(16):
        external_id = f"springfield-central-{number}"
        acme.up(run, external_monitoring_station_id=external_id, name=external_id, declared_by=external_id)

    gets = [path for method, path, _ in acme.api.log if method == "GET" and path != "/monitoring-stations"]
    assert gets == ["/monitoring-stations/1"]


# Answers that are behind


class AnswersBehind(AnotherChekt):
    """Answers a PUT with the station as it was, and hides it for a second."""

    hidden_until = 0.0
    answers = True

    def put(self, number: int, body: Row) -> Reply:
        before = dict(self.stations[number])
        super().put(number, body)
        self.hidden_until = self.clock() + 1
        return (200, before if self.answers else None)

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if method == "GET" and path.endswith("/1") and self.clock() < self.hidden_until:
            return (404, {"error": {"code": "not_found"}})
        return super().answer(method, path, query, body, key)


@pytest.mark.parametrize("answers", [True, False])
def test_a_change_that_shows_late_is_not_called_not_taken(stack: Stacks, answers: bool) -> None:
    """The station itself is read, until CHeKT must show it."""
    acme = stack(AnswersBehind)
    assert isinstance(acme.api, AnswersBehind)
    acme.api.answers = answers
    recorded = acme.up()

    assert acme.process().stations.update(recorded, central(name="New")).fields["name"] == "New"


# External ids that CHeKT folds


class FoldsIds(ForgetsKeys):
    """Writes external ids without accents, and numbers without leading zeros."""

    def external_id(self, sent: str) -> str:
        return sent.replace("ü", "u").replace("00", "")


@pytest.mark.parametrize(("sent", "kept"), [("zürich-01", "zurich-01"), ("site-007", "site-7")])
def test_a_run_that_is_repeated_makes_no_second_station_of_a_folded_id(stack: Stacks, sent: str, kept: str) -> None:
    """The first run names what it got; the next ones find it, and stop before they send anything."""
    acme = stack(FoldsIds)
    for _ in range(3):
        with pytest.raises(ChektError) as caught:
            acme.up(external_monitoring_station_id=sent)

    assert [row["external_monitoring_station_id"] for row in acme.api.stations.values()] == [kept]
    assert f"CHeKT lists monitoring station {kept!r} (12345/1) with the same values." in str(caught.value)


# Attempts that CHeKT takes its time for


class TakesItsTime(AnotherChekt):
    """Answers 504 while it works on a POST, for forty seconds; the same key then gets the result."""

    def post(self, body: Row, key: str) -> Reply:
        if key not in self._replays:
            self._replays[key] = (504, None)
            self._born[self._last + 1] = self.clock() + 40
            row = self.add(**body)
            self._born[self._last] = self.clock() + 40
            self._replays[key] = (201, dict(row))
            return (504, None)
        ready = self.clock() >= self._born[self._replays[key][1]["monitoring_station_id"]]
        return self._replays[key] if ready else (504, None)


def test_a_gateway_that_gives_up_before_chekt_does_makes_no_second_station(stack: Stacks) -> None:
    """No key stores its 504: no other key is used."""
    acme = stack(TakesItsTime)

    acme.up()

    assert len(set(acme.keys())) == 1
    assert list(acme.api.stations) == [1]

"""No site loses what it had, nor its station: whatever answers a PUT, whoever works on the dealer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chekt_provider.errors import AccountTaken, ChektError, ListIncomplete, NotFound, SitesAttached, Unsafe
from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.model.ids import SiteId
from chekt_provider.model.records import Assigned, Recorded
from chekt_provider.plugin.run import Run
from tests.another_chekt import AnotherChekt, Reply, Row
from tests.another_world import Stack, Stacks
from tests.helpers import anonymous, central
from tests.safe_world import STACK

VALUES: Row = {"external_site_id": "villa", "name": "Villa", "account_number": "0042", "timezone": "UTC"}
HAD = "external_site_id 'villa', name 'Villa', timezone 'UTC', account_number '0042'"


def villa(on: int | None) -> Row:
    """Site 1, with all that it has."""
    return {"site_id": 1, **VALUES, "monitoring_station_id": on, "is_activated": 1}


def begun(acme: Stack) -> Stack:
    """Two stations, and the site on the first."""
    for name in ("one", "two"):
        acme.api.add(external_monitoring_station_id=name, name=name)
    acme.api.sites[1] = villa(1)
    return acme


def wanted(station: str) -> AssignmentInputs:
    return AssignmentInputs.model_validate(
        {"dealer_id": "12345", "site_id": "1", "monitoring_station_id": station, "declared_by": "acme/villa"}
    )


def assign(run: Run, station: str) -> Assigned:
    return run.assignments.create(wanted(station))


def adopted(run: Run) -> Recorded:
    """The second station, taken over by a run."""
    return run.stations.create(central(external_monitoring_station_id="two", name="two", adopt_existing=True))


def line(error: pytest.ExceptionInfo[ChektError]) -> str:
    return anonymous(str(error.value))


def puts(acme: Stack) -> list[str]:
    return [path.rpartition("12345")[2] for method, path, _ in acme.api.log if method == "PUT"]


# what a site had


class Replaces(AnotherChekt):
    """A PUT of a site drops what it does not name; the first `answered` PUTs get this answer."""

    answered = 0
    status = 502

    def put_site(self, number: int, body: Row) -> Reply:
        blank = dict.fromkeys(VALUES)
        self.sites[number] |= {**blank, **body}
        self.after()
        self.answered -= 1
        return (self.status, {}) if self.answered >= 0 else (200, dict(self.sites[number]))

    def after(self) -> None:
        """What happens right after a PUT."""


@pytest.mark.parametrize(("status", "times"), [(502, 1), (502, 5), (200, 1), (401, 1), (303, 1)])
def test_what_a_put_dropped_is_put_back_whatever_it_was_answered(stack: Stacks, status: int, times: int) -> None:
    """A failure, an answer that shows nothing, a refusal after the fact: the site itself tells what became of it."""
    acme = begun(stack(Replaces))
    acme.api.status, acme.api.answered = status, times  # type: ignore[attr-defined]

    assert assign(acme.process(), "2").monitoring_station_id == "2"

    assert {name: acme.api.sites[1][name] for name in VALUES} == VALUES
    assert acme.said[1] == f"CHeKT dropped {HAD} when it moved site 'Villa' (1); putting it back."


class DoesItLate(Replaces):
    """The first PUT gets a 504, and is done five seconds later."""

    late: tuple[float, Row] | None = None

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if self.late and self.clock() >= self.late[0]:
            self.sites[1] |= {**dict.fromkeys(VALUES), **self.late[1]}
            self.late = None
        return super().answer(method, path, query, body, key)

    def put_site(self, number: int, body: Row) -> Reply:
        if self.answered == 0:
            self.answered -= 1
            self.late = (self.clock() + 5, body)
            return (504, {})
        return super().put_site(number, body)


def test_a_put_that_is_done_late_costs_a_site_nothing(stack: Stacks) -> None:
    """Where PUT replaces, it drops again what was put back in between: the site is watched to the end."""
    acme = begun(stack(DoesItLate))

    assert assign(acme.process(), "2").monitoring_station_id == "2"

    acme.clock.sleep(60)
    assert {name: acme.api.sites[1][name] for name in VALUES} == VALUES


class EditedMeanwhile(Replaces):
    """Somebody sets an address, and another name, right after the first PUT."""

    edits = 1

    def after(self) -> None:
        if self.edits:
            self.edits -= 1
            self.sites[1] |= {"name": "Villa Rosa", "address1": "1 Road"}


def test_what_somebody_sets_before_the_values_are_put_back_stays(stack: Stacks) -> None:
    """Only what is still missing is put back, with everything else as it is by then."""
    acme = begun(stack(EditedMeanwhile))

    with pytest.raises(ChektError, match="name was 'Villa' and is 'Villa Rosa'"):
        assign(acme.process(), "2")

    now = acme.api.sites[1]
    assert (now["name"], now["address1"], now["account_number"]) == ("Villa Rosa", "1 Road", "0042")


class ShowsLate(Replaces):
    """A site shows itself as it was for five seconds after a PUT."""

    before: tuple[float, Row] = (0.0, {})

    def put_site(self, number: int, body: Row) -> Reply:
        self.before = (self.clock(), dict(self.sites[number]))
        return super().put_site(number, body)

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        status, answer = super().answer(method, path, query, body, key)
        put_at, before = self.before
        is_late = method == "GET" and path.endswith("/sites/1") and self.clock() - put_at < 5
        return (status, before or answer) if is_late else (status, answer)


def test_a_put_of_a_site_that_was_there_already_is_looked_at_to_the_end(stack: Stacks) -> None:
    """That it shows its station proves nothing: it did so before, and what it lost shows late."""
    acme = begun(stack(ShowsLate))
    recorded = assign(acme.process(), "2")
    acme.api.sites[1] = villa(1)
    acme.clock.sleep(60)

    acme.process().assignments.update(recorded, wanted("1"))

    assert {name: acme.api.sites[1][name] for name in VALUES} == VALUES


class GoesQuiet(Replaces):
    """Answers no GET of a site after a PUT."""

    quiet = False

    def after(self) -> None:
        self.quiet = True

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if self.quiet and method == "GET" and path.endswith("/sites/1"):
            return (503, {})
        return super().answer(method, path, query, body, key)


def test_where_nothing_can_be_read_after_a_put_the_line_says_what_the_site_had(stack: Stacks) -> None:
    """It may be lost, and no later run knows it."""
    acme = begun(stack(GoesQuiet))

    with pytest.raises(ChektError) as caught:
        assign(acme.process(), "2")

    assert line(caught) == (
        'Could not assign site 1 of dealer 12345 to monitoring station 12345/2: CHeKT failed: "{}", 5 '
        f"times. Whether the change was made is not known. Before, the site had {HAD}: what CHeKT does not show of it "
        "any more, set again in its portal. Run `pulumi up --refresh`: it looks at what is there before it changes "
        "anything. (HTTP 503, trace id T)"
    )


class Snatched(Replaces):
    """Somebody moves the site on, right after our PUT."""

    def after(self) -> None:
        if self.sites[1]["monitoring_station_id"] == 2:
            self.sites[1]["monitoring_station_id"] = 3


def test_a_site_that_somebody_moves_on_gets_its_values_back_where_it_is(stack: Stacks) -> None:
    """It stays there; the error is that it did not come to the wanted station."""
    acme = begun(stack(Snatched))
    acme.api.add(external_monitoring_station_id="three", name="three")

    with pytest.raises(Unsafe) as caught:
        assign(acme.process(), "2")

    assert "site 'Villa' (1) is on monitoring station 3 now: somebody moved it meanwhile" in line(caught)
    assert {name: acme.api.sites[1][name] for name in VALUES} == VALUES
    assert acme.api.sites[1]["monitoring_station_id"] == 3


def test_a_site_that_lacks_what_the_state_has_is_named(stack: Stacks) -> None:
    """A run that was killed between a PUT and the PUT that restores the values leaves it so."""
    acme = begun(stack())
    recorded = assign(acme.process(), "2")
    acme.api.sites[1] |= dict.fromkeys(VALUES)

    acme.process().assignments.read(recorded.id, recorded)
    acme.process().assignments.update(recorded, wanted("1"))

    lost = "external_site_id 'villa', name 'Villa', account_number '0042'"
    told = f"site 'Villa' (12345/site/1) had {lost} at the last refresh, and has not any more"
    assert [sentence.partition(":")[0] for sentence in acme.said].count(told) == 2


# a list that is behind


class ShowsBefore(AnotherChekt):
    """Its list of sites, and on request each site too, shows another station than the true one."""

    before: int | None = None
    items_too = False

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return [self._old(row) if "site_id" in row else row for row in rows]

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        status, answer = super().answer(method, path, query, body, key)
        is_item = method == "GET" and path.endswith("/sites/1")
        return (status, self._old(answer)) if is_item and self.items_too else (status, answer)

    def put_site(self, number: int, body: Row) -> Reply:
        self.before = None
        return super().put_site(number, body)

    def _old(self, row: Row) -> Row:
        return {**row, "monitoring_station_id": self.before} if self.before else row


def test_an_assignment_begins_with_where_the_site_says_that_it_is(stack: Stacks) -> None:
    """The list still shows it on the wanted station, or already does."""
    acme = begun(stack(ShowsBefore))
    acme.api.before = 2  # type: ignore[attr-defined]

    assign(acme.process(), "2")

    assert acme.api.sites[1]["monitoring_station_id"] == 2


@pytest.mark.parametrize("items_too", [False, True])
def test_a_site_that_the_state_has_elsewhere_is_moved_whatever_shows(stack: Stacks, items_too: bool) -> None:
    """It went to station 2 a moment ago, and back now: whatever shows it on station 1 is behind."""
    acme = begun(stack(ShowsBefore))
    recorded = assign(acme.process(), "2")
    acme.api.before, acme.api.items_too = 1, items_too  # type: ignore[attr-defined]

    assert acme.process().assignments.update(recorded, wanted("1")).monitoring_station_id == "1"

    assert puts(acme) == ["/sites/1", "/sites/1"]
    assert acme.api.sites[1]["monitoring_station_id"] == 1


def test_a_list_that_is_behind_is_no_word_of_somebody(stack: Stacks) -> None:
    """A run names what it overwrites only if the site and the station themselves say so."""
    acme = begun(stack(ShowsBefore))
    recorded = assign(acme.process(), "2")
    acme.api.before = 3  # type: ignore[attr-defined]
    acme.said.clear()

    acme.process().assignments.update(recorded, wanted("1"))

    assert [sentence for sentence in acme.said if "since the last refresh" in sentence] == []


class ShowsOldName(AnotherChekt):
    """Its list of stations is behind."""

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return [{**row, "name": "N1"} if "site_id" not in row else row for row in rows]


def test_a_name_that_only_the_list_shows_is_not_somebody_s(stack: Stacks) -> None:
    """N1, N2, N3, one after the other: nobody else changed anything."""
    acme = stack(ShowsOldName)
    recorded = acme.up(name="N2")
    acme.said.clear()

    acme.process().stations.update(recorded, central(name="N3"))

    assert [sentence for sentence in acme.said if "somebody" in sentence] == []


class LeavesOut(AnotherChekt):
    """Its list of sites leaves the first one out."""

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return [row for row in rows if row.get("site_id") != 1]


@pytest.mark.parametrize("call", ["keep", "read", "delete"])
def test_a_list_that_leaves_out_a_site_of_the_state_deletes_no_station(stack: Stacks, call: str) -> None:
    """The assignment is kept, refreshed, or goes with the station: the site is asked for by id."""
    acme = begun(stack(LeavesOut))
    recorded = Assigned(SiteId("12345", "1"), "villa", "Villa", "0042", "1", declared_by="acme/villa")
    run = acme.process()
    if call == "keep":
        run.assignments.keep(recorded, "acme/villa")
    else:
        getattr(run.assignments, call)(*([recorded.id] if call == "read" else []), recorded)
    one = acme.process().stations.create(central(external_monitoring_station_id="one", name="one", adopt_existing=True))

    with pytest.raises(ChektError) as caught:
        run.stations.delete(replace(one, reassign_sites_to=""))

    assert "what CHeKT lists is not whole: it leaves out site 1" in line(caught)
    assert 1 in acme.api.stations


# the target


def test_a_site_is_not_put_on_a_station_that_is_gone(stack: Stacks) -> None:
    """The list that shows it is older than two seconds."""
    acme = begun(stack())
    run = acme.process()
    run.stations.create(central(external_monitoring_station_id="other"))
    acme.clock.sleep(2)
    del acme.api.stations[2]

    with pytest.raises(NotFound) as caught:
        assign(run, "2")

    assert line(caught) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/2: monitoring station 12345/2 does not "
        "exist any more. Nothing was changed. Name a monitoring station of this dealer. (HTTP 404, trace id T)"
    )
    assert acme.api.sites[1]["monitoring_station_id"] == 1


def test_a_station_of_the_state_that_does_not_answer_at_once_gets_time(stack: Stacks) -> None:
    """CHeKT may answer 404 by its number for as long as it may be behind: a site goes there once it shows itself."""
    acme = begun(stack())
    run = acme.process()
    adopted(run)
    acme.clock.sleep(20)
    acme.api.item_lag = 12
    acme.api._born[2] = acme.clock.now

    assert assign(run, "2").monitoring_station_id == "2"


class ThrottlesTheMove(AnotherChekt):
    """Answers the first PUT of a site with 429 and a wait of these seconds; meanwhile somebody deletes station 2."""

    def put_site(self, number: int, body: Row) -> Reply:
        if 2 in self.stations:
            del self.stations[2]
            return (429, {})
        return super().put_site(number, body)


def test_the_target_is_looked_at_before_a_put_is_repeated(stack: Stacks) -> None:
    """Somebody may have deleted it during the wait."""
    acme = begun(stack(ThrottlesTheMove))
    run = acme.process(CHEKT_REQUESTS_PER_MINUTE="20")
    run.stations.create(central(external_monitoring_station_id="other"))

    with pytest.raises(NotFound, match="monitoring station 12345/2 does not exist any more"):
        assign(run, "2")

    assert acme.api.sites[1]["monitoring_station_id"] == 1


class ShowsItElsewhere(AnotherChekt):
    """Site 1, asked for by its number, is behind: still on station 2, though somebody put it on station 1."""

    until = 0.0

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        status, answered = super().answer(method, path, query, body, key)
        is_behind = method == "GET" and path.endswith("/sites/1") and self.clock() < self.until
        return status, {**answered, "monitoring_station_id": 2} if is_behind else answered


@pytest.mark.parametrize("seconds", [12, 600])
def test_a_list_that_has_a_site_on_the_station_is_believed_before_the_site(stack: Stacks, seconds: float) -> None:
    """If they disagree, both get the time in which CHeKT must show it; then nothing is deleted."""
    acme = begun(stack(ShowsItElsewhere))
    acme.api.until = acme.clock.now + seconds  # type: ignore[attr-defined]
    recorded = acme.process().stations.create(
        central(external_monitoring_station_id="one", name="one", adopt_existing=True)
    )
    run = acme.process()

    if seconds < 16:
        run.stations.delete(replace(recorded, reassign_sites_to="2"))
        assert acme.api.sites[1]["monitoring_station_id"] == 2
    else:
        with pytest.raises(ListIncomplete) as caught:
            run.stations.delete(replace(recorded, reassign_sites_to="2"))
        assert "CHeKT lists site 'Villa' (1) on it, and shows it elsewhere" in line(caught)
        assert 1 in acme.api.stations


class PutsItBack(AnotherChekt):
    """Site 1 shows itself late; somebody puts it back on station 1 right after it was moved."""

    moved: Row | None = None

    def put_site(self, number: int, body: Row) -> Reply:
        reply = super().put_site(number, body)
        self.moved = dict(self.sites[1])
        return reply

    def page(self, rows: list[Row], query: str) -> list[Row]:
        if self.moved and any("site_id" in row for row in rows):
            self.sites[1]["monitoring_station_id"] = 1
        return rows

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        status, answered = super().answer(method, path, query, body, key)
        return status, self.moved if method == "GET" and path.endswith("/sites/1") and self.moved else answered


def test_a_moved_site_that_is_listed_on_the_station_again_keeps_it(stack: Stacks) -> None:
    """Somebody put it back, and the site itself is behind: that does not prove that it has left."""
    acme = begun(stack(PutsItBack))
    recorded = acme.process().stations.create(
        central(external_monitoring_station_id="one", name="one", adopt_existing=True)
    )

    with pytest.raises(ChektError):
        acme.process().stations.delete(replace(recorded, reassign_sites_to="2"))

    assert 1 in acme.api.stations


class GoneLater(AnotherChekt):
    """Shows a deleted station until somebody lets it go."""

    def delete(self, number: int) -> Reply:
        return (204, None)


def test_no_site_goes_to_a_station_that_this_run_deletes_without_looking(stack: Stacks) -> None:
    """With the guard off nobody looks at sites; the run still knows what it does itself."""
    acme = begun(stack(GoneLater))
    two = adopted(acme.process())
    run = acme.process(CHEKT_SITE_GUARD="off")
    run.stations.delete(two)

    with pytest.raises(Unsafe, match="monitoring station 12345/2 is being deleted by the same run"):
        assign(run, "2")

    assert acme.api.sites[1]["monitoring_station_id"] == 1


class LeavesOutNull(AnotherChekt):
    """Shows no field that is not set."""

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        status, answered = super().answer(method, path, query, body, key)
        rows = answered if isinstance(answered, list) else [answered or {}]
        told = [{name: value for name, value in row.items() if value is not None} for row in rows]
        return status, told if isinstance(answered, list) else told[0]


def test_the_first_of_many_sites_gets_its_station_and_none_is_deleted_before(stack: Stacks) -> None:
    """Of over a hundred sites none says anything about a station: that does not prove that none has one."""
    acme = begun(stack(LeavesOutNull))
    acme.api.sites |= {number: {"site_id": number, "name": "Shop"} for number in range(1, 131)}
    two = adopted(acme.process())

    with pytest.raises(SitesAttached) as caught:
        acme.process().stations.delete(two)

    assert line(caught) == (
        "Could not delete monitoring station 'two' (12345/2): whether sites send their signals to it cannot be read: "
        "not one of over 100 listed sites says which station it has. Nothing was changed. Put one of the dealer's "
        "sites on a station in CHeKT's portal, and run again, or set chekt:siteGuard (CHEKT_SITE_GUARD) to off to "
        "delete without looking. (trace id T)"
    )
    assert assign(acme.process(), "1").monitoring_station_id == "1"
    acme.process().stations.delete(two)
    assert list(acme.api.stations) == [1]


class NeverLists(LeavesOutNull):
    """Its lists show no station of any site."""

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return [
            {k: v for k, v in row.items() if k != "monitoring_station_id"} if "site_id" in row else row for row in rows
        ]


def test_an_account_number_is_looked_for_among_sites_whose_stations_are_not_listed(stack: Stacks) -> None:
    """Each site with the same number is asked for by id: one of them may be on the station."""
    acme = begun(stack(NeverLists))
    acme.api.sites |= {number: {"site_id": number, "name": "Shop"} for number in range(1, 151)}
    acme.api.sites[1] |= {"account_number": "0005"}
    acme.api.sites[130] |= {"account_number": "0005", "monitoring_station_id": 2}

    with pytest.raises(AccountTaken, match=r"site 'Shop' \(130\) is there already"):
        assign(acme.process(), "2")


def test_a_station_that_this_run_has_just_made_need_not_show_yet(stack: Stacks) -> None:
    """A site still goes to it: its replacement waits for that."""
    acme = begun(stack())
    acme.api.list_lag = acme.api.item_lag = 12
    acme.clock.sleep(12)
    run = acme.process()
    made = acme.up(run)
    acme.clock.sleep(3)

    assert assign(run, made.id.station_id).monitoring_station_id == made.id.station_id


class ListsWhatIsGone(AnotherChekt):
    """Its list of stations shows one that was deleted."""

    gone: Row | None = None

    def page(self, rows: list[Row], query: str) -> list[Row]:
        return [*rows, *([self.gone] if self.gone and rows and "site_id" not in rows[0] else [])]


def test_a_list_is_no_proof_that_the_target_is_there(stack: Stacks) -> None:
    """It may be behind; the station itself says that it is gone."""
    acme = begun(stack(ListsWhatIsGone))
    acme.api.gone = acme.api.stations.pop(2)  # type: ignore[attr-defined]

    with pytest.raises(NotFound, match="does not exist any more"):
        assign(acme.process(), "2")

    assert acme.api.sites[1]["monitoring_station_id"] == 1


class DeletesTheTarget(AnotherChekt):
    """Another stack deletes station 2 right after a site came to it."""

    def put_site(self, number: int, body: Row) -> Reply:
        reply = super().put_site(number, body)
        self.clock.sleep(3)  # type: ignore[attr-defined]
        del self.stations[2]
        return reply


def test_a_station_whose_sites_went_to_one_that_is_gone_is_not_deleted(stack: Stacks) -> None:
    """They can be moved back; the line says where they are."""
    acme = stack(DeletesTheTarget)
    recorded = acme.up()
    acme.api.add(external_monitoring_station_id="two", name="two")
    acme.api.sites[1] = villa(1)

    with pytest.raises(NotFound) as caught:
        acme.process().stations.delete(replace(recorded, reassign_sites_to="2"))

    assert line(caught) == (
        "Could not move site 'Villa' (1) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2: "
        "monitoring station 12345/2 does not exist any more. 0 of 1 sites were moved before, and the station was not "
        "deleted; the next run goes on. The site was put on it all the same. Put the site on another one at once: its "
        "signals go nowhere. (HTTP 404, trace id T)"
    )
    assert list(acme.api.stations) == [1]


def test_the_new_dealer_s_target_is_not_the_old_dealer_s(stack: Stacks) -> None:
    """A station goes to another dealer, and its input names a station there: here the number is another station's."""
    acme = stack()
    recorded = acme.up()
    acme.api.add(external_monitoring_station_id="stranger", name="Stranger")
    acme.api.sites[1] = villa(1)
    run = acme.process()
    run.stations.note_inputs(STACK, "777", "2")
    run.stations.note_inputs(recorded.id, "777", "2")

    with pytest.raises(ChektError) as caught:
        run.stations.delete(recorded)

    assert "1 site sends its signals to it" in line(caught)
    assert acme.api.sites[1]["monitoring_station_id"] == 1


class PersonMoves(AnotherChekt):
    """Somebody moves a site to station 2 after the lists were read."""

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        if method == "GET" and path.endswith("/sites/1"):
            self.sites[1]["monitoring_station_id"] = 2
        return super().answer(method, path, query, body, key)


def test_only_what_this_run_moved_is_said_to_be_moved(stack: Stacks) -> None:
    """Others had moved it: no PUT, and no line says so."""
    acme = stack(PersonMoves)
    recorded = acme.up()
    acme.api.add(external_monitoring_station_id="two", name="two")
    acme.api.sites[1] = villa(1)

    acme.process().stations.delete(replace(recorded, reassign_sites_to="2"))

    assert puts(acme) == []
    assert [sentence for sentence in acme.said if "oved" in sentence] == []


# an adoption that fails


def test_a_station_whose_adoption_failed_is_not_taken_for_kept(stack: Stacks) -> None:
    """A resource with a new name fails to adopt what the old one had: the old one's deletion fails as well."""

    class Refuses(AnotherChekt):
        def put(self, number: int, body: Row) -> Reply:
            return (403, {})

    acme = stack(Refuses)
    recorded = acme.up()
    run = acme.process()
    with pytest.raises(ChektError):
        run.stations.create(central(name="New", adopt_existing=True, declared_by=f"{STACK}/new"))

    with pytest.raises(Unsafe) as caught:
        run.stations.delete(recorded)

    assert line(caught) == (
        "Could not delete monitoring station 'central-01' (12345/1): a resource of this program was to adopt it, which "
        "failed. Nothing was deleted. Fix that, and run again. (trace id T)"
    )
    assert list(acme.api.stations) == [1]

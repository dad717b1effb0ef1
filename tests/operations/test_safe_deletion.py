"""The right station, and no site without one: whose number it is, sites that come in between, damaging moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chekt_provider.emulator import Fault, Switches
from chekt_provider.errors import (
    NotTaken,
    OtherSite,
    OtherStation,
    SitesAttached,
    Unclear,
)
from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.model.records import Recorded
from tests.helpers import COLLECTION, anonymous, calls, central, held, house, placed
from tests.safe_world import STACK, World

SITES = "/partner/v1/dealers/12345/sites"


def made(world: World, count: int = 1, **changes: Any) -> list[Recorded]:
    """This many stations that a run made an hour ago; the request log is empty."""
    run = world.process()
    stations = [
        world.up(run, external_monitoring_station_id=f"central-{n:02}", declared_by=f"{STACK}-{n}", **changes)
        for n in range(1, count + 1)
    ]
    world.clock.now += 3600
    world.emulator.clear_requests()
    return stations


def assignment(world: World, station: int, site: int = 1) -> AssignmentInputs:
    return AssignmentInputs.model_validate(
        {"dealer_id": "12345", "monitoring_station_id": str(station), "site_id": str(site)}
    )


def deletes(world: World) -> list[str]:
    return [call for call in calls(world.emulator) if call.startswith("DELETE")]


# Whose number it is


@pytest.fixture
def restored(world: World) -> Recorded:
    """A station of the state whose number belongs to another one since a backup was restored."""
    (recorded,) = made(world)
    world.emulator.put_station(1, external_monitoring_station_id="shop-77", name="Shop")
    return recorded


def test_another_s_station_is_not_deleted(world: World, restored: Recorded) -> None:
    """The error names both, and only the look is sent."""
    with pytest.raises(OtherStation) as caught:
        world.process().stations.delete(restored)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): 12345/1 is monitoring station 'shop-77' now, and "
        "was 'central-01'. Nothing was changed. Take the resource out of the state with `pulumi state delete` and its "
        "URN (and --target-dependents, where others need it), then run `pulumi up`: it creates the station, or adopts "
        "the one that has its external id where adopt_existing is set. (trace id T)"
    )
    assert held(world.emulator)[0][1:3] == ("shop-77", "Shop")


def test_another_s_station_is_not_renamed(world: World, restored: Recorded) -> None:
    """None of its other fields changes either."""
    with pytest.raises(OtherStation):
        world.process().stations.update(restored, central(name="New"))

    assert held(world.emulator)[0][1:3] == ("shop-77", "Shop")


def test_another_s_station_is_not_read_into_the_state(world: World, restored: Recorded) -> None:
    """A refresh says so, and the state stays as it is."""
    with pytest.raises(OtherStation):
        world.process().stations.read(restored.id, restored)


@pytest.mark.parametrize("lists", ["whole", "skip"])
def test_a_number_that_no_list_shows_is_asked_for_by_id(world: World, restored: Recorded, lists: str) -> None:
    """A list that does not show the station does not make it ours."""
    world.emulator.put_station(2, external_monitoring_station_id="a", name="A")
    world.emulator.put_station(3, external_monitoring_station_id="b", name="B")
    world.emulator.add_fault(Fault(method="GET", path=COLLECTION, body=json.dumps([]), times=2))

    with pytest.raises(OtherStation):
        world.process().stations.delete(restored)


def test_a_record_without_an_external_id_is_filled_by_the_first_read(world: World) -> None:
    """An old state does not say whose number it is."""
    (recorded,) = made(world)
    old = Recorded(recorded.id, {**recorded.fields, "external_monitoring_station_id": ""}, recorded.created_at)

    read = world.process().stations.read(old.id, old)

    assert read is not None
    assert read.external_id == "central-01"


# Gone, or not shown yet


@pytest.mark.parametrize("lag", [2, 6, 15])
@pytest.mark.parametrize("age", ["zoned", "naive", "absent"])
def test_a_refresh_right_after_an_up_keeps_the_station(world: World, lag: float, age: str) -> None:
    """List and GET do not show it yet; it is too young to be gone."""
    world.emulator.switches = Switches.model_validate({"list_lag": lag, "item_lag": lag, "created_at": age})
    recorded = world.up()

    read = world.process().stations.read(recorded.id, recorded)

    assert read is not None
    assert read.id == recorded.id


@pytest.mark.parametrize("lag", [2, 6, 15])
def test_a_destroy_right_after_an_up_deletes_the_station(world: World, lag: float) -> None:
    """It is deleted even though no read shows it yet."""
    world.emulator.switches = Switches(list_lag=lag, item_lag=lag)
    recorded = world.up()

    world.process().stations.delete(recorded)

    assert held(world.emulator) == []


def test_a_station_that_was_deleted_elsewhere_is_looked_for_before_it_counts_as_deleted(world: World) -> None:
    """List, GET and DELETE do not know it: a node that is behind may answer the same."""
    (recorded,) = made(world)
    world.emulator.remove_station(1)
    before = world.clock.now

    world.process().stations.delete(recorded)

    assert world.clock.now - before == 16


# What DELETE answers


def test_a_deletion_that_is_answered_with_an_error_has_failed(world: World) -> None:
    """200 is no success if the body says otherwise."""
    (recorded,) = made(world)
    world.emulator.add_fault(
        Fault(method="DELETE", status=200, body='{"error": {"code": "locked", "message": "no"}}', times=None)
    )

    with pytest.raises(Unclear) as caught:
        world.process().stations.delete(recorded)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): CHeKT answered success with an error in it: "
        '"{"error": {"code": "locked", "message": "no"}}", 5 times. Whether the change was made is not known. Run '
        "`pulumi up --refresh`: it looks at what is there before it changes anything. (HTTP 200, trace id T)"
    )
    assert len(held(world.emulator)) == 1


@pytest.mark.parametrize("gone", ["404", "410"])
@pytest.mark.parametrize("answer", ["204", "200", "202"])
def test_a_deletion_ends_when_the_station_is_gone(world: World, answer: str, gone: str) -> None:
    """It waits out a 202; then the external id is free."""
    (recorded,) = made(world)
    world.emulator.switches = Switches.model_validate({"delete_answer": answer, "gone": gone})
    run = world.process()

    run.stations.delete(recorded)

    assert held(world.emulator) == []
    world.process().stations.delete(recorded)  # already gone


def test_a_deletion_that_never_ends_is_told(world: World) -> None:
    """The error comes after thirty seconds, and the state keeps the station."""
    (recorded,) = made(world)
    world.emulator.add_fault(Fault(method="DELETE", status=202, body="", times=None))

    with pytest.raises(NotTaken) as caught:
        world.process().stations.delete(recorded)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): CHeKT accepted the deletion, and still shows the "
        "station after 30 s. It may still be deleted. Run again in a minute. (trace id T)"
    )


def test_a_deletion_that_was_done_and_answered_502_is_a_success_on_410(world: World) -> None:
    """The second attempt finds it gone."""
    (recorded,) = made(world)
    world.emulator.switches = Switches(gone="410")
    world.emulator.add_fault(Fault(method="DELETE", status=502, when="after"))

    world.process().stations.delete(recorded)

    assert held(world.emulator) == []


# One resource of several


def test_an_entry_that_stands_twice_in_the_state_does_not_delete_the_other_s_station(world: World) -> None:
    """The program keeps one of two entries of one station; Pulumi deletes the other."""
    (recorded,) = made(world)
    run = world.process()
    run.stations.keep(recorded, f"{STACK}-1")

    run.stations.delete(recorded)

    assert len(held(world.emulator)) == 1
    assert world.said == ["Keeping monitoring station 'central-01' (12345/1): another resource of this program has it."]


# Sites under a deletion


@pytest.mark.parametrize("answer", ["[]", "half"])
def test_one_wrong_list_of_sites_deletes_nothing(world: World, answer: str) -> None:
    """It is empty or cut in half, once: the next question shows the sites."""
    (recorded,) = made(world)
    house(world.emulator, on=None, name="Elsewhere")
    house(world.emulator, on=1)
    body = "[]" if answer == "[]" else json.dumps(world.emulator.sites()[:1])
    world.emulator.add_fault(Fault(method="GET", path=SITES, body=body))

    with pytest.raises(SitesAttached):
        world.process().stations.delete(recorded)

    assert deletes(world) == []


@pytest.mark.parametrize("fault", [{"body": "[]"}, {"status": 404}], ids=str)
@pytest.mark.parametrize("lists", ["pages", "pages_from_0", "offset"])
@pytest.mark.parametrize("skip", [1, 2, 3])
def test_one_wrong_page_of_sites_deletes_nothing(world: World, lists: str, skip: int, fault: dict[str, Any]) -> None:
    """A later page comes empty, or not at all, once: it is asked for again."""
    (recorded,) = made(world)
    for _ in range(3):
        house(world.emulator, on=None, name="Elsewhere")
    house(world.emulator, on=1)
    world.emulator.switches = Switches.model_validate({"lists": lists, "page_size": 2})
    world.emulator.add_fault(Fault(method="GET", path=SITES, skip=skip, **fault))

    with pytest.raises(SitesAttached):
        world.process().stations.delete(recorded)

    assert deletes(world) == []


LISTS = ["pages", "pages_from_0", "offset", "added", "links", "whole"]


@pytest.mark.parametrize("total", ["told", "untold"])
@pytest.mark.parametrize("lists", [*LISTS, "skip"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
def test_a_site_on_a_later_page_keeps_its_station(world: World, lists: str, total: str, count: int) -> None:
    """The sites may come in any kind of pages: the last one is seen, except with `skip` if nothing tells of more."""
    if lists == "skip" and total == "untold":
        count = 2
    (recorded,) = made(world)
    for _ in range(count - 1):
        house(world.emulator, on=None)
    house(world.emulator, on=1)
    world.emulator.switches = Switches.model_validate({"lists": lists, "list_total": total, "page_size": 2})

    with pytest.raises(SitesAttached):
        world.process().stations.delete(recorded)


@pytest.mark.parametrize(("per_minute", "seconds"), [(60, 300), (300, 60), (3000, 10)])
def test_a_site_that_comes_two_seconds_before_a_deletion_keeps_its_station(
    world: World, per_minute: int, seconds: int
) -> None:
    """Thirty deletions at the pace of a plan: the list that each relies on is less than two seconds old."""
    stations = made(world, 30)
    run = world.process(CHEKT_REQUESTS_PER_MINUTE=str(per_minute))
    began = world.clock.now
    put_at: dict[int, float] = {}
    for number, recorded in enumerate(stations, start=1):
        if number % 3 == 0:  # a person puts a site on the next but one, right now
            house(world.emulator, on=min(number + 2, 30))
            put_at[min(number + 2, 30)] = world.clock.now
        try:
            run.stations.delete(recorded)
        except SitesAttached:
            assert number in put_at
    orphans = [site for site in world.emulator.sites() if site["monitoring_station_id"] is None]
    gone = {r.path.rpartition("/")[2]: r.time for r in world.emulator.requests if r.method == "DELETE"}
    late = [number for number, moment in put_at.items() if str(number) in gone and gone[str(number)] - moment >= 2]
    assert late == []
    assert len(orphans) <= sum(str(number) in gone for number in put_at)
    assert world.clock.now - began < seconds
    readings = sum(r.method == "GET" and r.path == SITES for r in world.emulator.requests) / 3
    assert readings <= 1 + (world.clock.now - began) / 2


def test_deletions_that_leave_together_share_a_list(world: World) -> None:
    """Thirty on a fast plan: one token, one list of stations, one of sites, and a DELETE each."""
    stations = made(world, 30)
    house(world.emulator, on=None)
    run = world.process()

    for recorded in stations:
        run.stations.delete(recorded)

    assert sorted(calls(world.emulator)) == sorted(
        ["GET /monitoring-stations"] * 3
        + ["GET /sites"] * 3
        + [f"DELETE /monitoring-stations/{n}" for n in range(1, 31)]
    )


def test_a_site_that_comes_during_a_reassignment_is_moved_too(world: World) -> None:
    """Twenty-five are moved, and meanwhile a person puts one more on the station."""
    (recorded,) = made(world)
    target = world.emulator.add_station(external_monitoring_station_id="backup", name="Backup")
    for _ in range(25):
        house(world.emulator, on=1)
    reassigning = Recorded(recorded.id, recorded.fields, recorded.created_at, reassign_sites_to=str(target))
    run = world.process()
    original = run.stations._client.update_site

    def update(*given: Any, **named: Any) -> None:
        if given[2] == "20":
            house(world.emulator, on=1)
        original(*given, **named)

    run.stations._client.update_site = update  # type: ignore[method-assign]

    run.stations.delete(reassigning)

    assert set(placed(world.emulator).values()) == {target}
    assert len(placed(world.emulator)) == 26


def acting(world: World, recorded: Recorded, act: Callable[[str], None]) -> Callable[[], None]:
    """The deletion of a station; somebody acts whenever a site is about to be PUT, and gets the site's id."""
    run = world.process()
    original = run.stations._client.update_site

    def update(*given: Any, **named: Any) -> None:
        original(*given, **named)
        act(given[2])

    run.stations._client.update_site = update  # type: ignore[method-assign]
    return lambda: run.stations.delete(recorded)


def test_a_site_that_a_person_moved_meanwhile_stays_there(world: World) -> None:
    """While the first one moves, somebody puts the second one on a third station."""
    (recorded,) = made(world)
    target, third = (world.emulator.add_station(external_monitoring_station_id=x, name=x) for x in ("b-1", "c-1"))
    house(world.emulator, on=1)
    house(world.emulator, on=1)
    reassigning = Recorded(recorded.id, recorded.fields, recorded.created_at, reassign_sites_to=str(target))

    acting(world, reassigning, lambda _: world.emulator.edit_site(2, monitoring_station_id=third))()

    assert placed(world.emulator) == {1: target, 2: third}
    assert world.said[-1] == (
        "Moved site 'House' (1) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2."
    )


def test_a_site_that_goes_back_ends_the_reassignment(world: World) -> None:
    """It is moved once, and named."""
    (recorded,) = made(world)
    target = world.emulator.add_station(external_monitoring_station_id="b-1", name="B")
    house(world.emulator, on=1)
    reassigning = Recorded(recorded.id, recorded.fields, recorded.created_at, reassign_sites_to=str(target))
    run = world.process()
    original = run.stations.sites.moves.move

    def move(*given: Any, **named: Any) -> Any:
        moved = original(*given, **named)
        world.emulator.edit_site(1, monitoring_station_id=1)
        return moved

    run.stations.sites.moves.move = move  # type: ignore[method-assign]

    with pytest.raises(NotTaken) as caught:
        run.stations.delete(reassigning)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): site 'House' (1) was moved to monitoring station "
        "12345/2, and is back on the station. 1 of 1 sites were moved before, and the station was not deleted; the "
        "next run goes on. Run `pulumi up --refresh` to see what CHeKT holds, and give the trace id to CHeKT's "
        "support. (trace id T)"
    )
    assert len([call for call in calls(world.emulator) if call.startswith("PUT")]) == 1


def test_a_site_that_names_its_station_in_another_case_keeps_it(world: World) -> None:
    """It names it by the external id alone."""
    (recorded,) = made(world)
    body = '[{"site_id": 1, "name": "House", "external_monitoring_station_id": "CENTRAL-01"}]'
    world.emulator.add_fault(Fault(method="GET", path=SITES, body=body, times=None))

    with pytest.raises(SitesAttached):
        world.process().stations.delete(recorded)


@pytest.mark.parametrize("lag", [0, 2, 10])
@pytest.mark.parametrize("delay", [0, 1.5, 10])
@pytest.mark.parametrize("answer", ["new", "old"])
def test_a_move_that_shows_late_orphans_no_site(world: World, delay: float, lag: float, answer: str) -> None:
    """CHeKT answers at once and applies later, or shows it later: the deletion waits for it."""
    (recorded,) = made(world)
    target = world.emulator.add_station(external_monitoring_station_id="backup", name="Backup")
    for _ in range(3):
        house(world.emulator, on=1)
    world.clock.now += 60
    world.emulator.switches = Switches.model_validate(
        {"site_put_delay": delay, "site_put_answer": answer, "list_lag": lag, "item_lag": min(lag, 4)}
    )
    reassigning = Recorded(recorded.id, recorded.fields, recorded.created_at, reassign_sites_to=str(target))

    world.process().stations.delete(reassigning)

    assert placed(world.emulator) == {1: target, 2: target, 3: target}
    assert [station[0] for station in held(world.emulator)] == [target]


def test_the_guard_that_is_off_does_not_look(world: World) -> None:
    """It asks for no list of sites, readable or not."""
    (recorded,) = made(world)
    house(world.emulator, on=1)

    world.process(CHEKT_SITE_GUARD="off").stations.delete(recorded)

    assert calls(world.emulator) == ["GET /monitoring-stations"] * 3 + ["DELETE /monitoring-stations/1"]


def test_twenty_thousand_sites_block_no_deletion(world: World) -> None:
    """A list of 30 MiB is read item by item."""
    (recorded,) = made(world)
    site = {"external_site_id": "s", "name": "House", "monitoring_station_id": 2, "notes": "x" * 1500}
    body = json.dumps([{"site_id": number, **site} for number in range(1, 20_001)])
    assert len(body) > 30 * 1024**2
    world.emulator.add_fault(Fault(method="GET", path=SITES, body=body, times=None))

    world.process().stations.delete(recorded)

    assert held(world.emulator) == []


def test_a_list_that_leaves_out_a_known_site_deletes_nothing(world: World) -> None:
    """A site that an earlier list of the run showed is asked for by id before it counts as gone."""
    first, second = made(world, 2)
    house(world.emulator, on=None)
    house(world.emulator, on=2)
    run = world.process()
    run.stations.delete(first)
    world.clock.now += 3
    half = json.dumps(world.emulator.sites()[:1])
    world.emulator.add_fault(Fault(method="GET", path=SITES, body=half, times=None))

    with pytest.raises(SitesAttached) as caught:
        run.stations.delete(second)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-02' (12345/2): whether sites send their signals to it cannot be "
        "read: what CHeKT lists is not whole: it leaves out site 2. Nothing was changed. Give the trace id to CHeKT's "
        "support, and run again, or set chekt:siteGuard (CHEKT_SITE_GUARD) to off to delete without looking. "
        "(trace id T)"
    )


# Moving a site


def whole(world: World, number: int = 1) -> dict[str, Any]:
    """A site as CHeKT holds it, without its station."""
    (site,) = [site for site in world.emulator.sites() if site["site_id"] == number]
    return {name: value for name, value in site.items() if "monitoring_station" not in name}


@pytest.fixture
def home(world: World) -> int:
    """A site with every field set, activated, on station 1 of two."""
    for name in ("a", "b"):
        world.emulator.add_station(external_monitoring_station_id=name, name=name)
    number = world.emulator.add_site(
        external_site_id="villa-01",
        name="Villa",
        timezone="Europe/Rome",
        monitoring_station_id=1,
        account_number="1001",
        address1="1 Road",
        address2="Floor 2",
    )
    world.emulator.edit_site(number, is_activated=1)
    world.clock.now += 3600
    return number


@pytest.mark.parametrize("put", ["merge", "replace", "required"])
def test_a_moved_site_is_what_it_was(world: World, home: int, put: str) -> None:
    """If PUT replaces, all of it is put back; if it asks for fields, the site's own go along."""
    world.emulator.switches = Switches.model_validate({"site_put": put})
    before = whole(world)

    world.process().assignments.create(assignment(world, 2))

    assert whole(world) == before
    assert placed(world.emulator) == {1: 2}


def test_after_one_site_was_wiped_the_next_is_sent_whole(world: World, home: int) -> None:
    """One PUT each: the run knows now what CHeKT does."""
    world.emulator.switches = Switches(site_put="replace")
    second = world.emulator.add_site(external_site_id="v-2", name="Two", timezone="UTC", monitoring_station_id=1)
    run = world.process()
    run.assignments.create(assignment(world, 2))
    world.emulator.clear_requests()

    run.assignments.create(assignment(world, 2, second))

    assert [call for call in calls(world.emulator) if call.startswith("PUT")] == [f"PUT /sites/{second}"]
    assert whole(world, second)["name"] == "Two"


def test_a_site_that_is_switched_off_by_its_move_is_told(world: World, home: int) -> None:
    """PUT takes no is_activated, so a person has to set it."""
    world.emulator.switches = Switches(site_activation="off")

    with pytest.raises(NotTaken) as caught:
        world.process().assignments.create(assignment(world, 2))

    assert anonymous(str(caught.value)) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/2: moving site 'Villa' (1) changed more "
        "than its station: is_activated was '1' and is '0'. The site was moved. Set it again in CHeKT's portal, and "
        "give the trace id to CHeKT's support. (trace id T)"
    )


def test_a_site_s_number_that_belongs_to_another_is_not_moved(world: World, home: int) -> None:
    """The site's external id tells, if the record has one."""
    recorded = world.process().assignments.create(assignment(world, 1))
    world.emulator.edit_site(home, external_site_id="shop-02", name="Shop")

    with pytest.raises(OtherSite) as caught:
        world.process().assignments.update(recorded, assignment(world, 2))

    assert anonymous(str(caught.value)) == (
        "Could not move site 'Villa' (12345/site/1) to monitoring station 12345/2: 12345/site/1 is site 'shop-02' "
        "now, and was 'villa-01'. Nothing was changed. Take the resource out of the state with `pulumi state delete` "
        "and its URN, correct the site's id in the program, and run `pulumi up`. (trace id T)"
    )
    assert placed(world.emulator) == {1: 1}

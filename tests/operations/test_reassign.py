"""Deleting a station that names where its sites go: they move first, one by one, and each always has a station."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import AccountTaken, ChektError, NotFound, NotTaken, SitesAttached, Unclear, Unsafe
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from chekt_provider.provider import MonitoringStationProvider
from tests.helpers import NO_ACCESS, anonymous, calls, central, configured, house, placed

NewRun = Callable[..., StationOperations]
SITES = "/partner/v1/dealers/12345/sites"
CENTRAL = {"external_monitoring_station_id": "central-01", "name": "Central", "dealer_id": "12345"}


@pytest.fixture
def leaving(emulator: Emulator, recorded: Recorded) -> Recorded:
    """Station 1, whose sites should go to station 2."""
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    return replace(recorded, reassign_sites_to="2")


def line(stations: StationOperations, recorded: Recorded, kind: type[ChektError]) -> str:
    """The error line of a deletion."""
    with pytest.raises(kind) as caught:
        stations.delete(recorded)
    return anonymous(str(caught.value))


def names(emulator: Emulator) -> list[str]:
    """The names of the stations that CHeKT holds."""
    return [station["name"] for station in emulator.stations()]


def test_the_sites_are_moved_and_then_the_station_is_deleted(
    emulator: Emulator, stations: StationOperations, leaving: Recorded, said: list[str]
) -> None:
    """One PUT for each of its sites, activated or not, with nothing but the station; other sites stay."""
    for number in ("0001", "0002", None, None):
        house(emulator, number)
    emulator.edit_site(2, is_activated=1)
    elsewhere = house(emulator, "0003", on=2)
    nowhere = house(emulator, "0004", on=None)

    stations.delete(leaving)

    writes = [(r.method, r.path.rpartition("12345")[2], r.body) for r in emulator.requests if r.method != "GET"]
    assert writes[1:] == [
        *[("PUT", f"/sites/{n}", {"monitoring_station_id": 2}) for n in (1, 2, 3, 4)],
        ("DELETE", "/monitoring-stations/1", None),
    ]
    keys = [r.idempotency_key for r in emulator.requests if r.method == "PUT"]
    assert len(set(keys)) == 4
    assert None not in keys
    assert placed(emulator) == {1: 2, 2: 2, 3: 2, 4: 2, elsewhere: 2, nowhere: None}
    assert [site["account_number"] for site in emulator.sites()] == ["0001", "0002", None, None, "0003", "0004"]
    assert {site["address1"] for site in emulator.sites()} == {"1 Road"}
    assert names(emulator) == ["Backup"]
    assert said == ["Moved 4 sites from monitoring station 'central-01' (12345/1) to monitoring station 12345/2."]


def test_one_site_that_moves_is_named(
    emulator: Emulator, stations: StationOperations, leaving: Recorded, said: list[str]
) -> None:
    """If there are several, the line gives their number."""
    house(emulator, "0001")

    stations.delete(leaving)

    assert said == [
        "Moved site 'House' (1) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2."
    ]


def test_a_station_without_sites_costs_no_more_than_before(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """The target is not even read: it may be gone."""
    emulator.remove_station(2)

    stations.delete(leaving)

    assert calls(emulator) == ["GET /monitoring-stations"] * 3 + ["GET /sites"] * 2 + ["DELETE /monitoring-stations/1"]


def test_a_station_that_is_gone_already_has_no_sites_to_move(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """Its sites lost their station when it went; that is not ours to repair."""
    site = house(emulator)
    emulator.remove_station(1)

    stations.delete(leaving)

    assert placed(emulator) == {site: None}


def test_what_is_moved_is_read_afresh(emulator: Emulator, new_run: NewRun, leaving: Recorded) -> None:
    """A site that came to the station after the run's first list of sites moves too."""
    run = new_run()
    house(emulator, "0001")
    other = run.create(central(external_monitoring_station_id="other"))
    run.delete(other)
    house(emulator, "0002")

    run.delete(leaving)

    assert placed(emulator) == {1: 2, 2: 2}


def test_an_interrupted_reassignment_is_gone_on_with(
    emulator: Emulator, new_run: NewRun, leaving: Recorded, said: list[str]
) -> None:
    """It stops at the first site that does not move, says how far it came, and the next run does the rest."""
    for number in ("0001", "0002", "0003"):
        house(emulator, number)
    body = '{"error": {"code": "locked", "message": "try tomorrow"}}'
    emulator.add_fault(Fault(method="PUT", path=f"{SITES}/2", status=403, body=body))

    assert line(new_run(), leaving, ChektError) == (
        "Could not move site 'House' (2) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2: "
        'CHeKT refused: locked, "try tomorrow". 1 of 3 sites were moved before, and the station was not deleted; the '
        "next run goes on. "
        f"{NO_ACCESS} (HTTP 403, trace id T)"
    )
    assert placed(emulator) == {1: 2, 2: 1, 3: 1}
    assert names(emulator) == ["Central", "Backup"]
    emulator.clear_requests()

    new_run().delete(leaving)

    assert [call for call in calls(emulator) if "GET" not in call] == [
        "PUT /sites/2",
        "PUT /sites/3",
        "DELETE /monitoring-stations/1",
    ]
    assert placed(emulator) == {1: 2, 2: 2, 3: 2}


def test_a_lost_answer_of_a_move_is_made_good_by_its_repeat(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """N3, H4: the same key again, and the deletion goes on."""
    house(emulator, "0001")
    emulator.add_fault(Fault(method="PUT", path=f"{SITES}/1", when="after", reset=True))
    emulator.add_fault(Fault(method="PUT", path=f"{SITES}/1", when="after", status=503))

    stations.delete(leaving)

    keys = [r.idempotency_key for r in emulator.requests if r.method == "PUT"]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert placed(emulator) == {1: 2}
    assert names(emulator) == ["Backup"]


def test_an_outage_in_the_middle_says_what_is_in_doubt(
    emulator: Emulator, stations: StationOperations, new_run: NewRun, leaving: Recorded
) -> None:
    """H5: the line tells how many were moved, and that one more may have been."""
    for number in ("0001", "0002"):
        house(emulator, number)
    emulator.add_fault(Fault(method="PUT", path=f"{SITES}/2", status=503, times=5))

    assert line(stations, leaving, Unclear) == (
        "Could not move site 'House' (2) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2: "
        'CHeKT failed: service_unavailable, "a fault of the emulator", 5 times. '
        "1 of 2 sites were moved before, and the station was not deleted; the next run goes on. Whether "
        "this one was is not known. Run `pulumi up --refresh`: it looks at what is there before it changes anything. "
        "(HTTP 503, trace id T, request id R)"
    )
    assert names(emulator) == ["Central", "Backup"]

    new_run().delete(leaving)

    assert placed(emulator) == {1: 2, 2: 2}
    assert names(emulator) == ["Backup"]


def test_a_site_that_did_not_move_stops_everything(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """CHeKT says 200 but keeps the site where it is: it is read until a move must show."""
    house(emulator, "0001")
    body = '{"site_id": 1, "name": "House", "account_number": "0001", "address1": "1 Road", "monitoring_station_id": 1}'
    emulator.add_fault(Fault(method="PUT", path=f"{SITES}/1", status=200, body=body, times=None))

    assert line(stations, leaving, NotTaken) == (
        "Could not move site 'House' (1) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2: "
        "CHeKT did not take monitoring_station_id of site 'House' (1), which is still on 1. 0 of 1 sites were moved "
        "before, and the station was not deleted; the next run goes on. Run `pulumi up --refresh` to see what "
        "CHeKT holds, and give the trace id to CHeKT's support. (trace id T)"
    )
    assert calls(emulator)[-6:] == ["PUT /sites/1"] + ["GET /sites/1"] * 5
    assert names(emulator) == ["Central", "Backup"]


def test_the_station_itself_is_no_target(emulator: Emulator, stations: StationOperations, recorded: Recorded) -> None:
    """The error names this mistake of the program before anything is moved."""
    house(emulator)

    assert line(stations, replace(recorded, reassign_sites_to="1"), Unsafe) == (
        "Could not delete monitoring station 'central-01' (12345/1): reassign_sites_to names the station itself. "
        "Nothing was changed. Name another station of this dealer in reassign_sites_to, and run `pulumi up`. "
        "(trace id T)"
    )
    assert "PUT" not in " ".join(calls(emulator))
    assert names(emulator) == ["Central"]


@pytest.mark.parametrize("target", ["77", "2"])
def test_a_target_that_the_dealer_does_not_have_is_refused(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, target: str
) -> None:
    """77 does not exist, 2 is another dealer's; nothing is moved."""
    emulator.add_dealer(99)
    emulator.add_station(external_monitoring_station_id="theirs", name="Theirs", dealer_id=99)
    house(emulator)

    assert line(stations, replace(recorded, reassign_sites_to=target), NotFound) == (
        f"Could not delete monitoring station 'central-01' (12345/1): dealer 12345 has no monitoring station {target}. "
        "Nothing was changed. Name a monitoring station of this dealer in reassign_sites_to: declare the station with "
        "it, run `pulumi up`, then delete. (HTTP 404, trace id T, request id R)"
    )
    assert placed(emulator) == {1: 1}
    assert names(emulator) == ["Central"]


def test_a_target_that_the_list_lacks_is_asked_for_by_itself(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """A list may be cut."""
    house(emulator)
    emulator.add_fault(Fault(method="GET", path="*/monitoring-stations", status=200, body="[]", times=None))

    stations.delete(leaving)

    assert "GET /monitoring-stations/2" in calls(emulator)
    assert placed(emulator) == {1: 2}


@pytest.mark.parametrize("number", ["0042", "0042 "])
def test_an_account_number_that_is_on_the_target_already_refuses_all(
    emulator: Emulator, stations: StationOperations, leaving: Recorded, number: str
) -> None:
    """Two sites with one number on one station would cross their signals; nothing is moved."""
    house(emulator, "0001", name="Villa")
    house(emulator, "0042")
    house(emulator, number, on=2, name="Bakery")

    assert line(stations, leaving, AccountTaken) == (
        "Could not delete monitoring station 'central-01' (12345/1): site 'House' (2) cannot be on monitoring station "
        "12345/2: site 'Bakery' (3) is there already, with the same account number '0042'. Nothing was changed. "
        "Give one of the two another account number in CHeKT's portal, then run again. (trace id T)"
    )
    assert placed(emulator) == {1: 1, 2: 1, 3: 2}


def test_an_account_number_that_two_of_the_moved_ones_have_refuses_all(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """They crossed before; nobody carries that on."""
    house(emulator, "00aF")
    house(emulator, "00Af", name="Bakery")

    assert line(stations, leaving, AccountTaken) == (
        "Could not delete monitoring station 'central-01' (12345/1): site 'Bakery' (2) cannot be on monitoring station "
        "12345/2: site 'House' (1) is on its way there, with the same account number '00Af'. Nothing was changed. "
        "Give one of the two another account number in CHeKT's portal, then run again. (trace id T)"
    )
    assert placed(emulator) == {1: 1, 2: 1}


@pytest.mark.parametrize("site_guard", [True, False])
def test_sites_that_cannot_be_read_are_not_skipped(
    emulator: Emulator, leaving: Recorded, new_run: NewRun, site_guard: bool
) -> None:
    """H7: this holds even with the guard off, since the program asked to move them."""
    house(emulator)
    emulator.add_fault(Fault(path=SITES, status=403, body='{"error": {"code": "no"}}', times=None))

    assert line(new_run(site_guard=site_guard), leaving, SitesAttached) == (
        "Could not delete monitoring station 'central-01' (12345/1): whether sites send their signals to it cannot be "
        "read: CHeKT refused: no. Nothing was changed. Give the app access to the dealer's sites: reassign_sites_to "
        "cannot move what it cannot see. Or take it out, run `pulumi up`, and set chekt:siteGuard (CHEKT_SITE_GUARD) "
        "to off to delete without looking. (HTTP 403, trace id T)"
    )
    assert names(emulator) == ["Central", "Backup"]


def test_a_site_that_names_the_station_by_its_external_id_alone_is_moved_too(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """Sites refer to a station by id or by external id."""
    house(emulator, on=None)
    body = '[{"site_id": 1, "name": "House", "external_monitoring_station_id": "central-01"}]'
    emulator.add_fault(Fault(path=SITES, status=200, body=body, times=4))

    stations.delete(leaving)

    assert placed(emulator) == {1: 2}


def test_a_site_of_the_stations_twin_is_not_moved_and_keeps_it(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """Two stations with one external id: a site of the other one is not ours to move."""
    twin = emulator.add_station(external_monitoring_station_id="central-01", name="Twin")
    house(emulator, "0001")
    house(emulator, "0002", on=twin, name="Villa")

    assert (
        "1 site sends its signals to it (0 activated): 'Villa' (2). 1 of its sites was moved to monitoring station "
        "12345/2. The station was not deleted."
    ) in line(stations, leaving, SitesAttached)
    assert placed(emulator) == {1: 2, 2: twin}


@pytest.mark.parametrize("lists", ["whole", "pages", "offset", "links"])
def test_a_put_that_unsets_what_it_leaves_out_costs_no_site_its_account_number(
    emulator: Emulator, stations: StationOperations, leaving: Recorded, said: list[str], lists: str
) -> None:
    """What the first site lost is put back at once; the others carry theirs along. However sites are listed."""
    for number in ("0001", "0002", "0003"):
        house(emulator, number)
    emulator.switches = Switches.model_validate(
        {"site_put": "replace", "lists": lists, "page_size": 2, "delete_with_sites": "refuse"}
    )

    stations.delete(leaving)

    assert [(s["monitoring_station_id"], s["account_number"], s["address1"]) for s in emulator.sites()] == [
        (2, "0001", "1 Road"),
        (2, "0002", "1 Road"),
        (2, "0003", "1 Road"),
    ]
    assert [call for call in calls(emulator) if call.startswith("PUT")] == ["PUT /sites/1"] * 2 + [
        "PUT /sites/2",
        "PUT /sites/3",
    ]
    assert said[0] == (
        "CHeKT dropped external_site_id 'house-1', name 'House', timezone 'UTC', account_number '0001', address1 "
        "'1 Road' when it moved site 'House' (1); putting it back."
    )


def test_what_a_site_lost_is_told_among_the_rest(
    emulator: Emulator, stations: StationOperations, leaving: Recorded
) -> None:
    """Nothing answers when it is put back: the line has both how far it came and what to set again."""
    for number in ("0001", "0002"):
        house(emulator, number)
    emulator.switches = Switches(site_put="replace")
    emulator.add_fault(Fault(method="PUT", path=f"{SITES}/1", status=503, skip=1, times=None))

    assert (
        "0 of 2 sites were moved before, and the station was not deleted; the next run goes on. The site was moved, "
        "but had external_site_id 'house-1', name 'House', timezone 'UTC', account_number '0001', address1 '1 Road', "
        "which CHeKT dropped: set it in CHeKT's portal."
    ) in line(stations, leaving, Unclear)
    assert names(emulator) == ["Central", "Backup"]


# in the state


@pytest.fixture
def provider(emulator: Emulator) -> MonitoringStationProvider:
    return configured(emulator.environment())


def test_it_is_recorded_when_set_and_absent_when_not(emulator: Emulator, provider: MonitoringStationProvider) -> None:
    """A deletion sees only the state; a refresh keeps it there and shows no change."""
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    inputs = provider.check({}, {**CENTRAL, "reassign_sites_to": 1.0}).inputs
    assert "reassign_sites_to" not in provider.check({}, {**CENTRAL, "reassign_sites_to": ""}).inputs
    created = provider.create({**inputs, "__provider": "x"})
    outs = created.outs or {}
    read = provider.read("12345/2", outs)

    assert inputs["reassign_sites_to"] == "1"
    assert outs["reassign_sites_to"] == "1"
    assert read.outs == outs
    assert read.inputs == inputs
    assert configured(emulator.environment()).diff("12345/2", {**outs, "__provider": "x"}, inputs).changes is False

    without = provider.create({**CENTRAL, "external_monitoring_station_id": "other"})
    assert "reassign_sites_to" not in (without.outs or {})
    assert "reassign_sites_to" not in (provider.read("12345/3", without.outs or {}).inputs or {})


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("1", "7"), ("1", None)])
def test_a_change_of_it_alone_is_an_update_without_a_call(
    emulator: Emulator, provider: MonitoringStationProvider, before: str | None, after: str | None
) -> None:
    """It never replaces, and its target is read only when it is needed."""

    def inputs(target: str | None) -> dict[str, Any]:
        return {**CENTRAL, "prefix": "", "linecard": "", **({"reassign_sites_to": target} if target else {})}

    outs = {**(provider.create(inputs(before)).outs or {}), "__provider": "x"}
    emulator.clear_requests()
    provider = configured(emulator.environment())

    diff = provider.diff("12345/1", outs, inputs(after))
    updated = provider.update("12345/1", outs, inputs(after)).outs or {}

    assert (diff.changes, diff.replaces) == (True, [])
    assert updated.get("reassign_sites_to") == after
    assert {name for name in outs | updated if outs.get(name) != updated.get(name)} == {
        "__provider",
        "reassign_sites_to",
    }
    assert provider.diff("12345/1", {**updated, "__provider": "x"}, inputs(after)).changes is False
    assert emulator.requests == []


def test_the_provider_deletes_by_what_the_state_says(emulator: Emulator, provider: MonitoringStationProvider) -> None:
    """The whole way: create, update of the target, delete."""
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    created = provider.create(CENTRAL)
    house(emulator, "0001", on=2)
    updated = provider.update("12345/2", created.outs or {}, {**CENTRAL, "reassign_sites_to": "1"})

    configured(emulator.environment()).delete("12345/2", updated.outs or {})

    assert placed(emulator) == {1: 1}
    assert names(emulator) == ["Backup"]

"""Deleting a station: gone already is a success; sites keep it alive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import Conflict, NotFound, NotTaken, SitesAttached, WrongEnvironment
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from tests.helpers import anonymous, calls, central, held

NewRun = Callable[..., StationOperations]
SITES = "/partner/v1/dealers/12345/sites"


def test_a_station_without_sites_is_deleted(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """One look at the stations, for whose number it is; one at the sites, twice since it is empty; one DELETE."""
    stations.delete(recorded)

    assert calls(emulator) == ["GET /monitoring-stations"] * 3 + ["GET /sites"] * 2 + ["DELETE /monitoring-stations/1"]
    assert held(emulator) == []


def test_a_station_that_is_gone_already_counts_as_deleted(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A 404, confirmed by a second look."""
    emulator.remove_station(1)

    stations.delete(recorded)

    assert held(emulator) == []


def test_a_delete_whose_answer_was_lost_counts_the_404_of_its_repeat_as_success(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """The first DELETE did it."""
    emulator.add_fault(Fault(method="DELETE", when="after", reset=True))

    stations.delete(recorded)

    assert held(emulator) == []


def test_a_station_that_vanished_after_the_run_looked_counts_as_deleted(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """The list of the earlier refresh does not keep a station alive."""
    stations.read(recorded.id, recorded)
    emulator.remove_station(1)

    stations.delete(recorded)

    assert held(emulator) == []


def test_a_404_of_a_station_that_is_still_listed_is_not_a_success(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Otherwise the state would forget a living station."""
    emulator.add_fault(Fault(method="DELETE", status=404, times=None))

    with pytest.raises(NotTaken) as caught:
        stations.delete(recorded)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): CHeKT answered that it does not exist, and still "
        "shows the station after 16 s. It may still be deleted. Run again in a minute. (trace id T)"
    )
    assert len(held(emulator)) == 1


def test_a_dealer_that_is_404_does_not_empty_the_state(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """A typo in the environment must not count as a deletion."""
    emulator.withdraw_dealer(12345, status=404)

    with pytest.raises(NotFound):
        stations.delete(recorded)


@pytest.mark.parametrize("delete_with_sites", ["orphan", "refuse"])
def test_sites_keep_their_station(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, delete_with_sites: str
) -> None:
    """No DELETE is sent, whatever CHeKT would do with it; the error names the sites."""
    emulator.switches = Switches.model_validate({"delete_with_sites": delete_with_sites})
    for n in range(12):
        emulator.add_site(external_site_id=f"site-{n}", name=f"House {n}", monitoring_station_id=1)

    with pytest.raises(SitesAttached) as caught:
        stations.delete(recorded)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): 12 sites send their signals to it (0 activated): "
        "'House 0' (1), 'House 1' (2), 'House 2' (3), 'House 3' (4), 'House 4' (5), 'House 5' (6), 'House 6' (7), "
        "'House 7' (8), 'House 8' (9), 'House 9' (10) and 2 more. Nothing was deleted. Move them to another monitoring "
        "station first: each with SiteAssignment, or all with reassign_sites_to (declare the station with it, "
        "run `pulumi up`, then "
        "delete). (trace id T)"
    )
    assert "DELETE /monitoring-stations/1" not in calls(emulator)


@pytest.mark.parametrize("name", ['"external_monitoring_station_id": "central-01"', '"monitoring_station_id": 1'])
def test_a_site_that_names_the_station_in_one_of_two_ways_keeps_it(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, name: str
) -> None:
    """Sites refer to a station by id or by external id."""
    body = f'[{{"site_id": 5, "name": "House", {name}}}]'
    emulator.add_fault(Fault(path=SITES, status=200, body=body, times=None))

    with pytest.raises(SitesAttached):
        stations.delete(recorded)


def test_sites_of_other_stations_do_not_matter(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Only sites of this station keep it."""
    other = emulator.add_station(external_monitoring_station_id="other", name="Other")
    emulator.add_site(external_site_id="site-1", name="House", monitoring_station_id=other)

    stations.delete(recorded)

    assert [station[1] for station in held(emulator)] == ["other"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_station_whose_sites_cannot_be_read_is_kept(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, status: int
) -> None:
    """What nobody knows is not deleted; the error names the switch."""
    body = '{"error": {"code": "no", "message": "not for you"}}'
    emulator.add_fault(Fault(path=SITES, status=status, body=body, times=None))

    with pytest.raises(SitesAttached) as caught:
        stations.delete(recorded)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): whether sites send their signals to it cannot be "
        f'read: CHeKT refused: no, "not for you". Nothing was changed. Give the app access to the dealer\'s sites, or '
        f"set chekt:siteGuard (CHEKT_SITE_GUARD) to off to delete without looking. "
        f"(HTTP {status}, trace id T)"
    )
    assert len(held(emulator)) == 1


def test_the_site_guard_can_be_switched_off(emulator: Emulator, recorded: Recorded, new_run: NewRun) -> None:
    """Off means: delete without looking, whether the sites can be read or not."""
    emulator.add_fault(Fault(path=SITES, status=403, times=None))

    new_run(site_guard=False).delete(recorded)

    assert held(emulator) == []
    assert not [call for call in calls(emulator) if "sites" in call]


def test_a_refusal_by_chekt_itself_is_told(emulator: Emulator, stations: StationOperations, recorded: Recorded) -> None:
    """A site was assigned after the look: CHeKT's own refusal is passed on."""
    body = '{"error": {"code": "conflict", "message": "the station has sites"}}'
    emulator.add_fault(Fault(method="DELETE", status=409, body=body))

    with pytest.raises(Conflict) as caught:
        stations.delete(recorded)

    assert anonymous(str(caught.value)) == (
        "Could not delete monitoring station 'central-01' (12345/1): CHeKT refused: conflict, \"the station has "
        "sites\". Nothing was changed. Give the trace id to CHeKT's support. (HTTP 409, trace id T)"
    )


def test_an_adopted_station_survives_the_deletion_of_the_resource_it_came_from(
    emulator: Emulator, new_run: NewRun, said: list[str]
) -> None:
    """A resource is renamed in the program: Pulumi creates under the new name, then deletes the old one."""
    old = new_run().create(central())
    run = new_run()
    run.create(central(adopt_existing=True, declared_by="acme/infra/dev/renamed"))

    run.delete(old)

    assert held(emulator) == [(1, "central-01", "Central", "CH", "7")]
    assert said == [
        "Adopting monitoring station 'central-01' (12345/1): nothing changes on it.",
        "Keeping monitoring station 'central-01' (12345/1): another resource of this program has it.",
    ]


def test_another_environment_is_not_touched(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """Nothing is sent to a host that the state does not belong to."""
    elsewhere = Recorded(recorded.id, recorded.fields, recorded.created_at, "api.chekt.com")

    with pytest.raises(WrongEnvironment):
        stations.delete(elsewhere)

    assert emulator.requests == []

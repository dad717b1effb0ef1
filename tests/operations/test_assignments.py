"""Putting sites on stations: what each operation does, what it asks for and what it refuses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.output import UNKNOWN
from pulumi.runtime import rpc

from chekt_provider.api.client import Client
from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import (
    AccountTaken,
    ChektError,
    DeclaredTwice,
    NotFound,
    NotTaken,
    PermissionDenied,
    ReceiverSilent,
    ServerFailed,
    TwinSites,
    Unclear,
    Unsafe,
    WrongEnvironment,
)
from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.model.ids import SiteId
from chekt_provider.model.records import Assigned
from chekt_provider.operations.assignments import AssignmentOperations
from chekt_provider.operations.probe import require_receiver
from chekt_provider.plugin.run import Run
from chekt_provider.provider import MonitoringStationProvider, SiteAssignmentProvider
from tests.helpers import (
    NO_ACCESS,
    anonymous,
    another_process,
    assigning,
    calls,
    central,
    config_of,
    configured,
    house,
    placed,
)
from tests.safe_world import World

NewProcess = Callable[..., Run]
SITES = "/partner/v1/dealers/12345/sites"


@pytest.fixture(autouse=True)
def _two_stations(emulator: Emulator) -> None:
    """Stations 1 and 2 of dealer 12345."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")


def wanted(site: str | int = 1, on: str = "2", **more: Any) -> AssignmentInputs:
    """Inputs that put a site, by its id or its external id, on a station."""
    name = {"site_id": site} if isinstance(site, int) else {"external_site_id": site}
    return AssignmentInputs.model_validate({"dealer_id": "12345", "monitoring_station_id": on, **name, **more})


def state(on: str = "1", api_host: str = "localhost") -> Assigned:
    """What the state holds of site 1."""
    return Assigned(SiteId("12345", "1"), "house-1", "House", "0001", on, api_host)


def line(act: Callable[[], object], kind: type[ChektError]) -> str:
    """The error line with which something fails."""
    with pytest.raises(kind) as caught:
        act()
    return anonymous(str(caught.value))


# create


@pytest.mark.parametrize("site", [1, "house-1"])
@pytest.mark.parametrize("before", [None, 1])
def test_a_site_that_exists_is_put_on_the_station(
    emulator: Emulator, assignments: AssignmentOperations, site: str | int, before: int | None
) -> None:
    """Its id or its external id names it; one PUT has nothing but the station."""
    house(emulator, "0001", on=before)

    assigned = assignments.create(wanted(site, declared_by="first"))

    assert str(assigned.id) == "12345/site/1"
    assert assigned == Assigned(SiteId("12345", "1"), "house-1", "House", "0001", "2", "localhost", "first")
    puts = [(r.path, r.body) for r in emulator.requests if r.method == "PUT"]
    assert puts == [(f"{SITES}/1", {"monitoring_station_id": 2})]
    assert placed(emulator) == {1: 2}


def test_a_hundred_sites_cost_two_lists_and_a_move_each(world: World) -> None:
    """One list of stations and one of sites for all; a move is a PUT between two readings of the site."""
    for name in ("central-01", "backup-01"):
        world.emulator.add_station(external_monitoring_station_id=name, name=name)
    for n in range(100):
        house(world.emulator, f"{n}")
    run = world.process()

    for n in range(1, 101):
        run.assignments.create(wanted(n))

    lists = ["GET /sites"] * 3 + ["GET /monitoring-stations"] * 3
    moves = [f"{operation} /sites/{n}" for n in range(1, 101) for operation in ("GET", "PUT", "GET")]
    made = calls(world.emulator)
    asked = [call for call in made if call == "GET /monitoring-stations/2"]  # whether it is there, every two seconds
    assert len(asked) <= 3
    assert [call for call in made if call not in asked] == lists + moves


def test_a_site_that_is_there_already_is_not_written(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """Its assignment comes under management."""
    house(emulator, "0001", on=2)

    assert assignments.create(wanted()).monitoring_station_id == "2"
    assert all(call.startswith("GET") for call in calls(emulator))


def test_a_site_that_leaves_another_station_is_told(
    emulator: Emulator, assignments: AssignmentOperations, said: list[str]
) -> None:
    """A preview cannot show where a site came from."""
    house(emulator, on=1)
    house(emulator, on=None)

    assignments.create(wanted(1))
    assignments.create(wanted(2))

    assert said == ["Moving site 'House' (12345/site/1) from 12345/1 to monitoring station 12345/2."]


@pytest.mark.parametrize(("site", "named"), [(77, "77"), ("nobody", "'nobody'"), ("HOUSE-1", "'HOUSE-1'")])
def test_a_site_that_is_not_there_is_one_line(
    emulator: Emulator, assignments: AssignmentOperations, site: str | int, named: str
) -> None:
    """H8: the external id must be the very same."""
    house(emulator)

    assert line(lambda: assignments.create(wanted(site)), NotFound) == (
        f"Could not assign site {named} of dealer 12345 to monitoring station 12345/2: the dealer has no such site. "
        "Nothing was changed. Correct the site's id, or make the site in CHeKT's portal first. (trace id T)"
    )


def test_another_dealers_site_is_not_there(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """A site and its station belong to one dealer."""
    emulator.add_dealer(99)
    theirs = emulator.add_site(external_site_id="theirs", name="Theirs", dealer_id=99)

    assert "the dealer has no such site" in line(lambda: assignments.create(wanted(theirs)), NotFound)
    assert emulator.sites(99)[0]["monitoring_station_id"] is None


def test_twins_are_named_and_not_chosen_from(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """Two sites with one external id."""
    for _ in range(2):
        emulator.add_site(external_site_id="house", name="House")

    assert line(lambda: assignments.create(wanted("house")), TwinSites) == (
        "Could not assign site 'house' of dealer 12345 to monitoring station 12345/2: 2 sites have this external id: "
        "1, 2. Nothing was changed. Name the site by its site_id. (trace id T)"
    )


@pytest.mark.parametrize("station", ["77", "3"])
def test_a_station_that_the_dealer_does_not_have_is_refused(
    emulator: Emulator, assignments: AssignmentOperations, station: str
) -> None:
    """77 does not exist, 3 is another dealer's."""
    emulator.add_dealer(99)
    emulator.add_station(external_monitoring_station_id="theirs", name="Theirs", dealer_id=99)
    house(emulator)

    assert line(lambda: assignments.create(wanted(1, station)), NotFound) == (
        f"Could not assign site 1 of dealer 12345 to monitoring station 12345/{station}: dealer 12345 has no "
        f"monitoring station {station}. Nothing was changed. Name a monitoring station of this dealer. "
        "(HTTP 404, trace id T, request id R)"
    )
    assert placed(emulator) == {1: 1}


@pytest.mark.parametrize("before", [None, 1, 2])
def test_an_account_number_that_is_on_the_station_already_is_refused(
    emulator: Emulator, assignments: AssignmentOperations, before: int | None
) -> None:
    """This holds even if both are already there: their signals cross now."""
    house(emulator, "0042", on=before)
    house(emulator, "0042", on=2, name="Bakery")

    assert line(lambda: assignments.create(wanted()), AccountTaken) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/2: site 'House' (1) cannot be on "
        "monitoring station 12345/2: site 'Bakery' (2) is there already, with the same account number '0042'. Nothing "
        "was changed. Give one of the two another account number in CHeKT's portal, then run again. (trace id T)"
    )
    assert placed(emulator) == {1: before, 2: 2}


def test_sites_without_an_account_number_never_collide(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """Equal numbers on different stations do not collide either."""
    house(emulator, None)
    house(emulator, "", on=2)
    house(emulator, "0001")
    house(emulator, "0002", on=2)

    for site in (1, 3):
        assignments.create(wanted(site))

    assert placed(emulator) == {1: 2, 2: 2, 3: 2, 4: 2}


def test_of_sixteen_sites_with_one_account_number_one_gets_the_station(
    emulator: Emulator, assignments: AssignmentOperations
) -> None:
    """Sixteen threads at once; the fifteen others are refused before anything is sent for them."""
    for n in range(16):
        house(emulator, "0042", on=None, name=f"House {n}")
    start = threading.Barrier(16)

    def create(n: int) -> type[ChektError] | None:
        start.wait()
        try:
            assignments.create(wanted(n + 1))
        except ChektError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(create, range(16)))

    assert outcomes.count(None) == 1
    assert outcomes.count(AccountTaken) == 15
    assert list(placed(emulator).values()).count(2) == 1
    assert sum(call.startswith("PUT") for call in calls(emulator)) == 1


def test_two_resources_for_one_site_are_one_too_many(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """It does not matter by which id they name it; the first one wins."""
    house(emulator)
    assignments.create(wanted(1, "2"))

    assert line(lambda: assignments.create(wanted("house-1", "1")), DeclaredTwice) == (
        "Could not assign site 'house-1' of dealer 12345 to monitoring station 12345/1: another resource of this "
        "program assigns the same site. Nothing was changed. Remove one of the two."
    )
    assert placed(emulator) == {1: 2}


def test_a_second_resource_cannot_take_the_site_of_one_that_was_there_before(
    emulator: Emulator, assignments: AssignmentOperations, new_process: NewProcess
) -> None:
    """Whichever the engine reaches first; otherwise each run would move the site to and fro."""
    house(emulator, "0001")
    assignments.keep(state(), "first")
    with pytest.raises(DeclaredTwice):
        assignments.create(wanted())

    other = new_process().assignments
    other.create(wanted())
    for _ in range(2):
        assert line(lambda: other.keep(state(), "first"), DeclaredTwice) == (
            "Could not keep site 'House' (12345/site/1): another resource of this program assigns the same site. "
            "Nothing was changed. Remove one of the two."
        )


def test_a_resource_that_was_only_refreshed_gives_way(emulator: Emulator, new_process: NewProcess) -> None:
    """Pulumi compares it once for the refresh, even if it has another name now; only the second time does it stay."""
    house(emulator, "0001")
    once, twice = new_process().assignments, new_process().assignments
    for run in (once, twice):
        run.read(SiteId("12345", "1"), state())
        run.keep(state(), "")
    twice.keep(state(), "")

    assert once.create(wanted(1, "1")).monitoring_station_id == "1"
    with pytest.raises(DeclaredTwice):
        twice.create(wanted())


def test_a_creation_that_failed_leaves_the_site_free(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """The claim is given back."""
    house(emulator)
    with pytest.raises(NotFound):
        assignments.create(wanted(1, "77"))

    assert assignments.create(wanted()).monitoring_station_id == "2"


@pytest.mark.parametrize("fault", [{"reset": True}, {"status": 503}, {"cut": 5}])
def test_a_lost_answer_is_made_good_by_its_repeat(
    emulator: Emulator, assignments: AssignmentOperations, fault: dict[str, Any]
) -> None:
    """N3, H4: the PUT is repeated under its key, and changes nothing a second time."""
    house(emulator, "0001")
    emulator.add_fault(Fault(method="PUT", when="after", **fault))

    assert assignments.create(wanted()).monitoring_station_id == "2"
    keys = [r.idempotency_key for r in emulator.requests if r.method == "PUT"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_an_answer_that_stays_lost_is_found_in_the_site(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """H4: it shows the station that it was put on."""
    house(emulator, "0001")
    emulator.add_fault(Fault(method="PUT", when="after", status=503, times=5))

    assert assignments.create(wanted()).monitoring_station_id == "2"
    assert placed(emulator) == {1: 2}


def test_an_answer_that_stays_lost_leaves_it_open_where_the_site_does_not_show_it(
    emulator: Emulator, assignments: AssignmentOperations, new_process: NewProcess
) -> None:
    """H5: the line says so; the next run finds what was done late, and writes nothing."""
    house(emulator, "0001")
    emulator.add_fault(Fault(method="PUT", status=503, times=5))

    assert line(lambda: assignments.create(wanted()), ServerFailed) == (
        'Could not assign site 1 of dealer 12345 to monitoring station 12345/2: CHeKT failed: service_unavailable, "a '
        'fault of the emulator", 5 times. Whether the change was made is not '
        "known. Run `pulumi up --refresh`: it looks at what is there before it changes anything. "
        "(HTTP 503, trace id T, request id R)"
    )
    emulator.edit_site(1, monitoring_station_id=2)
    emulator.clear_requests()
    assert new_process().assignments.create(wanted()).monitoring_station_id == "2"
    assert all(call.startswith("GET") for call in calls(emulator))


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 204},
        {"status": 200, "body": '{"site_id": 1}'},
        {"status": 200, "body": '{"site_id": 1, "monitoring_station_id": 2}'},
    ],
)
def test_an_answer_that_says_too_little_is_read_back(
    emulator: Emulator, assignments: AssignmentOperations, said: list[str], answer: dict[str, Any]
) -> None:
    """It has no body, or lacks fields: the site itself is read before anything counts as lost."""
    house(emulator, "0001")
    emulator.add_fault(Fault.model_validate({"method": "PUT", "when": "after", **answer}))

    assigned = assignments.create(wanted())

    assert (assigned.monitoring_station_id, assigned.account_number) == ("2", "0001")
    assert calls(emulator)[-2:] == ["PUT /sites/1", "GET /sites/1"]
    assert not any("dropped" in sentence for sentence in said)


@pytest.mark.parametrize(("on", "still"), [(1, "on 1"), (None, "on none")])
def test_an_answer_that_was_not_kept_is_an_error(
    emulator: Emulator, assignments: AssignmentOperations, on: int | None, still: str
) -> None:
    """P4: success, but the site is where it was."""
    house(emulator, "0001", on=on)
    emulator.add_fault(Fault(method="PUT", status=200, body='{"site_id": 1}'))

    assert line(lambda: assignments.create(wanted()), NotTaken) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/2: CHeKT did not take "
        f"monitoring_station_id of site 'House' (1), which is still {still}. Run `pulumi up --refresh` to see what "
        "CHeKT holds, and give the trace id to CHeKT's support. "
        "(trace id T)"
    )


def test_what_cannot_be_put_back_is_told(
    emulator: Emulator, assignments: AssignmentOperations, said: list[str]
) -> None:
    """An API drops what a PUT leaves out, and fails before it is put back: the line has the values."""
    house(emulator, "0001")
    emulator.switches = Switches(site_put="replace")
    emulator.add_fault(Fault(method="PUT", status=403, skip=1))

    assert line(lambda: assignments.create(wanted()), PermissionDenied) == (
        'Could not assign site 1 of dealer 12345 to monitoring station 12345/2: CHeKT refused: forbidden, "a fault of '
        "the emulator\". The site was moved, but had external_site_id 'house-1', name 'House', timezone 'UTC', "
        "account_number '0001', address1 '1 Road', which CHeKT dropped: set it in CHeKT's portal. "
        f"{NO_ACCESS} (HTTP 403, trace id T, request id R)"
    )
    assert said[-1] == (
        "CHeKT dropped external_site_id 'house-1', name 'House', timezone 'UTC', account_number '0001', address1 "
        "'1 Road' when it moved site 'House' (1); putting it back."
    )


def test_what_chekt_will_not_keep_is_an_error(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """It was moved, and lost its account number for good: that is never a success."""
    house(emulator, "0001")
    body = json.dumps({**emulator.sites()[0], "account_number": None, "monitoring_station_id": 2})
    emulator.add_fault(Fault(path=f"{SITES}/1", status=200, body=body, skip=1, times=None))

    assert line(lambda: assignments.create(wanted()), NotTaken) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/2: moving site 'House' (1) changed more "
        "than its station: account_number was '0001' and is ''. The site was moved. Set it again in CHeKT's portal, "
        "and give the trace id to CHeKT's support. (trace id T)"
    )


@pytest.mark.parametrize("name", ['"external_monitoring_station_id": "backup-01"', '"monitoring_station_id": 2'])
def test_a_site_that_names_the_station_in_one_of_two_ways_is_on_it(
    emulator: Emulator, assignments: AssignmentOperations, name: str
) -> None:
    """Its account number keeps another site away."""
    body = (
        '[{"site_id": 1, "name": "House", "account_number": "42"},'
        f' {{"site_id": 2, "name": "Bakery", "account_number": "42", {name}}}]'
    )
    emulator.add_fault(Fault(path=SITES, status=200, body=body, times=None))

    with pytest.raises(AccountTaken):
        assignments.create(wanted())


def test_an_account_number_that_was_changed_meanwhile_is_held_against_the_station_too(
    emulator: Emulator, new_process: NewProcess
) -> None:
    """The run's list does not know it; the site itself does, right before the move."""
    run = new_process()
    house(emulator, "0001")
    house(emulator, "0042", on=2, name="Bakery")
    run.assignments.read(SiteId("12345", "1"), state())
    emulator.edit_site(1, account_number="0042")

    assert line(lambda: run.assignments.create(wanted()), AccountTaken) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/2: site 'House' (1) cannot be on "
        "monitoring station 12345/2: site 'Bakery' (2) is there already, with the same account number '0042'. Nothing "
        "was changed. Give one of the two another account number in CHeKT's portal, then run again. (trace id T)"
    )


def test_a_station_that_this_run_deletes_takes_no_site(emulator: Emulator, new_process: NewProcess) -> None:
    """It takes none while it is deleted or after that failed; and a site that may be on its way to it keeps it."""
    run = new_process()
    house(emulator, "0001", on=None)
    doomed = new_process().stations.create(central(external_monitoring_station_id="doomed"))
    emulator.add_fault(Fault(method="DELETE", status=403))
    with pytest.raises(PermissionDenied):
        run.stations.delete(doomed)

    assert line(lambda: run.assignments.create(wanted(1, "3")), Unsafe) == (
        "Could not assign site 1 of dealer 12345 to monitoring station 12345/3: monitoring station 12345/3 is being "
        "deleted by the same run. Nothing was changed. Name another monitoring station. (trace id T)"
    )

    other = new_process()
    emulator.add_fault(Fault(method="PUT", status=503, times=5))
    with pytest.raises(ServerFailed):
        other.assignments.create(wanted(1, "3"))
    with pytest.raises(ChektError, match="1 site sends its signals to it"):
        other.stations.delete(doomed)


def test_a_move_that_was_refused_keeps_no_station(emulator: Emulator, new_process: NewProcess) -> None:
    """The site is not on its way: no part of the move was done."""
    run = new_process()
    house(emulator, "0001", on=None)
    unused = new_process().stations.create(central(external_monitoring_station_id="unused"))
    emulator.add_fault(Fault(method="PUT", status=403))
    with pytest.raises(PermissionDenied):
        run.assignments.create(wanted(1, "3"))

    run.stations.delete(unused)

    assert [station["monitoring_station_id"] for station in emulator.stations()] == [1, 2]


# the probe


@pytest.fixture
def receiver() -> Iterator[str]:
    """A receiver that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_a_receiver_that_accepts_lets_the_site_move(
    emulator: Emulator, assignments: AssignmentOperations, receiver: str
) -> None:
    """A connection is enough."""
    house(emulator)

    assert assignments.create(wanted(probe=receiver)).monitoring_station_id == "2"


def test_a_receiver_that_refuses_keeps_the_site_where_it_is(
    emulator: Emulator, assignments: AssignmentOperations
) -> None:
    """No PUT is sent; the line names the probe."""
    house(emulator)
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"tcp://127.0.0.1:{server.getsockname()[1]}"

    assert line(lambda: assignments.create(wanted(probe=closed)), ReceiverSilent) == (
        f"Could not assign site 1 of dealer 12345 to monitoring station 12345/2: the receiver at {closed} does not "
        "accept connections. Nothing was moved. Start the receiver or correct probe, then run again. (trace id T)"
    )
    assert placed(emulator) == {1: 1}
    assert "PUT" not in " ".join(calls(emulator))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TimeoutError(), "did not accept a connection within 7 s"),
        (socket.gaierror(), "cannot be reached: its name is not known"),
        (OSError(101, "Network is unreachable"), "cannot be reached"),
        (UnicodeError(), "cannot be reached"),
    ],
)
def test_a_receiver_that_cannot_be_reached_is_one_line(client: Client, error: Exception, why: str) -> None:
    """Time-out, unknown name, no route, an invalid name."""
    asked: list[object] = []
    operation = client.operation("do it")

    def connect(address: tuple[str, int], seconds: float) -> Any:
        asked.append((address, seconds))
        raise error

    assert line(lambda: require_receiver("tcp://[::1]:5000", 7.0, operation, connect), ReceiverSilent) == (
        f"Could not do it: the receiver at tcp://[::1]:5000 {why}. Nothing was moved. "
        "Start the receiver or correct probe, then run again. (trace id T)"
    )
    assert asked == [(("::1", 5000), 7.0)]


def test_a_probe_runs_only_when_a_site_is_about_to_move(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """A site that is already there, or may not go there, costs the receiver nothing."""
    house(emulator, on=2)
    nobody = "tcp://127.0.0.1:1"

    assert assignments.create(wanted(probe=nobody)).monitoring_station_id == "2"
    assert assignments.update(state("2"), wanted(probe=nobody)).monitoring_station_id == "2"
    house(emulator)
    with pytest.raises(NotFound):
        assignments.create(wanted(2, "77", probe=nobody))


# read


def test_a_refresh_of_a_hundred_assignments_is_one_list(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """Whatever station each is on now."""
    for n in range(100):
        house(emulator, f"{n}", on=(None, 1, 2)[n % 3])

    recorded = [replace(state(), id=SiteId("12345", str(n)), external_site_id=f"house-{n}") for n in range(1, 101)]
    read = [assignments.read(one.id, one) for one in recorded]

    assert [assigned and assigned.monitoring_station_id for assigned in read[:3]] == ["", "1", "2"]
    assert calls(emulator) == ["GET /sites"] * 3


def test_a_site_that_the_list_lacks_is_read_by_itself(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """A list may be cut."""
    house(emulator, "0001")
    emulator.add_fault(Fault(path=SITES, status=200, body="[]", times=None))

    assert assignments.read(SiteId("12345", "1"), state()) == state()


def test_a_site_is_gone_only_when_a_fresh_list_agrees(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """H8: the list, the site and the list again; an empty list is read twice."""
    assert assignments.read(SiteId("12345", "1"), state()) is None
    assert calls(emulator) == ["GET /sites", "GET /sites", "GET /sites/1", "GET /sites", "GET /sites"]


def test_a_site_that_a_fresh_list_shows_is_not_gone(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """Its own 404 is not believed."""
    house(emulator, "0001")
    emulator.add_fault(Fault(path=SITES, status=200, body="[]"))
    emulator.add_fault(Fault(path=f"{SITES}/1", status=404, times=None))

    assert assignments.read(SiteId("12345", "1"), state()) == state()


@pytest.mark.parametrize(("status", "kind"), [(403, PermissionDenied), (404, NotFound), (503, Unclear)])
def test_a_refresh_never_swallows_an_error(
    emulator: Emulator, assignments: AssignmentOperations, status: int, kind: type[ChektError]
) -> None:
    """H5, H7, H9: sites that cannot be read are an error, not gone."""
    house(emulator)
    emulator.add_fault(Fault(path=f"{SITES}*", status=status, body='{"error": {"code": "no"}}', times=None))

    told = line(lambda: assignments.read(SiteId("12345", "1"), state()), kind)

    assert told.startswith("Could not read site 'House' (12345/site/1): CHeKT ")
    assert "Nothing was changed." in told


# update


def test_another_station_moves_the_site(emulator: Emulator, assignments: AssignmentOperations, said: list[str]) -> None:
    """Nobody else interfered, so no line says anything."""
    house(emulator, "0001")

    assert assignments.update(state(), wanted()) == state("2")
    assert placed(emulator) == {1: 2}
    assert said == []


def test_a_site_that_was_without_a_station_goes_to_one(
    emulator: Emulator, assignments: AssignmentOperations, said: list[str]
) -> None:
    """The refresh found it that way, and nobody has interfered since."""
    house(emulator, "0001", on=None)

    assert assignments.update(state(""), wanted()) == state("2")
    assert placed(emulator) == {1: 2}
    assert said == []


def test_an_update_without_another_station_sends_nothing(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """A change of the probe alone is only recorded."""
    assert assignments.update(state("2"), wanted(probe="tcp://localhost:1")) == state("2")
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("on", "somebody"), [(3, "put on monitoring station 12345/3"), (None, "taken off its station")]
)
def test_what_somebody_else_did_is_named_before_it_is_undone(
    emulator: Emulator, assignments: AssignmentOperations, said: list[str], on: int | None, somebody: str
) -> None:
    """Moved or taken off its station since the last refresh."""
    emulator.add_station(external_monitoring_station_id="third", name="Third")
    house(emulator, "0001", on=on)

    assignments.update(state(), wanted())

    assert said == [
        f"Moving site 'House' (12345/site/1) to monitoring station 12345/2: it was {somebody} since the last refresh."
    ]
    assert placed(emulator) == {1: 2}


def test_a_site_that_is_gone_cannot_be_moved(assignments: AssignmentOperations) -> None:
    """Two looks agree."""
    assert line(lambda: assignments.update(state(), wanted()), NotFound) == (
        "Could not move site 'House' (12345/site/1) to monitoring station 12345/2: it does not exist any more. Nothing "
        "was changed. Take it out of the program, or make it again in CHeKT's portal and run `pulumi up --refresh`. "
        "(trace id T)"
    )


def test_an_account_number_refuses_an_update_too(emulator: Emulator, assignments: AssignmentOperations) -> None:
    """The rule is the same for all moves."""
    house(emulator, "0001")
    house(emulator, "0001", on=2)

    with pytest.raises(AccountTaken):
        assignments.update(state(), wanted())
    assert placed(emulator) == {1: 1, 2: 2}


@pytest.mark.parametrize("operation", ["read", "update"])
def test_another_environment_is_not_touched(
    emulator: Emulator, assignments: AssignmentOperations, operation: str
) -> None:
    """Site 1 of another host is another site."""
    elsewhere = state(api_host="api.chekt.com")
    operations = {
        "read": lambda: assignments.read(elsewhere.id, elsewhere),
        "update": lambda: assignments.update(elsewhere, wanted()),
    }

    assert "the state says that it is on api.chekt.com" in line(operations[operation], WrongEnvironment)
    assert emulator.requests == []


# delete


@pytest.mark.parametrize(
    ("on", "where"), [("2", "on monitoring station 12345/2"), ("", "without a monitoring station")]
)
def test_a_deletion_leaves_the_site_where_it_is(
    emulator: Emulator, assignments: AssignmentOperations, said: list[str], on: str, where: str
) -> None:
    """Nothing is sent: a site without a station is not monitored."""
    assignments.delete(state(on))

    assert emulator.requests == []
    assert said == [
        f"Leaving site 'House' (12345/site/1) where it is ({where}, as the state has it): without one it is not "
        "monitored."
    ]


# the id


HOSTILE = [
    "",
    "12345",
    "12345/5",
    "12345/site/",
    "/site/5",
    "12345/site/../5",
    "12345/site/5/",
    "12345/site/05",
    "12345/site/5?x",
    "12345/site/\uff15",
    "12345/sites/5",
    "12345/site/5/site/6",
    "a/site/5",
    "12345/site/5\n",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_id_never_reaches_a_path(text: str) -> None:
    """B3: it reads only the form that we write."""
    with pytest.raises(Unsafe) as caught:
        SiteId.parse(text)

    assert "is not the id of a site. Nothing was sent. Write dealer id and site id, such as 12345/site/5." in str(
        caught.value
    )


def test_an_id_is_read_as_it_is_written() -> None:
    """Dealer id, "site", site id: never the id of a station."""
    assert SiteId.parse("12345/site/5") == SiteId("12345", "5")
    assert str(SiteId("12345", "5")) == "12345/site/5"


@pytest.mark.parametrize("operation", ["diff", "read", "update", "delete"])
def test_no_operation_takes_the_id_of_a_station(emulator: Emulator, operation: str) -> None:
    """A station's operation does not take the id of an assignment either."""
    assignment, station = assigning(emulator.environment()), configured(emulator.environment())

    assert "'12345/1' is not the id of a site." in line(lambda: call(assignment, operation, "12345/1"), Unsafe)
    assert "'12345/site/1' is not the id of a monitoring station." in line(
        lambda: call(station, operation, "12345/site/1"), Unsafe
    )
    assert emulator.requests == []


def call(provider: ResourceProvider, operation: str, id_: str) -> object:
    """One of the provider's operations, with an empty state and no inputs."""
    arguments: list[dict[str, Any]] = [{}] if operation in ("read", "delete") else [{}, INPUTS]
    return getattr(provider, operation)(id_, *arguments)


# the provider


INPUTS = {"dealer_id": "12345", "monitoring_station_id": "2", "site_id": "1"}


@pytest.fixture
def provider(emulator: Emulator) -> SiteAssignmentProvider:
    return assigning(emulator.environment())


def test_check_gives_the_inputs_in_canonical_form(provider: SiteAssignmentProvider) -> None:
    """Ids become digits, None vanishes, the dealer comes from the settings; nothing is sent."""
    given = {"monitoring_station_id": 2.0, "site_id": 1.0, "probe": None, "external_site_id": None, "__provider": "x"}

    checked = provider.check({}, given)

    assert checked.failures == []
    assert checked.inputs == INPUTS


@pytest.mark.parametrize("unknown", [UNKNOWN, rpc.UNKNOWN])
def test_a_value_that_a_preview_does_not_know_passes(provider: SiteAssignmentProvider, unknown: object) -> None:
    """The station is another resource's output, and so may the others be."""
    inputs = dict.fromkeys([*INPUTS, "probe", "probe_timeout"], unknown)

    checked = provider.check({}, inputs)

    assert checked.failures == []
    assert checked.inputs == inputs


def test_check_names_every_bad_input_at_once(provider: SiteAssignmentProvider) -> None:
    """The line shows neither the value nor the property's name, which would print it."""
    failures = provider.check({}, {"monitoring_station_id": "x", "probe": "y", "sitd": 1.0}).failures

    assert [failure.property for failure in failures] == [""] * 4
    assert [failure.reason for failure in failures] == [
        "monitoring_station_id is not an id: write digits only, such as 12345.",
        "probe is not of the form tcp://host:port, such as tcp://receiver.example:5000.",
        "'sitd' is not an input of a site assignment; did you mean 'site_id'?",
        "site_id or external_site_id is missing: pass the one by which you know the site.",
    ]


STATE = {
    **INPUTS,
    "external_site_id": "house-1",
    "name": "House",
    "account_number": "0001",
    "api_host": "localhost",
    "site_named_by": "site_id",
    "__provider": "x",
}


@pytest.mark.parametrize(
    ("change", "changes", "replaces"),
    [
        ({}, False, []),
        ({"monitoring_station_id": "3"}, True, []),
        ({"monitoring_station_id": UNKNOWN}, True, []),
        ({"site_id": "7"}, True, ["site_id"]),
        ({"site_id": None, "external_site_id": "house-1"}, True, []),
        ({"site_id": None, "external_site_id": "house-2"}, True, ["external_site_id"]),
        ({"site_id": None, "external_site_id": rpc.UNKNOWN}, True, ["external_site_id"]),
        ({"dealer_id": "777"}, True, ["dealer_id"]),
        ({"dealer_id": UNKNOWN}, True, ["dealer_id"]),
        ({"probe": "tcp://localhost:1"}, True, []),
        ({"probe_timeout": 7.0}, True, []),
    ],
)
def test_diff_says_what_changes_and_what_replaces(
    provider: SiteAssignmentProvider, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    """Another site or dealer replaces; another station, probe or way to name the same site updates."""
    news = {**INPUTS, "__provider": "x", **change}

    result = provider.diff("12345/site/1", STATE, {name: value for name, value in news.items() if value is not None})

    assert result.changes is changes
    assert result.replaces == replaces


@pytest.mark.parametrize("name", [{"site_id": "1"}, {"external_site_id": "house-1"}])
def test_the_life_of_an_assignment_in_state(
    emulator: Emulator, provider: SiteAssignmentProvider, name: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Create, read, drift, update, gone: what each gives Pulumi to keep, and inputs as the program writes them."""
    house(emulator, "0001", on=None)
    inputs = {"dealer_id": "12345", "monitoring_station_id": "2", **name, "probe_timeout": 7.0, "declared_by": "a/b"}

    created = provider.create({**inputs, "__provider": "x"})
    outs = created.outs or {}
    named_by = next(iter(name))
    assert created.id == "12345/site/1"
    more = {"site_named_by": named_by, "probe_timeout": 7.0, "declared_by": "a/b"}
    assert {**outs, "__provider": "x"} == {**STATE, **more}

    read = provider.read("12345/site/1", outs)
    assert (read.id, read.outs, read.inputs) == ("12345/site/1", outs, inputs)
    provider = assigning(emulator.environment())
    assert provider.diff("12345/site/1", {**outs, "__provider": "x"}, inputs).changes is False

    emulator.edit_site(1, monitoring_station_id=None)
    drifted = assigning(emulator.environment()).read("12345/site/1", outs)
    assert drifted.inputs == {**inputs, "monitoring_station_id": ""}
    diff = provider.diff("12345/site/1", {**(drifted.outs or {}), "__provider": "x"}, inputs)
    assert (diff.changes, diff.replaces) == (True, [])

    repairing = assigning(emulator.environment())
    assert repairing.update("12345/site/1", drifted.outs or {}, inputs).outs == outs
    assert placed(emulator) == {1: 2}

    emulator.clear_requests()
    provider.delete("12345/site/1", outs)
    assert emulator.requests == []
    assert (
        "chekt: Leaving site 'House' (12345/site/1) where it is (on monitoring station 12345/2"
        in capsys.readouterr().err
    )

    emulator.add_fault(Fault(path=SITES, status=200, body="[]", times=None))
    emulator.add_fault(Fault(path=f"{SITES}/1", status=404, times=None))
    gone = assigning(emulator.environment()).read("12345/site/1", outs)
    assert (gone.id, gone.outs) == ("", {})


def test_a_site_that_a_resource_goes_on_with_is_not_given_to_another(
    emulator: Emulator, provider: SiteAssignmentProvider
) -> None:
    """`diff` runs for each resource that was there before; one that is to be replaced lets its site go."""
    house(emulator, "0001")

    provider.diff("12345/site/1", STATE, {**INPUTS, "site_id": "7"})
    provider.create(INPUTS)

    other = assigning(emulator.environment())
    other.diff("12345/site/1", STATE, INPUTS)
    with pytest.raises(DeclaredTwice):
        other.create(INPUTS)


def test_a_changed_probe_is_recorded_without_a_call(emulator: Emulator, provider: SiteAssignmentProvider) -> None:
    """The same goes for a removed one."""
    olds = {**STATE, "probe": "tcp://localhost:1"}

    changed = provider.update("12345/site/1", olds, {**INPUTS, "probe": "tcp://localhost:2"}).outs or {}
    without = provider.update("12345/site/1", olds, INPUTS).outs or {}

    assert changed["probe"] == "tcp://localhost:2"
    assert "probe" not in without
    assert emulator.requests == []


def test_both_kinds_of_resource_know_of_each_others_work(emulator: Emulator) -> None:
    """A site that an assignment moved away does not keep its station from being deleted by the same run."""
    house(emulator, "0001")
    earlier = configured(emulator.environment())
    old = earlier.create({"dealer_id": "12345", "external_monitoring_station_id": "old", "name": "Old"})
    spare = earlier.create({"dealer_id": "12345", "external_monitoring_station_id": "spare", "name": "Spare"})
    emulator.edit_site(1, monitoring_station_id=3)
    emulator.clear_requests()
    another_process()
    config = config_of(emulator.environment())
    stations, assignments = MonitoringStationProvider(), SiteAssignmentProvider()
    for one in (stations, assignments):
        one.configure(ConfigureRequest(Config(config, "test")))
    stations.delete(spare.id, spare.outs or {})  # the run's list of sites is from here on

    assignments.create(INPUTS)
    stations.delete(old.id, old.outs or {})

    assert placed(emulator) == {1: 2}
    assert [call for call in calls(emulator) if call.startswith("PUT") or call.startswith("DELETE")] == [
        "DELETE /monitoring-stations/4",
        "PUT /sites/1",
        "DELETE /monitoring-stations/3",
    ]
    assert [r.path for r in emulator.requests].count("/oauth/token") == 1

"""What CHeKT lists, as one run knows it: read once, shared by all threads, not older than our own writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from socket import socket

import pytest

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ListIncomplete, NotChekt, PermissionDenied, ServerFailed, Unclear
from chekt_provider.model.fields import Station
from chekt_provider.model.ids import StationId
from chekt_provider.model.records import Recorded
from chekt_provider.model.wire import Site
from chekt_provider.operations.directory import Directory, Look, SharedList, called
from chekt_provider.operations.items import Items
from tests.clock import Clock
from tests.helpers import COLLECTION, EMPTY, LIST, anonymous, calls
from tests.raw_server import RawServer, http

NewTransport = Callable[..., Transport]
NewServer = Callable[..., RawServer]


def station(number: int, name: str = "Central") -> Station:
    return Station(monitoring_station_id=str(number), external_monitoring_station_id=f"s-{number}", name=name)


def gone(number: str, created_at: str = "") -> Recorded:
    """A station as the state had it."""
    fields = {"external_monitoring_station_id": f"s-{number}"}
    return Recorded(StationId("12345", number), fields, created_at)


def names(look: Look[Station]) -> dict[str, str]:
    """Each station's name, by its id."""
    return {station_id: station.name for station_id, station in look.items.items()}


@pytest.fixture
def directory(client: Client) -> Directory:
    return Directory(client)


@pytest.fixture
def operation(client: Client) -> Operation:
    return client.operation("do it")


# one look


def test_one_look_serves_a_whole_run(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """It does not matter how many stations are asked for: the dealer is listed once."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")

    looks = [directory.stations("12345").look(operation) for _ in range(3)]

    assert [names(look) for look in looks] == [{"1": "Central"}] * 3
    assert calls(emulator) == LIST


def test_sixteen_threads_at_once_share_one_look(emulator: Emulator, new_transport: NewTransport) -> None:
    """One lists, the others wait for it."""
    client = Client(new_transport())
    directory = Directory(client)
    start = threading.Barrier(16)

    def ask(_: int) -> Look[Station]:
        start.wait()
        return directory.stations("12345").look(client.operation("do it"))

    with ThreadPoolExecutor(16) as pool:
        looks = list(pool.map(ask, range(16)))

    assert calls(emulator) == EMPTY
    assert {look.number for look in looks} == {1}


def test_each_dealer_has_a_list_of_its_own(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """What is known of one says nothing about another."""
    emulator.add_dealer(99)
    emulator.add_station(external_monitoring_station_id="s-1", name="Ours")
    emulator.add_station(external_monitoring_station_id="s-1", name="Theirs", dealer_id=99)

    assert list(names(directory.stations("12345").look(operation)).values()) == ["Ours"]
    assert list(names(directory.stations("99").look(operation)).values()) == ["Theirs"]


def test_a_look_that_failed_is_not_remembered(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """The next one who asks looks again; a failed list is never an empty one."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")
    emulator.add_fault(Fault(method="GET", status=503, times=5))

    with pytest.raises(ServerFailed):
        directory.stations("12345").look(operation)

    assert names(directory.stations("12345").look(operation)) == {"1": "Central"}


def test_threads_that_waited_for_a_look_share_its_failure(emulator: Emulator, new_transport: NewTransport) -> None:
    """In an outage they do not all ask again; each tells the failure as its own."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=403, delay=0.5, times=None))
    client = Client(new_transport())
    directory = Directory(client)
    start = threading.Barrier(16)

    def ask(number: int) -> str:
        operation = client.operation(f"do {number}")
        start.wait()
        with pytest.raises(PermissionDenied) as caught:
            directory.stations("12345").look(operation)
        return str(caught.value)

    with ThreadPoolExecutor(16) as pool:
        lines = list(pool.map(ask, range(16)))

    assert len(calls(emulator)) < 4
    assert [line.partition(":")[0] for line in lines] == [f"Could not do {number}" for number in range(16)]


def test_a_second_look_that_failed_leaves_the_first(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """It is still what was seen."""
    first = directory.stations("12345").look(operation)
    emulator.add_fault(Fault(method="GET", body="{}"))

    with pytest.raises(NotChekt):
        directory.stations("12345").look_again(operation, first)

    assert directory.stations("12345").look(operation) is first


def named(number: int, external_id: str) -> Station:
    return station(number).model_copy(update={"external_monitoring_station_id": external_id})


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (["s-1", "s-2"], "s-2", ["2"]),
        (["s-1", "s-2"], "s-3", []),
        (["x", "x", "y"], "x", ["1", "2"]),
        (["", " "], "", []),
        (["", " "], " ", []),
        (["S-1"], "s-1", ["1"]),
        ([" s-1 "], "s-1", ["1"]),
        (["s-1", "S-1"], "S-1", ["2"]),
        (["s-1", "S-1"], " s-1", ["1", "2"]),
        (["\uff53-1"], "s-1", ["1"]),
        (["s-10"], "s-1", []),
    ],
)
def test_stations_are_found_by_their_external_id(there: list[str], wanted: str, found: list[str]) -> None:
    """All that have it; if none has it as written, those that have it in a form that CHeKT may keep."""
    stations = [named(number, external_id) for number, external_id in enumerate(there, 1)]

    assert [station.monitoring_station_id for station in called(stations, wanted)] == found


# our own writes


def test_our_own_writes_are_seen_without_another_list(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Created, changed and deleted stations are taken over from the answers."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Old")
    directory.stations("12345").look(operation)
    emulator.clear_requests()

    directory.stations("12345").note("1", station(1, "New"))
    directory.stations("12345").note("2", station(2, "Second"))
    directory.stations("12345").note("3", station(3, "Third"))
    directory.stations("12345").note_deleted(gone("2"))

    assert names(directory.stations("12345").look(operation)) == {"1": "New", "3": "Third"}
    assert calls(emulator) == []


def test_a_look_that_was_given_away_does_not_change(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Another thread may be reading it."""
    look = directory.stations("12345").look(operation)

    directory.stations("12345").note("1", station(1))

    assert names(look) == {}


@pytest.mark.parametrize(
    ("passed", "shown"), [(0, {"1": "Written"}), (16, {"1": "Written"}), (16.1, {"1": "Changed since", "2": "Second"})]
)
def test_a_list_may_be_sixteen_seconds_behind(
    emulator: Emulator, directory: Directory, operation: Operation, clock: Clock, passed: float, shown: dict[str, str]
) -> None:
    """Our own writes of that time win over a list that begins later; the look also gives what the list itself said."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Changed since")
    emulator.add_station(external_monitoring_station_id="s-2", name="Second")
    stations = directory.stations("12345")
    stations.note("1", station(1, "Written"))
    stations.note_deleted(gone("2"))
    clock.now += passed

    look = stations.look(operation)

    assert names(look) == shown
    assert {item_id: item.name for item_id, item in look.listed.items()} == {"1": "Changed since", "2": "Second"}


def test_what_was_written_is_known_by_its_moment(directory: Directory, clock: Clock) -> None:
    """Changes and deletions alike, for whoever must not rely on an earlier list."""
    stations = directory.stations("12345")
    stations.note("1", station(1))
    clock.now += 5
    stations.note("2", station(2))
    stations.note_deleted(gone("3"))

    assert stations.written_since(1000) == {"1", "2", "3"}
    assert stations.written_since(1005) == {"2", "3"}
    assert stations.written_since(1005.1) == set()


def test_a_deletion_of_this_run_is_known_by_what_it_deleted(directory: Directory) -> None:
    """Its time of creation tells an old answer of CHeKT's from a new station."""
    stations = directory.stations("12345")
    deleted = gone("1", "2026-11-02T12:00:00.000Z")
    stations.note_deleted(deleted)

    assert stations.deleted("1") is deleted
    assert stations.deleted("2") is None


def test_deleting_what_was_never_listed_is_no_error(directory: Directory, operation: Operation) -> None:
    """A station may be gone already."""
    directory.stations("12345").look(operation)

    directory.stations("12345").note_deleted(gone("77"))

    assert names(directory.stations("12345").look(operation)) == {}


class SlowList:
    """An API that has answered a list, but the list is still on its way: `arrives` lets it come."""

    def __init__(self, raw_server: NewServer, new_transport: NewTransport, *stations: int) -> None:
        self._asked, self._come = threading.Event(), threading.Event()
        rows = [station(number, "Listed").model_dump() | {"monitoring_station_id": number} for number in stations]
        body = json.dumps(rows).encode()

        def answer(connection: socket) -> None:
            self._asked.set()
            assert self._come.wait(30)
            connection.sendall(http(body=body))

        server = raw_server(answer, http(body=body))
        self.client = Client(new_transport(base_url=server.url))
        self.directory = Directory(self.client)

    def meanwhile(self, act: Callable[[], None]) -> Look[Station]:
        """Give the look during which this was done."""
        with ThreadPoolExecutor(1) as pool:
            look = pool.submit(self.directory.stations("12345").look, self.client.operation("do it"))
            assert self._asked.wait(30)
            act()
            self._come.set()
            return look.result()


def test_a_write_while_a_list_is_under_way_is_not_lost(raw_server: NewServer, new_transport: NewTransport) -> None:
    """The list was answered before the write: the write counts."""
    slow = SlowList(raw_server, new_transport, 1, 2)

    def write() -> None:
        slow.directory.stations("12345").note("1", station(1, "Written"))
        slow.directory.stations("12345").note("3", station(3, "Created"))
        slow.directory.stations("12345").note_deleted(gone("2"))

    look = slow.meanwhile(write)

    assert names(look) == {"1": "Written", "3": "Created"}
    assert slow.directory.stations("12345").look(slow.client.operation("do it")) is look


def test_writes_do_not_wait_for_a_list(raw_server: NewServer, new_transport: NewTransport) -> None:
    """Another dealer's writes do not wait either: only those who need the list do."""
    slow = SlowList(raw_server, new_transport, 1)
    seen: list[dict[str, str]] = []

    def look_at_another_dealer() -> None:
        slow.directory.stations("12345").note("5", station(5))
        seen.append(names(slow.directory.stations("99").look(slow.client.operation("do it"))))

    slow.meanwhile(look_at_another_dealer)

    assert seen == [{"1": "Listed"}]


# a second look


def test_a_second_look_asks_again(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """It shows what was changed behind our back; from then on everybody sees this look."""
    first = directory.stations("12345").look(operation)
    emulator.add_station(external_monitoring_station_id="s-1", name="New")

    second = directory.stations("12345").look_again(operation, first)

    assert names(first) == {}
    assert names(second) == {"1": "New"}
    assert (first.number, second.number) == (1, 2)
    assert directory.stations("12345").look(operation) is second


def test_readers_share_a_second_look(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """A hundred vanished stations cost one second look, whoever takes it."""
    first = directory.stations("12345").look(operation)
    second = directory.stations("12345").look_again(operation, first)

    assert directory.stations("12345").look_again(operation, first) is second
    assert calls(emulator) == EMPTY * 2


def test_after_a_change_a_second_look_is_never_older_than_the_question(
    emulator: Emulator, client: Client, directory: Directory, operation: Operation
) -> None:
    """A POST may have been stored after another thread's second look: only a look that begins later can show it."""
    first = directory.stations("12345").look(operation)
    emulator.add_fault(Fault(method="POST", when="after", reset=True))
    with pytest.raises(Unclear):
        client.create_station(operation, "12345", {"external_monitoring_station_id": "s-1", "name": "Central"}, "k-1")
    emulator.remove_station(1)
    directory.stations("12345").look_again(client.operation("another thread's"), first)
    emulator.add_station(external_monitoring_station_id="s-1", name="Stored late")

    again = directory.stations("12345").look_again(operation, first)

    assert names(again) == {"2": "Stored late"}


def test_after_a_change_a_look_that_is_under_way_is_not_enough(
    raw_server: NewServer, new_transport: NewTransport
) -> None:
    """It may have been answered before the change was made; an operation that only reads is content with it."""
    slow = SlowList(raw_server, new_transport, 1)
    changing, reading = slow.client.operation("change it"), slow.client.operation("read it")
    changing.changing = True
    before = Look[Station](0, Items({}), Items({}), "", 0, 0, 0, is_sampled=False)
    with ThreadPoolExecutor(2) as pool:
        again: list[Future[Look[Station]]] = []

        def ask_again() -> None:
            again.extend(
                pool.submit(slow.directory.stations("12345").look_again, operation, before)
                for operation in (changing, reading)
            )

        under_way = slow.meanwhile(ask_again)

    assert again[0].result().number == under_way.number + 1
    assert again[1].result().number >= under_way.number


def test_threads_that_ask_again_at_once_share_their_look(emulator: Emulator, new_transport: NewTransport) -> None:
    """While one list is under way the others wait, and one more list serves all of them."""
    client = Client(new_transport(requests_per_minute=3000))
    directory = Directory(client)
    first = directory.stations("12345").look(client.operation("do it"))
    emulator.clear_requests()
    start = threading.Barrier(16)

    def ask_again(_: int) -> int:
        start.wait()
        return directory.stations("12345").look_again(client.operation("do it"), first).number

    with ThreadPoolExecutor(16) as pool:
        numbers = set(pool.map(ask_again, range(16)))

    assert min(numbers) >= 2
    assert len(calls(emulator)) < 16


def test_a_look_that_begins_now_is_shared_with_nobody_before(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Whatever was seen until then."""
    stations = directory.stations("12345")
    seen = [stations.look(operation), stations.look_now(operation), stations.look_now(operation)]

    assert [look.number for look in seen] == [1, 2, 3]
    assert stations.latest is seen[2]
    assert calls(emulator) == EMPTY * 3


def test_a_look_tells_when_and_how_it_was_taken(
    emulator: Emulator, directory: Directory, operation: Operation, clock: Clock
) -> None:
    """It gives the time by our clock, who took it, and the cost."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")
    clock.now = 2000

    look = directory.stations("12345").look(operation)

    assert (look.begun, look.ended, look.requests, look.trace_id) == (2000, 2000, 3, operation.trace_id)


# what should be there


@pytest.fixture
def half(emulator: Emulator) -> Callable[..., None]:
    """Lets this many lists show only station 1 of the two that are there."""
    for number in (1, 2):
        emulator.add_station(external_monitoring_station_id=f"s-{number}", name=f"Station {number}")
    body = json.dumps([emulator.stations()[0]])

    def cut(lists: int | None = None, skip: int = 0) -> None:
        times = None if lists is None else 3 * lists
        emulator.add_fault(Fault(method="GET", path=COLLECTION, body=body, times=times, skip=skip))

    return cut


def test_what_is_not_known_is_not_missed(
    emulator: Emulator, directory: Directory, operation: Operation, half: Callable[..., None]
) -> None:
    """A list that shows itself to be whole counts as whole."""
    half()

    assert names(directory.stations("12345").complete_look(operation)) == {"1": "Station 1"}
    assert calls(emulator) == LIST


def test_a_list_that_leaves_out_what_is_there_is_read_again(
    emulator: Emulator, directory: Directory, operation: Operation, half: Callable[..., None], clock: Clock
) -> None:
    """What the state has, and a list does not, is asked for by id: the list may be behind."""
    half(2)
    stations = directory.stations("12345")
    stations.expect(["2"])

    look = stations.complete_look(operation)

    assert names(look) == {"1": "Station 1", "2": "Station 2"}
    assert calls(emulator) == [*LIST, "GET /monitoring-stations/2"] * 2 + LIST
    assert clock.slept == [1, 2]


def test_a_list_that_leaves_out_what_is_there_for_good_is_not_complete(
    emulator: Emulator, directory: Directory, operation: Operation, half: Callable[..., None], clock: Clock
) -> None:
    """This is decided after the longest time that it may be behind; nothing is created because of it."""
    half()
    stations = directory.stations("12345")
    stations.expect(["1", "2"])

    with pytest.raises(ListIncomplete) as caught:
        stations.complete_look(operation)

    assert anonymous(str(caught.value)) == (
        "Could not do it: what CHeKT lists is not whole: it leaves out 2. Nothing was changed. "
        "Give the trace id to CHeKT's support, and run again. (trace id T)"
    )
    assert calls(emulator) == [*LIST, "GET /monitoring-stations/2"] * 5
    assert clock.slept == [1, 2, 4, 9]


def test_what_is_gone_is_asked_for_once(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """A station of the state that was deleted elsewhere is not missing from the list."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")
    stations = directory.stations("12345")
    stations.expect(["1", "77"])

    for _ in range(3):
        assert names(stations.complete_look(operation)) == {"1": "Central"}

    assert calls(emulator) == [*LIST, "GET /monitoring-stations/77"]


def test_each_that_is_missing_is_asked_for_up_to_the_first_that_is_there(
    emulator: Emulator, directory: Directory, operation: Operation, half: Callable[..., None]
) -> None:
    """They are asked for in the order of their numbers; those that are gone prove nothing about the others."""
    half()
    stations = directory.stations("12345")
    stations.expect(["10", "9", "8", "7", "2"])

    assert stations.left_out(operation, stations.look(operation)) == "2"
    assert calls(emulator)[-1] == "GET /monitoring-stations/2"


def test_what_an_earlier_look_showed_is_missed_in_a_later_one(
    directory: Directory, operation: Operation, half: Callable[..., None]
) -> None:
    """It is missed like what the state has."""
    stations = directory.stations("12345")
    stations.look(operation)
    half()

    assert stations.left_out(operation, stations.look_now(operation)) == "2"


def test_what_this_run_deleted_is_not_missed(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """It is not asked for either."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")
    stations = directory.stations("12345")
    stations.expect(["1"])
    stations.look(operation)
    emulator.remove_station(1)
    stations.note_deleted(gone("1"))
    emulator.clear_requests()

    assert stations.left_out(operation, stations.look_now(operation)) == ""
    assert calls(emulator) == EMPTY


def test_a_question_by_id_that_fails_fails_the_look(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Only 404 says that something is not there."""
    emulator.add_fault(Fault(path=f"{COLLECTION}/77", status=403))
    stations = directory.stations("12345")
    stations.expect(["77"])

    with pytest.raises(PermissionDenied):
        stations.complete_look(operation)


# sites


@pytest.fixture
def sites(directory: Directory) -> SharedList[Site]:
    return directory.sites("12345")


def test_sites_are_shared_as_stations_are(
    emulator: Emulator, sites: SharedList[Site], directory: Directory, operation: Operation
) -> None:
    """One list for a run, with our own writes in it."""
    emulator.add_site(external_site_id="w-1", name="Warehouse")
    sites.look(operation)
    sites.note("1", Site(site_id="1", name="Shop"))

    assert [site.name for site in directory.sites("12345").look(operation).items.values()] == ["Shop"]
    assert calls(emulator) == ["GET /sites"] * 3


def test_sites_that_are_left_out_are_asked_for_by_id(
    emulator: Emulator, sites: SharedList[Site], operation: Operation
) -> None:
    """A deletion must not rely on a list that shows a part."""
    emulator.add_site(external_site_id="w-1", name="Warehouse")
    look = sites.look(operation)
    emulator.add_fault(Fault(path="*/sites", body="[]", times=2))

    assert sites.left_out(operation, look) == ""
    assert sites.left_out(operation, sites.look_now(operation)) == "1"


def test_a_dealer_without_sites_is_listed_once(
    emulator: Emulator, sites: SharedList[Site], operation: Operation
) -> None:
    """An empty list is an answer."""
    for _ in range(50):
        assert sites.look(operation).items == {}

    assert calls(emulator) == ["GET /sites"] * 2


def test_sites_that_could_not_be_read_are_not_remembered(
    emulator: Emulator, sites: SharedList[Site], operation: Operation
) -> None:
    """No deletion ever relies on a list that failed."""
    emulator.add_site(external_site_id="w-1", name="Warehouse")
    emulator.add_fault(Fault(path="*/sites", status=503, times=5))

    with pytest.raises(ServerFailed):
        sites.look(operation)

    assert sites.latest is None
    assert [site.name for site in sites.look(operation).items.values()] == ["Warehouse"]


def test_sixteen_deletions_at_once_share_one_list_of_sites(emulator: Emulator, new_transport: NewTransport) -> None:
    """One asks, the others wait."""
    client = Client(new_transport())
    sites = Directory(client).sites("12345")
    start = threading.Barrier(16)

    def ask(_: int) -> None:
        start.wait()
        sites.look(client.operation("do it"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(16)))

    assert calls(emulator) == ["GET /sites"] * 2

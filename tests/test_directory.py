"""What is known of a dealer's stations in one run: read once, shared by all threads, not older than our own writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from socket import socket

import pytest

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation, Transport
from chekt_provider.directory import DELETIONS_PER_LOOK_AT_SITES, Directory, Look
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import NotChekt, PermissionDenied, ServerFailed, Unclear
from chekt_provider.models import Station
from tests.helpers import COLLECTION, calls
from tests.raw_server import RawServer, http

NewTransport = Callable[..., Transport]
NewServer = Callable[..., RawServer]


def station(number: int, name: str = "Central") -> Station:
    return Station(monitoring_station_id=str(number), external_monitoring_station_id=f"s-{number}", name=name)


def names(look: Look) -> dict[str, str]:
    """Each station's name, by its id."""
    return {station_id: station.name for station_id, station in look.stations.items()}


@pytest.fixture
def directory(client: Client) -> Directory:
    return Directory(client)


@pytest.fixture
def operation(client: Client) -> Operation:
    return client.operation("do it")


# one look


def test_one_look_serves_a_whole_run(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """However many stations are asked for, the dealer is listed once."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")

    looks = [directory.look(operation, "12345") for _ in range(3)]

    assert [names(look) for look in looks] == [{"1": "Central"}] * 3
    assert calls(emulator) == ["GET /monitoring-stations"] * 2  # the second asks for a further page


def test_sixteen_threads_at_once_share_one_look(emulator: Emulator, new_transport: NewTransport) -> None:
    """One lists, the others wait for it."""
    client = Client(new_transport())
    directory = Directory(client)
    start = threading.Barrier(16)

    def ask(_: int) -> Look:
        start.wait()
        return directory.look(client.operation("do it"), "12345")

    with ThreadPoolExecutor(16) as pool:
        looks = list(pool.map(ask, range(16)))

    assert calls(emulator) == ["GET /monitoring-stations"]
    assert {look.number for look in looks} == {1}


def test_each_dealer_has_a_list_of_its_own(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """What is known of one says nothing of another."""
    emulator.add_dealer(99)
    emulator.add_station(external_monitoring_station_id="s-1", name="Ours")
    emulator.add_station(external_monitoring_station_id="s-1", name="Theirs", dealer_id=99)

    assert list(names(directory.look(operation, "12345")).values()) == ["Ours"]
    assert list(names(directory.look(operation, "99")).values()) == ["Theirs"]


def test_a_look_that_failed_is_not_remembered(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """The next one who asks looks for itself; a failed list is never an empty one."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Central")
    emulator.add_fault(Fault(method="GET", status=503, times=5))

    with pytest.raises(ServerFailed):
        directory.look(operation, "12345")

    assert names(directory.look(operation, "12345")) == {"1": "Central"}


def test_threads_that_waited_for_a_look_share_its_failure(emulator: Emulator, new_transport: NewTransport) -> None:
    """In an outage not each of them asks again; each tells the failure as its own."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=403, delay=0.5, times=None))
    client = Client(new_transport())
    directory = Directory(client)
    start = threading.Barrier(16)

    def ask(number: int) -> str:
        operation = client.operation(f"do {number}")
        start.wait()
        with pytest.raises(PermissionDenied) as caught:
            directory.look(operation, "12345")
        return str(caught.value)

    with ThreadPoolExecutor(16) as pool:
        lines = list(pool.map(ask, range(16)))

    assert len(calls(emulator)) < 4
    assert [line.partition(":")[0] for line in lines] == [f"Could not do {number}" for number in range(16)]


def test_a_second_look_that_failed_leaves_the_first(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """It is still what was seen."""
    first = directory.look(operation, "12345")
    emulator.add_fault(Fault(method="GET", body="{}"))

    with pytest.raises(NotChekt):
        directory.look_again(operation, "12345", first)

    assert directory.look(operation, "12345") is first


def test_twins_are_found_by_their_external_id() -> None:
    """All of them, and exactly."""
    look = Look(1, {s.monitoring_station_id: s for s in (station(1), station(2))}, None, "")
    blank = station(5).model_copy(update={"external_monitoring_station_id": ""})
    same = {str(n): station(n).model_copy(update={"external_monitoring_station_id": "x"}) for n in (3, 4)}
    twins = Look(1, same, None, "")

    assert [s.monitoring_station_id for s in look.with_external_id("s-2")] == ["2"]
    assert look.with_external_id("S-2") == []
    assert look.with_external_id("") == []
    assert Look(1, {"5": blank}, None, "").with_external_id("") == [], "stations without one are no twins"
    assert [s.monitoring_station_id for s in twins.with_external_id("x")] == ["3", "4"]


# our own writes


def test_our_own_writes_are_seen_without_another_list(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Created, changed and deleted stations are taken over from the answers."""
    emulator.add_station(external_monitoring_station_id="s-1", name="Old")
    directory.look(operation, "12345")
    emulator.clear_requests()

    directory.note_written("12345", station(1, "New"))
    directory.note_written("12345", station(2, "Second"))
    directory.note_written("12345", station(3, "Third"))
    directory.note_deleted("12345", "2")

    assert names(directory.look(operation, "12345")) == {"1": "New", "3": "Third"}
    assert calls(emulator) == []


def test_a_look_that_was_given_away_does_not_change(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Another thread may be reading it."""
    look = directory.look(operation, "12345")

    directory.note_written("12345", station(1))

    assert names(look) == {}


def test_a_write_before_the_first_look_is_in_the_list_itself(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """The list that follows is newer: what it says counts."""
    directory.note_written("12345", station(1, "Written"))
    directory.note_deleted("12345", "77")
    emulator.add_station(external_monitoring_station_id="s-1", name="Changed since")

    assert names(directory.look(operation, "12345")) == {"1": "Changed since"}


def test_deleting_what_was_never_listed_is_no_error(directory: Directory, operation: Operation) -> None:
    """A station may be gone already."""
    directory.look(operation, "12345")

    directory.note_deleted("12345", "77")

    assert names(directory.look(operation, "12345")) == {}


class SlowList:
    """An API whose list was answered, but is still on its way: `arrives` lets it come."""

    def __init__(self, raw_server: NewServer, new_transport: NewTransport, *stations: int) -> None:
        self._asked, self._come = threading.Event(), threading.Event()
        body = json.dumps([{"monitoring_station_id": number, "name": "Listed"} for number in stations]).encode()

        def answer(connection: socket) -> None:
            self._asked.set()
            assert self._come.wait(30)
            connection.sendall(http(body=body))

        server = raw_server(answer, http(body=body))
        self.client = Client(new_transport(base_url=server.url))
        self.directory = Directory(self.client)

    def meanwhile(self, act: Callable[[], None]) -> Look:
        """Give the look during which this was done."""
        with ThreadPoolExecutor(1) as pool:
            look = pool.submit(self.directory.look, self.client.operation("do it"), "12345")
            assert self._asked.wait(30)
            act()
            self._come.set()
            return look.result()


def test_a_write_while_a_list_is_under_way_is_not_lost(raw_server: NewServer, new_transport: NewTransport) -> None:
    """The list was answered before the write: the write counts."""
    slow = SlowList(raw_server, new_transport, 1, 2)

    def write() -> None:
        slow.directory.note_written("12345", station(1, "Written"))
        slow.directory.note_written("12345", station(3, "Created"))
        slow.directory.note_deleted("12345", "2")

    look = slow.meanwhile(write)

    assert names(look) == {"1": "Written", "3": "Created"}
    assert slow.directory.look(slow.client.operation("do it"), "12345") is look


def test_writes_do_not_wait_for_a_list(raw_server: NewServer, new_transport: NewTransport) -> None:
    """Nor does another dealer's: only those who need the list do."""
    slow = SlowList(raw_server, new_transport, 1)
    seen: list[dict[str, str]] = []

    def look_at_another_dealer() -> None:
        slow.directory.note_written("12345", station(5))
        seen.append(names(slow.directory.look(slow.client.operation("do it"), "99")))

    slow.meanwhile(look_at_another_dealer)

    assert seen == [{"1": "Listed"}]


# a second look


def test_a_second_look_asks_again(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """It shows what was changed behind our back, and is what everybody sees from then on."""
    first = directory.look(operation, "12345")
    emulator.add_station(external_monitoring_station_id="s-1", name="New")

    second = directory.look_again(operation, "12345", first)

    assert names(first) == {}
    assert names(second) == {"1": "New"}
    assert (first.number, second.number) == (1, 2)
    assert directory.look(operation, "12345") is second


def test_readers_share_a_second_look(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """A hundred stations that are gone cost one second look, whoever takes it."""
    first = directory.look(operation, "12345")
    second = directory.look_again(operation, "12345", first)

    assert directory.look_again(operation, "12345", first) is second
    assert calls(emulator) == ["GET /monitoring-stations"] * 2


def test_after_a_change_a_second_look_is_never_older_than_the_question(
    emulator: Emulator, client: Client, directory: Directory, operation: Operation
) -> None:
    """A POST may have been stored after another thread's second look: only a look that begins later can show it."""
    first = directory.look(operation, "12345")
    emulator.add_fault(Fault(method="POST", when="after", reset=True))
    with pytest.raises(Unclear):
        client.create_station(operation, "12345", {"external_monitoring_station_id": "s-1", "name": "Central"}, "k-1")
    emulator.remove_station(1)
    directory.look_again(client.operation("another thread's"), "12345", first)
    emulator.add_station(external_monitoring_station_id="s-1", name="Stored late")

    again = directory.look_again(operation, "12345", first)

    assert names(again) == {"2": "Stored late"}


def test_after_a_change_a_look_that_is_under_way_is_not_enough(
    raw_server: NewServer, new_transport: NewTransport
) -> None:
    """It may have been answered before the change was made; one that only reads is content with it."""
    slow = SlowList(raw_server, new_transport, 1)
    changing, reading = slow.client.operation("change it"), slow.client.operation("read it")
    changing.changing = True
    before = Look(0, {}, None, "")
    with ThreadPoolExecutor(2) as pool:
        again: list[Future[Look]] = []

        def ask_again() -> None:
            again.extend(
                pool.submit(slow.directory.look_again, operation, "12345", before) for operation in (changing, reading)
            )

        under_way = slow.meanwhile(ask_again)

    assert again[0].result().number == under_way.number + 1
    assert again[1].result().number >= under_way.number


def test_threads_that_ask_again_at_once_share_their_look(emulator: Emulator, new_transport: NewTransport) -> None:
    """While one list is under way the others wait, and one further list serves all of them."""
    client = Client(new_transport(requests_per_minute=3000))
    directory = Directory(client)
    first = directory.look(client.operation("do it"), "12345")
    emulator.clear_requests()
    start = threading.Barrier(16)

    def ask_again(_: int) -> int:
        start.wait()
        return directory.look_again(client.operation("do it"), "12345", first).number

    with ThreadPoolExecutor(16) as pool:
        numbers = set(pool.map(ask_again, range(16)))

    assert min(numbers) >= 2
    assert len(calls(emulator)) < 16


# sites


def test_one_list_of_sites_serves_fifty_deletions(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """The fifty-first looks again."""
    assert DELETIONS_PER_LOOK_AT_SITES == 50
    emulator.add_site(external_site_id="w-1", name="Warehouse")

    for _ in range(50):
        assert [site.name for site in directory.sites_before_deletion(operation, "12345").sites.values()] == [
            "Warehouse"
        ]
    assert calls(emulator) == ["GET /sites"] * 2

    emulator.edit_site(1, name="Shop")
    assert [site.name for site in directory.sites_before_deletion(operation, "12345").sites.values()] == ["Shop"]
    assert calls(emulator) == ["GET /sites"] * 4


def test_a_dealer_without_sites_is_not_asked_for_each_deletion(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """An empty list is an answer."""
    for _ in range(50):
        assert directory.sites_before_deletion(operation, "12345").sites == {}

    assert calls(emulator) == ["GET /sites"]


def test_sites_that_could_not_be_read_are_not_remembered(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """No deletion ever relies on a list that failed."""
    emulator.add_site(external_site_id="w-1", name="Warehouse")
    emulator.add_fault(Fault(path="*/sites", status=503, times=5))

    with pytest.raises(ServerFailed):
        directory.sites_before_deletion(operation, "12345")

    assert [site.name for site in directory.sites_before_deletion(operation, "12345").sites.values()] == ["Warehouse"]


def test_sixteen_deletions_at_once_share_one_list_of_sites(emulator: Emulator, new_transport: NewTransport) -> None:
    """One asks, the others wait."""
    client = Client(new_transport())
    directory = Directory(client)
    start = threading.Barrier(16)

    def ask(_: int) -> None:
        start.wait()
        directory.sites_before_deletion(client.operation("do it"), "12345")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(16)))

    assert calls(emulator) == ["GET /sites"]

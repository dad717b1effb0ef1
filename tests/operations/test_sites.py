"""A dealer's sites: the rows of the API, and what one run knows of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from socket import socket

import pytest

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import NotChekt, NotFound, PermissionDenied
from chekt_provider.model.wire import Site
from chekt_provider.operations.directory import Directory
from tests.helpers import calls, central, house
from tests.raw_server import RawServer, http
from tests.safe_world import World

SITES = "/partner/v1/dealers/12345/sites"
NewTransport = Callable[..., Transport]


@pytest.fixture
def directory(client: Client) -> Directory:
    return Directory(client)


@pytest.fixture
def operation(client: Client) -> Operation:
    return client.operation("do it")


def stations(sites: dict[str, Site]) -> dict[str, str | None]:
    """Each site's station."""
    return {site_id: site.monitoring_station_id for site_id, site in sites.items()}


# the rows of the API


def test_reading_gets_the_site(emulator: Emulator, client: Client, operation: Operation) -> None:
    """It has everything that decides a move."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    house(emulator, "0001")

    assert client.get_site(operation, "12345", "1").model_dump() == {
        "site_id": "1",
        "external_site_id": "house-1",
        "name": "House",
        "account_number": "0001",
        "is_activated": False,
        "address1": "1 Road",
        "address2": "",
        "monitoring_station_id": "1",
        "external_monitoring_station_id": "central-01",
    }


def test_updating_puts_the_site(emulator: Emulator, client: Client, operation: Operation) -> None:
    """It sends only the given fields, under the given key."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    house(emulator, "0001", on=None)

    client.update_site(operation, "12345", "1", {"monitoring_station_id": 1}, "key-1", lambda: None)

    put = emulator.requests[-1]
    assert (put.method, put.path, put.body, put.idempotency_key) == (
        "PUT",
        f"{SITES}/1",
        {"monitoring_station_id": 1},
        "key-1",
    )


def test_a_site_that_is_not_there_is_not_found(client: Client, operation: Operation) -> None:
    """This holds for both rows."""
    with pytest.raises(NotFound):
        client.get_site(operation, "12345", "7")
    with pytest.raises(NotFound):
        client.update_site(operation, "12345", "7", {"monitoring_station_id": 1}, "key-1", lambda: None)


@pytest.mark.parametrize("body", ["[]", "{}", '{"site_id": "../1"}', '{"site_id": 1, "account_number": ["1"]}'])
def test_an_answer_that_is_no_site_is_an_error(
    emulator: Emulator, client: Client, operation: Operation, body: str
) -> None:
    """Half a site never passes."""
    emulator.add_fault(Fault(path=f"{SITES}/1", status=200, body=body))

    with pytest.raises(NotChekt, match="the answer is no site as documented"):
        client.get_site(operation, "12345", "1")


def test_an_answer_about_another_site_is_not_believed(emulator: Emulator, client: Client, operation: Operation) -> None:
    """Each site must be the one that was asked for."""
    emulator.add_fault(Fault(path=f"{SITES}/1", status=200, body='{"site_id": 7}', times=None))

    with pytest.raises(NotChekt, match="the answer is about site 7"):
        client.get_site(operation, "12345", "1")


# what a run knows


def test_one_look_at_the_sites_serves_a_whole_run(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """Another look is taken only by an operation that has seen that the last one does not do."""
    house(emulator)

    sites = directory.sites("12345")
    looks = [sites.look(operation) for _ in range(3)]
    again = [sites.look_again(operation, looks[0]) for _ in range(3)]

    assert {look.number for look in looks} == {1}
    assert {look.number for look in again} == {2}
    assert calls(emulator) == ["GET /sites"] * 6  # each look asks for what comes after the end


def test_threads_that_wait_for_a_look_share_its_failure(emulator: Emulator, new_transport: NewTransport) -> None:
    """Each tells its own operation; the next one who asks looks again."""
    client = Client(new_transport())
    directory = Directory(client)
    emulator.add_fault(Fault(path=SITES, status=403, delay=0.5))
    start = threading.Barrier(8)

    def ask(n: int) -> str:
        start.wait()
        try:
            directory.sites("12345").look(client.operation(f"do {n}"))
        except PermissionDenied as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(8) as pool:
        lines = list(pool.map(ask, range(8)))

    assert [line.startswith(f"Could not do {n}: CHeKT refused: ") for n, line in enumerate(lines)] == [True] * 8
    assert calls(emulator) == ["GET /sites"]
    assert directory.sites("12345").look(client.operation("do it")).items == {}


def test_our_own_moves_are_known_at_once(world: World) -> None:
    """They show in the list that was taken before, and in one taken while CHeKT may not show them yet."""
    client = world.process().stations._client
    sites = Directory(client).sites("12345")
    house(world.emulator)
    look = sites.look(client.operation("look"))

    sites.note("1", Site(site_id="1", monitoring_station_id="2"))

    assert stations(dict(sites.look(client.operation("look")).items)) == {"1": "2"}
    soon = sites.look_again(client.operation("look"), look)
    assert (stations(dict(soon.items)), stations(dict(soon.listed))) == ({"1": "2"}, {"1": "1"})
    world.clock.now += 17
    assert stations(dict(sites.look_again(client.operation("look"), soon).items)) == {"1": "1"}


def test_a_list_that_is_older_than_our_move_does_not_undo_it(
    raw_server: Callable[..., RawServer], new_transport: NewTransport
) -> None:
    """It was asked for before the move, and answered after it."""
    asked, moved = threading.Event(), threading.Event()

    def answer(connection: socket) -> None:
        asked.set()
        assert moved.wait(30)
        connection.sendall(http(200, json.dumps([{"site_id": 1, "monitoring_station_id": 1}]).encode()))

    same = http(200, json.dumps([{"site_id": 1, "monitoring_station_id": 1}]).encode())
    server = raw_server(answer, same, same)
    client = Client(new_transport(base_url=server.url))
    sites = Directory(client).sites("12345")

    with ThreadPoolExecutor(1) as pool:
        look: Future[object] = pool.submit(sites.look, client.operation("do it"))
        assert asked.wait(30)
        sites.note("1", Site(site_id="1", monitoring_station_id="2"))
        moved.set()
        look.result()

    assert stations(dict(sites.look(client.operation("do it")).items)) == {"1": "2"}


# budgets


def test_a_hundred_deletions_with_a_target_cost_no_more_than_without(world: World) -> None:
    """N DELETE, one list of the stations, and a list of the sites for every two seconds."""
    run = world.process()
    recorded = [run.stations.create(central(external_monitoring_station_id=f"s-{n}")) for n in range(100)]
    world.clock.now += 60
    run = world.process()
    world.emulator.clear_requests()

    for one in recorded:
        run.stations.delete(replace(one, reassign_sites_to="999"))

    reads = [call for call in calls(world.emulator) if not call.startswith("DELETE")]
    assert reads == ["GET /monitoring-stations"] * 3 + ["GET /sites"] * 2
    assert len(calls(world.emulator)) == 105

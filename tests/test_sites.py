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
from chekt_provider.api.transport import Operation, Transport
from chekt_provider.directory import Directory
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import NotChekt, NotFound, PermissionDenied
from chekt_provider.models import Site
from chekt_provider.run import Run
from tests.helpers import calls, central, house, placed
from tests.raw_server import RawServer, http

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
    """With all that a move is judged by."""
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
    """Only the fields that are given, under the key that is given."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    house(emulator, "0001", on=None)

    site = client.update_site(operation, "12345", "1", {"monitoring_station_id": 1}, "key-1")

    assert site.monitoring_station_id == "1"
    put = emulator.requests[-1]
    assert (put.method, put.path, put.body, put.idempotency_key) == (
        "PUT",
        f"{SITES}/1",
        {"monitoring_station_id": 1},
        "key-1",
    )


def test_a_site_that_is_not_there_is_not_found(client: Client, operation: Operation) -> None:
    """For both rows."""
    with pytest.raises(NotFound):
        client.get_site(operation, "12345", "7")
    with pytest.raises(NotFound):
        client.update_site(operation, "12345", "7", {"monitoring_station_id": 1}, "key-1")


@pytest.mark.parametrize("body", ["[]", "{}", '{"site_id": "../1"}', '{"site_id": 1, "account_number": ["1"]}'])
def test_an_answer_that_is_no_site_is_an_error(
    emulator: Emulator, client: Client, operation: Operation, body: str
) -> None:
    """Never half a site."""
    emulator.add_fault(Fault(path=f"{SITES}/1", status=200, body=body))

    with pytest.raises(NotChekt, match="the answer is no site as documented"):
        client.get_site(operation, "12345", "1")


def test_an_answer_about_another_site_is_not_believed(emulator: Emulator, client: Client, operation: Operation) -> None:
    """Neither of a GET nor of a PUT; after a PUT the change is in doubt."""
    emulator.add_fault(Fault(path=f"{SITES}/1", status=200, body='{"site_id": 7}', times=None))

    with pytest.raises(NotChekt, match="the answer is about site 7"):
        client.get_site(operation, "12345", "1")
    with pytest.raises(NotChekt) as caught:
        client.update_site(operation, "12345", "1", {"monitoring_station_id": 1}, "key-1")
    assert "Whether the change was made is not known." in str(caught.value)


# what a run knows


def test_one_look_at_the_sites_serves_a_whole_run(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """The next look is taken only by who has seen that the last one does not do."""
    house(emulator)

    looks = [directory.sites(operation, "12345") for _ in range(3)]
    again = [directory.sites_again(operation, "12345", looks[0]) for _ in range(3)]

    assert {look.number for look in looks} == {1}
    assert {look.number for look in again} == {2}
    assert calls(emulator) == ["GET /sites"] * 4  # each look asks for a further page


def test_threads_that_wait_for_a_look_share_its_failure(emulator: Emulator, new_transport: NewTransport) -> None:
    """Each tells its own operation; the next one who asks looks for itself."""
    client = Client(new_transport())
    directory = Directory(client)
    emulator.add_fault(Fault(path=SITES, status=403, delay=0.5))
    start = threading.Barrier(8)

    def ask(n: int) -> str:
        start.wait()
        try:
            directory.sites(client.operation(f"do {n}"), "12345")
        except PermissionDenied as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(8) as pool:
        lines = list(pool.map(ask, range(8)))

    assert [line.startswith(f"Could not do {n}: CHeKT refused: ") for n, line in enumerate(lines)] == [True] * 8
    assert calls(emulator) == ["GET /sites"]
    assert directory.sites(client.operation("do it"), "12345").sites == {}


def test_a_deletion_does_not_rely_on_the_list_of_a_refresh(
    emulator: Emulator, directory: Directory, operation: Operation
) -> None:
    """It may be old; the deletion's own is the run's latest from then on."""
    directory.sites(operation, "12345")
    house(emulator)

    assert stations(dict(directory.sites_before_deletion(operation, "12345").sites)) == {"1": "1"}
    assert stations(dict(directory.sites(operation, "12345").sites)) == {"1": "1"}


def test_our_own_moves_are_known_at_once(emulator: Emulator, directory: Directory, operation: Operation) -> None:
    """In the list that was taken before, and not against one that is taken after."""
    house(emulator)
    directory.sites(operation, "12345")

    directory.note_moved("12345", Site(site_id="1", monitoring_station_id="2"))

    look = directory.sites(operation, "12345")
    assert stations(dict(look.sites)) == {"1": "2"}
    assert stations(dict(directory.sites_again(operation, "12345", look).sites)) == {"1": "1"}


def test_a_list_that_is_older_than_our_move_does_not_undo_it(
    raw_server: Callable[..., RawServer], new_transport: NewTransport
) -> None:
    """It was asked for before the move, and answered after."""
    asked, moved = threading.Event(), threading.Event()

    def answer(connection: socket) -> None:
        asked.set()
        assert moved.wait(30)
        connection.sendall(http(200, json.dumps([{"site_id": 1, "monitoring_station_id": 1}]).encode()))

    server = raw_server(answer, http(200, b"[]"))
    client = Client(new_transport(base_url=server.url))
    directory = Directory(client)

    with ThreadPoolExecutor(1) as pool:
        look: Future[object] = pool.submit(directory.sites, client.operation("do it"), "12345")
        assert asked.wait(30)
        directory.note_moved("12345", Site(site_id="1", monitoring_station_id="2"))
        moved.set()
        look.result()

    assert stations(dict(directory.sites(client.operation("do it"), "12345").sites)) == {"1": "2"}


# budgets


def test_a_hundred_deletions_with_a_target_cost_no_more_than_without(
    emulator: Emulator, new_process: Callable[..., Run]
) -> None:
    """N DELETE, and a list of sites for each fifty."""
    run = new_process()
    recorded = [run.stations.create(central(external_monitoring_station_id=f"s-{n}")) for n in range(100)]
    emulator.clear_requests()

    for one in recorded:
        run.stations.delete(replace(one, reassign_sites_to="999"))

    reads = [call for call in calls(emulator) if not call.startswith("DELETE")]
    assert len(calls(emulator)) <= 100 + 100 / 50 + 2
    assert reads == ["GET /sites"] * 2
    assert placed(emulator) == {}

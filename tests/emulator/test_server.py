"""Starting, stopping, state that lasts, and many callers at once."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from chekt_provider.emulator import Emulator, Fault

if TYPE_CHECKING:
    from tests.emulator.conftest import Api

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
KEY = {"Idempotency-Key": "k1"}


def names(emulator: Emulator) -> list[str]:
    return [station["name"] for station in emulator.stations()]


def test_it_takes_connections_as_soon_as_it_is_started() -> None:
    """Time and again, on a free port of loopback, and nothing is left behind."""
    before = threading.active_count()
    for _ in range(20):
        with Emulator() as emulator, socket.create_connection((emulator.host, emulator.port), timeout=5):
            assert (emulator.host, emulator.url) == ("127.0.0.1", f"http://127.0.0.1:{emulator.port}")

    assert threading.active_count() == before


def test_a_port_that_is_taken_is_an_error(emulator: Emulator) -> None:
    """It comes at the start, as an OSError."""
    with pytest.raises(OSError, match="in use"):
        Emulator(port=emulator.port).start()


def test_it_has_no_port_before_it_is_started() -> None:
    """Asking too early is a mistake, and so is starting twice."""
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="no port before it is started"):
        _ = emulator.url
    with emulator, pytest.raises(RuntimeError, match="started already"):
        emulator.start()


def test_stopped_it_refuses_connections_and_the_controls_still_work(api: Api) -> None:
    """A test can look at what it held afterwards; stopping twice is no mistake."""
    api.post(STATIONS, EAST)

    api.emulator.stop()
    api.emulator.stop()

    with pytest.raises(requests.ConnectionError):
        api.get(STATIONS)
    assert names(api.emulator) == ["East"]


def test_started_again_it_is_the_same(api: Api) -> None:
    """It is like an outage: same port, same stations, same tokens, log and faults."""
    api.post(STATIONS, EAST)
    api.emulator.add_fault(Fault(status=503))
    port = api.emulator.port
    api.emulator.stop()

    api.emulator.start()

    assert api.emulator.port == port
    assert [api.get(STATIONS).status_code for _ in range(2)] == [503, 200]
    assert len(api.emulator.requests) == 4


def test_an_idle_connection_is_closed_when_it_stops(api: Api) -> None:
    """The caller need not wait for a time-out."""
    with socket.create_connection((api.emulator.host, api.emulator.port), timeout=20) as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = connection.recv(65536)
        while not answer.endswith(b"}}"):
            answer += connection.recv(65536)

        api.emulator.stop()

        assert connection.recv(1) == b""


def test_a_connection_that_is_only_just_being_taken_is_ended_too() -> None:
    """None stays open, however unlucky its moment."""
    for _ in range(30):
        with ExitStack() as stack:
            emulator = stack.enter_context(Emulator())
            address = (emulator.host, emulator.port)
            connections = [stack.enter_context(socket.create_connection(address, timeout=5)) for _ in range(8)]
            emulator.stop()
            assert [ended(connection) for connection in connections] == [True] * 8


def ended(connection: socket.socket) -> bool:
    """Whether a connection has ended, orderly or not; a time-out is an error."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_state_file_lasts_from_one_run_to_the_next(make_api: Callable[..., Api], tmp_path: Path) -> None:
    """Stations, sites, dealers with their access, ids that were given, remembered answers; not tokens."""
    first = make_api(state=tmp_path / "state.db")
    first.post(STATIONS, EAST, headers=KEY)
    first.post(STATIONS, EAST | {"external_monitoring_station_id": "gone"})
    first.delete(f"{STATIONS}/2")
    first.post("/sites", {"external_site_id": "s", "name": "S", "timezone": "UTC", "monitoring_station_id": 1})
    first.emulator.add_dealer(2)
    first.emulator.withdraw_dealer(2)
    first.emulator.stop()

    second = make_api(state=tmp_path / "state.db")

    assert second.emulator.stations() == first.emulator.stations()
    assert names(second.emulator) == ["East"]
    assert second.emulator.sites()[0]["monitoring_station_id"] == 1
    assert second.get("//partner/v1/dealers/2").status_code == 403
    assert second.post(STATIONS, EAST, headers=KEY).json()["monitoring_station_id"] == 1
    assert second.post(STATIONS, EAST | {"external_monitoring_station_id": "n"}).json()["monitoring_station_id"] == 3
    assert second.get(STATIONS, headers={"Authorization": first.session.headers["Authorization"]}).status_code == 401


def test_a_state_file_is_one_file_that_is_complete_at_any_time(make_api: Callable[..., Api], tmp_path: Path) -> None:
    """A copy made while it runs is a state file."""
    api = make_api(state=tmp_path / "state.db")
    api.post(STATIONS, EAST)

    (tmp_path / "copy.db").write_bytes((tmp_path / "state.db").read_bytes())

    assert names(Emulator(state=tmp_path / "copy.db")) == ["East"]


def test_a_state_file_that_is_something_else_is_an_error(tmp_path: Path) -> None:
    """The file stays as it was."""
    (tmp_path / "notes.txt").write_text("these are my notes" * 100)

    with pytest.raises(sqlite3.DatabaseError):
        Emulator(state=tmp_path / "notes.txt")

    assert (tmp_path / "notes.txt").read_text() == "these are my notes" * 100


def test_thirty_two_callers_at_once_lose_nothing(make_api: Callable[..., Api]) -> None:
    """Each on its own connection, while the controls look on: no error, exact counts, ids without gaps."""
    api = make_api(plan=None)
    api.emulator.clear_requests()

    def work(caller: int) -> list[int]:
        session = requests.Session()
        session.headers["Authorization"] = str(api.session.headers["Authorization"])
        url = f"{api.emulator.url}/partner/v1/dealers/12345{STATIONS}"
        statuses = []
        with session:
            for number in range(10):
                body = {"external_monitoring_station_id": f"{caller}-{number}", "name": "n"}
                made = session.post(url, json=body, timeout=60)
                station = f"{url}/{made.json()['monitoring_station_id']}"
                changed = session.put(station, json={"prefix": f"P{caller}"}, timeout=60)
                statuses += [made.status_code, changed.status_code, session.get(station, timeout=60).status_code]
                api.emulator.stations()
        return statuses

    with ThreadPoolExecutor(32) as pool:
        statuses = [status for statuses in pool.map(work, range(32)) for status in statuses]

    assert statuses == [201, 200, 200] * 320
    assert [station["monitoring_station_id"] for station in api.emulator.stations()] == list(range(1, 321))
    assert {station["prefix"] for station in api.emulator.stations()} == {f"P{caller}" for caller in range(32)}
    assert [request.number for request in api.emulator.requests] == list(range(2, 962))
    assert {request.outcome for request in api.emulator.requests} == {"answered"}


def test_many_callers_with_one_external_id_make_one_station(make_api: Callable[..., Api]) -> None:
    """One POST wins, all others are refused."""
    api = make_api(plan=None)

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(lambda _: api.post(STATIONS, EAST).status_code, range(64)))

    assert statuses == [201] + [409] * 63
    assert names(api.emulator) == ["East"]


def test_two_emulators_know_nothing_of_each_other(make_api: Callable[..., Api]) -> None:
    """They run side by side in one process."""
    one, two = make_api(), make_api()
    one.post(STATIONS, EAST)
    one.emulator.add_fault(Fault(status=503))

    assert two.get(STATIONS).json() == []
    assert two.get(STATIONS, headers={"Authorization": one.session.headers["Authorization"]}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "by"),
    [
        ({"Host": "evil.example"}, "the name 'evil.example'"),
        ({"Host": "localhost.evil.example:80"}, "the name 'localhost.evil.example:80'"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "the name 'evil.example'"),
        ({"Origin": "https://evil.example"}, "the page 'https://evil.example'"),
        ({"Origin": "null"}, "the page 'null'"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/_emulator/reset"), ("GET", "/openapi.json"), ("POST", "/oauth/token")]
)
def test_a_page_of_another_site_gets_nothing(
    emulator: Emulator, method: str, path: str, headers: dict[str, str], by: str
) -> None:
    """Neither under its own name, which may lead here, nor from its own origin; nothing changes."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    emulator.clear_requests()

    answer = requests.request(method, emulator.url + path, headers=headers, timeout=5)

    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == f"the emulator serves nobody who comes by {by}"
    assert len(emulator.stations()) == 1
    assert emulator.requests == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "chekt.localhost"])
def test_this_machine_s_own_names_and_pages_are_served(emulator: Emulator, host: str) -> None:
    """The port may be there too, as the emulator's own page sends it."""
    host = f"{host}:{emulator.url.rpartition(':')[2]}"

    answer = requests.get(f"{emulator.url}/openapi.json", headers={"Host": host, "Origin": f"http://{host}"}, timeout=5)

    assert answer.status_code == 200

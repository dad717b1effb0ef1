"""Rows N1 to N11: what a network does."""

from __future__ import annotations

import gzip
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trustme

from chekt_provider.api import exchange
from tests.faults.rows import row
from tests.faults.world import LIST, SITES, World
from tests.helpers import COLLECTION, peak_memory
from tests.raw_server import CHUNKED, HEAD, RawServer, dripping, http

NewServer = Callable[..., RawServer]
WRITES = ("create", "update", "delete")


def at(world: World, url: str, host: str = "localhost") -> World:
    """The world with its API at another address; tokens still come from the emulator."""
    world.settings["baseUrl"] = url
    if world.state:
        world.state["api_host"] = host
    return world


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose queue is full: whatever is sent to it is dropped."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@row("N1")
def test_n1_a_name_that_is_unknown(world: World) -> None:
    """Nothing was sent: five tries, then one line with the host."""
    line = at(world, "https://chekt.invalid", "chekt.invalid").fails()

    assert ": the name chekt.invalid is not known, 5 times. Nothing was changed. Check the network" in line
    assert world.calls() == []


@row("N1")
def test_n1_a_host_that_refuses_connections(world: World, closed_port: int) -> None:
    """The same, with its own cause; the next run repairs it."""
    line = at(world, f"http://127.0.0.1:{closed_port}").fails_and_is_repaired()

    assert f": 127.0.0.1 does not accept connections on port {closed_port}, 5 times. Nothing was changed. " in line


@row("N1")
def test_n1_packets_that_are_dropped(world: World, silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds for each try, all within two minutes."""
    assert 5 * exchange.CONNECT_SECONDS + 0.5 * (0.5 + 1 + 2 + 4) < 120
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 0.05)

    line = at(world, f"http://127.0.0.1:{silent_port}").fails_and_is_repaired()

    assert ": 127.0.0.1 did not accept a connection within 0 s, 5 times. Nothing was changed." in line
    assert world.clock.slept == [0.25, 0.5, 1, 2]


@row("N1", *WRITES)
def test_n1_a_host_that_is_away_for_a_moment(world: World) -> None:
    """Every write is made again, even a POST, and only once."""
    provider = world.provider()
    provider.read("12345/9", GONE)  # so that token and list are known
    world.emulator.clear_requests()
    world.clock.slept.clear()
    world.emulator.stop()
    world.clock.meanwhile = world.emulator.start

    world.works(provider)

    assert world.writes() == 1
    assert world.clock.slept == [0.25]


def certificate(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server needs whose certificate is expired, of another host, or of an unknown authority."""
    authority = trustme.CA()
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    leaf = {
        "expired": lambda: authority.issue_cert("localhost", not_before=now - 2 * hour, not_after=now - hour),
        "wrong host": lambda: authority.issue_cert("chekt.example"),
        "private authority": lambda: authority.issue_cert("localhost"),
    }[kind]()
    bundle = folder / "bundle.pem"
    (trustme.CA() if kind == "private authority" else authority).cert_pem.write_to_path(bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


@pytest.mark.parametrize("kind", ["expired", "wrong host", "private authority"])
@row("N2")
def test_n2_a_certificate_that_does_not_check_out(
    world: World, kind: str, raw_server: NewServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One connection and nothing sent; the line names the variable for a bundle, and there is no other switch."""
    api = raw_server(http(), tls=certificate(kind, tmp_path, monkeypatch))

    line = at(world, f"https://localhost:{api.port}").fails_and_is_repaired()

    assert "the certificate of localhost does not check out. Nothing was changed." in line
    assert "name its bundle in REQUESTS_CA_BUNDLE; otherwise do not go on" in line
    assert (api.connections, api.requests) == (1, [])


GONE = {"api_host": "localhost", "created_at": "2020-01-01T00:00:00.000Z"}
"""What state holds of a station that is not there, and too old to be waited for."""

LOST: list[dict[str, Any]] = [{"reset": True}, {"hang": 30.0}]


@pytest.mark.parametrize("how", LOST, ids=["reset", "silence"])
@row("N3")
def test_n3_an_answer_that_is_lost(world: World, how: dict[str, Any]) -> None:
    """The change happens once: a list finds what a POST made; the others are repeated under their key."""
    world.fault(when="after", **how)
    provider = world.provider()
    world.read_seconds = 0.15

    world.works(provider if "reset" in how else world.provider())

    if world.operation == "create":
        assert world.calls() == [f"GET {LIST}"] * 2 + [f"POST {LIST}"] + [f"GET {LIST}"] * 3
    elif world.operation != "read":
        assert (world.writes(), len(set(world.keys()))) == (2, 1)


@pytest.mark.parametrize("how", LOST, ids=["reset", "silence"])
@row("N4")
def test_n4_a_request_that_is_lost(world: World, how: dict[str, Any]) -> None:
    """It is sent again under the same key, a POST only after a list that does not show the station."""
    world.fault(**how)
    world.read_seconds = 0.15

    world.works()

    if world.operation == "create":
        looks = [f"GET {LIST}"] * 2 * 5  # each for an empty list
        assert world.calls() == [f"GET {LIST}"] * 2 + [f"POST {LIST}"] + looks + [f"POST {LIST}"]
    if world.operation != "read":
        assert (world.writes(), len(set(world.keys()))) == (2, 1)


@row("N5")
def test_n5_a_connection_that_the_server_closed(world: World) -> None:
    """It is found closed before anything is sent on it: the call goes out once, on another."""
    provider = world.provider()
    world.emulator.add_dealer(777)
    provider.read("777/9", GONE)  # so that there is a connection
    world.clock.slept.clear()
    world.emulator.stop()
    world.emulator.start()
    world.emulator.clear_requests()

    world.works(provider)

    assert world.writes() == (0 if world.operation == "read" else 1)
    assert world.clock.slept == []


@row("N5")
def test_n5_a_connection_that_closes_under_a_request(world: World) -> None:
    """Did the request arrive or not? As for a lost answer, the change happens once."""
    world.fault(hang=0.0)

    world.works()

    assert len(set(world.keys())) == 1


@row("N6")
def test_n6_an_answer_that_drips(world: World) -> None:
    """Each byte is in time but the whole is not: after a minute it is a lost answer."""
    method, path = ("GET", SITES) if world.operation == "delete" else ("", "")  # a deletion's own answer has no body
    if world.operation == "delete":
        world.emulator.add_site(external_site_id="s-1", name="House")
    world.fault(when="after", drip=0.004, method=method, path=path)
    world.clock.tick = 1.0

    world.works()

    assert world.clock.slept != [] or world.operation == "create"
    assert world.writes() == (0 if world.operation == "read" else 2 if world.operation == "update" else 1)


@row("N7")
def test_n7_an_answer_that_is_cut(world: World) -> None:
    """Half a body is a lost answer."""
    body: dict[str, Any] = {"status": 200, "body": '{"done": true}'} if world.operation == "delete" else {}
    world.fault(when="after", cut=5, **body)

    world.works()

    assert world.writes() == {"create": 1, "read": 0, "update": 2, "delete": 2}[world.operation]


@pytest.mark.parametrize("packed", [False, True], ids=["huge", "compressed"])
@row("N8")
def test_n8_an_answer_that_is_too_large(world: World, packed: bool) -> None:
    """It stops at 5 MiB and is not asked for again; a list finds what was created. A list may be longer."""
    method, path = ("GET", SITES) if world.operation == "delete" else ("", "")
    world.fault(when="after", pad=6 * 1024**2, gzip=packed, method=method, path=path)

    if world.operation == "update":
        assert ": the answer is larger than 5 MiB. " in world.fails_and_is_repaired()
    else:
        world.works()


@pytest.mark.parametrize("what", [b" ", b"[" + b" " * 1023], ids=["blanks", "array"])
@row("N8")
def test_n8_a_bomb_does_not_fill_the_memory(world: World, raw_server: NewServer, what: bytes) -> None:
    """300 MiB in 300 KiB: it unpacks no more than it takes, and keeps nothing of it."""
    bomb = gzip.compress(what + b" " * 300 * 1024**2, 1)
    at(world, raw_server(http(body=bomb, headers="Content-Encoding: gzip\r\n")).url)

    line, peak = peak_memory(world.fails_and_is_repaired)

    assert "a list has more than 256 MiB. Nothing was changed." in line
    assert peak < 20 * 1024**2


DRIPS = {
    "status line": (b"HTTP/1.1 2", b"0"),
    "headers": (HEAD, b"X-More: 1\r\n"),
    "100-continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk size": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-More: 1\r\n"),
}


@pytest.mark.parametrize("what", DRIPS)
@row("N10")
def test_n10_what_comes_around_a_body_drips(world: World, raw_server: NewServer, what: str) -> None:
    """Each piece is in time but they never end: after a minute it is a lost answer."""
    before, drop = DRIPS[what]

    with dripping(before, drop, lambda: world.clock.sleep(5)) as drip:
        at(world, raw_server(drip).url)
        line = world.fails_and_is_repaired()

    assert "the answer was not complete after 60 s" in line


@row("N11", "create", "delete")
def test_n11_a_list_that_has_no_end(world: World, raw_server: NewServer) -> None:
    """Each of its pages has 4 MiB and says that one more follows: the run gives it up, and keeps nothing of it."""
    page = count(1)

    def give(connection: socket.socket) -> None:
        number = next(page)
        body = b'[{"monitoring_station_id": %d}%s]' % (number, b" " * 4 * 1024**2)
        connection.sendall(http(body=body, headers=f'Link: <{COLLECTION}?page={number}>; rel="next"\r\n'))

    at(world, raw_server(give).url)
    line, peak = peak_memory(world.fails_and_is_repaired)

    assert "a list has more than 256 MiB. Nothing was changed." in line
    assert peak < 20 * 1024**2


NOT_CHEKT: dict[str, tuple[dict[str, Any], str]] = {
    "portal": ({"body": "<html>Log in", "content_type": "text/html"}, "something that is not CHeKT answered"),
    "proxy": ({"status": 407, "body": "", "content_type": "text/html"}, "a proxy asks for credentials"),
    "other JSON": ({"body": '{"status": "ok"}'}, "the list is not an array"),
    "no body": ({"body": "null"}, "the list is not an array"),
}


@pytest.mark.parametrize("kind", NOT_CHEKT)
@row("N9")
def test_n9_something_else_answers(world: World, kind: str) -> None:
    """It never counts as an empty list: nothing is created, nothing leaves the state."""
    answer, cause = NOT_CHEKT[kind]
    world.fault_everywhere(**answer)

    line = world.fails()

    assert cause in line
    assert "Nothing was changed." in line
    assert world.writes() == 0
    world.untouched()
    world.repaired()


@row("N9", *WRITES)
def test_n9_something_else_answers_a_write(world: World) -> None:
    """Nobody knows whether it reached CHeKT: a POST is repeated only after a look, the others never."""
    world.fault(body="<html>Log in", content_type="text/html", times=None)

    line = world.fails()

    assert "something that is not CHeKT answered, with text/html" in line
    assert world.writes() == (3 if world.operation == "create" else 1)
    world.untouched()
    world.repaired()

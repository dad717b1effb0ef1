"""Rows O1 to O7: what a token endpoint does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from chekt_provider.provider import MonitoringStationProvider
from tests.faults.rows import row
from tests.faults.world import CANARY, INPUTS, TOKEN, World
from tests.raw_server import RawServer, http


def pem(key: PrivateKeyTypes, password: str = "") -> str:
    """A key as its file holds it."""
    locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return key.private_bytes(*form, locked).decode()


GOOD_KEY = rsa.generate_private_key(65537, 2048)


@row("O1")
def test_o1_a_token_endpoint_that_fails(world: World) -> None:
    """Five tries; the line says that the token failed, and no other call was made."""
    world.fault(method="POST", path=TOKEN, status=503, times=None)

    line = world.fails_and_is_repaired()

    assert ": the token endpoint at 127.0.0.1 gave no token: CHeKT failed: " in line
    assert ", 5 times; no call gets through, this is an outage. No other call was made." in line
    assert world.tokens() == 5 + 1
    assert world.clock.slept == [0.25, 0.5, 1, 2]


@row("O1")
def test_o1_a_token_endpoint_that_recovers(world: World) -> None:
    """It is no error."""
    world.fault(method="POST", path=TOKEN, status=502, times=4)

    world.works()


@pytest.mark.parametrize("status", [400, 401])
@row("O2")
def test_o2_a_bad_client(world: World, status: int) -> None:
    """One call in the whole run; the endpoint's own words, which may repeat the secret, are not shown."""
    said = {"error": "invalid_client", "error_description": f"{CANARY}-secret \x1b[31m is wrong"}
    world.fault(method="POST", path=TOKEN, status=status, body=json.dumps(said), times=None)
    provider = world.provider()

    lines = {world.fails(provider) for _ in range(10)}

    assert len(lines) == 1
    assert ": the token endpoint refused the credentials (invalid_client). No other call was made." in lines.pop()
    assert (world.tokens(), world.calls()) == (1, [])
    world.repaired()


def at_once(world: World, provider: MonitoringStationProvider, name: str) -> None:
    """Four threads do the operation, each to its own station."""
    start = threading.Barrier(4)
    states = {station["external_monitoring_station_id"]: station for station in world.emulator.stations()}

    def go(number: int) -> None:
        inputs = INPUTS | {"external_monitoring_station_id": f"s-{number}"}
        station_id = f"12345/{states[f's-{number}']['monitoring_station_id']}" if states else ""
        start.wait()
        if world.operation == "create":
            provider.create(inputs | {"external_monitoring_station_id": f"s-{number}-{name}"})
        elif world.operation == "read":
            assert provider.read(station_id, {**inputs, "api_host": "localhost"}).id
        elif world.operation == "update":
            provider.update(station_id, inputs, inputs | {"name": name})
        else:
            provider.delete(station_id, {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(4)))


@pytest.mark.parametrize("moment", ["start", "expiry", "revocation"])
@row("O3")
def test_o3_a_stampede(world: World, moment: str) -> None:
    """Four threads that need a token at once cost one call for it."""
    world.emulator.reset()
    if world.operation != "create":
        for number in range(4):
            world.manage(**INPUTS | {"external_monitoring_station_id": f"s-{number}"})
    provider = world.provider()
    if moment != "start":
        world.emulator.add_dealer(777)
        provider.read("777/9", {"api_host": "localhost", "created_at": "2020-01-01T00:00:00.000Z"})
        world.emulator.clear_requests()
    if moment == "expiry":
        world.clock.now += 3599
    if moment == "revocation":
        world.emulator.revoke_tokens()

    at_once(world, provider, "Renamed")

    assert world.tokens() == 1
    if world.operation == "update":
        assert {station["name"] for station in world.emulator.stations()} == {"Renamed"}
    assert len(world.emulator.stations()) == (0 if world.operation == "delete" else 4)


@pytest.mark.parametrize("life", [5, 0, -1, "3600", None, 1e12, "soon", True])
@row("O4")
def test_o4_an_odd_life(world: World, life: object) -> None:
    """It works, with one token for many requests."""
    token = {"access_token": f"{CANARY}-token-1", "token_type": "Bearer", "expires_in": life}
    world.fault(method="POST", path=TOKEN, when="after", body=json.dumps(token))

    world.works()

    assert world.tokens() == 1


@row("O5")
def test_o5_a_token_that_is_revoked(world: World) -> None:
    """One refresh, and the call once more; a POST only after a look."""
    provider = world.provider()
    world.emulator.add_dealer(777)
    provider.read("777/9", {"api_host": "localhost", "created_at": "2020-01-01T00:00:00.000Z"})
    world.emulator.revoke_tokens()
    world.emulator.clear_requests()

    world.works(provider)

    assert world.tokens() == 1
    assert [r.status for r in world.emulator.requests].count(401) == 1


@row("O5")
def test_o5_a_401_for_ever(world: World) -> None:
    """One refresh, one replay, then an error; a POST is sent three times, a look before each."""
    world.fault(status=401, times=None)

    line = world.fails()

    assert "CHeKT refused: unauthorized" in line
    assert "Check that chekt:baseUrl and chekt:tokenUrl (CHEKT_BASE_URL and CHEKT_TOKEN_URL) belong to" in line
    assert world.tokens() == (4 if world.operation == "create" else 2)
    assert [r.status for r in world.emulator.requests].count(401) == (3 if world.operation == "create" else 2)
    world.untouched()
    world.repaired()


JUNK = {
    "HTML": ("text/html", f"<p>{CANARY}-token"),
    "no token": ("application/json", json.dumps({"token": f"{CANARY}-token"})),
    "another type": ("application/json", json.dumps({"access_token": f"{CANARY}-token", "token_type": "mac"})),
    "a line break": ("application/json", json.dumps({"access_token": f"{CANARY}-token\r\nX-Evil: 1"})),
    "a number": ("application/json", json.dumps({"access_token": 7})),
}


@pytest.mark.parametrize("kind", JUNK)
@row("O6")
def test_o6_a_token_that_is_junk(world: World, kind: str) -> None:
    """The error repeats nothing of it, and no other call is made."""
    content_type, body = JUNK[kind]
    world.fault(method="POST", path=TOKEN, content_type=content_type, body=body)

    line = world.fails_and_is_repaired()

    assert "the token endpoint" in line
    assert "No other call was made." in line


BAD_KEYS: dict[str, tuple[Callable[[], str], str]] = {
    "literal \\n": (lambda: pem(GOOD_KEY).replace("\n", "\\n"), "holds the two characters \\n"),
    "encrypted": (lambda: pem(GOOD_KEY, CANARY), "is encrypted: take the password off"),
    "not RSA": (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key"),
    "1024 bits": (lambda: pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits"),  # noqa: S505 - to be refused
    "no key": (lambda: f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----", "is no private key"),
    "no file": (lambda: f"/nowhere/{CANARY}.pem", "is neither a PEM text nor the path of a file"),
}


@pytest.mark.parametrize("kind", BAD_KEYS)
@row("O7")
def test_o7_a_key_that_cannot_sign(world: World, kind: str) -> None:
    """A check failure names the setting and nothing of the key; no operation sends anything."""
    make, sentence = BAD_KEYS[kind]
    world.settings = {"clientSecret": None, "privateKey": make()}
    provider = world.provider()

    [failure] = provider.check({}, world.wanted).failures
    assert failure.reason.startswith(f"chekt:privateKey (CHEKT_PRIVATE_KEY) {sentence}")
    assert failure.property == ""
    world.seen.append(failure.reason)

    assert sentence in str(world.error(provider))
    assert world.emulator.requests == []
    world.repaired()


@row("O7")
def test_o7_a_blank_key_is_an_absent_one(world: World) -> None:
    """Half a credential is named."""
    world.settings = {"clientSecret": None, "privateKey": ""}

    [failure] = world.provider().check({}, world.wanted).failures

    assert failure.reason.startswith("chekt:clientSecret (CHEKT_CLIENT_SECRET) is missing while chekt:clientId is set")
    assert "is missing" in str(world.error(world.provider()))
    assert world.emulator.requests == []
    world.repaired()


@row("O7")
def test_o7_an_assertion_is_signed_anew_for_each_request(world: World, raw_server: Callable[..., RawServer]) -> None:
    """Another `jti` each time, a minute of life, and the configured audience."""
    jwt = pytest.importorskip("jwt")
    token = json.dumps({"access_token": f"{CANARY}-token-1", "token_type": "Bearer"}).encode()
    endpoint = raw_server(http(503, b""), http(200, token))
    world.settings = {
        "clientSecret": None,
        "privateKey": pem(GOOD_KEY),
        "tokenUrl": endpoint.url,
        "tokenAudience": "https://issuer.example",
    }
    world.fault_everywhere(status=403)

    world.fails()

    sent = [dict(pair.split("=") for pair in r.decode().rpartition("\r\n")[2].split("&")) for r in endpoint.requests]
    options = {"verify_signature": False}
    claims = [jwt.decode(form["client_assertion"], options=options) for form in sent]
    assert len(claims) == 2
    assert len({claim["jti"] for claim in claims}) == 2
    assert {claim["aud"] for claim in claims} == {"https://issuer.example"}
    assert {claim["exp"] - claim["iat"] for claim in claims} == {60}

"""Client assertions end to end: a key in place of the secret, against an emulator that knows its public half."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ChektError, KeyRefused
from chekt_provider.operations.stations import StationOperations
from chekt_provider.settings import Settings, read_settings
from tests.clock import Clock
from tests.helpers import central, held
from tests.raw_server import RawServer, http

KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
SECRET = "canary-secret"


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """It knows the public half of KEY as key-1, and a secret that nobody here sends."""
    with Emulator(public_key=PUBLIC, key_id="key-1", client_secret=SECRET) as emulator:
        yield emulator


def environment(emulator: Emulator, key: rsa.RSAPrivateKey = KEY, **changes: str) -> dict[str, str]:
    """What a person with a key sets."""
    given = emulator.environment() | {"CHEKT_PRIVATE_KEY": pem(key), "CHEKT_KEY_ID": "key-1"} | changes
    del given["CHEKT_CLIENT_SECRET"]
    return given


@pytest.fixture
def run(clock: Clock) -> Callable[[dict[str, str]], StationOperations]:
    """The operations of a new process with this environment."""

    def start(environ: dict[str, str]) -> StationOperations:
        settings: Settings = read_settings(lambda _: None, environ)
        assert settings.problems == ()
        transport = Transport(settings, say=lambda _: None, clock=clock, sleep=clock.sleep, draw=lambda: 0.5)
        return StationOperations(Client(transport), settings, lambda _: None)

    return start


Run = Callable[[dict[str, str]], StationOperations]


def token_calls(emulator: Emulator) -> list[tuple[int | None, Any]]:
    """Status and fields of each request for a token, without the constant ones."""
    constant = ("grant_type", "client_assertion_type")
    return [
        (r.status, {name: value for name, value in r.body.items() if name not in constant})
        for r in emulator.requests
        if r.path == "/oauth/token"
    ]


def failure_of(stations: StationOperations) -> ChektError:
    """The error of creating a station."""
    with pytest.raises(ChektError) as caught:
        stations.create(central())
    return caught.value


SENT = {"client_id": "emulator-client", "client_assertion": "***"}


def test_a_key_makes_a_station_without_a_secret(emulator: Emulator, run: Run) -> None:
    """The emulator checks the signature, the kid and every claim; one assertion serves the whole run."""
    run(environment(emulator)).create(central())

    assert held(emulator) == [(1, "central-01", "Central", "CH", "7")]
    assert token_calls(emulator) == [(200, SENT)]


@pytest.mark.parametrize("audience", ["{url}", "{url}/oauth/token"])
def test_the_audience_that_was_set_is_the_one_that_is_sent(emulator: Emulator, run: Run, audience: str) -> None:
    """Base URL and token URL both name this emulator."""
    run(environment(emulator, CHEKT_TOKEN_AUDIENCE=audience.format(url=emulator.url))).create(central())

    assert len(held(emulator)) == 1


def test_each_attempt_has_an_assertion_of_its_own(emulator: Emulator, run: Run) -> None:
    """An assertion whose answer was lost is spent: sent again, it would be refused as a replay."""
    emulator.add_fault(Fault(path="/oauth/token", when="after", reset=True, times=2))
    emulator.add_fault(Fault(path="/oauth/token", when="after", status=503))

    run(environment(emulator)).create(central())

    assert [status for status, _ in token_calls(emulator)] == [None, None, 503, 200]
    assert len(held(emulator)) == 1


def test_a_revoked_token_is_renewed_with_a_new_assertion(emulator: Emulator, run: Run) -> None:
    """Within one process."""
    stations = run(environment(emulator))
    stations.create(central())
    emulator.revoke_tokens()

    stations.create(central(external_monitoring_station_id="central-02"))

    assert token_calls(emulator) == [(200, SENT), (200, SENT)]
    assert len(held(emulator)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"key": OTHER},
        {"CHEKT_KEY_ID": "key-2"},
        {"CHEKT_CLIENT_ID": "another"},
        {"CHEKT_TOKEN_AUDIENCE": "https://auth.chekt.example"},
    ],
)
def test_a_key_that_is_refused_is_told_once_and_not_tried_again(
    emulator: Emulator, run: Run, changes: dict[str, Any]
) -> None:
    """Each operation gets its line, the token endpoint one request, the API none; nothing of the key is shown."""
    stations = run(environment(emulator, **changes))

    first, second = failure_of(stations), failure_of(stations)

    assert [type(error) for error in (first, second)] == [KeyRefused, KeyRefused]
    assert first.remedy == (
        "Check that the public half of chekt:privateKey (CHEKT_PRIVATE_KEY) is registered with CHeKT for "
        "chekt:clientId, under chekt:keyId, and that this machine's clock is right."
    )
    assert str(first).startswith(
        "Could not create monitoring station 'central-01' of dealer 12345: "
        "the token endpoint refused the credentials (invalid_client). No other call was made."
    )
    assert [(r.path, r.status) for r in emulator.requests] == [("/oauth/token", 401)]
    shown = "".join([str(first), repr(first), *traceback.format_exception(first)])
    for line in pem(KEY).splitlines() + pem(OTHER).splitlines():
        assert line not in shown


def test_a_secret_is_not_sent_beside_an_assertion(
    raw_server: Callable[..., RawServer], run: Run, emulator: Emulator
) -> None:
    """Four fields; without a key id there is no kid; life, times and audience are those of RFC 7523."""
    oauth = raw_server(http(400, b'{"error": "invalid_client"}'))
    given = environment(emulator, CHEKT_TOKEN_URL=f"{oauth.url}/token")
    del given["CHEKT_KEY_ID"]

    failure_of(run(given))

    form = parse_qs(oauth.requests[0].partition(b"\r\n\r\n")[2].decode())
    assert sorted(form) == ["client_assertion", "client_assertion_type", "client_id", "grant_type"]
    assertion = form["client_assertion"][0]
    claims = jwt.decode(assertion, KEY.public_key(), algorithms=["RS256"], audience=f"{oauth.url}/token")
    assert sorted(claims) == ["aud", "exp", "iat", "iss", "jti", "sub"]
    assert claims["exp"] - claims["iat"] == 60
    assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT"}
    assert SECRET.encode() not in oauth.requests[0]


def test_an_endpoint_that_repeats_the_form_does_not_spill_the_assertion(emulator: Emulator, run: Run) -> None:
    """Whatever the endpoint answers, the error holds nothing of it."""
    emulator.add_fault(
        Fault(path="/oauth/token", status=400, body='{"error": "canary-assertion", "error_description": "canary"}')
    )

    error = failure_of(run(environment(emulator)))

    assert "canary" not in "".join([str(error), repr(error), *traceback.format_exception(error)])

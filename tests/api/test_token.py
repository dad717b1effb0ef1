"""The access token: asked for once for all threads, renewed in time, and never shown."""

from __future__ import annotations

import json
import math
import re
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from socket import socket
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from chekt_provider.api.answers import Answer
from chekt_provider.api.auth import expiry_margin
from chekt_provider.api.token import AccessToken, token_life
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ChektError, CredentialsRefused, TokenError, TokenRefused, Unclear
from tests.clock import Clock
from tests.helpers import COLLECTION, anonymous
from tests.raw_server import RawServer, header, http

SECRET = "canary+5e/c=3t"
NewTransport = Callable[..., Transport]
NewServer = Callable[..., RawServer]

BASE_URL = (
    "Check chekt:baseUrl (CHEKT_BASE_URL), which gives the token endpoint while chekt:tokenUrl (CHEKT_TOKEN_URL) is "
    "not set, then run again."
)


def listed(transport: Transport) -> Answer:
    """One call."""
    return transport.call(transport.operation("list the stations"), "GET", COLLECTION)


def failed(transport: Transport) -> ChektError:
    """The error of one call."""
    with pytest.raises(ChektError) as caught:
        listed(transport)
    return caught.value


def at_once(threads: int, act: Callable[[], object]) -> None:
    """Let this many threads do it at the same moment."""
    start = threading.Barrier(threads)

    def go(_: int) -> None:
        start.wait()
        act()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(go, range(threads)))


def sequence(emulator: Emulator) -> list[tuple[str, int | None]]:
    """Each request so far: "token" or "call", and the status of its answer."""
    return [("token" if r.path == "/oauth/token" else "call", r.status) for r in emulator.requests]


def tokens(emulator: Emulator) -> int:
    """How often a token was asked for."""
    return [kind for kind, _ in sequence(emulator)].count("token")


def token_answer(value: object = "t-1", **more: object) -> str:
    return json.dumps({"access_token": value, "token_type": "Bearer", "expires_in": 3600, **more})


# how it is asked for


def test_the_token_is_asked_for_with_a_form_and_nothing_else(
    raw_server: NewServer, new_transport: NewTransport
) -> None:
    """Client credentials grant: three form fields, no Authorization header; the token then goes into that header."""
    oauth = raw_server(http(body=token_answer("t-1").encode()))
    api = raw_server(http())

    listed(new_transport(base_url=api.url, token_url=oauth.url, client_id="app-1", client_secret=SECRET))

    head, _, body = oauth.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert header(head, "Content-Type") == "application/x-www-form-urlencoded"
    assert header(head, "Authorization") is None
    assert body == b"grant_type=client_credentials&client_id=app-1&client_secret=canary%2B5e%2Fc%3D3t"
    assert header(api.requests[0], "Authorization") == "Bearer t-1"


def test_one_token_serves_many_calls(emulator: Emulator, transport: Transport) -> None:
    """It stays in memory."""
    for _ in range(3):
        listed(transport)

    assert sequence(emulator) == [("token", 200), ("call", 200), ("call", 200), ("call", 200)]


def test_sixteen_threads_ask_for_one_token(emulator: Emulator, new_transport: NewTransport) -> None:
    """This holds at the start, and again after it was revoked: one asks, the others wait for the same token."""
    transport = new_transport(requests_per_minute=3000)

    at_once(16, lambda: listed(transport))
    assert tokens(emulator) == 1

    emulator.revoke_tokens()
    at_once(16, lambda: listed(transport))
    assert tokens(emulator) == 2


def test_sixteen_threads_renew_one_token(emulator: Emulator, new_transport: NewTransport, clock: Clock) -> None:
    """The same holds at its end."""
    transport = new_transport(requests_per_minute=3000)
    listed(transport)
    clock.now += 3600

    at_once(16, lambda: listed(transport))

    assert tokens(emulator) == 2


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """An RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_key_signs_an_assertion_in_place_of_the_secret(
    raw_server: NewServer, new_transport: NewTransport, key: rsa.RSAPrivateKey
) -> None:
    """RFC 7523: who, for whom, a minute long, and never the same twice; the secret's field is not sent."""
    oauth = raw_server(http(503, b""), http(body=token_answer("t-1").encode()))
    api = raw_server(http())
    app = {"client_id": "app-1", "client_secret": "", "private_key": key, "key_id": "key-1"}

    listed(new_transport(base_url=api.url, token_url=oauth.url, **app))

    forms = [parse_qs(request.partition(b"\r\n\r\n")[2].decode()) for request in oauth.requests]
    assertions = [form.pop("client_assertion")[0] for form in forms]
    assert forms == 2 * [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["app-1"],
            "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
        }
    ]
    for assertion in assertions:
        claims = jwt.decode(assertion, key.public_key(), algorithms=["RS256"], audience=oauth.url)
        assert (claims["iss"], claims["sub"]) == ("app-1", "app-1")
        assert claims["exp"] - claims["iat"] == 60
        assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert len({jwt.decode(a, options={"verify_signature": False})["jti"] for a in assertions}) == 2


def test_the_audience_of_an_assertion_can_be_set(
    raw_server: NewServer, new_transport: NewTransport, key: rsa.RSAPrivateKey
) -> None:
    """Some servers want their issuer; without a key id its header is left out."""
    oauth = raw_server(http(body=token_answer("t-1").encode()))
    api = raw_server(http())

    listed(
        new_transport(
            base_url=api.url, token_url=oauth.url, private_key=key, token_audience="https://auth.chekt.example"
        )
    )

    assertion = parse_qs(oauth.requests[0].partition(b"\r\n\r\n")[2].decode())["client_assertion"][0]
    claims = jwt.decode(assertion, key.public_key(), algorithms=["RS256"], audience="https://auth.chekt.example")
    assert claims["aud"] == "https://auth.chekt.example"
    assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT"}


# how long it is used


@pytest.mark.parametrize(("life", "last_moment"), [(3600, 3539), (600, 539), (300, 269), (100, 89), (5, 4)])
def test_a_token_is_renewed_before_it_expires(
    emulator: Emulator, new_transport: NewTransport, clock: Clock, life: int, last_moment: int
) -> None:
    """A minute before its end, or at nine tenths of a short life."""
    emulator.token_life = life
    transport = new_transport(requests_per_minute=3000)
    listed(transport)

    clock.now += last_moment
    listed(transport)
    assert tokens(emulator) == 1

    clock.now += 1
    listed(transport)
    assert tokens(emulator) == 2


@pytest.mark.parametrize(
    ("expires_in", "life"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3600.5, 3600.5),
        (5, 5),
        (0, 1),
        (-1, 1),
        (1e12, 86400),
        (math.inf, 86400),
        (10**400, 300),
        (None, 300),
        (True, 300),
        ("soon", 300),
        ("", 300),
        ("nan", 300),
        (math.nan, 300),
        ("-inf", 1),
        ([3600], 300),
        ({}, 300),
    ],
)
def test_the_life_that_is_believed(expires_in: object, life: float) -> None:
    """It is between a second and a day; five minutes if it is no number."""
    assert token_life(expires_in) == life


@pytest.mark.parametrize(("life", "margin"), [(1, 0.1), (5, 0.5), (600, 60), (601, 60), (86400, 60)])
def test_the_margin_before_the_end(life: float, margin: float) -> None:
    """A tenth of the life, a minute at most."""
    assert expiry_margin(life) == margin


@pytest.mark.parametrize("expires_in", [5, 0, -1, "3600", None, 1e12, "soon", []])
def test_an_odd_life_does_not_mean_a_token_per_request(
    emulator: Emulator, new_transport: NewTransport, expires_in: object
) -> None:
    """Whatever expires_in says, three calls in a row share one token."""
    emulator.add_fault(Fault(path="/oauth/token", body=token_answer(expires_in=expires_in), times=None))
    emulator.add_fault(Fault(path=COLLECTION, body="[]", times=None))
    transport = new_transport(requests_per_minute=3000)

    for _ in range(3):
        assert listed(transport).data == []

    assert tokens(emulator) == 1


def test_a_life_that_is_not_told_is_five_minutes(emulator: Emulator, new_transport: NewTransport, clock: Clock) -> None:
    """expires_in is optional in OAuth."""
    emulator.add_fault(Fault(path="/oauth/token", body='{"access_token": "t-1"}', times=None))
    emulator.add_fault(Fault(path=COLLECTION, body="[]", times=None))
    transport = new_transport(requests_per_minute=3000)
    listed(transport)

    clock.now += 269
    listed(transport)
    assert tokens(emulator) == 1

    clock.now += 1
    listed(transport)
    assert tokens(emulator) == 2


def test_a_token_does_not_grow_old_in_our_own_queue(new_transport: NewTransport, clock: Clock) -> None:
    """It is fetched when the call's turn has come: a slow pace works with a short life, without a single 401."""
    with Emulator(token_life=5, clock=lambda: 1_800_000_000 + clock.now) as emulator:
        transport = new_transport(base_url=emulator.url, token_url=emulator.token_url, requests_per_minute=6)

        for _ in range(3):
            listed(transport)

        assert {status for _, status in sequence(emulator)} == {200}


def test_the_life_of_a_token_begins_when_it_is_asked_for(new_transport: NewTransport, clock: Clock) -> None:
    """The wait for the rate limit before that does not count: at 10 s a request, 15 s serve two calls."""
    with Emulator(token_life=15, clock=lambda: 1_800_000_000 + clock.now) as emulator:
        transport = new_transport(base_url=emulator.url, token_url=emulator.token_url, requests_per_minute=6)

        for _ in range(2):
            listed(transport)

        assert tokens(emulator) == 1
        assert {status for _, status in sequence(emulator)} == {200}


# 401


def test_a_revoked_token_is_renewed_and_the_call_made_again(emulator: Emulator, transport: Transport) -> None:
    """One new token, one more try, under the same key and trace id."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Old")
    listed(transport)
    emulator.revoke_tokens()
    emulator.clear_requests()

    body = {"name": "Central"}
    transport.call(transport.operation("rename it"), "PUT", f"{COLLECTION}/1", body=body, idempotency_key="k-1")

    assert sequence(emulator) == [("call", 401), ("token", 200), ("call", 200)]
    assert [r.idempotency_key for r in emulator.requests] == ["k-1", None, "k-1"]
    assert len({r.trace_id for r in emulator.requests if r.path != "/oauth/token"}) == 1


def test_a_post_that_found_its_token_revoked_is_not_made_again(emulator: Emulator, transport: Transport) -> None:
    """It may have been done all the same, so its sender looks first. The next call has a new token."""
    listed(transport)
    emulator.revoke_tokens()
    emulator.clear_requests()

    body = {"external_monitoring_station_id": "central-01", "name": "Central"}
    with pytest.raises(TokenRefused):
        transport.call(transport.operation("create it"), "POST", COLLECTION, body=body, idempotency_key="k-1")
    listed(transport)

    assert sequence(emulator) == [("call", 401), ("token", 200), ("call", 200)]


def test_a_401_that_does_not_end_is_one_error(emulator: Emulator, transport: Transport) -> None:
    """One new token, one replay, then the error; no loop."""
    emulator.add_fault(
        Fault(path=COLLECTION, status=401, body='{"error": {"code": "revoked", "message": "no"}}', times=None)
    )

    error = failed(transport)

    assert type(error) is TokenRefused
    assert anonymous(str(error)) == (
        'Could not list the stations: CHeKT refused: revoked, "no". Nothing was changed. Check that chekt:baseUrl and '
        "chekt:tokenUrl (CHEKT_BASE_URL and CHEKT_TOKEN_URL) belong to the same environment, and that the app was not "
        "revoked. (HTTP 401, trace id T)"
    )
    assert sequence(emulator) == [("token", 200), ("call", 401), ("token", 200), ("call", 401)]


def test_a_late_401_does_not_drop_the_token_that_replaced_its_own(
    emulator: Emulator, raw_server: NewServer, new_transport: NewTransport
) -> None:
    """If two calls got a 401 with the old token, only the first renews it."""
    both_are_asked = threading.Barrier(2)

    def refuse_both_at_once(connection: object) -> None:
        both_are_asked.wait(30)
        connection.sendall(http(401, b"{}"))  # type: ignore[attr-defined]

    api = raw_server(refuse_both_at_once, refuse_both_at_once, http())
    transport = new_transport(base_url=api.url, requests_per_minute=3000)

    at_once(2, lambda: listed(transport))

    assert tokens(emulator) == 2
    assert len(api.requests) == 4


# refusals


REFUSED = (
    "Could not list the stations: the token endpoint refused the credentials (invalid_client). "
    "No other call was made. Correct chekt:clientId and chekt:clientSecret (CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET); "
    "refresh and destroy use the stack's settings of the last `pulumi up`, so after a rotation set the environment "
    "variables. (HTTP 401, trace id T, request id R)"
)


def test_credentials_that_are_refused_are_not_tried_again(emulator: Emulator, new_transport: NewTransport) -> None:
    """One try per process: nobody hammers an auth server with a wrong secret. Each operation gets its own line."""
    transport = new_transport(client_secret=SECRET)

    first, second = failed(transport), failed(transport)
    with pytest.raises(CredentialsRefused) as third:
        transport.call(transport.operation("read it"), "GET", COLLECTION)

    assert type(first) is CredentialsRefused
    assert [anonymous(str(error)) for error in (first, second)] == [REFUSED, REFUSED]
    assert str(third.value).startswith("Could not read it: the token endpoint refused the credentials")
    assert sequence(emulator) == [("token", 401)]


def test_sixteen_threads_with_refused_credentials_ask_once(emulator: Emulator, new_transport: NewTransport) -> None:
    """All of them get the error."""
    transport = new_transport(client_secret=SECRET)
    errors: list[ChektError] = []

    at_once(16, lambda: errors.append(failed(transport)))

    assert [type(error) for error in errors] == [CredentialsRefused] * 16
    assert tokens(emulator) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "cause"),
    [
        (400, '{"error": "invalid_client"}', CredentialsRefused, "refused the credentials (invalid_client)"),
        (400, '{"error": "unauthorized_client"}', CredentialsRefused, "refused the credentials (unauthorized_client)"),
        (401, "{}", CredentialsRefused, "refused the credentials (no reason given)"),
        (401, "", CredentialsRefused, "refused the credentials (no reason given)"),
        (401, '{"error": {"code": "unauthorized"}}', CredentialsRefused, "refused the credentials (unauthorized)"),
        (400, '{"error": "invalid_request"}', TokenError, "refused (invalid_request)"),
        (400, '{"error": "\\u001b[2J"}', TokenError, "refused (no reason given)"),
        (400, "<html>", TokenError, "refused (no reason given)"),
        (400, "[" * 100_000, TokenError, "refused (no reason given)"),
    ],
)
def test_a_refusal_is_told_by_its_code(
    emulator: Emulator, transport: Transport, status: int, body: str, kind: type[TokenError], cause: str
) -> None:
    """The code is OAuth's or that of CHeKT's envelope; nothing else of the answer is shown."""
    emulator.add_fault(Fault(path="/oauth/token", status=status, body=body))

    error = failed(transport)

    assert type(error) is kind
    assert str(error).startswith(f"Could not list the stations: the token endpoint {cause}. No other call was made. ")
    assert sequence(emulator) == [("token", status)]


def test_another_refusal_may_pass(emulator: Emulator, transport: Transport) -> None:
    """Only refused credentials are remembered."""
    emulator.add_fault(Fault(path="/oauth/token", status=400, body='{"error": "invalid_request"}'))

    assert type(failed(transport)) is TokenError
    assert listed(transport).data == []


# an endpoint that fails


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_token_endpoint_is_tried_five_times(emulator: Emulator, transport: Transport, status: int) -> None:
    """Then one error, which says that no station call was made."""
    emulator.add_fault(Fault(path="/oauth/token", status=status, times=None))

    error = failed(transport)

    assert type(error) is TokenError
    assert anonymous(str(error)) == (
        "Could not list the stations: the token endpoint at 127.0.0.1 gave no token: CHeKT failed: without a reason, "
        "5 times; no call gets through, this is an outage. "
        "No other call was made. Run again later. "
        f"(HTTP {status}, trace id T, request id R)"
    )
    assert sequence(emulator) == [("token", status)] * 5


def test_threads_that_waited_for_a_token_share_the_failure(raw_server: NewServer, new_transport: NewTransport) -> None:
    """One thread tries five times; the others do not try again one after the other."""
    all_are_here = threading.Barrier(17)

    def fail_when_all_are_here(connection: socket) -> None:
        all_are_here.wait(30)
        connection.sendall(http(503, b""))

    oauth = raw_server(fail_when_all_are_here, http(503, b""))
    transport = new_transport(token_url=oauth.url, requests_per_minute=3000)
    errors: list[ChektError] = []

    def ask(_: int) -> None:
        with ThreadPoolExecutor(1) as inner:
            asked = inner.submit(failed, transport)
            all_are_here.wait(30)
            errors.append(asked.result())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(16)))

    assert [type(error) for error in errors] == [TokenError] * 16
    assert len(oauth.requests) < 16


def test_a_failure_is_shared_with_those_who_waited_only(emulator: Emulator, transport: Transport) -> None:
    """A thread that comes later tries again."""
    emulator.add_fault(Fault(path="/oauth/token", status=503, times=5))

    assert type(failed(transport)) is TokenError
    assert listed(transport).data == []


def test_a_token_endpoint_that_recovers_is_no_error(emulator: Emulator, transport: Transport) -> None:
    """Four failures of several kinds, then a token."""
    for fault in (
        Fault(path="/oauth/token", status=503),
        Fault(path="/oauth/token", reset=True),
        Fault(path="/oauth/token", cut=5),
        Fault(path="/oauth/token", status=429),
    ):
        emulator.add_fault(fault)

    assert listed(transport).data == []
    assert tokens(emulator) == 5


@pytest.mark.parametrize(
    ("body", "content_type", "cause"),
    [
        (
            "<html>Sign in</html>",
            "text/html",
            "at 127.0.0.1 gave no token: something that is not CHeKT answered, with text/html",
        ),
        ("{", "application/json", "at 127.0.0.1 gave no token: the answer is not the JSON it says it is"),
        *(
            (body, "application/json", "'s answer holds no usable access token")
            for body in (
                "{}",
                "[]",
                '"t-1"',
                token_answer(None),
                token_answer(""),
                token_answer(7),
                token_answer(["t-1"]),
                token_answer("t-1\r\nX-Evil: 1"),
                token_answer("t-1\n"),
                token_answer("t 1"),
                token_answer("t-1\x1b"),
                token_answer("t-\u00e9"),
                token_answer("t-1", token_type="mac"),
                token_answer("t-1", token_type=7),
            )
        ),
    ],
)
def test_an_answer_without_a_usable_token_is_an_error(
    emulator: Emulator, transport: Transport, body: str, content_type: str, cause: str
) -> None:
    """It costs one request, and the error has no word of the answer: it may hold a token."""
    emulator.add_fault(Fault(path="/oauth/token", body=body, content_type=content_type))

    error = failed(transport)

    assert type(error) is TokenError
    sentence = f"the token endpoint{cause}" if cause.startswith("'") else f"the token endpoint {cause}"
    assert anonymous(str(error)) == (
        f"Could not list the stations: {sentence}. No other call was made. {BASE_URL} (HTTP 200, trace id T)"
    )
    assert sequence(emulator) == [("token", 200)]


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", None])
def test_a_bearer_token_may_be_called_so_in_any_case(
    emulator: Emulator, transport: Transport, token_type: str | None
) -> None:
    """OAuth compares the type without regard to case; a missing type counts as bearer."""
    emulator.add_fault(Fault(path="/oauth/token", body=token_answer("t-1", token_type=token_type)))
    emulator.add_fault(Fault(path=COLLECTION, body="[]"))

    assert listed(transport).data == []


# nothing secret is shown


FORM = "grant_type=client_credentials&amp;client_secret=canary%2B5e%2Fc%3D3t"


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 407, 418, 422, 429, 500, 503])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"error": SECRET, "error_description": SECRET, "client_secret": SECRET}), "application/json"),
        (json.dumps({"error": {"code": SECRET, "message": SECRET, "field": SECRET}}), "application/json"),
        (f"<pre>{FORM} {SECRET}</pre>", "text/html"),
    ],
)
def test_a_token_endpoint_that_repeats_the_form_does_not_spill_the_secret(
    emulator: Emulator, new_transport: NewTransport, status: int, body: str, content_type: str
) -> None:
    """A debug page may show what was sent: the error's text never holds it, whatever its form."""
    emulator.add_fault(Fault(path="/oauth/token", status=status, body=body, content_type=content_type, times=None))

    error = failed(new_transport(client_secret=SECRET))

    spilled = "".join([str(error), repr(error), *traceback.format_exception(error)])
    assert "canary" not in spilled


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 500])
def test_an_api_that_repeats_the_request_does_not_spill_the_token(
    emulator: Emulator, raw_server: NewServer, new_transport: NewTransport, status: int
) -> None:
    """The excerpt of an answer never holds the token that was sent."""
    emulator.add_fault(Fault(path="/oauth/token", body=token_answer("canary-token")))
    echo = b"Authorization: Bearer canary-token"
    api = raw_server(http(status, echo, "text/plain"))

    error = failed(new_transport(base_url=api.url))

    assert "canary" not in "".join([str(error), repr(error), *traceback.format_exception(error)])
    assert "Authorization: Bearer ***" in str(error)


SPELT = {
    "JSON": r'{"error": {"code": "x", "message": "Bearer canary\/token+0123="}}',
    "JSON by code point": r'{"error": {"message": "Bearer canary\u002ftoken\u002B0123\u003d"}}',
    "HTML": "<pre>Bearer canary&#47;token&#x2b;0123&equals;</pre>",
    "HTML in JSON": r'{"error": {"message": "<b>canary&#47;token\u0026#43;0123=<\/b>"}}',
    "a URL": "GET /?access_token=canary%2Ftoken%2b0123%3D",
    "a URL in a URL": "GET /?next=%2F%3Faccess_token%3Dcanary%252Ftoken%252B0123%253D",
    "backslashes": r"canary\x2ftoken\x2b0123=",
}


@pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 500])
@pytest.mark.parametrize("spelling", SPELT)
def test_a_token_in_another_spelling_is_not_spilt(
    emulator: Emulator, raw_server: NewServer, new_transport: NewTransport, spelling: str, status: int
) -> None:
    """The excerpt is left out as a whole."""
    emulator.add_fault(Fault(path="/oauth/token", body=token_answer("canary/token+0123=")))
    api = raw_server(http(status, SPELT[spelling].encode(), "application/json"))

    transport = new_transport(base_url=api.url)
    if status < 300:
        assert transport.call(transport.operation("do it"), "POST", "/x", body={}).data is None
        return
    error = failed(transport)

    spilled = "".join([str(error), repr(error), *traceback.format_exception(error)])
    assert re.search("canary|token.*0123", spilled) is None
    assert ": without a reason" in str(error)


@pytest.mark.parametrize("name", ["X-Request-Id", "Content-Type", "Location"])
@pytest.mark.parametrize("spelling", ["canary/token+0123=", "canary%2ftoken%2B0123%3D", "canary&#47;token&plus;0123="])
@pytest.mark.parametrize("status", [200, 302, 403])
def test_a_token_in_a_header_is_not_spilt(
    emulator: Emulator, raw_server: NewServer, new_transport: NewTransport, name: str, spelling: str, status: int
) -> None:
    """This goes for the headers that an error may repeat."""
    emulator.add_fault(Fault(path="/oauth/token", body=token_answer("canary/token+0123=")))
    header = f"{name}: https://x/{spelling}\r\n"
    kind = "" if name == "Content-Type" else "Content-Type: text/plain\r\n"
    answer = f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 2\r\n{kind}{header}\r\nno"
    api = raw_server(answer.encode())

    error = failed(new_transport(base_url=api.url))

    assert "canary" not in "".join([str(error), repr(error), *traceback.format_exception(error)])


def test_a_token_and_its_source_do_not_show_it() -> None:
    """Their repr leaves it out."""
    assert "canary" not in repr(AccessToken("canary-token", 5, 0))


def test_a_lost_connection_does_not_spill_what_was_sent(emulator: Emulator, new_transport: NewTransport) -> None:
    """The exceptions of the libraries below can hold headers and bodies; ours hold nothing of them."""
    emulator.add_fault(Fault(path="/oauth/token", reset=True, times=None))

    error = failed(new_transport(client_secret=SECRET))

    assert "canary" not in "".join([str(error), repr(error), *traceback.format_exception(error)])
    assert not isinstance(error, Unclear)

"""One call: what is sent, what an answer means, when it is sent again, and what is never done."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from chekt_provider.api.answers import Answer
from chekt_provider.api.operation import Operation
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault, Plan
from chekt_provider.errors import (
    ChektError,
    Conflict,
    InvalidInput,
    NotChekt,
    NotFound,
    PermissionDenied,
    Refused,
    ServerFailed,
    Throttled,
    TokenError,
    Unclear,
    Unreachable,
    Untrusted,
)
from chekt_provider.settings import Settings
from tests.clock import Clock
from tests.helpers import COLLECTION, NO_ACCESS, anonymous, peak_memory
from tests.raw_server import CHUNKED, HEAD, RawServer, dripping, header, http

NewTransport = Callable[..., Transport]
NewServer = Callable[..., RawServer]

TRACE = "123e4567-e89b-12d3-a456-426614174000"
UNKNOWN = "Whether the change was made is not known."
LOOK = "Run `pulumi up --refresh`: it looks at what is there before it changes anything."
PROXY = "Check chekt:baseUrl (CHEKT_BASE_URL) and any proxy in between, then run again."
NETWORK = "Nothing was changed. Check the network and chekt:baseUrl (CHEKT_BASE_URL), then run again."


def made(transport: Transport, method: str = "GET", path: str = COLLECTION) -> Answer:
    """One call, as the client makes it."""
    body = {"name": "Central"} if method in ("POST", "PUT") else None
    key = "" if method == "GET" else "k-1"
    return transport.call(transport.operation("do it"), method, path, body=body, idempotency_key=key)


def failed(transport: Transport, method: str = "GET") -> ChektError:
    """The error of one call."""
    with pytest.raises(ChektError) as caught:
        made(transport, method)
    return caught.value


def statuses(emulator: Emulator) -> list[int | None]:
    """The status of each call so far; None for one that got no answer. Calls for a token do not count."""
    return [request.status for request in emulator.requests if request.path != "/oauth/token"]


def envelope(code: str, message: str, **more: str) -> str:
    return json.dumps({"error": {"code": code, "message": message, **more}})


# what is sent


def test_a_call_carries_its_headers(raw_server: NewServer, new_transport: NewTransport) -> None:
    """Who calls, with which token, under which trace id; no compression is asked for."""
    api = raw_server(http())

    made(new_transport(base_url=api.url, trace_id=TRACE))

    request = api.requests[0]
    assert request.startswith(f"GET {COLLECTION} HTTP/1.1\r\n".encode())
    assert re.fullmatch(
        r"chekt-provider/\d[\w.]* pulumi/3\.[\d.]+ python/3\.[\d.]+", header(request, "User-Agent") or ""
    )
    assert re.fullmatch(r"Bearer [\w-]{20,}", header(request, "Authorization") or "")
    assert header(request, "x-partner-trace-id") == TRACE
    assert header(request, "Accept") == "application/json"
    assert header(request, "Accept-Encoding") == "identity"
    assert header(request, "Idempotency-Key") is None
    assert header(request, "Cookie") is None


def test_a_change_carries_its_body_and_its_key(raw_server: NewServer, new_transport: NewTransport) -> None:
    """JSON, and the idempotency key as given."""
    api = raw_server(http(201, b"{}"))
    transport = new_transport(base_url=api.url)

    transport.call(
        transport.operation("do it"), "PUT", COLLECTION, body={"name": "Süd", "prefix": None}, idempotency_key="k-1"
    )

    head, _, body = api.requests[0].partition(b"\r\n\r\n")
    assert header(head, "Content-Type") == "application/json"
    assert header(head, "Idempotency-Key") == "k-1"
    assert json.loads(body) == {"name": "Süd", "prefix": None}


def test_an_operation_has_one_trace_id_and_one_key_through_all_attempts(
    emulator: Emulator, transport: Transport
) -> None:
    """They show CHeKT's support, and CHeKT itself, that it is one and the same operation."""
    emulator.add_fault(Fault(method="DELETE", status=503, times=2))

    with pytest.raises(NotFound):
        made(transport, "DELETE", f"{COLLECTION}/7")

    attempts = [(r.trace_id, r.idempotency_key) for r in emulator.requests if r.method == "DELETE"]
    assert len(attempts) == 3
    assert len(set(attempts)) == 1
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", attempts[0][0] or "")
    assert attempts[0][1] == "k-1"


def test_each_operation_has_a_trace_id_of_its_own(emulator: Emulator, transport: Transport) -> None:
    """The same token serves all of them."""
    made(transport)
    made(transport)

    assert len({request.trace_id for request in emulator.requests}) == 3


def test_a_trace_id_that_was_set_goes_with_every_call(emulator: Emulator, new_transport: NewTransport) -> None:
    """The request for a token too."""
    transport = new_transport(trace_id=TRACE)
    made(transport)
    made(transport)

    assert [request.trace_id for request in emulator.requests] == [TRACE, TRACE, TRACE]


def test_nothing_is_sent_without_credentials(emulator: Emulator, new_transport: NewTransport) -> None:
    """The error names the settings."""
    error = failed(new_transport(client_id="", client_secret=""))

    assert str(error).startswith("Could not do it: no credentials are set. Nothing was changed. Set chekt:clientId")
    assert emulator.requests == []


def test_nothing_is_sent_with_settings_that_are_wrong(emulator: Emulator, new_transport: NewTransport) -> None:
    """They may point at the wrong host."""
    error = failed(new_transport(problems=("chekt:baseUrl (CHEKT_BASE_URL) is not a URL.",)))

    assert str(error) == "Could not do it: chekt:baseUrl (CHEKT_BASE_URL) is not a URL. Nothing was changed."
    assert emulator.requests == []


# what an answer means


@pytest.mark.parametrize(
    ("status", "kind", "line"),
    [
        (400, InvalidInput, "Nothing was changed. Correct the input and run again."),
        (422, InvalidInput, "Nothing was changed. Correct the input and run again."),
        (
            403,
            PermissionDenied,
            f"Nothing was changed. {NO_ACCESS}",
        ),
        (
            404,
            NotFound,
            "Nothing was changed. Check the dealer id and chekt:baseUrl (CHEKT_BASE_URL), then run again.",
        ),
        (409, Conflict, "Nothing was changed. Give the trace id to CHeKT's support."),
        (418, Refused, "Nothing was changed. Give the trace id to CHeKT's support."),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_refusal_is_one_error_and_final(
    emulator: Emulator, new_transport: NewTransport, method: str, status: int, kind: type[ChektError], line: str
) -> None:
    """Class and line by status; code and message as CHeKT says them, the field by our name; never a second attempt."""
    body = envelope("some_code", "not like this", field="body.name", request_id="req_1")
    emulator.add_fault(Fault(method=method, path=COLLECTION, status=status, body=body, times=None))

    error = failed(new_transport(trace_id=TRACE), method)

    assert type(error) is kind
    assert str(error) == (
        f'Could not do it: CHeKT refused: some_code, "not like this", field name. {line} '
        f"(HTTP {status}, trace id {TRACE}, request id req_1)"
    )
    assert (error.evidence.code, error.evidence.field) == ("some_code", "name")
    assert statuses(emulator) == [status]


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        ("", "application/json", "without a reason"),
        ('{"error": "invalid"}', "application/json", '"{"error": "invalid"}"'),
        ('{"error": {"code": 7, "message": null}}', "application/json", '"{"error": {"code": 7, "message": null}}"'),
        ('{"message": "no"}', "application/json", '"{"message": "no"}"'),
        ("[1", "application/json", '"[1"'),
        (envelope("", "no"), "application/problem+json", '"no"'),
        ("<html>\r\n<b>no</b>", "text/html", '"<html> <b>no</b>"'),
        ("", "text/plain", "without a reason"),
        ("a" * 300, "text/plain", '"' + "a" * 199 + '…"'),
        (envelope("c", "a" * 300), "application/json", 'c, "' + "a" * 199 + '…"'),
        ("[" * 100_000, "application/json", '"' + "[" * 199 + '…"'),
    ],
)
def test_a_refusal_in_any_shape_is_told(
    emulator: Emulator, transport: Transport, body: str, content_type: str, reason: str
) -> None:
    """Without the envelope, an excerpt of 200 characters gives the reason."""
    emulator.add_fault(Fault(path=COLLECTION, status=400, body=body, content_type=content_type))

    error = failed(transport)

    assert type(error) is InvalidInput
    assert error.cause == f"CHeKT refused: {reason}"


def test_what_the_server_says_cannot_steer_a_terminal(raw_server: NewServer, new_transport: NewTransport) -> None:
    """Escape, bidirectional and control characters appear by code point, wherever they are."""
    body = envelope("c\x1b[31m", "left\u202etfel\x9b2J", field="f\x07", request_id="r\x1b").encode()
    page = "<html>\x1b]0;title\x07\u2066".encode()
    api = raw_server(http(400, body), http(400, page, "text/html"), http(200, page, "text/\x1b[2Jhtml"))
    transport = new_transport(base_url=api.url)

    assert anonymous(str(failed(transport))) == (
        'Could not do it: CHeKT refused: c\\u001b[31m, "left\\u202etfel\\u009b2J", field f\\u0007. Nothing was '
        "changed. Correct the input and run again. (HTTP 400, trace id T, request id R\\u001b)"
    )
    assert failed(transport).cause == 'CHeKT refused: "<html>\\u001b]0;title\\u0007\\u2066"'
    assert failed(transport).cause == "something that is not CHeKT answered, with text/\\u001b[2Jhtml"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_that_keeps_failing_is_told_with_the_number_of_attempts(
    emulator: Emulator, new_transport: NewTransport, status: int
) -> None:
    """Five for what can be repeated; a change may have been made."""
    emulator.add_fault(Fault(method="PUT", status=status, body=envelope("down", "sorry"), times=None))

    error = failed(new_transport(trace_id=TRACE), "PUT")

    assert type(error) is ServerFailed
    assert str(error) == (
        f'Could not do it: CHeKT failed: down, "sorry", 5 times; no call gets through, this is an outage. '
        f"{UNKNOWN} {LOOK} (HTTP {status}, trace id {TRACE})"
    )


def test_reading_never_leaves_a_change_in_doubt(emulator: Emulator, transport: Transport) -> None:
    """An operation that has only read so far changed nothing, however its answer was lost."""
    emulator.add_fault(Fault(method="GET", status=503, times=5))

    assert anonymous(str(failed(transport))) == (
        'Could not do it: CHeKT failed: service_unavailable, "a fault of the emulator", 5 times; '
        "no call gets through, this is an outage. "
        "Nothing was changed. "
        "Run again. (HTTP 503, trace id T, request id R)"
    )


def test_reading_after_a_change_does_not_take_the_doubt_away(emulator: Emulator, transport: Transport) -> None:
    """The same operation may already have changed something."""
    emulator.add_fault(Fault(method="PUT", reset=True, times=None))
    emulator.add_fault(Fault(method="GET", status=503, times=None))
    operation = transport.operation("do it")
    with pytest.raises(Unclear):
        transport.call(operation, "PUT", COLLECTION, body={}, idempotency_key="k-1")

    with pytest.raises(ServerFailed) as caught:
        transport.call(operation, "GET", COLLECTION)

    assert UNKNOWN in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "content_type", "cause"),
    [
        (
            200,
            b"<html>Sign in</html>",
            "text/html; charset=utf-8",
            "something that is not CHeKT answered, with text/html; charset=utf-8",
        ),
        (200, b"[]", "text/plain", "something that is not CHeKT answered, with text/plain"),
        (200, b"[]", "", "something that is not CHeKT answered, with "),
        (404, b"<html>Not here</html>", "text/html", 'something that is not CHeKT answered: "<html>Not here</html>"'),
        (407, b"", "text/html", "a proxy asks for credentials"),
        *(
            (200, body, "application/json", "the answer is not the JSON it says it is")
            for body in (
                b"{",
                b"[1,]",
                b"[NaN]",
                b"[Infinity]",
                b"[-Infinity]",
                b"[" * 100_000,
                b"[" + b"9" * 5000 + b"]",
                b'["\xff"]',
                b"<html>",
            )
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_chekt_s_shape_is_not_believed(
    raw_server: NewServer,
    new_transport: NewTransport,
    method: str,
    status: int,
    body: bytes,
    content_type: str,
    cause: str,
) -> None:
    """It gets one kind of error, no dump of the body, and no second attempt."""
    api = raw_server(http(status, body, content_type))

    error = failed(new_transport(base_url=api.url), method)

    assert type(error) is NotChekt
    assert error.cause == cause
    assert error.remedy == PROXY
    assert error.evidence.status == status
    assert len(api.requests) == 1


def test_a_404_without_a_body_is_chekt_s(
    emulator: Emulator, raw_server: NewServer, new_transport: NewTransport
) -> None:
    """Nothing speaks against it."""
    api = raw_server(http(404, b"", "text/html"))

    assert type(failed(new_transport(base_url=api.url))) is NotFound


@pytest.mark.parametrize(
    ("status", "body", "content_type", "data"),
    [
        (200, b'{"a": 1}', "application/json", {"a": 1}),
        (201, b'{"a": 1}', "Application/JSON; charset=utf-8", {"a": 1}),
        (202, b'{"a": 1}', "application/vnd.chekt+json", {"a": 1}),
        (200, b"\xef\xbb\xbf[]", "application/json", []),
        (200, b"[9007199254740993]", "application/json", [9007199254740993]),
        (200, b"", "", None),
        (201, b" \r\n", "text/html", None),
        (204, b"", "application/json", None),
    ],
)
def test_a_success_in_any_usual_form_is_taken(
    raw_server: NewServer, new_transport: NewTransport, status: int, body: bytes, content_type: str, data: object
) -> None:
    """Any 2xx; a body is JSON, or there is none."""
    api = raw_server(http(status, body, content_type))

    answer = made(new_transport(base_url=api.url))

    assert answer.data == data
    assert answer.evidence.status == status


@pytest.mark.parametrize(
    ("date", "answered_at"),
    [
        ("Mon, 02 Nov 2026 12:00:00 GMT", "2026-11-02T12:00:00+00:00"),
        ("yesterday", None),
        ("", None),
        ("Mon, 31 Feb 2026 12:00:00 GMT", None),
        ("Mon, 02 Nov 2026 12:00:00 +99999999999999999999", None),
    ],
)
def test_chekt_s_clock_is_read_from_the_answer(
    raw_server: NewServer, new_transport: NewTransport, date: str, answered_at: str | None
) -> None:
    """It is None if the answer says nothing usable."""
    api = raw_server(http(headers=f"Date: {date}\r\n"))

    answer = made(new_transport(base_url=api.url))

    assert (answer.answered_at.isoformat() if answer.answered_at else None) == answered_at


# redirects

SEE_OTHER = [(status, method) for status in (300, 301, 302, 303) for method in ("POST", "DELETE")]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_redirect_is_not_followed(
    emulator: Emulator, raw_server: NewServer, transport: Transport, method: str, status: int
) -> None:
    """If it were followed, a POST would become a GET, or the body and the token would go to another host.

    Up to 303, the redirect may follow a change.
    """
    target = raw_server(http())
    emulator.add_fault(
        Fault(path=COLLECTION, status=status, headers={"Location": f"http://localhost:{target.port}/x"}, times=None)
    )

    error = failed(transport, method)

    assert type(error) is NotChekt
    done = "Whether the change was made is not known." if (status, method) in SEE_OTHER else "Nothing was changed."
    assert anonymous(str(error)) == (
        f"Could not do it: a redirect to localhost was answered, which is not followed. {done} "
        f"{PROXY} (HTTP {status}, trace id T, request id R)"
    )
    assert statuses(emulator) == [status]
    assert target.connections == 0


@pytest.mark.parametrize("location", ["", "Location: http://[\r\n", "Location: /elsewhere\r\n", "Location: ://\r\n"])
def test_a_redirect_to_nowhere_is_no_other_error(
    raw_server: NewServer, new_transport: NewTransport, location: str
) -> None:
    """The target is absent, relative or no URL."""
    api = raw_server(http(302, b"", headers=location))

    error = failed(new_transport(base_url=api.url))

    assert error.cause == "a redirect to nowhere was answered, which is not followed"


def test_a_redirect_s_body_is_not_read_without_limit(raw_server: NewServer, new_transport: NewTransport) -> None:
    """The limits of time and size hold for every answer."""
    api = raw_server(http(302, b" " * 6 * 1024**2, headers="Location: https://api.chekt.com/\r\n"))

    assert failed(new_transport(base_url=api.url)).cause == "the answer is larger than 5 MiB"


# when a call is made again


@pytest.mark.parametrize(
    ("fault", "repeatable", "post"),
    [
        (Fault(path=COLLECTION, status=500, times=None), 5, 1),
        (Fault(path=COLLECTION, status=502, times=None), 5, 1),
        (Fault(path=COLLECTION, status=503, times=None), 5, 1),
        (Fault(path=COLLECTION, status=504, times=None), 5, 1),
        (Fault(path=COLLECTION, status=501, times=None), 1, 1),
        (Fault(path=COLLECTION, status=507, times=None), 1, 1),
        (Fault(path=COLLECTION, status=408, times=None), 5, 1),
        (Fault(path=COLLECTION, status=425, times=None), 5, 1),
        (Fault(path=COLLECTION, status=429, times=None), 5, 1),
        (Fault(path=COLLECTION, reset=True, times=None), 5, 1),
        (Fault(path=COLLECTION, hang=0, times=None), 5, 1),
        (Fault(path=COLLECTION, status=200, body="[]", cut=1, times=None), 5, 1),
        (Fault(path=COLLECTION, status=400, times=None), 1, 1),
        (Fault(path=COLLECTION, status=409, times=None), 1, 1),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_a_failure_is_tried_again_where_that_is_safe(
    emulator: Emulator, transport: Transport, method: str, fault: Fault, repeatable: int, post: int
) -> None:
    """The number of requests that CHeKT sees, by method."""
    emulator.add_fault(fault)

    failed(transport, method)

    assert len(statuses(emulator)) == (post if method == "POST" else repeatable)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_failure_that_passes_is_no_error(emulator: Emulator, transport: Transport, method: str) -> None:
    """Four failures of several kinds, then the answer."""
    for fault in (
        Fault(path=COLLECTION, status=503),
        Fault(path=COLLECTION, reset=True),
        Fault(path=COLLECTION, status=200, body="[]", cut=1),
        Fault(path=COLLECTION, status=429),
        Fault(path=COLLECTION, status=200, body="[]"),
    ):
        emulator.add_fault(fault)

    assert made(transport, method).data == []
    assert len(statuses(emulator)) == 5


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (
            Fault(path=COLLECTION, reset=True, times=None),
            "the connection to 127.0.0.1 broke before the answer was complete",
        ),
        (
            Fault(path=COLLECTION, hang=0, times=None),
            "the connection to 127.0.0.1 broke before the answer was complete",
        ),
        (
            Fault(path=COLLECTION, body="[]", cut=1, times=None),
            "the connection to 127.0.0.1 broke before the answer was complete",
        ),
        (Fault(path=COLLECTION, hang=60, times=None), "127.0.0.1 did not answer within 0.1 s"),
    ],
)
def test_a_lost_answer_to_a_post_leaves_it_in_doubt(
    emulator: Emulator, settings: Settings, clock: Clock, said: list[str], fault: Fault, cause: str
) -> None:
    """It may have been stored: one attempt, and a line that says so."""
    emulator.add_fault(fault)
    transport = Transport(settings, say=said.append, clock=clock, sleep=clock.sleep, read_seconds=0.1)

    error = failed(transport, "POST")

    assert type(error) is Unclear
    assert anonymous(str(error)) == f"Could not do it: {cause}. {UNKNOWN} {LOOK} (trace id T)"
    assert len(statuses(emulator)) == 1


def test_the_waits_double_from_half_a_second(emulator: Emulator, new_transport: NewTransport, clock: Clock) -> None:
    """With a draw of a half they are half of 0.5, 1, 2 and 4 seconds."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=None))

    failed(new_transport(requests_per_minute=3000))

    assert clock.slept == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "60"}, 60),
        ({"Retry-After": "Mon, 02 Nov 2026 12:00:30 GMT", "Date": "Mon, 02 Nov 2026 12:00:00 GMT"}, 30),
        ({"X-RateLimit-Reset": "1793620810", "Date": "Mon, 02 Nov 2026 12:00:00 GMT"}, 11),
        ({}, 0.5),
        ({"Retry-After": "-5"}, 0.5),
        ({"Retry-After": "soon"}, 0.5),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_throttled_call_waits_as_asked(
    emulator: Emulator, new_transport: NewTransport, clock: Clock, method: str, headers: dict[str, str], slept: float
) -> None:
    """Retry-After, else the reset, else our own wait from one second on; then the call happens once."""
    emulator.add_fault(Fault(path=COLLECTION, status=429, headers=headers))
    emulator.add_fault(Fault(path=COLLECTION, body="[]"))

    assert made(new_transport(requests_per_minute=3000), method).data == []

    assert clock.slept == [slept]
    assert statuses(emulator) == [429, 200]


@pytest.mark.parametrize(
    ("asked", "figure"), [("61", "61"), ("86400", "86,400"), ("999999999", "999,999,999"), ("9" * 5000, "999,999,999")]
)
def test_a_wait_that_is_too_long_is_told_at_once(
    emulator: Emulator, new_transport: NewTransport, clock: Clock, asked: str, figure: str
) -> None:
    """Nobody should sit at a terminal for that long without knowing why."""
    body = envelope("rate_limited", "too many")
    emulator.add_fault(Fault(path=COLLECTION, status=429, body=body, headers={"Retry-After": asked}))

    error = failed(new_transport(trace_id=TRACE, requests_per_minute=3000))

    assert type(error) is Throttled
    assert str(error) == (
        f'Could not do it: CHeKT refused: rate_limited, "too many", and asks to wait {figure} s. Nothing was changed. '
        "Run again later, or set chekt:requestsPerMinute (CHEKT_REQUESTS_PER_MINUTE) to your share of the plan. "
        f"(HTTP 429, trace id {TRACE})"
    )
    assert clock.slept == []
    assert statuses(emulator) == [429]


def test_an_operation_ends_within_its_deadline(emulator: Emulator, new_transport: NewTransport, clock: Clock) -> None:
    """It has two minutes: a wait that would end later does not begin."""
    emulator.add_fault(Fault(path=COLLECTION, status=429, headers={"Retry-After": "50"}, times=None))

    error = failed(new_transport(requests_per_minute=3000))

    assert clock.slept == [50, 50]
    assert error.cause == 'CHeKT refused: rate_limited, "a fault of the emulator", 3 times'


def test_several_calls_of_one_operation_share_its_deadline(
    emulator: Emulator, new_transport: NewTransport, clock: Clock
) -> None:
    """It begins with the operation, not with each call."""
    emulator.add_fault(Fault(path=COLLECTION, status=429, headers={"Retry-After": "50"}, times=None))
    transport = new_transport(requests_per_minute=3000)
    operation = transport.operation("do it")
    clock.now += 60

    with pytest.raises(Throttled):
        transport.call(operation, "GET", COLLECTION)

    assert clock.slept == [50]


@pytest.mark.parametrize(("used", "slept"), [(60, [60]), (60.5, [])])
def test_a_wait_may_end_with_the_deadline(
    emulator: Emulator, new_transport: NewTransport, clock: Clock, used: float, slept: list[float]
) -> None:
    """The last attempt is made at exactly 120 seconds; half a second later there is none."""
    emulator.add_fault(Fault(path=COLLECTION, status=429, headers={"Retry-After": "60"}, times=None))
    transport = new_transport(requests_per_minute=3000)
    operation = transport.operation("do it")
    clock.now += used

    with pytest.raises(Throttled):
        transport.call(operation, "GET", COLLECTION)

    assert clock.slept == slept


def test_waiting_in_our_own_queue_is_left_out_of_the_deadline(
    emulator: Emulator, new_transport: NewTransport, clock: Clock
) -> None:
    """At one request a minute all five attempts are made; that takes four minutes."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=None))

    failed(new_transport(requests_per_minute=1))

    assert len(statuses(emulator)) == 5
    assert clock.now >= 1000 + 240


def test_the_time_that_is_left_out_has_a_limit() -> None:
    """It is eight minutes; with the deadline's two, an operation ends within ten."""
    operation = Operation("do it", TRACE, deadline=120)

    operation.excuse(400)
    operation.excuse(400)
    operation.excuse(400)

    assert operation.deadline == 600


def test_an_outage_is_not_hammered(emulator: Emulator, new_transport: NewTransport) -> None:
    """A hundred calls make 35 retries between them, each error says so, and nobody waits any longer."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=None))
    transport = new_transport(requests_per_minute=3000)

    causes = [failed(transport).cause for _ in range(100)]

    assert len(statuses(emulator)) == 100 + 35
    reason = 'CHeKT failed: service_unavailable, "a fault of the emulator"'
    assert causes[0] == f"{reason}, 5 times; no call gets through, this is an outage"
    assert causes[99] == f"{reason}; no call gets through, this is an outage"


def test_after_an_outage_retries_are_earned_back(emulator: Emulator, new_transport: NewTransport) -> None:
    """Fourteen answers pay for one retry."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=135))
    transport = new_transport(requests_per_minute=3000)
    for _ in range(100):
        failed(transport)
    for _ in range(14):
        made(transport)
    emulator.add_fault(Fault(path=COLLECTION, status=503))

    assert made(transport).data == []


# the log


def test_every_request_is_one_line_of_the_log(
    emulator: Emulator, new_transport: NewTransport, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, path, status, milliseconds, attempt, trace id at level debug; what is tried again, and why, at info."""
    emulator.add_fault(Fault(path=COLLECTION, status=503))
    emulator.add_fault(Fault(path=COLLECTION, reset=True))
    caplog.set_level("DEBUG", "chekt_provider")

    made(new_transport(requests_per_minute=3000, trace_id=TRACE))

    assert [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name == "chekt_provider"
    ] == [
        ("DEBUG", f"POST /oauth/token 200 0 ms attempt 1 trace id {TRACE}"),
        ("DEBUG", f"GET {COLLECTION} 503 0 ms attempt 1 trace id {TRACE}"),
        (
            "INFO",
            'Could not do it: CHeKT failed: service_unavailable, "a fault of the emulator"; again in 0.2 s '
            f"(trace id {TRACE})",
        ),
        ("DEBUG", f"GET {COLLECTION} failed 0 ms attempt 2 trace id {TRACE}"),
        (
            "INFO",
            "Could not do it: the connection to 127.0.0.1 broke before the answer was complete; again in 0.5 s "
            f"(trace id {TRACE})",
        ),
        ("DEBUG", f"GET {COLLECTION} 200 0 ms attempt 3 trace id {TRACE}"),
    ]


def test_the_log_holds_no_secret(
    raw_server: NewServer, new_transport: NewTransport, caplog: pytest.LogCaptureFixture
) -> None:
    """No secret and no token, even with the most talkative levels of this package and all libraries below."""
    oauth = raw_server(http(body=b'{"access_token": "canary-token"}'))
    api = raw_server(http(500, b"Bearer canary-token"), http())
    caplog.set_level("DEBUG")

    made(new_transport(base_url=api.url, token_url=oauth.url, client_secret="canary-secret"))

    assert len(api.requests) == 2
    assert "canary" not in caplog.text


# the pace


def test_fifty_calls_stay_within_the_smallest_plan(new_transport: NewTransport, clock: Clock, said: list[str]) -> None:
    """No 429, no time lost, and one line about the wait."""
    with Emulator(plan=Plan.FREE, clock=lambda: 1_800_000_000 + clock.now) as emulator:
        transport = new_transport(base_url=emulator.url, token_url=emulator.token_url)
        for _ in range(50):
            made(transport)

        assert statuses(emulator) == [200] * 50
    assert clock.now == pytest.approx(1000 + 46)  # 51 calls with the token's, 5 of them at once
    assert said == []


def test_the_pace_follows_the_plan_that_answers_tell(emulator: Emulator, transport: Transport, clock: Clock) -> None:
    """On the Enterprise plan 150 calls wait for nothing."""
    for _ in range(150):
        made(transport)

    assert clock.slept == []


@pytest.mark.parametrize(("remaining", "slept"), [("3", []), ("2", [1]), ("1", [1, 1]), ("0", [1, 1, 1])])
def test_what_others_used_of_the_plan_is_respected(
    emulator: Emulator, new_transport: NewTransport, clock: Clock, remaining: str, slept: list[float]
) -> None:
    """X-RateLimit-Remaining counts for all programs of the app: that many calls go at once, then each waits."""
    emulator.add_fault(Fault(path=COLLECTION, headers={"X-RateLimit-Remaining": remaining}))
    emulator.add_fault(Fault(path=COLLECTION, body="[]", times=None))
    transport = new_transport(requests_per_minute=60)
    for _ in range(4):
        made(transport)

    assert clock.slept == slept


def test_after_a_429_nobody_has_calls_left(emulator: Emulator, new_transport: NewTransport, clock: Clock) -> None:
    """However few calls we made ourselves, the next ones go out at the plan's pace."""
    emulator.add_fault(Fault(path=COLLECTION, status=429, headers={"Retry-After": "0"}))
    emulator.add_fault(Fault(path=COLLECTION, body="[]", times=None))
    transport = new_transport(requests_per_minute=60)

    made(transport)
    made(transport)

    assert clock.slept == [0, 1, 1]


@pytest.mark.parametrize("told", ["", "-1", "many", "9" * 5000, "1.5", "00"])
def test_a_remainder_that_makes_no_sense_is_ignored(
    raw_server: NewServer, new_transport: NewTransport, clock: Clock, told: str
) -> None:
    """Our own count goes on."""
    api = raw_server(http(headers=f"X-RateLimit-Remaining: {told}\r\n"))
    transport = new_transport(base_url=api.url)
    for _ in range(4):
        made(transport)

    assert clock.slept == []


@pytest.mark.parametrize("told", ["0", "-1", "many", "", "9" * 5000, "1e9"])
def test_a_plan_that_makes_no_sense_is_not_followed(
    raw_server: NewServer, new_transport: NewTransport, clock: Clock, told: str
) -> None:
    """The pace stays at the smallest plan's: four calls and the token at once, then one a second."""
    api = raw_server(http(headers=f"X-RateLimit-Limit: {told}\r\n"))
    transport = new_transport(base_url=api.url)

    for _ in range(6):
        made(transport)

    assert clock.slept == [1, 1]


# limits


def test_an_answer_that_drips_is_given_up(raw_server: NewServer, new_transport: NewTransport, clock: Clock) -> None:
    """Each byte may be in time: the whole answer has a minute."""

    def drip(connection: socket.socket) -> None:
        head, body = http(body=b"[1, 2, 3]").split(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n" + body[:1])
        clock.now += 61
        connection.sendall(body[1:2])

    api = raw_server(drip)

    error = failed(new_transport(base_url=api.url), "POST")

    assert type(error) is Unclear
    assert error.cause == "the answer was not complete after 60 s"


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 2", b"0"),
        (HEAD, b"X-More: 1\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n", b"X-More: 1\r\n"),
        (CHUNKED, b"0"),
        (CHUNKED + b"1\r\n[\r\n", b"1;x=y\r\n \r\n"),
        (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X-More: 1\r\n"),
        (HEAD + b"Content-Length: 1000\r\n\r\n[", b" "),
    ],
    ids=["line", "status", "headers", "continue", "its headers", "chunk size", "chunks", "trailers", "body"],
)
@pytest.mark.parametrize("what", ["a call", "a token"])
def test_whatever_drips_has_a_minute_in_all(
    raw_server: NewServer, new_transport: NewTransport, clock: Clock, before: bytes, drop: bytes, what: str
) -> None:
    """It drips every twenty seconds, each time in time; a token endpoint has the same limit."""
    with dripping(before, drop, lambda: clock.sleep(20)) as drip:
        api = raw_server(drip)
        urls = {"token_url": f"{api.url}/oauth/token"} if what == "a token" else {"base_url": api.url}
        error = failed(new_transport(**urls), "POST")

    assert "the answer was not complete after 60 s" in error.cause


@pytest.mark.parametrize("fault", [Fault(pad=5 * 1024**2), Fault(pad=5 * 1024**2, gzip=True)])
def test_an_answer_that_is_too_large_is_given_up(emulator: Emulator, transport: Transport, fault: Fault) -> None:
    """It stops at 5 MiB, decompressed."""
    emulator.add_fault(fault.model_copy(update={"path": COLLECTION}))

    error = failed(transport)

    assert type(error) is NotChekt
    assert error.cause == "the answer is larger than 5 MiB"
    assert len(statuses(emulator)) == 1


def test_an_answer_of_almost_five_mib_is_taken(emulator: Emulator, transport: Transport) -> None:
    """Thousands of stations."""
    emulator.add_fault(Fault(path=COLLECTION, pad=5 * 1024**2 - 2))

    assert made(transport).data == []


def test_a_compressed_bomb_does_not_fill_the_memory(raw_server: NewServer, new_transport: NewTransport) -> None:
    """100 MiB in 100 KiB: it unpacks no more than it takes."""
    bomb = gzip.compress(b" " * 100 * 1024**2)
    api = raw_server(http(body=bomb, headers="Content-Encoding: gzip\r\n"))
    transport = new_transport(base_url=api.url)

    error, peak = peak_memory(lambda: failed(transport))

    assert error.cause == "the answer is larger than 5 MiB"
    assert peak < 20 * 1024**2


def test_a_compressed_answer_is_unpacked_although_none_was_asked_for(
    raw_server: NewServer, new_transport: NewTransport
) -> None:
    """This also holds when it comes byte by byte, and the first bytes unpack to nothing."""

    def byte_by_byte(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in http(body=gzip.compress(b'[{"a": 1}]'), headers="Content-Encoding: gzip\r\n"):
            connection.sendall(bytes([byte]))

    api = raw_server(byte_by_byte)

    assert made(new_transport(base_url=api.url)).data == [{"a": 1}]


def test_an_answer_that_cannot_be_unpacked_is_unclear(raw_server: NewServer, new_transport: NewTransport) -> None:
    """It counts as an answer that broke off."""
    api = raw_server(http(body=b"not gzip", headers="Content-Encoding: gzip\r\n"))

    assert type(failed(new_transport(base_url=api.url), "POST")) is Unclear


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[]",
        b"SSH-2.0-x\r\n",
    ],
)
def test_what_is_not_even_http_is_unclear(raw_server: NewServer, new_transport: NewTransport, answer: bytes) -> None:
    """Whatever listens on that port, it may have understood a POST."""
    api = raw_server(answer)

    error = failed(new_transport(base_url=api.url), "POST")

    assert type(error) is Unclear
    assert error.cause == "the connection to 127.0.0.1 broke before the answer was complete"


def test_a_connection_that_was_reset_is_unclear(raw_server: NewServer, new_transport: NewTransport) -> None:
    """This also holds in the middle of an answer."""

    def reset(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    api = raw_server(reset)

    assert type(failed(new_transport(base_url=api.url), "POST")) is Unclear


# no connection


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_host_that_takes_no_connections_is_tried_five_times(
    emulator: Emulator, new_transport: NewTransport, closed_port: int, clock: Clock, method: str
) -> None:
    """Nothing was sent, so a POST is repeated too. No new token is asked for."""
    error = failed(new_transport(base_url=f"http://127.0.0.1:{closed_port}", requests_per_minute=3000), method)

    assert type(error) is Unreachable
    assert anonymous(str(error)) == (
        f"Could not do it: 127.0.0.1 does not accept connections on port {closed_port}, 5 times. {NETWORK} (trace id T)"
    )
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]
    assert [request.path for request in emulator.requests] == ["/oauth/token"]


def test_a_name_that_is_not_known_is_told(new_transport: NewTransport) -> None:
    """No name under `.invalid` is ever known (RFC 6761)."""
    error = failed(new_transport(base_url="https://chekt.invalid"), "POST")

    assert type(error) is Unreachable
    assert anonymous(str(error)) == (
        f"Could not do it: the name chekt.invalid is not known, 5 times. {NETWORK} (trace id T)"
    )


def test_a_token_endpoint_that_takes_no_connections_is_a_token_s_error(
    emulator: Emulator, new_transport: NewTransport, closed_port: int
) -> None:
    """It names the endpoint's host; the API was not called."""
    error = failed(new_transport(token_url=f"http://127.0.0.1:{closed_port}/oauth/token"))

    assert type(error) is TokenError
    assert anonymous(str(error)) == (
        "Could not do it: the token endpoint at 127.0.0.1 gave no token: 127.0.0.1 does not accept connections on "
        f"port {closed_port}, 5 times. No other call was made. Check the network and chekt:tokenUrl (CHEKT_TOKEN_URL), "
        "then run again. (trace id T)"
    )
    assert emulator.requests == []


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# what the surroundings must not change


def test_a_netrc_file_is_not_read(
    raw_server: NewServer, new_transport: NewTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its password would take the place of our token."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    oauth = raw_server(http(body=b'{"access_token": "t-1"}'))
    api = raw_server(http())

    made(new_transport(base_url=api.url, token_url=oauth.url))

    assert header(oauth.requests[0], "Authorization") is None
    assert header(api.requests[0], "Authorization") == "Bearer t-1"


def test_cookies_are_not_kept(raw_server: NewServer, new_transport: NewTransport) -> None:
    """A call never depends on the one before."""
    api = raw_server(http(headers="Set-Cookie: session=1; Path=/\r\n"))
    transport = new_transport(base_url=api.url)

    made(transport)
    made(transport)

    assert [header(request, "Cookie") for request in api.requests] == [None, None]


@pytest.fixture
def proxy(raw_server: NewServer, monkeypatch: pytest.MonkeyPatch) -> RawServer:
    """A proxy that lets nobody through, named in the environment."""
    proxy = raw_server(http(407, b"", headers="Proxy-Authenticate: Basic\r\n"))
    for name in ("NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy.url)
    return proxy


def test_this_machine_is_not_reached_through_a_proxy(
    proxy: RawServer, emulator: Emulator, transport: Transport
) -> None:
    """The emulator also works in a network that has one."""
    assert made(transport).data == []
    assert proxy.connections == 0


def test_other_hosts_are_reached_through_the_proxy(proxy: RawServer, new_transport: NewTransport) -> None:
    """The environment decides; the token endpoint on this machine is still reached directly."""
    error = failed(new_transport(base_url="https://api.chekt.invalid"), "POST")

    assert type(error) is Unreachable
    assert anonymous(str(error)) == (
        f"Could not do it: the proxy for api.chekt.invalid cannot be used, 5 times. {NETWORK} (trace id T)"
    )
    assert {request.split(b" HTTP/")[0] for request in proxy.requests} == {b"CONNECT api.chekt.invalid:443"}


def test_a_token_endpoint_elsewhere_is_reached_through_the_proxy(
    proxy: RawServer, emulator: Emulator, new_transport: NewTransport
) -> None:
    """Each host is decided by itself, even when the API is on this machine."""
    error = failed(new_transport(token_url="https://auth.chekt.invalid/oauth/token"))

    assert type(error) is TokenError
    assert "the proxy for auth.chekt.invalid cannot be used" in str(error)
    assert {request.split(b" HTTP/")[0] for request in proxy.requests} == {b"CONNECT auth.chekt.invalid:443"}


# certificates


# For tests alone: a certificate of "localhost", signed by itself, valid from 2020 to 2120, and its key.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHwQs7DVWf8uzTEi
GRfhEGoHC22KS212ZQ1gVD841zuInIRj3ccQHAxyydse9NK1oOBl13CF7OMi9J7y
UYmQHYWjWDBWMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0
MA4GA1UdDwEB/wQEAwIChDAdBgNVHQ4EFgQUyJCcmiiHOcvNV6Ffvu2BudjccP0w
CgYIKoZIzj0EAwIDSAAwRQIhAP0pE5q9sATfvPLRX+SwYE2zZT+mtfqxgewCQuEY
vtuKAiACaxYlDw/OE8nTw+jiJqyyf7qBmjEA739+hP16cRl2aQ==
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIDRXa0dfvb/NJ4/rxD/XxS2nHDI+eVQMPhilM4grYzPpoAoGCCqGSM49
AwEHoUQDQgAEfBCzsNVZ/y7NMSIZF+EQagcLbYpLbXZlDWBUPzjXO4ichGPdxxAc
DHLJ2x700rWg4GXXcIXs4yL0nvJRiZAdhQ==
-----END EC PRIVATE KEY-----
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A file with the certificate to trust."""
    path = tmp_path / "bundle.pem"
    path.write_text(CERTIFICATE)
    return path


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server on localhost needs for https."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "server.pem"
    path.write_text(CERTIFICATE + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_certificate_that_does_not_check_out_ends_it(
    raw_server: NewServer, new_transport: NewTransport, tls: ssl.SSLContext, method: str
) -> None:
    """One connection, nothing sent; the line names the way to trust an authority, and says that there is no other."""
    api = raw_server(http(), tls=tls)

    error = failed(new_transport(base_url=f"https://localhost:{api.port}"), method)

    assert type(error) is Untrusted
    assert anonymous(str(error)) == (
        "Could not do it: the certificate of localhost does not check out. Nothing was changed. If your network uses "
        "a certificate authority of its own, name its bundle in REQUESTS_CA_BUNDLE; otherwise do not go on: "
        "something else answers under this name. (trace id T)"
    )
    assert api.connections == 1
    assert api.requests == []


def test_a_token_endpoint_that_is_not_trusted_says_what_to_do(
    raw_server: NewServer, new_transport: NewTransport, tls: ssl.SSLContext
) -> None:
    """It says the same as the API does: no advice on the network or on a URL."""
    oauth = raw_server(http(), tls=tls)

    error = failed(new_transport(token_url=f"https://localhost:{oauth.port}/oauth/token"))

    assert anonymous(str(error)) == (
        "Could not do it: the token endpoint at localhost gave no token: the certificate of localhost does not check "
        "out. No other call was made. If your network uses a certificate authority of its own, name its bundle in "
        "REQUESTS_CA_BUNDLE; otherwise do not go on: something else answers under this name. (trace id T)"
    )


def test_a_bundle_that_the_environment_names_is_trusted(
    raw_server: NewServer,
    new_transport: NewTransport,
    tls: ssl.SSLContext,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REQUESTS_CA_BUNDLE."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    api = raw_server(http(), tls=tls)

    assert made(new_transport(base_url=f"https://localhost:{api.port}")).data == []


def test_a_certificate_of_another_host_is_not_trusted(
    raw_server: NewServer,
    new_transport: NewTransport,
    tls: ssl.SSLContext,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The names are compared, whoever signed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    api = raw_server(http(), tls=tls)

    error = failed(new_transport(base_url=f"https://127.0.0.1:{api.port}"))

    assert type(error) is Untrusted
    assert api.requests == []


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_a_bundle_that_cannot_be_read_is_told(
    raw_server: NewServer,
    new_transport: NewTransport,
    tls: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
) -> None:
    """It is one line, like all errors; nothing was sent."""
    named = tmp_path / "wrong.pem"
    if content is not None:
        named.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(named))
    api = raw_server(http(), tls=tls)

    error = failed(new_transport(base_url=f"https://localhost:{api.port}"))

    assert type(error) is Untrusted
    assert "REQUESTS_CA_BUNDLE" in str(error)
    assert api.requests == []


@pytest.mark.parametrize(("method", "requests"), [("GET", 5), ("POST", 1)])
def test_encryption_that_breaks_on_the_way_is_no_matter_of_trust(
    raw_server: NewServer,
    new_transport: NewTransport,
    tls: ssl.SSLContext,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    requests: int,
) -> None:
    """The request was sent: nobody knows what became of it, as with any broken connection."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    api = raw_server(lambda connection: connection.sendall(b"not a TLS record at all"), tls=tls)

    error = failed(new_transport(base_url=f"https://localhost:{api.port}"), method)

    assert type(error) is Unclear
    assert error.cause.startswith("the encryption of the connection to localhost failed")
    assert len(api.requests) == requests

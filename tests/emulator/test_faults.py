"""Every kind of fault, and when it ends."""

from __future__ import annotations

import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
import requests
from pydantic import ValidationError

from chekt_provider.emulator import Emulator, Fault, Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
TOO_SOON = 0.25  # seconds after which a caller gives up on an answer that will not come


def raw_get(api: Api) -> bytes:
    """Read every byte that a GET on the stations is answered with, until the connection ends."""
    request = f"GET /partner/v1/dealers/12345{STATIONS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    request += f"Authorization: {api.session.headers['Authorization']!s}\r\n\r\n"
    with socket.create_connection((api.emulator.host, api.emulator.port), timeout=20) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "validation_failed"),
        (429, "rate_limited"),
        (500, "internal_error"),
        (502, "bad_gateway"),
        (503, "service_unavailable"),
        (504, "gateway_timeout"),
        (418, "error"),
    ],
)
def test_a_status_is_answered_once_and_nothing_is_stored(api: Api, status: int, code: str) -> None:
    """The answer has the API's envelope; the next request is served as usual."""
    api.emulator.add_fault(Fault(status=status))

    struck, next_ = (api.post(STATIONS, EAST) for _ in range(2))

    error = struck.json()["error"]
    assert (struck.status_code, error["code"], error["request_id"]) == (status, code, struck.headers["x-request-id"])
    assert next_.status_code == 201
    assert len(api.emulator.stations()) == 1


@pytest.mark.parametrize("status", [401, 408, 425, 429, 502])
def test_after_means_that_the_change_was_stored(api: Api, status: int) -> None:
    """A refusal hides a 201, and says nothing about what was made; the key's own answer is still the 201."""
    api.emulator.switches = Switches(post_answer="location")
    api.emulator.add_fault(Fault(method="POST", status=status, when="after"))

    struck, repeated = (api.post(STATIONS, EAST, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (struck.status_code, "Location" in struck.headers) == (status, False)
    assert struck.json()["error"]["request_id"] == struck.headers["x-request-id"]
    assert (repeated.status_code, len(api.emulator.stations())) == (201, 1)


@pytest.mark.parametrize("status", [401, 408, 425, 429])
def test_after_means_so_for_put_and_delete(api: Api, status: int) -> None:
    """The change is made once, and the caller learns otherwise."""
    api.post(STATIONS, EAST)
    api.emulator.add_fault(Fault(status=status, when="after", times=2))

    assert api.put(f"{STATIONS}/1", {"name": "New"}).status_code == status
    assert [station["name"] for station in api.emulator.stations()] == ["New"]
    assert api.delete(f"{STATIONS}/1").status_code == status
    assert api.emulator.stations() == []


def test_a_body_may_say_that_it_failed(api: Api) -> None:
    """200 around an error, before or after the change was made."""
    for when, count in (("before", 0), ("after", 1)):
        api.emulator.add_fault(Fault.model_validate({"status": 200, "body": '{"error": {}}', "when": when}))
        answer = api.post(STATIONS, EAST)
        assert (answer.status_code, answer.json(), len(api.emulator.stations())) == (200, {"error": {}}, count)


def test_a_body_replaces_the_answer(api: Api) -> None:
    """Something that is not CHeKT answers 200 with HTML; nothing is stored, and no header is CHeKT's."""
    api.emulator.add_fault(Fault(body="<h1>Log in</h1>", content_type="text/html"))

    answer = api.post(STATIONS, EAST)

    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (200, "<h1>Log in</h1>", "text/html")
    assert "x-request-id" not in answer.headers
    assert api.emulator.stations() == []


def test_a_body_after_the_change_keeps_the_status(api: Api) -> None:
    """A 201 whose body is junk."""
    api.emulator.add_fault(Fault(method="POST", body="{", when="after"))

    answer = api.post(STATIONS, EAST)

    assert (answer.status_code, answer.text) == (201, "{")
    assert len(api.emulator.stations()) == 1


@pytest.mark.parametrize("damage", [{"cut": 0}, {"pad": 100}, {"gzip": True}, {"drip": 1}])
def test_an_answer_without_a_body_is_past_damage(api: Api, damage: dict[str, Any]) -> None:
    """A 204 stays what it is."""
    api.emulator.add_station(external_monitoring_station_id="a", name="a")
    api.emulator.add_fault(Fault(**damage))

    answer = api.delete(f"{STATIONS}/1")

    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Encoding" not in answer.headers
    assert api.get(STATIONS).json() == []


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(api: Api, status: int) -> None:
    """The connection goes on."""
    api.emulator.add_fault(Fault(status=status))

    answer = api.get(STATIONS)

    assert (answer.status_code, answer.content) == (status, b"")
    assert api.get(STATIONS).status_code == 200


def test_headers_are_added_to_the_api_s_own_answer(api: Api) -> None:
    """A header that is already there is replaced, whatever its case; the rest stays."""
    api.emulator.add_fault(Fault(headers={"x-ratelimit-remaining": "0", "Sunset": "soon"}))

    answer = api.post(STATIONS, EAST)

    assert answer.status_code == 201
    assert (answer.headers["X-RateLimit-Remaining"], answer.headers["Sunset"]) == ("0", "soon")
    assert answer.headers["X-RateLimit-Limit"] == "3000"


def test_a_throttle_with_retry_after(api: Api) -> None:
    """Status and headers together."""
    api.emulator.add_fault(Fault(status=429, headers={"Retry-After": "7"}))

    answer = api.get(STATIONS)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("status", "error"), [(401, "invalid_client"), (400, "invalid_request"), (503, "server_error")]
)
def test_a_status_at_the_token_endpoint_has_the_form_of_oauth(api: Api, status: int, error: str) -> None:
    """It has `error`, and no envelope."""
    api.emulator.add_fault(Fault(path="/oauth/token", status=status))

    answer = api.token()

    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_a_reset_breaks_the_connection(api: Api, when: Any, stored: int) -> None:
    """The caller sees ECONNRESET, not an end of file; the change is stored or not, as asked."""
    api.emulator.add_fault(Fault(method="POST", reset=True, when=when))

    with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
        api.post(STATIONS, EAST)

    assert len(api.emulator.stations()) == stored


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_a_hang_says_nothing_and_then_closes(api: Api, when: Any, stored: int) -> None:
    """The caller waits that long and gets an end of file."""
    api.emulator.add_fault(Fault(method="POST", hang=TOO_SOON, when=when))
    start = monotonic()

    with pytest.raises(requests.ConnectionError, match="closed connection without response"):
        api.post(STATIONS, EAST)

    assert monotonic() - start >= TOO_SOON
    assert len(api.emulator.stations()) == stored


def test_a_caller_that_does_not_wait_out_a_hang_times_out(api: Api) -> None:
    """Other requests are served in the meantime."""
    api.emulator.add_fault(Fault(hang=600))

    with pytest.raises(requests.ReadTimeout):
        api.get(STATIONS, timeout=TOO_SOON)

    assert api.get(STATIONS).status_code == 200


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_a_delay_comes_before_or_after_storing(api: Api, when: Any, stored: int) -> None:
    """A caller that gives up too soon cannot know which."""
    api.emulator.add_fault(Fault(method="POST", delay=600, when=when))

    with pytest.raises(requests.ReadTimeout):
        api.post(STATIONS, EAST, timeout=TOO_SOON)

    assert len(api.emulator.stations()) == stored


def test_a_delay_that_is_waited_for_ends_in_the_api_s_answer(api: Api) -> None:
    """It comes late, but whole."""
    api.emulator.add_fault(Fault(delay=TOO_SOON))
    start = monotonic()

    answer = api.post(STATIONS, EAST)

    assert monotonic() - start >= TOO_SOON
    assert answer.status_code == 201


def test_a_delay_can_be_followed_by_another_answer(api: Api) -> None:
    """Kinds of fault may be combined."""
    api.emulator.add_fault(Fault(delay=TOO_SOON, status=504))

    assert api.get(STATIONS).status_code == 504


def test_a_cut_answer_promises_more_than_it_sends(api: Api) -> None:
    """Ten bytes of the body come, then the connection ends; the change is stored."""
    api.emulator.add_fault(Fault(method="POST", cut=10))

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read"):
        api.post(STATIONS, EAST)

    assert len(api.emulator.stations()) == 1


def test_a_cut_of_an_answer_that_is_shorter_leaves_it_whole(api: Api) -> None:
    """There is nothing to cut off."""
    api.emulator.add_fault(Fault(cut=10))

    assert api.get(STATIONS).json() == []


def test_a_dripping_answer_comes_byte_by_byte(api: Api) -> None:
    """Sixteen bytes with fifteen pauses of 20 ms: never silent for long, and slow as a whole."""
    api.emulator.add_fault(Fault(body="0123456789abcdef", drip=0.02))
    start = monotonic()

    answer = api.get(STATIONS, timeout=5)

    assert answer.text == "0123456789abcdef"
    assert monotonic() - start >= 15 * 0.02


def test_a_padded_answer_is_huge_and_still_json(api: Api) -> None:
    """Blanks after JSON are JSON."""
    api.emulator.add_fault(Fault(pad=6 * 1024 * 1024))

    answer = api.get(STATIONS)

    assert len(answer.content) == 6 * 1024 * 1024 + 2
    assert answer.json() == []


def test_a_compressed_answer_is_small_on_the_wire_and_large_afterwards(api: Api) -> None:
    """A few kilobytes that become six megabytes."""
    api.emulator.add_fault(Fault(pad=6 * 1024 * 1024, gzip=True))

    answer = api.get(STATIONS)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 10_000
    assert len(answer.content) == 6 * 1024 * 1024 + 2


def test_a_fault_strikes_as_often_as_it_says(api: Api) -> None:
    """Skip comes first, then times, then it is gone."""
    api.emulator.add_fault(Fault(status=503, skip=1, times=2))

    statuses = [api.get(STATIONS).status_code for _ in range(5)]

    assert statuses == [200, 503, 503, 200, 200]
    assert api.emulator.faults == []


def test_the_list_of_faults_tells_what_is_left(api: Api) -> None:
    """Times and skip count down."""
    api.emulator.add_fault(Fault(status=503, skip=1, times=2))
    api.get(STATIONS)
    assert api.emulator.faults == [Fault(status=503, skip=0, times=2)]
    api.get(STATIONS)
    assert api.emulator.faults == [Fault(status=503, skip=0, times=1)]


def test_a_fault_without_an_end_lasts_until_cleared(api: Api) -> None:
    """`times` = None is an outage."""
    api.emulator.add_fault(Fault(status=503, times=None))

    assert [api.get(STATIONS).status_code for _ in range(5)] == [503] * 5
    api.emulator.clear_faults()
    assert api.get(STATIONS).status_code == 200


def test_a_fault_strikes_only_what_it_names(api: Api) -> None:
    """The method must be equal and the path must match; the query does not matter."""
    api.emulator.add_station(external_monitoring_station_id="a", name="a")
    api.emulator.add_fault(Fault(method="GET", path="*/monitoring-stations/*", status=503))

    passed = [api.get(STATIONS), api.put(f"{STATIONS}/1", {}), api.get("/sites"), api.token()]

    assert [answer.status_code for answer in passed] == [200] * 4
    assert api.get(f"{STATIONS}/1?a=b").status_code == 503


def test_of_two_faults_the_first_added_strikes_first(api: Api) -> None:
    """One request meets one fault; a fault that still skips lets the next one strike."""
    api.emulator.add_fault(Fault(status=500, skip=1))
    api.emulator.add_fault(Fault(status=502, times=2))

    assert [api.get(STATIONS).status_code for _ in range(4)] == [502, 500, 502, 200]


def test_faults_do_not_touch_the_controls(api: Api) -> None:
    """An outage can always be ended over HTTP."""
    api.emulator.add_fault(Fault(status=503, times=None))

    assert api.control("DELETE", "/faults").status_code == 204
    assert api.get(STATIONS).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"method": "GET", "times": 3},
        {"hang": 1, "reset": True},
        {"reset": True, "status": 500},
        {"hang": 1, "cut": 5},
        {"remember": True, "delay": 1},
        {"status": 204, "body": "x"},
        {"status": 199},
        {"times": 0, "status": 500},
        {"delay": -1},
        {"headers": {"X-A": "b\r\nX-C: d"}},
        {"headers": {"X A": "b"}},
        {"body": "x", "content_type": "text/plain\r\nX-C: d"},
        {"headers": {"content-length": "5"}},
        {"when": "during", "status": 500},
        {"code": 500},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """When it is made, not when it strikes."""
    with pytest.raises(ValidationError):
        Fault(**wrong)


@pytest.mark.parametrize("fault", [Fault(delay=600), Fault(delay=600, when="after"), Fault(hang=600)])
def test_waiting_faults_end_when_the_emulator_stops(api: Api, fault: Fault) -> None:
    """It does not matter how long they were meant to last."""
    api.emulator.add_fault(fault)
    with pytest.raises(requests.ReadTimeout):
        api.get(STATIONS, timeout=TOO_SOON)
    start = monotonic()

    api.emulator.stop()

    assert monotonic() - start < 5


def test_a_drip_ends_when_the_emulator_stops(api: Api) -> None:
    """The reader learns it from the end of the connection."""
    api.emulator.add_fault(Fault(body="x" * 600, drip=1))
    with api.get(STATIONS, stream=True) as answer:
        start = monotonic()

        api.emulator.stop()

        with pytest.raises(requests.RequestException):
            assert answer.content is None
        assert monotonic() - start < 5


def test_a_reset_on_a_reused_connection_and_a_new_one_alike(api: Api, emulator: Emulator) -> None:
    """The kernel sends RST each time: a bare socket gets no byte."""
    for _ in range(3):
        emulator.add_fault(Fault(reset=True))
        with pytest.raises(ConnectionResetError):
            raw_get(api)


def test_an_answer_leaves_nagle_s_algorithm_off(api: Api) -> None:
    """Two hundred answers on one connection take no 40 ms each: with it on, they would need eight seconds."""
    start = monotonic()

    for _ in range(200):
        api.get(STATIONS)

    assert monotonic() - start < 8

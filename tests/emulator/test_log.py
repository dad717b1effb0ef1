"""The request log and the headers that name a request."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import requests

from chekt_provider.emulator import Fault, Request

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
TRACE = "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_a_request_is_logged_with_all_that_it_said(make_api: Callable[..., Api], time: Time) -> None:
    """Numbers start at 1 with the token; the entry is there when the answer is."""
    api = make_api(clock=time)
    headers = {"x-partner-trace-id": TRACE, "Idempotency-Key": "k1"}

    answer = api.post(f"{STATIONS}?fields=name", EAST, headers=headers)

    _, request = api.emulator.requests
    assert dataclasses.replace(request, monotonic=0) == Request(
        number=2,
        time=1_800_000_000.0,
        monotonic=0,
        method="POST",
        path="/partner/v1/dealers/12345/monitoring-stations",
        query="fields=name",
        trace_id=TRACE,
        idempotency_key="k1",
        request_id=answer.headers["x-request-id"],
        client_id="emulator-client",
        body=EAST,
        status=201,
        outcome="answered",
        replayed=False,
    )


def test_requests_are_logged_in_order(api: Api) -> None:
    """Refusals, unknown routes and requests without a token too; the controls and the page are not."""
    api.get(STATIONS)
    api.control("GET", "/faults")
    requests.get(f"{api.emulator.url}/docs", timeout=20)
    requests.get(f"{api.emulator.url}/nothing", timeout=20)
    api.delete(STATIONS)

    seen = [(request.number, request.method, request.path, request.status) for request in api.emulator.requests]
    assert seen == [
        (1, "POST", "/oauth/token", 200),
        (2, "GET", "/partner/v1/dealers/12345/monitoring-stations", 200),
        (3, "GET", "/nothing", 404),
        (4, "DELETE", "/partner/v1/dealers/12345/monitoring-stations", 405),
    ]
    times = [request.monotonic for request in api.emulator.requests]
    assert times == sorted(times)


def test_clearing_the_log_keeps_the_numbers_going(api: Api) -> None:
    """A number always names the same request."""
    api.emulator.clear_requests()
    assert api.emulator.requests == []
    api.get(STATIONS)

    assert [request.number for request in api.emulator.requests] == [2]


@pytest.mark.parametrize(
    ("fault", "status", "outcome"),
    [
        (Fault(reset=True), None, "reset"),
        (Fault(reset=True, when="after"), None, "reset"),
        (Fault(hang=0), None, "hang"),
        (Fault(body="0123456789", cut=3), 200, "cut"),
        (Fault(cut=3), 200, "answered"),
        (Fault(status=503), 503, "answered"),
    ],
)
def test_the_outcome_tells_what_a_fault_did(api: Api, fault: Fault, status: int | None, outcome: str) -> None:
    """Status is what left the machine, None if nothing did; an answer too short to cut counts as answered."""
    api.emulator.add_fault(fault)
    try:
        api.get(STATIONS)
    except requests.RequestException:
        assert outcome in ("reset", "hang", "cut")

    request = api.emulator.requests[-1]
    assert (request.status, request.outcome, request.client_id) == (status, outcome, "emulator-client")


def test_a_request_that_is_still_waited_for_is_pending(api: Api) -> None:
    """It is in the log as soon as it has come in."""
    api.emulator.add_fault(Fault(delay=600))
    with pytest.raises(requests.ReadTimeout):
        api.get(STATIONS, timeout=0.25)

    request = api.emulator.requests[-1]
    assert (request.status, request.outcome) == (None, "pending")


def test_the_log_holds_no_secret(api: Api) -> None:
    """Forms, JSON, queries and unreadable bodies show none; the log keeps no headers at all."""
    token = str(api.session.headers["Authorization"]).split()[1]
    secret = {"client_secret": "canary", "client_assertion": "canary", "access_token": token}
    api.token(client_secret="canary", client_assertion="canary")
    api.post(STATIONS, EAST | secret | {"deep": [secret]})
    api.get(f"{STATIONS}?access_token=canary&client%5Fsecret=canary&page=1")
    for content_type in ("text/plain", "application/json"):
        api.post(STATIONS, None, data='{"client_secret": "canary"', headers={"Content-Type": content_type})
    api.emulator.add_fault(Fault(reset=True))
    with pytest.raises(requests.ConnectionError):
        api.token(client_secret="canary")

    log = repr(api.emulator.requests) + api.control("GET", "/requests").text
    assert "canary" not in log
    assert token not in log
    assert "emulator-secret" not in log
    assert "client_secret" in log
    assert "page=1" in log


def test_a_trace_id_comes_back(api: Api) -> None:
    """It comes back in answers and refusals, at the token endpoint too; without one, none comes back."""
    sent = {"x-partner-trace-id": TRACE}
    answers = [
        api.get(STATIONS, headers=sent),
        api.get(f"{STATIONS}/9", headers=sent),
        requests.post(api.emulator.token_url, headers=sent, timeout=20),
    ]

    assert [answer.headers["x-partner-trace-id"] for answer in answers] == [TRACE] * 3
    assert "x-partner-trace-id" not in api.get(STATIONS).headers


@pytest.mark.parametrize(
    "trace_id", ["x", "", TRACE + "0", f"{{{TRACE}}}", TRACE.replace("-", ""), f"urn:uuid:{TRACE}"]
)
def test_a_trace_id_that_is_no_uuid_is_400(api: Api, trace_id: str) -> None:
    """It is not echoed, and nothing is done."""
    answer = api.post(STATIONS, EAST, headers={"x-partner-trace-id": trace_id})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, "bad_request", "x-partner-trace-id")
    assert "x-partner-trace-id" not in answer.headers
    assert api.emulator.stations() == []
    refused = requests.post(api.emulator.token_url, headers={"x-partner-trace-id": trace_id}, timeout=20)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_every_request_has_an_id_of_its_own(api: Api) -> None:
    """The header has it, and so has the log."""
    ids = {api.get(STATIONS).headers["x-request-id"] for _ in range(10)}

    assert len(ids) == 10
    assert ids == {request.request_id for request in api.emulator.requests[1:]}

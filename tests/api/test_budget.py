"""What an outage costs when many threads run into it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from socket import socket
from types import FrameType

import pytest

from chekt_provider.api.auth import TokenSource
from chekt_provider.api.token import AccessToken
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ChektError, CredentialsRefused, ServerFailed, Throttled, TokenError
from tests.helpers import COLLECTION, anonymous, calls
from tests.raw_server import RawServer, http

NewTransport = Callable[..., Transport]
NewServer = Callable[..., RawServer]


def failure_of(transport: Transport, method: str = "GET") -> ChektError:
    """The error of one call."""
    with pytest.raises(ChektError) as caught:
        transport.call(transport.operation("do it"), method, COLLECTION)
    return caught.value


def failures_of(transport: Transport, calls: int, threads: int) -> list[ChektError]:
    """The errors of this many calls, made by this many threads."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda _: failure_of(transport), range(calls)))


def test_threads_share_the_35_retries_of_an_outage(emulator: Emulator, new_transport: NewTransport) -> None:
    """A hundred calls on sixteen threads make 135 attempts, and each error that ends one says outage."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=None))
    transport = new_transport(requests_per_minute=60_000)

    errors = failures_of(transport, calls=100, threads=16)

    assert len(calls(emulator)) == 100 + 35
    assert {type(error) for error in errors} == {ServerFailed}
    assert all(error.cause.endswith("; no call gets through, this is an outage") for error in errors)


def test_calls_that_are_throttled_are_retried_a_hundred_times_in_all(
    emulator: Emulator, new_transport: NewTransport
) -> None:
    """A 429 costs less than a failure, and is no outage; a wait that CHeKT asked for does not count."""
    emulator.add_fault(Fault(path=COLLECTION, status=429, headers={"Retry-After": "0"}, times=None))
    transport = new_transport(requests_per_minute=60_000)

    errors = [failure_of(transport) for _ in range(60)]

    assert len(calls(emulator)) == 60 + 100
    assert {type(error) for error in errors} == {Throttled}
    assert not any("outage" in error.cause for error in errors)


def test_the_token_and_the_calls_are_paid_from_one_budget(emulator: Emulator, new_transport: NewTransport) -> None:
    """Nine failed token requests leave nothing for a tenth call's retries."""
    emulator.add_fault(Fault(path="/oauth/token", status=503, times=44))  # 8 times five attempts, then 4 of the ninth
    transport = new_transport(requests_per_minute=60_000)
    for _ in range(9):
        failure_of(transport)
    emulator.clear_requests()
    emulator.add_fault(Fault(path=COLLECTION, status=503))

    assert failure_of(transport).cause == 'CHeKT failed: service_unavailable, "a fault of the emulator"'
    assert len(calls(emulator)) == 1


def test_an_outage_is_over_with_the_first_answer(emulator: Emulator, new_transport: NewTransport) -> None:
    """The next failure counts as that of a single call again."""
    transport = new_transport(requests_per_minute=60_000)
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=5))
    assert failure_of(transport).cause.endswith(", 5 times; no call gets through, this is an outage")

    transport.call(transport.operation("do it"), "GET", COLLECTION)
    emulator.add_fault(Fault(path=COLLECTION, status=501))

    assert failure_of(transport).cause == 'CHeKT failed: error, "a fault of the emulator"'


def test_a_refusal_during_an_outage_is_no_outage(emulator: Emulator, new_transport: NewTransport) -> None:
    """Only an error without a usable answer counts as an outage."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=5))
    emulator.add_fault(Fault(path=COLLECTION, status=403, times=None))
    transport = new_transport(requests_per_minute=60_000)
    failure_of(transport)

    assert "outage" not in str(failure_of(transport))


def test_sixteen_threads_without_a_token_share_one_failure(raw_server: NewServer, new_transport: NewTransport) -> None:
    """One of them asks, five times; the fifteen that wait get its error, and each names its own operation."""

    def fail_when_all_wait(connection: socket) -> None:
        until_threads_ask(16)
        connection.sendall(http(503, b""))

    oauth = raw_server(fail_when_all_wait, http(503, b""))
    transport = new_transport(token_url=oauth.url, requests_per_minute=60_000)

    errors = failures_of(transport, calls=16, threads=16)

    assert len(oauth.requests) == 5
    assert {type(error) for error in errors} == {TokenError}
    assert {anonymous(str(error)) for error in errors} == {
        "Could not do it: the token endpoint at 127.0.0.1 gave no token: CHeKT failed: without a reason, 5 times; "
        "no call gets through, this is an outage. No other call was made. "
        "Run again later. (HTTP 503, trace id T)"
    }


def test_who_waited_for_a_token_that_is_old_already_fetches_another() -> None:
    """The fetch took longer than the token lives: no failure is shared where there was none."""
    fetched: list[str] = []

    def fetch() -> AccessToken:
        until_threads_ask(2 - len(fetched))
        fetched.append(f"t-{len(fetched) + 1}")
        return AccessToken(fetched[-1], life=1.0, asked_at=0.0)

    source = TokenSource(fetch, clock=lambda: 10.0)
    with ThreadPoolExecutor(2) as pool:
        given = list(pool.map(lambda _: source.token(), range(2)))

    assert sorted(given) == fetched == ["t-1", "t-2"]


def test_refused_credentials_do_not_pile_up_with_the_calls() -> None:
    """The process remembers the error and raises copies of it, so its traceback does not grow."""

    def refuse() -> AccessToken:
        raise CredentialsRefused("the token endpoint refused the credentials")

    source = TokenSource(refuse, clock=lambda: 0.0)

    def refusal() -> CredentialsRefused:
        with pytest.raises(CredentialsRefused) as caught:
            source.token()
        return caught.value

    first, second, third = refusal(), refusal(), refusal()
    assert first is not second is not third


def until_threads_ask(count: int) -> None:
    """Return when this many threads wait for a token, or fetch it."""
    give_up_at = time.monotonic() + 30
    while sum(map(_asks, sys._current_frames().values())) < count:
        assert time.monotonic() < give_up_at
        os.sched_yield()


def _asks(frame: FrameType | None) -> bool:
    """Whether a thread is inside something that TokenSource.token called."""
    callers = []
    while frame := frame and frame.f_back:
        callers.append(frame.f_code)
    return TokenSource.token.__code__ in callers

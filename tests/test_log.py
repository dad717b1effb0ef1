"""The log on stderr: silent unless CHEKT_LOG asks for it, and without a secret at every level."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ChektError
from chekt_provider.log import log, show_log
from chekt_provider.operations.stations import StationOperations
from chekt_provider.settings import Settings, read_settings
from tests.helpers import COLLECTION, central, configured
from tests.raw_server import RawServer, http

TRACE = "123e4567-e89b-12d3-a456-426614174000"
NewTransport = Callable[..., Transport]


@pytest.fixture(autouse=True)
def _a_log_of_the_test_s_own() -> Iterator[None]:
    """The whole process has one log: put it back as it was."""
    handlers, level = list(log.handlers), log.level
    yield
    log.handlers[:] = handlers
    log.setLevel(level)


@pytest.fixture
def ticking(settings: Settings) -> Transport:
    """Calls whose clock moves by 4 ms each time somebody reads it."""
    ticks = itertools.count()
    changed = read_settings(
        lambda _: None,
        {
            "CHEKT_BASE_URL": settings.base_url,
            "CHEKT_CLIENT_ID": settings.client_id,
            "CHEKT_CLIENT_SECRET": settings.client_secret,
            "CHEKT_TRACE_ID": TRACE,
        },
    )
    return Transport(
        changed, say=lambda _: None, clock=lambda: next(ticks) * 0.004, sleep=lambda _: None, draw=lambda: 0.5
    )


def listed(transport: Transport) -> None:
    """One call, with a query that the log leaves out."""
    transport.call(transport.operation("list the stations"), "GET", COLLECTION, query={"page": "1"})


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr; stdout, where tables and JSON go, is empty."""
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


AGAIN = (
    'chekt-log: Could not list the stations: CHeKT failed: service_unavailable, "a fault of the emulator"; '
    f"again in 0.2 s (trace id {TRACE})"
)


def test_debug_is_one_line_for_each_request_and_one_for_each_repeat(
    emulator: Emulator, ticking: Transport, capsys: pytest.CaptureFixture[str]
) -> None:
    """Method, path, status, milliseconds, attempt, trace id: CHeKT's support asks for these."""
    emulator.add_fault(Fault(path=COLLECTION, status=503))
    show_log("debug")

    listed(ticking)

    taken = [re.sub(r"\d+ ms", "N ms", line) for line in lines(capsys)]
    assert taken == [
        f"chekt-log: POST /oauth/token 200 N ms attempt 1 trace id {TRACE}",
        f"chekt-log: GET {COLLECTION} 503 N ms attempt 1 trace id {TRACE}",
        AGAIN,
        f"chekt-log: GET {COLLECTION} 200 N ms attempt 2 trace id {TRACE}",
    ]


def test_the_milliseconds_are_those_of_one_attempt(ticking: Transport, capsys: pytest.CaptureFixture[str]) -> None:
    """They count from before it is sent until its answer is read.

    Every reading of this clock takes 4 ms: one at the end, one for the limit, and one for each piece of the answer, of
    which there are one to three.
    """
    show_log("debug")
    listed(ticking)
    capsys.readouterr()

    listed(ticking)

    assert lines(capsys)[0] in [
        f"chekt-log: GET {COLLECTION} 200 {milliseconds} ms attempt 1 trace id {TRACE}" for milliseconds in (12, 16, 20)
    ]


def test_info_is_what_is_repeated_and_nothing_else(
    emulator: Emulator, ticking: Transport, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was being done, why it is done again, and when."""
    emulator.add_fault(Fault(path=COLLECTION, status=503))
    show_log("info")

    listed(ticking)

    assert lines(capsys) == [AGAIN]


@pytest.mark.parametrize("ask", [lambda: None, lambda: show_log("")])
def test_without_a_level_nothing_is_written(
    emulator: Emulator, ticking: Transport, capsys: pytest.CaptureFixture[str], ask: Callable[[], None]
) -> None:
    """Pulumi shows every word on stderr: even a run that repeats calls is silent."""
    emulator.add_fault(Fault(path=COLLECTION, status=503))
    ask()

    listed(ticking)

    assert lines(capsys) == []


def test_a_second_provider_does_not_double_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Pulumi configures one for each kind of resource."""
    show_log("info")
    show_log("info")

    log.info("once")

    assert lines(capsys) == ["chekt-log: once"]


def test_a_request_without_an_answer_has_its_line(
    emulator: Emulator, ticking: Transport, capsys: pytest.CaptureFixture[str]
) -> None:
    """In place of a status it says that the request failed."""
    emulator.add_fault(Fault(path=COLLECTION, reset=True))
    show_log("debug")

    listed(ticking)

    assert re.fullmatch(rf"chekt-log: GET {COLLECTION} failed \d+ ms attempt 1 trace id {TRACE}", lines(capsys)[1])


def test_both_sides_of_a_renewed_token_have_their_lines(
    emulator: Emulator, ticking: Transport, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refused request, the new token, and the replay, which is not another attempt."""
    show_log("debug")
    listed(ticking)
    emulator.revoke_tokens()
    capsys.readouterr()

    listed(ticking)

    assert [re.sub(r" \d+ ms.*attempt", " attempt", line).split(" trace")[0] for line in lines(capsys)] == [
        f"chekt-log: GET {COLLECTION} 401 attempt 1",
        "chekt-log: POST /oauth/token 200 attempt 1",
        f"chekt-log: GET {COLLECTION} 200 attempt 1",
    ]


def test_the_trace_id_of_a_line_is_the_one_that_was_sent(
    emulator: Emulator, stations: StationOperations, capsys: pytest.CaptureFixture[str]
) -> None:
    """It lets people find a line's request in CHeKT's own logs."""
    show_log("debug")

    stations.create(central())

    logged = [line.rpartition(" ")[2] for line in lines(capsys)]
    assert logged == [r.trace_id for r in emulator.requests]


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_the_log_holds_neither_secret_nor_token(
    raw_server: Callable[..., RawServer],
    new_transport: NewTransport,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """Each endpoint may repeat what it was sent, and the libraries below may be at their most talkative."""
    form = b"client_secret=canary-secret"
    token = http(body=b'{"access_token": "canary-token"}')
    oauth = raw_server(http(503, form, "text/plain"), token, http(status, b'{"error": "%s"}' % form))
    api = raw_server(http(503, b"Bearer canary-token", "text/plain"), http(status, b'["canary-token"]'), http())
    caplog.set_level("DEBUG")
    show_log("debug")
    transport = new_transport(base_url=api.url, token_url=oauth.url, client_secret="canary-secret")

    with suppress(ChektError):
        transport.call(transport.operation("do it"), "GET", COLLECTION)

    written = lines(capsys)
    assert [line.split()[1] for line in written][:5] == ["POST", "Could", "POST", "GET", "Could"]
    assert "canary" not in "".join(written) + caplog.text


def test_the_provider_shows_the_log_that_the_environment_asks_for(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It starts when the provider is configured."""
    monkeypatch.setenv("CHEKT_LOG", "debug")
    provider = configured(emulator.environment())

    provider.create(central().model_dump())

    assert [line.split()[1:4] for line in lines(capsys)] == [
        ["POST", "/oauth/token", "200"],
        ["GET", COLLECTION, "200"],
        ["GET", COLLECTION, "200"],
        ["POST", COLLECTION, "201"],
    ]


@pytest.mark.parametrize("level", ["trace", "DEBUG", "1", " debug"])
def test_another_level_is_a_problem_of_the_settings(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence names the two that exist, without the value; nothing is logged."""
    settings = read_settings(lambda _: None, {"CHEKT_LOG": level})
    show_log(settings.log_level)
    log.error("unheard")

    assert settings.problems == ("CHEKT_LOG must be debug or info.",)
    assert lines(capsys) == []

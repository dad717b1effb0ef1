"""Which failures are tried again, and after how long."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_provider.api import retry
from chekt_provider.api.attempts import Attempts
from chekt_provider.api.operation import Operation
from chekt_provider.api.retry import ATTEMPTS, RetryBudget, asked_wait, backoff_seconds, wait_seconds, worth_repeating
from chekt_provider.errors import (
    ChektError,
    Conflict,
    Evidence,
    NotChekt,
    NotFound,
    ServerFailed,
    Throttled,
    TokenError,
    Unclear,
    Unreachable,
    Untrusted,
)
from tests.test_errors import CLASSES
from tests.test_text import ANY_TEXT

METHODS = ["GET", "PUT", "DELETE", "TOKEN", "POST"]
NOON = "Mon, 02 Nov 2026 12:00:00 GMT"
NOON_UNIX = 1793620800


def drawn() -> dict[str, tuple[str, str]]:
    """The table in the module's docstring: what happens to the repeatable methods, and to POST."""
    rows = re.findall(r"^    (\S.*?)  +(\S.*?)  +(\S.*)$", retry.__doc__ or "", re.MULTILINE)
    return {failure: (repeatable, post) for failure, repeatable, post in rows}


FAILURES: dict[str, list[ChektError]] = {
    "no connection: nothing was sent": [Unreachable("x")],
    "408, 425, 429": [
        *(Unclear("x", evidence=Evidence(status=n)) for n in (408, 425)),
        Throttled("x"),
        Throttled("x", evidence=Evidence(status=429, retry_after=60)),
    ],
    "time-out, reset, cut answer": [Unclear("x")],
    "500, 502, 503, 504": [ServerFailed("x", evidence=Evidence(status=n)) for n in (500, 502, 503, 504)],
    "any other answer": [
        *(ServerFailed("x", evidence=Evidence(status=n)) for n in (501, 505, 507, 520, 599)),
        *(cls("x") for cls in CLASSES if cls not in (Unreachable, Throttled, Unclear, ServerFailed)),
    ],
}


def test_the_table_is_the_one_that_was_agreed() -> None:
    """Word for word: reviewers read this rule."""
    assert drawn() == {
        "failure": ("GET, PUT, DELETE, token", "POST"),
        "no connection: nothing was sent": ("again", "again"),
        "408, 425, 429": ("again", "never here"),
        "time-out, reset, cut answer": ("again", "never here"),
        "500, 502, 503, 504": ("again", "never here"),
        "any other answer": ("never", "never"),
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("failure", FAILURES)
def test_the_table_is_what_happens(failure: str, method: str) -> None:
    """Every class of error, under every method."""
    expected = drawn()[failure][method == "POST"] == "again"

    assert [worth_repeating(error, method=method) for error in FAILURES[failure]] == [expected] * len(FAILURES[failure])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cls", [Untrusted, NotChekt])
def test_a_wrong_host_is_never_asked_twice(cls: type[ChektError], method: str) -> None:
    """A bad certificate, or something that is not CHeKT, will be the same a second later."""
    assert not worth_repeating(cls("x"), method=method)


@pytest.mark.parametrize("method", METHODS[:-1])
@pytest.mark.parametrize(("asked", "again"), [(0.0, True), (60.0, True), (60.5, False), (999999999.0, False)])
def test_a_wait_of_more_than_a_minute_is_not_waited(asked: float, again: bool, method: str) -> None:
    """Retry-After is obeyed up to 60 seconds; above that the call fails at once."""
    assert worth_repeating(Throttled("x", evidence=Evidence(status=429, retry_after=asked)), method=method) is again


@pytest.mark.parametrize("bug", [ValueError("x"), KeyError("x"), KeyboardInterrupt()])
def test_a_bug_is_not_repeated(bug: BaseException) -> None:
    """Only our own errors are repeated."""
    numbers: list[int] = []

    def attempt(number: int) -> None:
        numbers.append(number)
        raise bug

    with pytest.raises(type(bug)):
        Attempts(lambda: 0.0, lambda _: None, lambda: 0.5).make(Operation("do it", "", 120.0), "GET", attempt)

    assert numbers == [1]


@pytest.mark.parametrize(
    ("retry_number", "ceiling"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 20), (99, 20)]
)
def test_the_backoff_doubles_from_half_a_second_to_twenty(retry_number: int, ceiling: float) -> None:
    """Uniform from zero to its ceiling: a draw of 0 waits 0, a draw of a half waits the half."""
    assert backoff_seconds(retry_number, draw=lambda: 0.0) == 0
    assert backoff_seconds(retry_number, draw=lambda: 0.5) == ceiling / 2
    assert backoff_seconds(retry_number, draw=lambda: 1.0) == ceiling


@given(st.integers(1, 200))
def test_the_backoff_stays_in_bounds(retry_number: int) -> None:
    """Here the randomness is real."""
    assert 0 <= backoff_seconds(retry_number) <= 20


@pytest.mark.parametrize(
    ("error", "attempt", "seconds"),
    [
        (Unclear("x"), 1, 0.25),
        (Unclear("x"), 3, 1.0),
        (Throttled("x"), 1, 0.5),
        (Throttled("x"), 3, 2.0),
        (Throttled("x", evidence=Evidence(retry_after=7)), 1, 7.0),
        (Throttled("x", evidence=Evidence(retry_after=7)), 4, 7.0),
        (Throttled("x", evidence=Evidence(retry_after=0)), 1, 0.0),
        (Unclear("x", evidence=Evidence(retry_after=7)), 1, 0.25),
    ],
)
def test_the_wait_before_an_attempt(error: ChektError, attempt: int, seconds: float) -> None:
    """It is what a 429 asked for, else the backoff; a throttled call starts from one second."""
    assert wait_seconds(error, attempt, draw=lambda: 0.5) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "999999999"}, 999999999),
        ({"Retry-After": "Mon, 02 Nov 2026 12:00:30 GMT", "Date": NOON}, 30),
        ({"Retry-After": "Mon, 02 Nov 2026 11:59:00 GMT", "Date": NOON}, 0),
        ({"Retry-After": "Mon, 02 Nov 2026 13:00:30 GMT"}, 30),  # without a Date our own clock counts
        ({"Retry-After": "Mon, 02 Nov 2026 13:00:30 GMT", "Date": "yesterday"}, 30),
        ({"X-RateLimit-Reset": str(NOON_UNIX + 10), "Date": NOON}, 11),
        ({"X-RateLimit-Reset": f" {NOON_UNIX + 10} ", "Date": NOON}, 11),
        ({"X-RateLimit-Reset": str(NOON_UNIX - 10), "Date": NOON}, 0),
        ({"X-RateLimit-Reset": str(NOON_UNIX + 60), "Date": NOON}, 60),
        ({"X-RateLimit-Reset": str(NOON_UNIX + 61), "Date": NOON}, 62),
        ({"X-RateLimit-Reset": str(NOON_UNIX + 3610)}, 11),
        ({"Retry-After": "7", "X-RateLimit-Reset": str(NOON_UNIX + 10), "Date": NOON}, 7),
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "1_0"}, None),
        ({"Retry-After": "\u0661"}, None),
        ({"Retry-After": "Mon, 31 Feb 2026 12:00:30 GMT"}, None),
        ({"Retry-After": f"Mon, 02 Nov 2026 12:00:30 +{'9' * 20}"}, None),
        ({"Retry-After": "soon", "X-RateLimit-Reset": str(NOON_UNIX + 10), "Date": NOON}, None),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "-1"}, None),
        ({"X-RateLimit-Reset": "\u0661"}, None),
    ],
)
def test_what_a_429_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds or a date, measured by CHeKT's clock (ours is an hour ahead); else the reset, a second later.

    Nonsense asks for nothing.
    """
    assert asked_wait(headers, NOON_UNIX + 3600.0) == seconds


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_header_breaks_the_wait(retry_after: str, reset: str, date: str) -> None:
    """Whatever the headers hold, the answer is no wait or one that is not negative."""
    asked = asked_wait({"Retry-After": retry_after, "X-RateLimit-Reset": reset, "Date": date}, 0.0)

    assert asked is None or asked >= 0


@given(
    st.from_regex(
        r"(\w{3}, )?\d{1,3} (Jan|Dec|Foo) \d{1,6} \d{1,3}:\d{1,3}(:\d{1,3})? ?([+-]\d{1,12}|GMT|EST|)", fullmatch=True
    )
)
def test_no_date_breaks_the_wait(date: str) -> None:
    """Dates that are in no calendar do not count as dates."""
    asked = asked_wait({"Retry-After": date, "Date": date}, 0.0)

    assert asked is None or asked >= 0


# the budget


OUT = Unclear("x")
THROTTLED = Throttled("x")


def affordable(budget: RetryBudget, error: ChektError) -> int:
    """How many retries in a row the budget pays for."""
    return next(count for count in range(1000) if not budget.pay_for_retry(error))


@pytest.mark.parametrize(("error", "retries"), [(OUT, 35), (Unreachable("x"), 35), (THROTTLED, 100)])
def test_all_calls_of_a_process_share_a_budget_of_retries(error: ChektError, retries: int) -> None:
    """500 tokens: a retry costs 14, one after a 429 costs 5."""
    assert affordable(RetryBudget(), error) == retries


def test_a_retry_that_is_too_dear_costs_nothing() -> None:
    """The last 10 tokens still pay for two retries after a 429."""
    budget = RetryBudget()

    assert affordable(budget, OUT) == 35
    assert affordable(budget, THROTTLED) == 2


@pytest.mark.parametrize(
    ("outcome", "earned"),
    [(None, 1), (NotFound("x"), 1), (Conflict("x"), 1), (THROTTLED, 0), (OUT, 0), (TokenError("x"), 0)],
)
def test_an_answer_earns_one_token_back(outcome: ChektError | None, earned: int) -> None:
    """A refusal is an answer; a 429, a failure or a missing token is not."""
    budget = RetryBudget()
    affordable(budget, OUT)  # 10 are left
    for _ in range(18):
        budget.note(outcome, "one")

    assert affordable(budget, OUT) == (10 + 18 * earned) // 14


def test_the_budget_never_grows_beyond_its_start() -> None:
    """A long good time does not pay for a long outage."""
    budget = RetryBudget()
    for _ in range(100):
        budget.note(None, "one")

    assert affordable(budget, OUT) == 35


@pytest.mark.parametrize(
    ("outcomes", "outage"),
    [
        ([OUT] * 4, False),
        ([OUT] * 5, True),
        ([OUT, Unreachable("x"), ServerFailed("x"), NotChekt("x"), OUT], True),
        ([OUT] * 4 + [THROTTLED] + [OUT], True),
        ([OUT] * 4 + [None] + [OUT] * 4, False),
        ([OUT] * 5 + [None], False),
        ([OUT] * 5 + [NotFound("x")], False),
    ],
)
def test_five_attempts_in_a_row_without_an_answer_are_an_outage(
    outcomes: list[ChektError | None], outage: bool
) -> None:
    """One answer ends it, even a refusal."""
    budget = RetryBudget()
    for outcome in outcomes:
        budget.note(outcome, "one")

    assert budget.is_outage is outage


def test_one_operation_that_fails_where_others_were_answered_is_no_outage() -> None:
    """CHeKT may fail one call alone: only failures of a second operation show that no call gets through."""
    budget, one, other = RetryBudget(), object(), object()
    budget.note(None, other)
    for _ in range(ATTEMPTS):
        budget.note(OUT, one)
    assert not budget.is_outage

    budget.note(OUT, other)

    assert budget.is_outage


def test_a_token_is_no_sign_that_calls_get_through() -> None:
    """The token endpoint may work while the API does not."""
    budget, one = RetryBudget(), object()
    budget.note(None, one, of_token=True)
    for _ in range(ATTEMPTS):
        budget.note(OUT, one)

    assert budget.is_outage


def test_threads_do_not_spend_a_token_twice() -> None:
    """16 threads get no more retries than one."""
    budget = RetryBudget()
    start = threading.Barrier(16)

    def spend(_: int) -> int:
        start.wait()
        return sum(budget.pay_for_retry(OUT) for _ in range(10))

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(spend, range(16))) == 35

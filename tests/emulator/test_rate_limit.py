"""The rate limit of each plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from chekt_provider.emulator import Plan

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"


@pytest.mark.parametrize(
    ("plan", "limit", "burst"), [(Plan.FREE, "60", 5), (Plan.PRO, "600", 30), (Plan.ENTERPRISE, "3000", 200)]
)
def test_a_plan_lets_a_burst_through_and_then_says_429(
    make_api: Callable[..., Api], time: Time, plan: Plan, limit: str, burst: int
) -> None:
    """The figures are CHeKT's; Remaining counts down to 0."""
    api = make_api(plan=plan, clock=time)

    answers = [api.get(STATIONS) for _ in range(burst + 1)]

    assert [answer.status_code for answer in answers] == [200] * burst + [429]
    assert [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers] == [*range(burst - 1, -1, -1), 0]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {limit}
    assert answers[-1].json()["error"]["code"] == "rate_limited"


def test_waiting_as_long_as_retry_after_says_lets_one_through(make_api: Callable[..., Api], time: Time) -> None:
    """Free gains one request a second, and Reset is when all five are there again."""
    api = make_api(plan=Plan.FREE, clock=time)
    for _ in range(5):
        api.get(STATIONS)

    refused = api.get(STATIONS)
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Reset"]) == ("1", "1800000005")
    time.now += 1

    assert [api.get(STATIONS).status_code for _ in range(2)] == [200, 429]


def test_a_long_rest_gives_a_burst_and_no_more(make_api: Callable[..., Api], time: Time) -> None:
    """The bucket does not overflow."""
    api = make_api(plan=Plan.FREE, clock=time)
    api.get(STATIONS)
    time.now += 600

    assert [api.get(STATIONS).status_code for _ in range(6)] == [200, 200, 200, 200, 200, 429]


def test_every_answer_to_a_known_app_counts_and_tells(make_api: Callable[..., Api], time: Time) -> None:
    """404, 405, 422 and 204 too; calls for a token and calls without one do not count."""
    api = make_api(plan=Plan.PRO, clock=time)
    api.emulator.add_station(external_monitoring_station_id="a", name="a")
    api.log_in()
    api.get(STATIONS, headers={"Authorization": None})

    answers = [
        api.get("/nothing"),
        api.delete(""),
        api.get(f"{STATIONS}/x"),
        api.delete(f"{STATIONS}/1"),
    ]

    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["29", "28", "27", "26"]


def test_without_a_plan_there_is_no_limit_and_no_header(make_api: Callable[..., Api]) -> None:
    """None switches it off."""
    api = make_api(plan=None)

    answers = [api.get(STATIONS) for _ in range(250)]

    assert {answer.status_code for answer in answers} == {200}
    assert not any(name.lower().startswith("x-ratelimit") for name in answers[0].headers)


def test_a_429_changes_nothing(make_api: Callable[..., Api], time: Time) -> None:
    """A throttled POST is not stored."""
    api = make_api(plan=Plan.FREE, clock=time)
    for number in range(8):
        api.post(STATIONS, {"external_monitoring_station_id": str(number), "name": "n"})

    assert len(api.emulator.stations()) == 5

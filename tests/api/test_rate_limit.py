"""The pace of calls: never faster than the plan, and following what CHeKT says about it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_provider.api.rate_limit import RateLimit, burst_of
from tests.clock import Clock

FREE, PRO, ENTERPRISE = (60, 5), (600, 30), (3000, 200)


def limit(clock: Clock, pace: int | None = None, say: Callable[[str], None] = lambda sentence: None) -> RateLimit:
    return RateLimit(pace, clock=clock, sleep=clock.sleep, say=say)


def sent_at(limit: RateLimit, clock: Clock, calls: int) -> list[float]:
    """The moments at which this many calls in a row are sent."""
    moments = []
    for _ in range(calls):
        limit.take()
        moments.append(clock.now)
    return moments


def is_within(moments: list[float], pace: int, burst: int) -> bool:
    """Whether no time window holds more calls than a bucket of this size gives."""
    return all(
        last - first + 1 <= burst + (moments[last] - moments[first]) * pace / 60 + 1e-6
        for first in range(len(moments))
        for last in range(first, len(moments))
    )


@pytest.mark.parametrize(
    ("pace", "burst"),
    [(1, 1), (59, 1), (60, 5), (599, 5), (600, 30), (2999, 30), (3000, 200), (100_000, 200)],
)
def test_a_pace_has_the_burst_of_the_plan_that_it_covers(pace: int, burst: int) -> None:
    """Below the smallest plan calls come one by one."""
    assert burst_of(pace) == burst


def test_without_a_word_from_chekt_the_smallest_plan_is_kept(clock: Clock) -> None:
    """Five at once, then one a second."""
    moments = sent_at(limit(clock), clock, 8)

    assert moments == [1000, 1000, 1000, 1000, 1000, 1001, 1002, 1003]


@pytest.mark.parametrize(("pace", "burst"), [(6, 1), FREE, PRO, ENTERPRISE])
def test_no_window_of_time_holds_more_than_the_plan(clock: Clock, pace: int, burst: int) -> None:
    """The plan is not wasted either: the last call leaves as soon as it may."""
    calls = burst * 2 + 10
    moments = sent_at(limit(clock, pace), clock, calls)

    assert is_within(moments, pace, burst)
    assert moments[-1] - moments[0] == pytest.approx((calls - burst) * 60 / pace)


@given(st.lists(st.one_of(st.floats(0, 30), st.sampled_from([FREE, PRO, ENTERPRISE])), max_size=30))
def test_after_any_history_the_smallest_plan_met_is_kept(steps: list[float | tuple[int, int]]) -> None:
    """Pauses and new plans, up and down: after each change, calls stay within the plan in force."""
    clock = Clock()
    ours = limit(clock)
    for step in steps:
        if isinstance(step, tuple):
            ours.follow(step[0])
        else:
            clock.now += step
            ours.take()
    ours.follow(FREE[0])

    assert is_within(sent_at(ours, clock, 12), *FREE)


def test_a_rest_fills_the_bucket_up_to_the_burst(clock: Clock) -> None:
    """An hour of silence does not allow an hour of calls."""
    ours = limit(clock)
    sent_at(ours, clock, 5)
    clock.now += 3600

    moments = sent_at(ours, clock, 7)

    assert [moment - moments[0] for moment in moments] == [0, 0, 0, 0, 0, 1, 2]


def test_a_larger_plan_is_taken_over_at_once(clock: Clock) -> None:
    """Calls already sent count against its burst."""
    ours = limit(clock)
    sent_at(ours, clock, 5)

    ours.follow(600)

    moments = sent_at(ours, clock, 27)
    assert [moment - 1000 for moment in moments] == pytest.approx([0] * 25 + [0.1, 0.2])


def test_a_smaller_plan_is_taken_over_at_once(clock: Clock) -> None:
    """After 30 calls on what turns out to be the Free plan, 25 of them were too many and are waited for."""
    ours = limit(clock)
    ours.follow(600)
    sent_at(ours, clock, 30)

    ours.follow(60)

    assert [moment - 1000 for moment in sent_at(ours, clock, 2)] == pytest.approx([26, 27])


def test_the_same_plan_again_changes_nothing(clock: Clock) -> None:
    """Every answer repeats it."""
    ours = limit(clock)
    for _ in range(3):
        sent_at(ours, clock, 2)
        ours.follow(60)

    assert clock.now == 1001


@pytest.mark.parametrize("told", [60, 600, 3000])
def test_a_pace_that_was_set_is_kept_whatever_the_answers_say(clock: Clock, told: int) -> None:
    """It is this stack's share of a plan that others use too."""
    ours = limit(clock, 30)
    ours.follow(told)

    assert [moment - 1000 for moment in sent_at(ours, clock, 4)] == [0, 2, 4, 6]


def test_after_a_429_the_bucket_is_empty(clock: Clock) -> None:
    """Others use the plan too: the next call waits for its turn."""
    ours = limit(clock)
    ours.take()

    ours.cap(0)

    assert [moment - 1000 for moment in sent_at(ours, clock, 2)] == [1, 2]


def test_a_429_forgives_no_debt(clock: Clock) -> None:
    """Calls that already wait stay in the queue."""
    waits: list[float] = []
    ours = RateLimit(60, clock=clock, sleep=waits.append, say=lambda sentence: None)
    for _ in range(7):
        ours.take()

    ours.cap(0)
    ours.take()

    assert waits == [1, 2, 3]


def test_taking_tells_how_long_it_waited(clock: Clock) -> None:
    """An operation's deadline leaves out the time in the queue."""
    ours = limit(clock, 6)

    assert [ours.take() for _ in range(3)] == [0, 10, 10]


def test_a_long_wait_is_told_once(clock: Clock, said: list[str]) -> None:
    """Waiting for more than two seconds looks like hanging; saying it each time would be noise."""
    ours = limit(clock, 6, said.append)

    sent_at(ours, clock, 4)

    assert said == ["Waiting for the rate limit of 6 requests a minute; this is said once."]


def test_a_short_wait_is_not_told(clock: Clock, said: list[str]) -> None:
    """Two seconds are nothing to speak of."""
    sent_at(limit(clock, 30, said.append), clock, 4)

    assert said == []


def test_threads_share_one_queue(said: list[str]) -> None:
    """64 calls at once from 16 threads: each gets its own turn, one a second after the burst, and one line says so."""
    start = threading.Barrier(16)
    waits: list[float] = []
    ours = RateLimit(60, clock=lambda: 1000.0, sleep=waits.append, say=said.append)

    def four_calls(_: int) -> None:
        start.wait()
        for _ in range(4):
            ours.take()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(four_calls, range(16)))

    assert sorted(waits) == list(range(1, 60))
    assert len(said) == 1

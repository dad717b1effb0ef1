"""After an interruption nothing new begins, what has begun gets a few seconds to finish, and what is said is true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chekt_provider.api.interruption import Interruption
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import ChektError
from chekt_provider.model.ids import StationId
from chekt_provider.plugin.run import Run
from chekt_provider.settings import Settings
from tests.clock import Clock
from tests.helpers import COLLECTION, anonymous, calls, central, held, house, placed


class InterruptedClock(Clock):
    """Somebody presses Ctrl-C during a wait of this many seconds or more."""

    interruption: Interruption
    at: float = 0.5

    def sleep(self, seconds: float) -> None:
        if seconds >= self.at:
            self.interruption.come()
        self.interruption.sleep(seconds)

    def pause(self, seconds: float) -> None:
        super().sleep(seconds)


@pytest.fixture
def clock() -> InterruptedClock:
    clock = InterruptedClock()
    clock.interruption = Interruption(clock, clock.pause)
    return clock


@pytest.fixture
def emulator(clock: InterruptedClock) -> Iterator[Emulator]:
    """It runs on the same clock."""
    with Emulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
def new_run(settings: Settings, clock: InterruptedClock, said: list[str]) -> Callable[[], Run]:
    """Begins a run that can be interrupted."""

    def begin() -> Run:
        transport = Transport(
            settings,
            say=said.append,
            clock=clock,
            sleep=clock.sleep,
            draw=lambda: 0.5,
            interruption=clock.interruption,
        )
        return Run(settings, transport, said.append)

    return begin


@pytest.fixture
def run(new_run: Callable[[], Run]) -> Run:
    """One run that can be interrupted."""
    return new_run()


def failed(act: Callable[[], object]) -> str:
    """The error of an operation in an interrupted run."""
    with pytest.raises(ChektError) as caught:
        act()
    return anonymous(str(caught.value))


def test_an_interrupted_run_begins_no_change(
    emulator: Emulator, new_run: Callable[[], Run], clock: InterruptedClock
) -> None:
    """No creation, no update, no deletion; what they look at first is still read."""
    recorded = new_run().stations.create(central())
    run = new_run()
    emulator.clear_requests()
    clock.interruption.come()

    lines = [
        failed(lambda: run.stations.create(central(external_monitoring_station_id="new-01"))),
        failed(lambda: run.stations.update(recorded, central(name="Other"))),
        failed(lambda: run.stations.delete(recorded)),
    ]

    why = "the run was interrupted. Nothing was changed. Run again. (trace id T)"
    assert lines == [
        f"Could not create monitoring station 'new-01' of dealer 12345: {why}",
        f"Could not update monitoring station 'central-01' (12345/1): {why}",
        f"Could not delete monitoring station 'central-01' (12345/1): {why}",
    ]
    assert {call.partition(" ")[0] for call in calls(emulator)} == {"GET"}


def test_after_five_seconds_it_makes_no_call(
    emulator: Emulator, new_run: Callable[[], Run], clock: InterruptedClock
) -> None:
    """Until then it reads; after that it does not even ask for a token."""
    number = emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    station_id = StationId("12345", str(number))
    with_token, without_token = new_run(), new_run()
    clock.interruption.come()
    clock.now += 4.9
    assert with_token.stations.read(station_id, None) is not None
    clock.now += 0.1
    emulator.clear_requests()

    lines = [
        failed(lambda: with_token.stations.read(StationId("12345", "2"), None)),
        failed(lambda: without_token.stations.read(StationId("12345", "2"), None)),
    ]

    assert (
        lines
        == [
            "Could not read monitoring station 12345/2: the run was interrupted. Nothing was changed. Run again. "
            "(trace id T)"
        ]
        * 2
    )
    assert calls(emulator) == []


def test_a_creation_in_doubt_is_looked_for_and_recorded(emulator: Emulator, run: Run, clock: InterruptedClock) -> None:
    """Its answer was lost, and Ctrl-C came while it waited to look again: the station is not lost."""
    emulator.switches = Switches(list_lag=2, item_lag=2)
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=502))

    recorded = run.stations.create(central())

    assert clock.interruption.forbids(beginning=True)
    assert str(recorded.id) == "12345/1"
    assert [call for call in calls(emulator) if call.startswith("POST")] == ["POST /monitoring-stations"]


def test_a_creation_that_does_not_show_in_time_is_told(emulator: Emulator, run: Run, clock: InterruptedClock) -> None:
    """The POST is not sent again, and the line says that the station may be there."""
    emulator.switches = Switches(list_lag=12, item_lag=12)
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=502))

    line = failed(lambda: run.stations.create(central()))

    assert line == (
        "Could not create monitoring station 'central-01' of dealer 12345: CHeKT failed: bad_gateway, "
        '"a fault of the emulator". '
        "The station may have been created: looking for it failed too (the run was interrupted). "
        "Run `pulumi up` again: it names the station where it is there. (HTTP 502, trace id T, request id R)"
    )
    assert [name for _, name, *_ in held(emulator)] == ["central-01"]


def test_an_update_in_doubt_says_so(emulator: Emulator, run: Run) -> None:
    """CHeKT asked for half a minute of patience, and may still have done it; the PUT is not sent again."""
    recorded = run.stations.create(central())
    emulator.add_fault(Fault(method="PUT", path="*", when="after", status=429, headers={"Retry-After": "30"}))

    line = failed(lambda: run.stations.update(recorded, central(name="Other")))

    assert line == (
        "Could not update monitoring station 'central-01' (12345/1): the run was interrupted. Whether the change was "
        "made is not known. Run again. (trace id T)"
    )


def test_a_moved_site_gets_back_what_the_move_took(emulator: Emulator, new_run: Callable[[], Run]) -> None:
    """Where PUT replaces a site, Ctrl-C between the two calls loses nothing; the next site stays where it is."""
    recorded = replace(new_run().stations.create(central()), reassign_sites_to="2")
    run = new_run()
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    for number in ("0001", "0002"):
        house(emulator, number)
    emulator.switches = Switches(site_put="replace", site_put_delay=1)

    line = failed(lambda: run.stations.delete(recorded))

    assert line == (
        "Could not move site 'House' (2) from monitoring station 'central-01' (12345/1) to monitoring station 12345/2: "
        "the run was interrupted. 1 of 2 sites were moved before, and the station was not deleted; the next run goes "
        "on. Run again. (trace id T)"
    )
    assert placed(emulator) == {1: 2, 2: 1}
    assert [site["account_number"] for site in emulator.sites()] == ["0001", "0002"]


def test_an_interrupted_run_is_over_five_seconds_after_the_call_that_was_under_way(clock: InterruptedClock) -> None:
    """However long the call takes, the run looks at what became of it. A call that begins later adds nothing."""
    interruption = clock.interruption
    with interruption.call():
        interruption.come()
        clock.now += 7
        assert not interruption.is_over()
    clock.now += 4.9
    with interruption.call():
        assert not interruption.forbids(beginning=False)
    assert not interruption.is_over()
    clock.now += 0.1
    assert interruption.is_over()


def test_a_wait_ends_when_the_run_is_interrupted() -> None:
    """A wait for the rate limit may be minutes long."""
    interruption = Interruption(pause=lambda seconds: None)
    waiting = threading.Thread(target=interruption.sleep, args=(3600,))
    waiting.start()

    interruption.come()

    waiting.join(60)
    assert not waiting.is_alive()


def test_a_wait_in_an_interrupted_run_is_cut_to_what_is_left_of_it(clock: InterruptedClock) -> None:
    """It has five seconds from the first Ctrl-C, whatever a second one does."""
    clock.interruption.come()
    clock.now += 2
    clock.interruption.come()

    for seconds in (1, 60, 60):
        clock.interruption.sleep(seconds)

    assert clock.slept == [1, 2, 0]

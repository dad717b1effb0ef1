"""Any order of operations, faults, crashes and other people's actions, with a dictionary as the model.

For a longer search, with other seeds than the usual ones:

    STATEFUL_EXAMPLES=2000 pytest tests/operations/test_stateful.py
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chekt_provider.api.answers import RawAnswer
from chekt_provider.api.client import Client
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import (
    ChektError,
    CredentialsRefused,
    NotChekt,
    OtherStation,
    StationExists,
    TwinStations,
)
from chekt_provider.model.fields import StationInputs
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from chekt_provider.settings import Settings, read_settings
from tests.clock import Clock
from tests.helpers import COLLECTION, central, held

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "0"))
T = TypeVar("T")


class Died(BaseException):
    """The process was killed."""


class MortalClock(Clock):
    """The clock of a process that is killed after this many steps: before a request, after one, or before a wait."""

    steps_left: int | None = None

    def step(self) -> None:
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise Died

    def sleep(self, seconds: float) -> None:
        self.step()
        super().sleep(seconds)


class MortalTransport(Transport):
    """Sends requests; the process may die before it sends one, or before it sees the answer."""

    def __init__(self, settings: Settings, *, clock: MortalClock, **given: Any) -> None:
        super().__init__(settings, clock=clock, **given)
        send = self._exchange.send

        def sent_by_a_mortal(*arguments: Any, **content: Any) -> RawAnswer:
            clock.step()
            answer = send(*arguments, **content)
            clock.step()
            return answer

        self._exchange.send = sent_by_a_mortal  # type: ignore[method-assign]


def new_run(emulator: Emulator, clock: MortalClock, said: list[str]) -> StationOperations:
    """The operations of a new process, and where it says what a person should know."""
    settings = read_settings(lambda key: None, emulator.environment())
    transport = MortalTransport(settings, say=said.append, clock=clock, sleep=clock.sleep, draw=lambda: 0.5)
    return StationOperations(Client(transport), settings, said.append)


EXTERNAL_IDS = ("alpha", "bravo", "charlie")
IN_MID_RUN = ("revoke_tokens", "edit_station", "remove_station")
"""What may also happen between two steps of one run; a run looks at the sites once."""

EVENTS = (*IN_MID_RUN, "make_station", "add_site", "move_sites", "another_run", "another_stack", "restore")
BEFORE = st.sampled_from((None,) * len(EVENTS) + EVENTS)
FIELDS = ("external_monitoring_station_id", "name", "prefix", "linecard")
VALUES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["One", "Two"]),
        "prefix": st.sampled_from(["", "PR"]),
        "linecard": st.sampled_from(["", "7"]),
    }
)
SWITCHES = st.builds(
    Switches,
    put=st.sampled_from(["merge", "replace"]),
    unset=st.sampled_from(["null", "empty", "absent"]),
    clear=st.sampled_from(["empty", "null"]),
    duplicate=st.sampled_from(["409", "400", "422", "twin"]),
    idempotency=st.sampled_from(["kept", "ignored"]),
    delete_with_sites=st.sampled_from(["orphan", "refuse"]),
    lists=st.sampled_from(["whole", "pages", "pages_from_0", "offset", "added", "links"]),
    page_size=st.integers(1, 3),
    list_total=st.sampled_from(["untold", "told"]),
    list_lag=st.sampled_from([0, 0, 2, 6]),
    item_lag=st.sampled_from([0, 0, 2]),
    created_at=st.sampled_from(["zoned", "zoned", "naive", "absent"]),
    database_clock=st.sampled_from([0, -3, 3]),
    post_answer=st.sampled_from(["station", "station", "location", "accepted"]),
    delete_answer=st.sampled_from(["204", "200", "202"]),
    gone=st.sampled_from(["404", "410"]),
    replays=st.sampled_from(["unmarked", "marked"]),
    numbers=st.sampled_from(["once", "again"]),
)
BEHIND = 20.0
"""Seconds after which CHeKT shows what was written, under all switches."""
KINDS: list[dict[str, Any]] = [
    {"status": 503},
    {"status": 503, "when": "after"},
    {"status": 500, "remember": True},
    {"status": 500, "when": "after", "remember": True},
    {"reset": True},
    {"reset": True, "when": "after"},
    {"cut": 5},
    {"status": 429, "headers": {"Retry-After": "3"}},
    {"status": 429, "when": "after"},
    {"status": 401},
    {"status": 401, "when": "after"},
    {"status": 408, "when": "after"},
    {"status": 425, "when": "after"},
    {"status": 200, "body": "<html>", "content_type": "text/html"},
    {"status": 200, "body": "<html>", "content_type": "text/html", "when": "after"},
]
FAULTS = st.builds(
    lambda kind, method, times, skip: Fault(path="/partner/*", method=method, times=times, skip=skip, **kind),
    kind=st.sampled_from(KINDS),
    method=st.sampled_from([None, "GET", "POST", "PUT", "DELETE"]),
    times=st.sampled_from([1, 2, 6]),
    skip=st.integers(0, 1),
)
TOKEN_FAULTS = st.builds(
    lambda kind, times: Fault(path="/oauth/token", times=times, **kind),
    kind=st.sampled_from([kind for kind in KINDS if kind.get("when") != "after" and "remember" not in kind]),
    times=st.sampled_from([1, 6]),
)


@dataclass(frozen=True)
class Mishap:
    """What hits one step: faults of CHeKT, or the death of the process after this many of its own steps."""

    faults: tuple[Fault, ...] = ()
    life: int | None = None


CALM = Mishap()
LYING_LIST = Fault(method="GET", path=COLLECTION, status=200, body="[]")
LIES = st.sampled_from(
    [Mishap((LYING_LIST,)), Mishap((LYING_LIST, Fault(method="GET", path=f"{COLLECTION}/*", status=404)))]
)
"""The first look shows nothing, and the station itself may deny that it is there; a second look tells the truth."""

MISHAPS = st.one_of(
    st.just(CALM),
    st.builds(lambda *faults: Mishap(faults), FAULTS),
    st.builds(lambda *faults: Mishap(faults), FAULTS, FAULTS),
    st.builds(lambda *faults: Mishap(faults), TOKEN_FAULTS),
    st.builds(lambda life: Mishap(life=life), st.integers(0, 20)),
)


def recorded_in(state: dict[str, Recorded]) -> st.SearchStrategy[Recorded]:
    return st.sampled_from([state[external_id] for external_id in sorted(state)])


class Stations(RuleBasedStateMachine):
    """What Pulumi and other people do to one dealer.

    Attributes:
        state: what Pulumi has recorded, by external id.
        theirs: ids of the stations that other people and other stacks made.
        restored: the stations that have a number of ours since a backup was restored, by id.
        with_sites: ids of the stations that sites use.
        unsure: external ids whose record may differ from what CHeKT holds, with the run that caused it.
    """

    emulator: Emulator
    clock: MortalClock
    done: Counter[str]

    @initialize(switches=SWITCHES)
    def begin(self, switches: Switches) -> None:
        self.emulator.reset()
        self.emulator.switches = switches
        self.clock.steps_left = None
        self.state: dict[str, Recorded] = {}
        self.theirs: set[str] = set()
        self.with_sites: set[str] = set()
        self.unsure: dict[str, int] = {}
        self.made: set[str] = set()
        self.restored: dict[str, dict[str, Any]] = {}
        self.run = 0
        self._start_run()

    def _start_run(self) -> None:
        self.run += 1
        self.made.clear()
        self.emulator.clear_faults()
        self.clock.steps_left = None
        self.clock.now += BEHIND  # a process sees what CHeKT shows by then; see test_safe_*.py for less
        self.said: list[str] = []
        self.operations = new_run(self.emulator, self.clock, self.said)

    def _live(self) -> dict[str, dict[str, Any]]:
        """What CHeKT holds, by monitoring station id."""
        return {str(station["monitoring_station_id"]): station for station in self.emulator.stations()}

    def _called(self, external_id: str) -> list[str]:
        return [n for n, station in self._live().items() if station["external_monitoring_station_id"] == external_id]

    def _attempt(self, operation: str, act: Callable[[], T], mishap: Mishap) -> T | ChektError | Died:
        """Do it despite a mishap; a killed process is followed by a new run."""
        self.done[operation] += 1
        for fault in mishap.faults:
            self.emulator.add_fault(fault)
        self.clock.steps_left = mishap.life
        before = self._live()
        try:
            return act()
        except ChektError as error:
            self.done[f"{operation} failed"] += 1
            self._require_truth(error, before)
            if isinstance(error, CredentialsRefused):  # for the rest of the run
                self._start_run()
            return error
        except Died as death:
            self.done[f"{operation} died"] += 1
            self._start_run()
            return death
        finally:
            self.clock.steps_left = None
            self.clock.now += 2
            self.emulator.clear_faults()

    def _require_truth(self, error: ChektError, before: dict[str, dict[str, Any]]) -> None:
        """If an error says that something was not done, compare that with what CHeKT did."""
        said, after = str(error), self._live()
        if "Nothing was created" in said:
            assert after.keys() <= before.keys(), said
        if "Nothing was deleted" in said:
            assert before.keys() <= after.keys(), said
        if "Nothing was changed" in said:
            assert before == after, said

    # What Pulumi does

    @rule(data=st.data(), before=BEFORE, values=VALUES, adopt=st.booleans(), mishap=MISHAPS)
    @precondition(lambda self: len(self.state) < len(EXTERNAL_IDS))
    def create(
        self, data: st.DataObject, before: str | None, values: dict[str, str], adopt: bool, mishap: Mishap
    ) -> None:
        """Pulumi creates what it has no record of."""
        self._meanwhile(before, data)
        external_id = data.draw(st.sampled_from([known for known in EXTERNAL_IDS if known not in self.state]))
        wanted = central(
            external_monitoring_station_id=external_id,
            adopt_existing=adopt,
            declared_by=f"ours/{external_id}",
            **values,
        )
        there = self._called(external_id)
        result = self._attempt("create", lambda: self.operations.create(wanted), mishap)
        if isinstance(result, Recorded):
            self._record_write(result, wanted)
            if result.id.station_id in there:
                assert adopt, "taken over unasked"
            self.made.add(external_id)
            if result.id.station_id not in self._live():  # a replay that its age does not give away
                assert any(said.endswith(": run `pulumi up --refresh` in a minute.") for said in self.said), self.said
                self.unsure[external_id] = self.run
            return
        changed_since_the_look = self.unsure.get(external_id) == self.run
        if isinstance(result, NotChekt):  # a replay, whose number a station of the same name has since a restore
            assert any(f"(12345/{number})" in str(result) for number in self.theirs) or mishap != CALM, result
        elif mishap == CALM and not isinstance(result, OtherStation) and not changed_since_the_look:
            assert isinstance(result, TwinStations if len(there) > 1 else StationExists), result
            assert len(there) > 1 or (there and not adopt), result
        self._start_run()  # Pulumi never tries a creation twice in one run

    @rule(data=st.data(), before=BEFORE, values=VALUES, mishap=MISHAPS)
    @precondition(lambda self: self.state)
    def update(self, data: st.DataObject, before: str | None, values: dict[str, str], mishap: Mishap) -> None:
        """Pulumi updates what it has a record of."""
        self._meanwhile(before, data)
        recorded = data.draw(recorded_in(self.state))
        wanted = central(
            external_monitoring_station_id=recorded.external_id, declared_by=recorded.declared_by, **values
        )
        result = self._attempt("update", lambda: self.operations.update(recorded, wanted), mishap)
        if result == recorded or self._given_up(result, recorded):
            return
        if isinstance(result, Recorded):
            self._record_write(result, wanted)
            return
        self.unsure[recorded.external_id] = self.run
        assert mishap != CALM or recorded.id.station_id not in self._live(), result

    def _record_write(self, result: Recorded, wanted: StationInputs) -> None:
        edited_just_now = self.unsure.get(result.external_id) == self.run
        if not (edited_just_now and self.emulator.switches.item_lag):  # the station may still show itself as it was
            self.unsure.pop(result.external_id, None)
        self.state[result.external_id] = result
        assert [result.fields[name] for name in FIELDS] == [getattr(wanted, name) for name in FIELDS]

    @rule(data=st.data(), before=BEFORE, mishap=MISHAPS | LIES)
    @precondition(lambda self: self.state)
    def refresh(self, data: st.DataObject, before: str | None, mishap: Mishap) -> None:
        """Pulumi reads, and forgets what is gone."""
        self._meanwhile(before, data)
        if LYING_LIST in mishap.faults:
            self._start_run()  # the run's first look gets the lie
        recorded = data.draw(recorded_in(self.state))
        result = self._attempt("read", lambda: self.operations.read(recorded.id, recorded), mishap)
        if result is None:
            assert recorded.id.station_id not in self._live(), "a living station was taken out of the state"
            del self.state[recorded.external_id]
            self.unsure.pop(recorded.external_id, None)
        elif self._given_up(result, recorded):
            return
        elif isinstance(result, Recorded):
            self.state[result.external_id] = result
            if self.unsure.get(result.external_id, self.run) < self.run:  # one run looks once
                del self.unsure[result.external_id]
        else:
            assert mishap != CALM, result

    @rule(data=st.data(), before=BEFORE, mishap=MISHAPS)
    @precondition(lambda self: self.state)
    def destroy(self, data: st.DataObject, before: str | None, mishap: Mishap) -> None:
        """Pulumi deletes, in a later run than the one that created or adopted."""
        self._meanwhile(before, data)
        recorded = data.draw(recorded_in(self.state))
        if recorded.external_id in self.made:
            self._start_run()
        unsure = set(self.unsure)  # somebody may have removed it, and its sites, after the run looked
        result = self._attempt("delete", lambda: self.operations.delete(recorded), mishap)
        if result is None:
            given_again = [other for other in self.state.values() if other is not recorded and other.id == recorded.id]
            stands = self._called(recorded.external_id) if given_again else self._live()
            assert recorded.id.station_id not in stands
            del self.state[recorded.external_id]
            self.unsure.pop(recorded.external_id, None)
            return
        if self._given_up(result, recorded):
            return
        self.unsure[recorded.external_id] = self.run
        assert mishap != CALM or self._has_sites(recorded) or recorded.external_id in unsure, result

    def _given_up(self, result: object, recorded: Recorded) -> bool:
        """The number belongs to another station: a person takes the entry out of the state, as the error says."""
        if not isinstance(result, OtherStation):
            return False
        assert recorded.id.station_id not in self._called(recorded.external_id), result
        del self.state[recorded.external_id]
        self.unsure.pop(recorded.external_id, None)
        return True

    def _has_sites(self, recorded: Recorded) -> bool:
        by_name = {site["external_monitoring_station_id"] for site in self.emulator.sites()}
        return recorded.id.station_id in self.with_sites or recorded.external_id in by_name

    # What happens around it

    def _meanwhile(self, event: str | None, data: st.DataObject) -> None:
        """Somebody does something in the portal, or CHeKT changes; mostly another run follows."""
        if event is None:
            return
        self.done[event] += 1
        self.clock.now += 2
        getattr(self, f"_{event}")(data)
        if event not in IN_MID_RUN or data.draw(st.booleans()):
            self._start_run()

    def _another_run(self, data: st.DataObject) -> None:
        self.emulator.switches = data.draw(SWITCHES)

    def _another_stack(self, data: st.DataObject) -> None:
        """It also wants one of our external ids, and may adopt nothing."""
        external_id = data.draw(st.sampled_from(EXTERNAL_IDS))
        before = self._live().keys()
        with contextlib.suppress(ChektError):
            wanted = central(external_monitoring_station_id=external_id, declared_by=f"theirs/{external_id}")
            made = new_run(self.emulator, self.clock, []).create(wanted)
            assert made.id.station_id not in before, "taken over unasked"
        self.theirs |= self._live().keys() - before

    def _restore(self, data: st.DataObject) -> None:
        """A backup is restored; one of our numbers now belongs to another station."""
        if self.state:
            recorded = data.draw(recorded_in(self.state))
            number = recorded.id.station_id
            self.emulator.put_station(int(number), external_monitoring_station_id=f"shop-{number}", name="Shop")
            for external_id, other in self.state.items():
                if other.id == recorded.id:  # a number given again may stand in the state twice
                    self.unsure[external_id] = self.run
            self.theirs.add(number)
            self.with_sites.discard(number)
            self.restored[number] = self._live()[number]

    def _revoke_tokens(self, _: st.DataObject) -> None:
        self.emulator.revoke_tokens()

    def _make_station(self, data: st.DataObject) -> None:
        external_id = data.draw(st.sampled_from(EXTERNAL_IDS))
        if len(self._called(external_id)) < 2:
            values: dict[str, Any] = data.draw(VALUES)
            number = self.emulator.add_station(external_monitoring_station_id=external_id, **values)
            self.theirs.add(str(number))

    def _edit_station(self, data: st.DataObject) -> None:
        if number := self._any_station(data):
            values: dict[str, Any] = data.draw(VALUES)
            self.emulator.edit_station(number, **values)
            self._doubt(number)

    def _remove_station(self, data: st.DataObject) -> None:
        if number := self._any_station(data):
            self._doubt(number)
            self.emulator.remove_station(number)
            self.with_sites.discard(str(number))

    def _add_site(self, data: st.DataObject) -> None:
        if number := self._any_station(data):
            external_id = f"site-{len(self.emulator.sites())}"
            self.emulator.add_site(external_site_id=external_id, name="Shop", monitoring_station_id=number)
            self.with_sites.add(str(number))

    def _move_sites(self, _: st.DataObject) -> None:
        for site in self.emulator.sites():
            self.emulator.edit_site(site["site_id"], monitoring_station_id=None)
        self.with_sites.clear()

    def _any_station(self, data: st.DataObject) -> int | None:
        numbers = [station["monitoring_station_id"] for station in self.emulator.stations()]
        return data.draw(st.sampled_from(numbers)) if numbers else None

    def _doubt(self, number: int) -> None:
        self.restored.pop(str(number), None)
        self.unsure[self._live()[str(number)]["external_monitoring_station_id"]] = self.run

    # What always holds

    @invariant()
    def at_most_one_station_of_ours_has_an_external_id(self) -> None:
        """Whatever happened."""
        ours = [s["external_monitoring_station_id"] for number, s in self._live().items() if number not in self.theirs]
        assert len(ours) == len(set(ours)), ours

    @invariant()
    def no_station_of_others_was_touched(self) -> None:
        """This means stations that have one of our numbers."""
        live = self._live()
        assert {number: live.get(number) for number in self.restored} == self.restored

    @invariant()
    def no_station_with_sites_was_deleted(self) -> None:
        """We never deleted one; the portal's removals do not count."""
        assert self.with_sites <= self._live().keys()

    @invariant()
    def the_state_is_what_chekt_holds(self) -> None:
        """Unless somebody, a fault or a crash came in between."""
        live = self._live()
        for external_id, recorded in self.state.items():
            if external_id not in self.unsure:
                station = live[recorded.id.station_id]
                assert {name: station[name] for name in ("name", "prefix", "linecard")} == {
                    name: recorded.fields[name] for name in ("name", "prefix", "linecard")
                }


def test_a_station_can_be_made_and_deleted_any_number_of_times_a_day() -> None:
    """For 24 hours CHeKT replays its answer to each key: the 25th creation still makes one that lives."""
    clock = MortalClock()
    with Emulator(clock=clock, plan=None) as emulator:
        for n in range(1, 26):
            clock.now += 60
            run = new_run(emulator, clock, [])
            made = run.create(central())
            assert held(emulator) == [(n, "central-01", "Central", "CH", "7")]
            new_run(emulator, clock, []).delete(made)


@pytest.mark.timeout(900)  # a failure is shrunk for up to five minutes
def test_no_order_of_events_makes_a_second_station_or_loses_one() -> None:
    """At least 2,000 steps; everybody sees the same ones, unless STATEFUL_EXAMPLES asks for others."""
    Stations.done = Counter()
    Stations.clock = MortalClock(now=1_700_000_000.0)
    with Emulator(clock=lambda: Stations.clock.now) as Stations.emulator:
        run_state_machine_as_test(
            Stations,
            settings=hypothesis.settings(
                max_examples=EXAMPLES or 55,
                stateful_step_count=50,
                derandomize=not EXAMPLES,
                suppress_health_check=list(hypothesis.HealthCheck),
            ),
        )
    steps = {operation: Stations.done[operation] for operation in ("create", "read", "update", "delete")}
    assert sum(steps.values()) >= 2000, Stations.done
    assert min(steps.values()) >= 150, Stations.done

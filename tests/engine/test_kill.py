"""A run is stopped or killed while a request is on its way: the next one finds what it made.

At a boundary: CHeKT has received a "before" request but not carried it out; it has carried out an "after" request but
not answered it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from tests.engine.conftest import Run, Stack, until
from tests.helpers import COLLECTION, EXISTS_REMEDY, anonymous, calls, held
from tools.processes import Process, family

HELD_SECONDS = 6.0
"""How long CHeKT leaves a request without an answer: enough for a signal to come in between on a busy machine."""

Signals = Callable[["KilledRun"], None]


class KilledRun:
    """A `pulumi up` in its own process group, to be killed.

    Args:
        stack: whose program it runs.
    """

    def __init__(self, stack: Stack) -> None:
        self._output = stack.folder / "killed.txt"
        with self._output.open("w") as output:
            self.engine = subprocess.Popen(
                ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
                cwd=stack.folder,
                env={**os.environ, **stack.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._family: set[int] = {self.engine.pid}

    def family(self) -> list[Process]:
        """The engine and what it started, even if their parents have died since."""
        found = family(self._family)
        self._family |= {process.pid for process in found}
        return found

    def plugin(self) -> list[int]:
        """The process that runs the provider, while it lives."""
        return [process.pid for process in self.family() if "-m pulumi.dynamic" in process.command]

    def text(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def end(self) -> None:
        """Kill whatever is left of it."""
        for process in self.family():
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(process.pid, signal.SIGKILL)
        self.engine.wait()


@pytest.fixture
def start(stack: Stack) -> Iterator[Callable[[], KilledRun]]:
    """Starts runs, and ends what outlives them."""
    runs: list[KilledRun] = []

    def start() -> KilledRun:
        runs.append(KilledRun(stack))
        return runs[-1]

    yield start
    for run in runs:
        run.end()


def ctrl_c(run: KilledRun) -> None:
    """SIGINT to the whole group, as a terminal does it."""
    os.killpg(run.engine.pid, signal.SIGINT)


def ctrl_c_twice(run: KilledRun) -> None:
    """A second one as soon as the engine has taken the first."""
    ctrl_c(run)
    until(lambda: "^C received" in run.text(), "the engine says that it was interrupted")
    ctrl_c(run)


def kill_engine(run: KilledRun) -> None:
    """SIGKILL to the engine, like a CI job that is cancelled."""
    run.family()
    os.kill(run.engine.pid, signal.SIGKILL)


def kill_plugin(run: KilledRun) -> None:
    """SIGKILL to the process that runs the provider."""
    for pid in run.plugin():
        os.kill(pid, signal.SIGKILL)


SIGNALS = [ctrl_c, ctrl_c_twice, kill_engine, kill_plugin]
ORPHANS: dict[Signals, int] = {ctrl_c: 0, ctrl_c_twice: 1, kill_engine: 1, kill_plugin: 1}
"""How many of two creations CHeKT has and the state has not; a provider that outlives its engine begins nothing."""

PENDING: dict[Signals, set[str]] = {
    ctrl_c: set(),
    ctrl_c_twice: {"new-a", "new-b"},
    kill_engine: {"new-a", "new-b"},
    kill_plugin: set(),
}
"""The resources of which Pulumi still believes that they are being created."""


def kill_both(run: KilledRun) -> None:
    """SIGKILL to engine and plugin, as when their container is taken away."""
    plugin = run.plugin()
    for pid in [run.engine.pid, *plugin]:
        os.kill(pid, signal.SIGKILL)


def put_to_sleep(run: KilledRun) -> None:
    """Engine and provider stand still until SIGCONT, as on a machine that sleeps."""
    for pid in [run.engine.pid, *run.plugin()]:
        os.kill(pid, signal.SIGSTOP)


def hold(emulator: Emulator, *requests: tuple[str, str]) -> None:
    """Make CHeKT hold two requests of each kind: one not carried out, one carried out."""
    for method, path in requests:
        emulator.add_fault(Fault(method=method, path=path, when="before", hang=HELD_SECONDS))
        emulator.add_fault(Fault(method=method, path=path, when="after", delay=HELD_SECONDS))


def recorded(stack: Stack) -> tuple[dict[str, str], set[str]]:
    """What the state's file holds: the stations' ids by name, and the creations that are pending."""
    latest = _latest(stack)
    stations = [r for r in latest.get("resources", []) if r["type"].endswith("chekt:MonitoringStation")]
    pending = [o["resource"] for o in latest.get("pending_operations") or [] if o["type"] == "creating"]
    return {_name(r): r.get("id", "") for r in stations}, {_name(r) for r in pending}


def begun(stack: Stack) -> set[str]:
    """The resources that the state's file calls pending."""
    return {_name(operation["resource"]) for operation in _latest(stack).get("pending_operations") or []}


def _latest(stack: Stack) -> dict[str, Any]:
    (file,) = (stack.folder / "state" / ".pulumi" / "stacks").glob("**/dev.json")
    latest: dict[str, Any] = json.loads(file.read_text())["checkpoint"]["latest"]
    return latest


def _name(resource: dict[str, Any]) -> str:
    name: str = resource["urn"].rpartition("::")[2]
    return name


def names(emulator: Emulator) -> list[tuple[str, str]]:
    """What CHeKT holds: (external id, name) of each station, in order."""
    return sorted((external_id, name) for _, external_id, name, _, _ in held(emulator))


def killed(
    start: Callable[[], KilledRun],
    kill: Signals,
    emulator: Emulator,
    *,
    reached: Callable[[], bool],
) -> None:
    """Start a run, kill it when CHeKT holds what it should, and wait for what the provider still does.

    Args:
        start: starts it.
        kill: how.
        emulator: holds the requests.
        reached: whether every held request has come as far as it should.
    """
    emulator.clear_requests()
    run = start()
    until(lambda: not emulator.faults and reached(), "the requests are held")
    kill(run)
    run.engine.wait()
    until(
        lambda: all(r.outcome != "pending" for r in emulator.requests) and not run.plugin(),
        "the provider has done what it still does",
    )


def unlock(stack: Stack) -> None:
    """Take away the lock that a killed engine leaves."""
    if list((stack.folder / "state" / ".pulumi" / "locks").glob("**/*.json")):
        stack.pulumi("cancel", "--yes")


def end_in_order(emulator: Emulator, stack: Stack, wanted: dict[str, str]) -> None:
    """CHeKT holds one station each, the state the same, and nothing is left to do.

    Args:
        emulator: that CHeKT.
        stack: whose state.
        wanted: the stations' names by external id.
    """
    assert names(emulator) == sorted(wanted.items())
    if recorded(stack)[1]:
        stack.pulumi("refresh", "--clear-pending-creates", "--yes", "--skip-preview", "--expect-no-changes")
    else:
        stack.up_changes_nothing()
    assert recorded(stack) == ({name: f"12345/{number}" for number, name, *_ in held(emulator)}, set())


def told(run: Run) -> set[str]:
    """What the provider said in a run."""
    return {line.strip() for line in run.text.splitlines() if line.strip().startswith("chekt: ")}


def posts(emulator: Emulator, external_id: str) -> list[tuple[int | None, bool]]:
    """The answered POSTs of one station: the status, and whether it was an earlier answer."""
    sent = [r for r in emulator.requests if r.method == "POST" and r.path == COLLECTION and r.outcome == "answered"]
    return [(r.status, r.replayed) for r in sent if r.body["external_monitoring_station_id"] == external_id]


def program(names: dict[str, str]) -> str:
    """A program of stations, by external id and name."""
    return "".join(
        f"MonitoringStation({x!r}, external_monitoring_station_id={x!r}, name={n!r})\n" for x, n in names.items()
    )


@pytest.mark.acceptance("Ctrl-C during create")
@pytest.mark.parametrize(
    ("kill", "lag"), [*((kill, 0) for kill in SIGNALS), (kill_engine, 2), (kill_plugin, 2), (ctrl_c_twice, 2)]
)
def test_killed_creations_and_updates_are_repaired_by_the_next_run(
    emulator: Emulator, stack: Stack, start: Callable[[], KilledRun], kill: Signals, lag: float
) -> None:
    """Two creations and two updates at once, one of each before CHeKT carries it out and one after.

    A creation that was stored but not recorded stops the next run with its id and the two ways out; a run that may
    adopt takes it over, tells what it had, and sets what the program says by then. At the end there is one station
    each.
    """
    stack.program(program({"edited-a": "Old", "edited-b": "Old"}))
    stack.up()
    emulator.switches = Switches(list_lag=lag, item_lag=lag, duplicate="twin" if lag else "409")
    wanted = {"edited-a": "New", "edited-b": "New", "new-a": "New", "new-b": "New"}
    stack.program(program(wanted))
    hold(emulator, ("POST", COLLECTION), ("PUT", "*"))

    killed(start, kill, emulator, reached=lambda: len(held(emulator)) == 3)

    unlock(stack)
    ids = {external_id: number for number, external_id, *_ in held(emulator)}
    stations, pending = recorded(stack)
    orphans = sorted(ids.keys() - stations.keys())
    assert len(orphans) == ORPHANS[kill]
    assert pending == PENDING[kill]
    refused = stack.up("--continue-on-error", status=1 if orphans else 0).errors
    assert sorted(anonymous(error) for error in refused) == [
        f"error: Could not create monitoring station '{orphan}' of dealer 12345: it exists already as "
        f"12345/{ids[orphan]}, with name 'New', prefix '', linecard ''. Nothing was changed. "
        f"{EXISTS_REMEDY} (trace id T)"
        for orphan in orphans
    ]
    wanted |= {"new-a": "Newer", "new-b": "Newer"}
    stack.program(program(wanted))
    emulator.clear_requests()
    said = told(stack.up(CHEKT_ADOPT_EXISTING="true"))

    ids = {external_id: number for number, external_id, *_ in held(emulator)}
    assert said == {
        f"chekt: Adopting monitoring station '{orphan}' (12345/{ids[orphan]}): changing name from 'New' to 'Newer'."
        for orphan in orphans
    }
    assert sorted(call for call in calls(emulator) if not call.startswith("GET ")) == sorted(
        f"PUT /monitoring-stations/{ids[edited]}" for edited in ("new-a", "new-b")
    )
    emulator.switches = Switches()  # a reading that lags would show the old names
    end_in_order(emulator, stack, wanted)


@pytest.mark.acceptance("Ctrl-C during create")
def test_after_ctrl_c_no_creation_begins(emulator: Emulator, stack: Stack, start: Callable[[], KilledRun]) -> None:
    """Three creations wait for a pace of one a minute: one Ctrl-C ends the run, and the next one makes them."""
    wanted = {f"new-{number:02}": "New" for number in range(3)}
    stack.program(program(wanted))
    stack.environment["CHEKT_REQUESTS_PER_MINUTE"] = "1"
    run = start()
    until(lambda: len(begun(stack)) == 3, "all creations have begun")

    ctrl_c(run)

    run.engine.wait()
    assert held(emulator) == []
    lines = {anonymous(line).strip() for line in run.text().splitlines() if line.strip().startswith("error: Could")}
    assert lines == {
        f"error: Could not create monitoring station '{name}' of dealer 12345: the run was interrupted. "
        "Nothing was changed. Run again. (trace id T)"
        for name in wanted
    }
    del stack.environment["CHEKT_REQUESTS_PER_MINUTE"]
    stack.up()
    end_in_order(emulator, stack, wanted)


def test_a_creation_that_fails_interrupts_no_other(emulator: Emulator, stack: Stack) -> None:
    """Only a Ctrl-C interrupts a run: a failure lets the other operations finish."""
    stack.program(program({"refused": "New", "slow": "New"}))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", status=502, delay=2))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=403))
    emulator.switches = Switches(list_lag=2, item_lag=2)

    run = stack.up(status=1)

    (created,) = [name for _, name, *_ in held(emulator)]
    assert [name for name, _ in recorded(stack)[0].items()] == [created]
    assert len([line for line in run.errors if "Could not create" in line]) == 1
    assert "interrupted" not in run.text


@pytest.mark.parametrize("kill", SIGNALS)
def test_killed_deletions_are_finished_by_the_next_run(
    emulator: Emulator, stack: Stack, start: Callable[[], KilledRun], kill: Signals
) -> None:
    """Two at once, one before CHeKT carries it out and one after; the third station stays."""
    stack.program(program({"kept": "Kept", "old-a": "Old", "old-b": "Old"}))
    stack.up()
    stack.program(program({"kept": "Kept"}))
    hold(emulator, ("DELETE", "*"))

    killed(start, kill, emulator, reached=lambda: len(held(emulator)) == 2)

    unlock(stack)
    stack.up()
    end_in_order(emulator, stack, {"kept": "Kept"})


@pytest.mark.parametrize("kill", [kill_engine, kill_plugin])
def test_killed_before_the_first_write(
    emulator: Emulator, stack: Stack, start: Callable[[], KilledRun], kill: Signals
) -> None:
    """Killed while a run asks for a token, or for the list that it reads before it writes: the next does it all.

    A provider that outlives its engine begins nothing: another run may work on the same stack by then.
    """
    token = Fault(path="/oauth/token", hang=HELD_SECONDS)
    stations = Fault(method="GET", path=COLLECTION, when="after", delay=HELD_SECONDS)
    sites = Fault(method="GET", path="*/sites", hang=HELD_SECONDS)
    before = {"edited-1": "Old", "edited-2": "Old"}
    stack.program(program(before))
    stack.up()

    def kill_while(held_back: Fault, steps: set[str], wanted: dict[str, str]) -> None:
        stack.program(program(wanted))
        emulator.add_fault(held_back)
        killed(start, kill, emulator, reached=lambda: steps <= begun(stack))
        unlock(stack)
        assert names(emulator) == sorted(before.items())

    # An update and a creation wait for the token, then others for the list.
    kill_while(token, {"edited-1", "new-1"}, before | {"edited-1": "New", "new-1": "New"})
    whole = dict.fromkeys(("edited-1", "edited-2", "new-1", "new-2"), "New")
    kill_while(stations, {"edited-2", "new-2"}, whole)
    assert told(stack.up()) == set()
    assert names(emulator) == sorted(whole.items())

    # A deletion waits for the token, then another for the list of sites.
    before = whole
    kill_while(token, {"new-1"}, dict.fromkeys(("edited-1", "edited-2", "new-2"), "New"))
    kill_while(sites, {"new-2"}, dict.fromkeys(("edited-1", "edited-2"), "New"))
    stack.up()
    end_in_order(emulator, stack, dict.fromkeys(("edited-1", "edited-2"), "New"))


def test_a_replayed_key_makes_no_second_station(
    emulator: Emulator, stack: Stack, start: Callable[[], KilledRun]
) -> None:
    """No list shows yet what killed runs began: the next run sends the same keys, and CHeKT its first answers.

    The station "early" was stored long before; "late" is made, after the look, by a provider that slept.
    """
    other = emulator.add_station(external_monitoring_station_id="other", name="Not ours")
    earlier = json.dumps(emulator.stations())
    held_list = Fault(method="GET", path=COLLECTION, when="after", body=earlier, delay=HELD_SECONDS)
    stack.program(program({"early": "Early"}))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", delay=HELD_SECONDS))
    killed(start, kill_both, emulator, reached=lambda: len(held(emulator)) == 2)
    unlock(stack)
    stack.program(program({"early": "Early", "late": "Late"}))
    emulator.add_fault(held_list)
    asleep = start()
    until(lambda: not emulator.faults, "the first list is held")
    put_to_sleep(asleep)
    unlock(stack)

    emulator.add_fault(held_list)
    emulator.add_fault(Fault(method="GET", path=COLLECTION, body=earlier, times=4))  # both ask twice for more
    run = start()
    until(lambda: len(emulator.faults) == 1, "the second list is held")
    for pid in asleep.plugin():
        os.kill(pid, signal.SIGCONT)

    assert run.engine.wait() == 0, run.text()
    until(lambda: len(posts(emulator, "early") + posts(emulator, "late")) == 5, "both have sent all that they send")
    assert posts(emulator, "early") == [(201, False), (201, True), (201, True)]
    assert posts(emulator, "late") == [(201, False), (201, True)]
    emulator.remove_station(other)
    end_in_order(emulator, stack, {"early": "Early", "late": "Late"})

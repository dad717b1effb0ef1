"""A team's state: with PostgreSQL and with an S3-compatible store this provider works as with a folder."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from getpass import getuser
from socket import gethostname

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack, until
from tests.engine.test_kill import KilledRun, hold, names, program, told
from tests.helpers import COLLECTION, held
from tools.postgres import REMEDY, cache_folder, find_programs
from tools.s3 import s3_state
from tools.states import State, postgres_state


def postgresql() -> AbstractContextManager[State]:
    """Debian's server; without it the test fails in `make test` and in CI, and is skipped elsewhere."""
    programs = find_programs(cache_folder())
    if programs is None:
        sentence = f"No PostgreSQL server, and `make test` could not fetch one: {REMEDY}"
        if os.environ.get("TEST_ENGINE") == "required":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return postgres_state(programs)


@pytest.fixture(params=[postgresql, s3_state])
def state(request: pytest.FixtureRequest) -> Iterator[State]:
    """Each of the two, new."""
    with request.param() as state:
        yield state


def pending(state: State) -> list[str]:
    """The resources that the stored state calls pending creations."""
    (stored,) = (data for key, data in state.contents().items() if key.endswith("stacks/test/dev.json"))
    operations = json.loads(stored)["checkpoint"]["latest"].get("pending_operations", [])
    return sorted(operation["resource"]["urn"].rpartition("::")[2] for operation in operations)


def test_a_locked_stack_and_a_run_that_died(
    emulator: Emulator, stack: Stack, state: State, request: pytest.FixtureRequest
) -> None:
    """Two runs never meet: the second learns who holds the lock. What a killed run made is taken over.

    The run dies with one creation that CHeKT has not carried out yet and one that it has; its provider begins nothing
    more.
    """
    wanted = {"new-a": "New", "new-b": "New"}
    stack.program(program(wanted))
    hold(emulator, ("POST", COLLECTION))
    run = KilledRun(stack)
    request.addfinalizer(run.end)
    until(lambda: not emulator.faults and len(held(emulator)) == 1, "both creations are held")
    run.family()
    os.kill(run.engine.pid, signal.SIGSTOP)  # however slow this machine is, the lock is held

    refused = stack.up(status=1).text

    os.kill(run.engine.pid, signal.SIGKILL)
    run.engine.wait()
    until(lambda: not run.plugin(), "the provider has ended")
    ((number, name, *_),) = held(emulator)
    (lock,) = (key for key in state.contents() if "/locks/" in key)
    place, holder = refused.splitlines()[1].split(": created by ")
    assert refused.splitlines()[0] == (
        "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the "
        "lock file with `pulumi cancel`."
    )
    assert lock in place
    assert holder.startswith(f"{getuser()}@{gethostname()} (pid {run.engine.pid}) at ")

    stack.pulumi("cancel", "--yes")
    assert pending(state) == ["new-a", "new-b"]
    assert told(stack.up(CHEKT_ADOPT_EXISTING="true")) == {
        f"chekt: Adopting monitoring station '{name}' (12345/{number}): nothing changes on it."
    }
    stack.pulumi("refresh", "--clear-pending-creates", "--yes", "--skip-preview", "--expect-no-changes")
    stack.up_changes_nothing()
    assert pending(state) == []
    assert names(emulator) == sorted(wanted.items())

    stack.destroy()
    assert held(emulator) == []
    stack.assert_nothing_shows(state.secret)

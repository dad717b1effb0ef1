"""Roll-outs over many stacks, through the `chekt` command and the real engine."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from tests.engine.conftest import Run, Stack, let_pack_start, until
from tests.helpers import COLLECTION, anonymous, held
from tools.processes import kill

PROGRAM = """
    stations = pulumi.Config().require_object("stations")
    for external_id, name in stations.items():
        MonitoringStation(external_id, external_monitoring_station_id=external_id, name=name)
"""

THREE = """\
waves:
  - name: dev
    stacks: [dev]
  - name: staging
    stacks: [staging]
  - name: production
    stacks: ["prod-*"]
    approval: true
"""


@dataclass
class Project:
    """A project of several stacks, and their roll-outs."""

    stack: Stack

    @property
    def folder(self) -> Path:
        return self.stack.folder

    def stacks(self, *names: str) -> None:
        """Make stacks, with two stations each: prod-1 has prod-1-a and prod-1-b."""
        for name in names:
            if name != "dev":
                self.stack.pulumi("stack", "init", name)
            self.stations(name, a="A", b="B")

    def stations(self, name: str, **stations: str) -> None:
        """Say which stations a stack should have."""
        wanted = {f"{name}-{key}": value for key, value in stations.items()}
        file = self.folder / f"Pulumi.{name}.yaml"
        salt = re.findall(r"^encryptionsalt: .*$", file.read_text(), re.MULTILINE) if file.exists() else []
        file.write_text("\n".join([*salt, f"config: {json.dumps({'test:stations': wanted})}", ""]))

    def command(self, *arguments: str) -> tuple[list[str], dict[str, Any]]:
        """The command line, and what else the process needs."""
        options = {"cwd": self.folder, "env": {**os.environ, **self.stack.environment}, "stdin": subprocess.DEVNULL}
        return ["chekt", "rollout", "rollout.yaml", *arguments], options

    def rollout(self, *arguments: str, status: int = 0) -> Run:
        """Run one command to its end."""
        command, options = self.command(*arguments)
        done = subprocess.run(
            command, **options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        assert done.returncode == status, done.stdout
        assert "Traceback" not in done.stdout
        return Run(done.stdout, done.returncode)

    @property
    def report(self) -> dict[str, Any]:
        """The report of the last roll-out."""
        report: dict[str, Any] = json.loads((self.folder / ".rollout" / "report.json").read_text())
        return report

    def outcomes(self) -> dict[str, str]:
        """What became of each stack."""
        return {stack["stack"]: stack["outcome"] for stack in self.report["stacks"]}


def at_a_terminal(project: Project, answer: str) -> tuple[int, str]:
    """Run a roll-out at a terminal of 100 columns and answer its question; gives the exit status and what it shows."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    command, options = project.command()
    options["env"] |= {"TERM": "xterm"}
    options["env"].pop("NO_COLOR")
    shown = b""
    with subprocess.Popen(command, **options | {"stdin": follower}, stdout=follower, stderr=follower) as run:
        os.close(follower)
        while True:
            try:
                shown += os.read(leader, 4096)
            except OSError:  # the last one has closed it
                break
            if b"[y/N]: " in shown and answer:
                os.write(leader, f"{answer}\n".encode())
                answer = ""
    os.close(leader)
    return run.returncode, shown.decode()


@pytest.fixture
def project(stack: Stack) -> Project:
    stack.program(PROGRAM)
    return Project(stack)


def external_ids(emulator: Emulator) -> list[str]:
    """The stations that CHeKT holds, by external id."""
    return sorted(external_id for _, external_id, *_ in held(emulator))


def test_a_fault_in_staging_stops_there_and_a_resumed_run_ends_it(emulator: Emulator, project: Project) -> None:
    """Dev is done, staging stopped, production untouched; --resume passes over dev, and production asks first."""
    project.stacks("dev", "staging", "prod-1", "prod-2")
    (project.folder / "rollout.yaml").write_text(THREE)
    refusal = '{"error": {"code": "no", "message": "not this one", "field": "name"}}'
    emulator.add_fault(Fault(method="POST", path=COLLECTION, skip=3, times=1, status=422, body=refusal))

    stopped = project.rollout(status=1)
    assert project.outcomes() == {
        "dev": "done",
        "staging": "failed",
        "prod-1": "not started",
        "prod-2": "not started",
    }
    assert len(external_ids(emulator)) == 3
    staging = project.report["stacks"][1]
    (problem,) = staging["problems"]
    assert anonymous(problem).startswith("Could not create monitoring station 'staging-")
    assert 'CHeKT refused: no, "not this one", field name.' in problem
    advice = "Fix that, then run again with --resume: it passes over what is done."
    assert stopped.text.splitlines()[-2:] == [f"staging: {problem}", advice]
    assert problem.split("'")[1] in (project.folder / ".rollout" / "report.md").read_text()

    emulator.clear_requests()
    waiting = project.rollout("--resume", status=3)
    assert project.outcomes() == {
        "dev": "done before",
        "staging": "done",
        "prod-1": "not started",
        "prod-2": "not started",
    }
    assert external_ids(emulator) == ["dev-a", "dev-b", "staging-a", "staging-b"]
    (sentence,) = [line for line in waiting.text.splitlines() if line.startswith("The wave production waits")]
    found = re.fullmatch(
        r"The wave production waits for approval: write ([0-9a-f]{16}) into (\.rollout/production\.approved), and run "
        r"again with --resume\.",
        sentence,
    )
    assert found

    approval = project.folder / found[2]
    approval.write_text("0123456789abcdef\n")
    old = "That file holds another token: it is mistyped, or the program or its settings changed since."
    assert f"{sentence} {old}" in project.rollout("--resume", status=3).text
    approval.write_text(f"{found[1]}\n")
    project.stack.environment["CHEKT_SITE_GUARD"] = "off"  # which nobody has approved
    assert "waits for approval" in project.rollout("--resume", "--wave", "production", status=3).text
    del project.stack.environment["CHEKT_SITE_GUARD"]
    assert len(external_ids(emulator)) == 4
    project.rollout("--resume")
    assert project.outcomes() == {
        "dev": "done before",
        "staging": "done before",
        "prod-1": "done",
        "prod-2": "done",
    }
    assert len(external_ids(emulator)) == 8
    assert [request for request in emulator.requests if request.method == "DELETE"] == []

    (run,) = json.loads(project.stack.pulumi("stack", "history", "--json", "--stack", "prod-1").text)
    assert run["message"] == "chekt rollout, wave production"

    project.stations("dev", a="A", b="Another")
    project.rollout("--resume")
    assert project.outcomes()["dev"] == "done"
    assert {name for _, external_id, name, *_ in held(emulator) if external_id == "dev-b"} == {"Another"}


PREVIEW = """\
## Preview of rollout.yaml: 1 refused, 1 previewed

| wave | stack | result | create | update | replace | delete | same |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
| all | dev | refused |  | 1 |  | 1 |  |
| all | prod-1 | previewed | 2 |  |  |  |  |

### dev

- **1 resource would be deleted: dev-a. If that is meant, set \\`deletes: true\\` in the gates of rollout.yaml.**
- delete MonitoringStation `dev-a`
- update MonitoringStation `dev-b`: name: `B` → `B | <b>`

### prod-1

- create MonitoringStation `prod-1-a`
- create MonitoringStation `prod-1-b`
"""


def test_a_preview_is_markdown_and_a_gate_holds(emulator: Emulator, project: Project) -> None:
    """The preview changes nothing and asks CHeKT nothing; what it refuses stays refused until it is allowed."""
    project.stacks("dev", "prod-1")
    project.stack.up("--stack", "dev")
    project.stations("dev", b="B | <b>")
    plan = project.folder / "rollout.yaml"
    plan.write_text('waves: [{name: all, stacks: ["*"]}]\n')
    emulator.clear_requests()

    assert PREVIEW in project.rollout("--preview", status=1).text
    assert emulator.requests == []
    assert not (project.folder / ".rollout").exists()

    plan.write_text('waves: [{name: all, stacks: ["*"], parallel: 1}]\n')
    refused = project.rollout(status=1).text
    assert "chekt: dev: refused (1 to update, 1 to delete)\nchekt: prod-1: not started\n" in refused
    assert external_ids(emulator) == ["dev-a", "dev-b"]

    plan.write_text('waves: [{name: all, stacks: ["*"], gates: {deletes: true, changes: 2}}]\n')
    project.rollout()
    assert external_ids(emulator) == ["dev-b", "prod-1-a", "prod-1-b"]


PROBLEMS = [
    "policy external-id-pattern (mandatory): External ids fit one pattern. Monitoring station 'dev-a': its external id "
    "does not fit the pattern [a-z]+(-[a-z]+)*-[0-9]{2}: choose one that does.",
    "policy external-id-pattern (mandatory): External ids fit one pattern. Monitoring station 'dev-b': its external id "
    "does not fit the pattern [a-z]+(-[a-z]+)*-[0-9]{2}: choose one that does.",
    "2 changes, and at most 1 may be made at once. If all are meant, raise `changes:` in the gates of rollout.yaml.",
]


def test_a_policy_pack_is_a_gate(emulator: Emulator, project: Project, tmp_path: Path) -> None:
    """What it demands is refused before anything is made; what it advises is shown."""
    project.stacks("dev")
    pack = shutil.copytree(Path(__file__).resolve().parents[2] / "examples" / "policy" / "pack", tmp_path / "pack")
    let_pack_start(pack, tmp_path, project.stack.environment)
    (project.folder / "rollout.yaml").write_text(
        "waves: [{name: dev, stacks: [dev]}]\ngates: {policies: [pack], changes: 1}\n"
    )
    project.rollout(status=1)
    (dev,) = project.report["stacks"]
    assert dev["outcome"] == "refused"
    assert dev["problems"] == PROBLEMS
    assert emulator.requests == []


def test_ctrl_c_ends_what_has_begun_and_begins_nothing_more(emulator: Emulator, project: Project) -> None:
    """The whole process group gets it, as from a terminal: state and API agree, and the next run finishes."""
    project.stacks("dev", "prod-1")
    (project.folder / "rollout.yaml").write_text('waves: [{name: all, stacks: ["*"], parallel: 1}]\n')
    emulator.add_fault(Fault(method="POST", path=COLLECTION, times=2, when="after", delay=3))
    command, options = project.command("--json")

    run = subprocess.Popen(
        command, **options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until(lambda: emulator.faults == [], "both creations are on their way")
    os.killpg(run.pid, signal.SIGINT)
    stdout, stderr = run.communicate()

    assert run.returncode == 1
    assert stderr == (
        "chekt: Stopping: Pulumi finishes what it has begun.\n"
        "chekt: dev: stopped (2 to create)\n"
        "chekt: prod-1: not started\n"
    )
    assert {stack["stack"]: stack["outcome"] for stack in json.loads(stdout)["stacks"]} == {
        "dev": "stopped",
        "prod-1": "not started",
    }
    assert external_ids(emulator) == ["dev-a", "dev-b"]
    project.stack.pulumi("stack", "select", "dev")
    assert {name: s["id"] for name, s in project.stack.stations().items()} == {
        external_id: f"12345/{number}" for number, external_id, *_ in held(emulator)
    }
    project.rollout("--resume")
    assert len(external_ids(emulator)) == 4


def test_files_that_change_under_way_stop_the_rollout(emulator: Emulator, project: Project) -> None:
    """The rest would be another program than the approved one. It also stops if nobody can be told."""
    project.stacks("dev", "prod-1")
    (project.folder / "rollout.yaml").write_text('waves: [{name: all, stacks: ["*"], parallel: 1}]\n')
    emulator.add_fault(Fault(method="POST", path=COLLECTION, times=2, when="after", delay=2))
    command, options = project.command()

    with subprocess.Popen(command, **options, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        assert run.stderr
        run.stderr.close()
        until(lambda: emulator.faults == [], "both creations are on their way")
        (project.folder / "names.py").touch()

    assert run.returncode == 1
    assert project.outcomes() == {"dev": "done", "prod-1": "refused"}
    assert project.report["stacks"][1]["problems"] == [
        "its program or its settings have changed since the roll-out began: run it again, with --resume."
    ]
    assert external_ids(emulator) == ["dev-a", "dev-b"]


def test_the_lock_of_another_run_is_respected_and_named(emulator: Emulator, project: Project) -> None:
    """The stack fails, names who has the lock, and is left alone."""
    project.stacks("dev")
    (project.folder / "rollout.yaml").write_text("waves: [{name: dev, stacks: [dev]}]\n")
    locks = project.folder / "state" / ".pulumi" / "locks"
    emulator.add_fault(Fault(method="POST", path=COLLECTION, hang=300))
    with subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.folder,
        env={**os.environ, **project.stack.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as other:
        until(lambda: emulator.faults == [] and bool(list(locks.rglob("*.json"))), "another run has the stack")

        project.rollout(status=1)
        (problem,) = project.report["stacks"][0]["problems"]
        assert re.fullmatch(
            rf"another run has locked the stack \(created by \S+ \(pid {other.pid}\) at \S+\): wait for it, or, if it "
            r"was killed, run `pulumi cancel --stack dev`\.",
            problem,
        )
        kill(other.pid)


def test_notes_that_cannot_be_written_are_told(emulator: Emulator, project: Project) -> None:
    """Before the first stack, nothing is done; later, what was done is still shown."""
    project.stacks("dev")
    (project.folder / "rollout.yaml").write_text("waves: [{name: dev, stacks: [dev]}]\n")
    notes = project.folder / ".rollout"
    (notes / "done" / "dev").mkdir(parents=True)
    nothing = "chekt: Nothing was done: .rollout cannot be written: [Errno 21] Is a directory: '.rollout/done/dev'.\n"
    assert project.rollout(status=2).text == nothing
    assert project.rollout("--resume", status=2).text == nothing
    assert held(emulator) == []

    shutil.rmtree(notes)
    emulator.add_fault(Fault(method="POST", path=COLLECTION, times=2, when="after", delay=2))
    command, options = project.command()
    with subprocess.Popen(command, **options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        until(lambda: emulator.faults == [], "both creations are on their way")
        shutil.rmtree(notes)
        notes.touch()
        printed, _ = run.communicate()

    assert run.returncode == 0
    lines = printed.splitlines()[-2:]
    assert lines[0].startswith("dev: --resume would do it again: .rollout cannot be written: [Errno ")
    assert lines[1].startswith("This report is kept nowhere: .rollout cannot be written: [Errno ")
    assert external_ids(emulator) == ["dev-a", "dev-b"]


def test_what_keeps_a_rollout_from_beginning_is_one_line(project: Project) -> None:
    """A stack that the backend does not have, perhaps since it is the wrong backend; a missing backend."""
    (project.folder / "Pulumi.dev.yaml").touch()
    (project.folder / "Pulumi.prod-1.yaml").touch()
    (project.folder / "rollout.yaml").write_text('waves: [{name: all, stacks: ["*"]}]\n')
    assert project.rollout("--preview", status=2).text == (
        "chekt: The backend has no stack prod-1. Nothing was done. Check which backend `pulumi whoami --verbose` "
        "names; a new stack is made by `pulumi stack init`.\n"
    )
    project.stack.environment["PULUMI_BACKEND_URL"] = "file:///nowhere"
    (line,) = project.rollout(status=2).text.splitlines()
    assert line.startswith("chekt: Pulumi cannot list the stacks, and nothing was done: error: ")
    assert "/nowhere: no such file or directory" in line


def test_a_station_that_is_not_as_it_was_made_fails_its_stack(emulator: Emulator, project: Project) -> None:
    """The last step reads CHeKT again: the report names the stack, and how to see the difference."""
    project.stacks("dev")
    (project.folder / "rollout.yaml").write_text("waves: [{name: dev, stacks: [dev]}]\n")
    # One after the other, so that dev-a has the first number.
    one_by_one = PROGRAM.replace("    for", "    made = []\n    for")
    one_by_one = one_by_one.replace("MonitoringStation(", "made = [MonitoringStation(")
    after = "name=name, opts=pulumi.ResourceOptions(depends_on=made))]"
    project.stack.program(one_by_one.replace("name=name)", after))
    other = [{"monitoring_station_id": n + 1, "external_monitoring_station_id": f"dev-{x}", "name": "Other"}
             for n, x in enumerate("ab")]  # fmt: skip
    emulator.add_fault(Fault(method="GET", path=COLLECTION, skip=2, times=None, body=json.dumps(other)))
    project.rollout(status=1)
    assert project.report["stacks"][0]["problems"] == [
        "after the up CHeKT holds something else for dev-a, dev-b: run `pulumi preview --refresh --diff --stack "
        "dev` to see what."
    ]


def test_a_change_that_shows_late_is_none_of_somebody_else(emulator: Emulator, project: Project) -> None:
    """The list is twelve seconds behind: CHeKT is read once more."""
    project.stacks("dev")
    (project.folder / "rollout.yaml").write_text("waves: [{name: dev, stacks: [dev]}]\n")
    project.rollout()
    project.stations("dev", a="A", b="Renamed")
    emulator.switches = Switches(list_lag=12)

    assert "dev: done (1 updated, " in project.rollout().text


def test_at_a_terminal_a_wave_is_asked_for_and_a_bar_shows_each_stack(emulator: Emulator, project: Project) -> None:
    """No means no; yes begins it, with a bar for the resources that Pulumi has finished."""
    project.stacks("dev")
    (project.folder / "rollout.yaml").write_text("waves: [{name: dev, stacks: [dev], approval: true}]\n")

    status, shown = at_a_terminal(project, "n")
    assert (status, held(emulator)) == (3, [])
    assert "Begin the wave dev (dev)? [y/N]: " in shown

    status, shown = at_a_terminal(project, "y")
    assert (status, external_ids(emulator)) == (0, ["dev-a", "dev-b"])
    for phase in ("dev preview", "dev up", "dev verify", "━━━", "dev: done (2 created)"):
        assert phase in shown

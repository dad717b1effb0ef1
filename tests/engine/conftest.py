"""Stacks of the real Pulumi engine; each test keeps their state in its own folder, unless it chooses another."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chekt_provider.emulator import Emulator
from tools.states import State, folder_state


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder runs the engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(autouse=True)
def _engine() -> None:
    """Skip if there is no engine, unless TEST_ENGINE=required: `make test` and CI set it, so there it fails."""
    if shutil.which("pulumi") is None:
        sentence = 'No pulumi on PATH: run `make test`, or `eval "$(make -s env)"` first.'
        if os.environ.get("TEST_ENGINE") == "required":
            pytest.fail(sentence)
        pytest.skip(sentence)


@dataclass
class Run:
    """What one command printed, and its exit status."""

    text: str
    status: int

    @property
    def errors(self) -> list[str]:
        """The error lines, without Pulumi's own "update failed"."""
        lines = [line.strip() for line in self.text.splitlines()]
        own = ("error: update failed", "error: preview failed", "error: an unhandled error occurred")
        return [line for line in lines if line.startswith("error: ") and not line.startswith(own)]


class Stack:
    """One stack of one program.

    Args:
        folder: an empty folder.
        environment: what `pulumi` gets beside the machine's own variables.
        state: where it keeps its state; None for a folder below the other one.
    """

    def __init__(self, folder: Path, environment: dict[str, str], state: State | None = None) -> None:
        self.folder = folder
        self._printed: list[str] = []
        is_own = state is None
        if state is None:
            (folder / "state").mkdir()
            state = folder_state(folder / "state")
        self.state = state
        self.environment = {
            **environment,
            **state.environment,
            "PULUMI_BACKEND_URL": state.url,
            "PULUMI_HOME": str(folder / ".home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONPATH": str(Path(__file__).parent / "without_plugins"),
            "NO_COLOR": "1",
        }
        (folder / "Pulumi.yaml").write_text("name: test\nruntime: python\n")
        self.program("")
        if is_own:
            self._copy_new()
        else:
            self.pulumi("stack", "init", "dev")

    def _copy_new(self) -> None:
        """Begin as `pulumi stack init dev` does, which takes half a second."""
        for name, content in _new_stack().items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
        project = hashlib.sha1(str(self.folder / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
        selected = self.folder / ".home" / "workspaces" / f"test-{project}-workspace.json"
        selected.parent.mkdir(parents=True)
        selected.write_text('{"stack": "organization/test/dev"}')

    def program(self, source: str) -> None:
        """Replace the program."""
        head = "import pulumi\nfrom chekt_provider import MonitoringStation, SiteAssignment\n"
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(source))

    def pulumi(self, *arguments: str, status: int = 0, **environment: str | None) -> Run:
        """Run one command; its exit status must be `status`, and no traceback may be in what it prints.

        `environment` sets variables, or removes those that are None.
        """
        variables = {**os.environ, **self.environment, **environment}
        given = {name: value for name, value in variables.items() if value is not None}
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._printed.append(done.stdout)
        assert done.returncode == status, done.stdout
        assert "Traceback" not in done.stdout
        return Run(done.stdout, done.returncode)

    def up(self, *arguments: str, status: int = 0, **environment: str | None) -> Run:
        """`pulumi up` without its preview."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, status=status, **environment)

    def up_changes_nothing(self) -> None:
        """Another `pulumi up` finds nothing to do."""
        self.up("--expect-no-changes")

    def destroy(self) -> Run:
        """`pulumi destroy` without its preview."""
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def exported(self) -> str:
        """The whole state, as text."""
        return self.pulumi("stack", "export").text

    def stations(self) -> dict[str, dict[str, Any]]:
        """The monitoring stations in the state, by their resource names."""
        resources = json.loads(self.exported())["deployment"].get("resources", [])
        return {r["urn"].rpartition("::")[2]: r for r in resources if r["type"].endswith("chekt:MonitoringStation")}

    def assignments(self) -> dict[str, dict[str, Any]]:
        """The sites' assignments in the state, by their resource names."""
        resources = json.loads(self.exported())["deployment"].get("resources", [])
        return {r["urn"].rpartition("::")[2]: r for r in resources if r["type"].endswith("chekt:SiteAssignment")}

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json").text)
        return outputs

    def assert_nothing_shows(self, secret: str) -> None:
        """No file of the state, old or new, and nothing that was printed holds a text in clear."""
        contents = self.state.contents()
        assert contents
        assert [key for key, data in contents.items() if secret.encode() in data] == []
        assert [text for text in self._printed if secret in text] == []


@cache
def _new_stack() -> dict[str, bytes]:
    """The files of a stack that was made just now, by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state").mkdir()
        stack = Stack(folder, {}, folder_state(folder / "state"))
        state = [file for file in (stack.folder / "state").rglob("*") if file.is_file()]
        files = [folder / "Pulumi.dev.yaml", *state]
        return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def let_pack_start(pack: Path, folder: Path, environment: dict[str, str]) -> None:
    """Give a copy of a policy pack a runtime name, and its own launcher on PATH.

    An engine built from Go modules has a language host that cannot start packs.
    """
    (folder / "bin").mkdir()
    launcher = folder / "bin" / "pulumi-analyzer-policy-python-launched"
    launcher.write_text('#!/bin/sh\nexec python -u -m pulumi.policy "$@"\n')
    launcher.chmod(0o755)
    environment["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    file = pack / "PulumiPolicy.yaml"
    file.write_text(file.read_text().replace("runtime: python\n", "runtime: python-launched\n"))


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Check twenty times a second until it is true."""
    never = threading.Event()
    for _ in range(int(seconds * 20)):
        if condition():
            return
        never.wait(0.05)
    pytest.fail(f"not within {seconds:.0f} s: {what}")


@pytest.fixture
def state() -> State | None:
    """Where the stack keeps its state: a folder, unless a test says otherwise."""
    return None


@pytest.fixture
def stack(emulator: Emulator, state: State | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose environment points at the emulator; at the end it must show no secret and no token."""
    numbers = itertools.count(1)
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: f"token-in-clear-{next(numbers)}")
    stack = Stack(tmp_path, emulator.environment(), state)
    yield stack
    for secret in ("emulator-secret", "token-in-clear"):
        stack.assert_nothing_shows(secret)

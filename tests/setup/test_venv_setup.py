"""When .venv is made; a half-made one is never used."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.setup.machine import Machine
from tools.steps import SetupError
from tools.venv import fingerprint, is_complete, require_venv_modules

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tried-out"
version = "1.0"
description = "A project to try the set-up on"
dependencies = ["requests>=2"]
"""
# A whole build backend, since hatchling would have to be downloaded.
BACKEND = """\
import os
import zipfile
from pathlib import Path

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write("build editable\\n")
    if hold := os.environ["HOLD"]:
        Path(hold, "started").write_text(str(os.getpid()))
        Path(hold, "go-on").read_text()
    with zipfile.ZipFile(Path(wheel_directory, "tried_out-1.0-py3-none-any.whl"), "w") as wheel:
        info = "tried_out-1.0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tried-out\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "tried_out-1.0-py3-none-any.whl"
"""


@pytest.fixture
def project(machine: Machine) -> Machine:
    """A machine whose checkout has a lock that lists nothing, so no registry is asked."""
    (machine.checkout / "pyproject.toml").write_text(PYPROJECT)
    (machine.checkout / "backend.py").write_text(BACKEND)
    (machine.checkout / "requirements.lock").write_text("")
    machine.environ.update(PIP_NO_INDEX="1", PIP_CONFIG_FILE="/dev/null")
    return machine


def command() -> tuple[str, str, str]:
    return sys.executable, "-m", "tools.venv"


def test_an_environment_is_made_once(project: Machine) -> None:
    """The first run makes it and says how long that takes; the second has nothing to do or say."""
    first = project.run(*command())
    second = project.run(*command())

    assert first.returncode == 0, first.stderr
    assert first.stderr.startswith("Setting up .venv from requirements.lock: about a minute.\nMaking .venv ...\n")
    assert (second.returncode, second.stderr) == (0, "")
    assert project.calls == ["build editable"]
    installed = project.run(project.checkout / ".venv/bin/python", "-m", "pip", "list", "--format", "freeze")
    assert "tried-out==1.0" in installed.stdout


def test_a_killed_making_is_never_taken_for_whole(project: Machine) -> None:
    """SIGKILL half-way; the next run waits for the pip that nobody stopped, and makes it again from nothing."""
    hold = project.hold()
    with project.start(*command()) as killed:
        hold.wait()
        killed.kill()
    left_over = project.checkout / ".venv" / "left-over"
    left_over.touch()
    project.environ["HOLD"] = ""
    with project.start(*command()) as next_run:
        assert next_run.stderr is not None
        waiting = next_run.stderr.readline()
        hold.release()
        rest = next_run.stderr.read()

    assert waiting == "Another run is making .venv; waiting for it.\n"
    assert next_run.returncode == 0, rest
    assert not left_over.exists()
    assert is_complete(project.checkout / ".venv", fingerprint(project.checkout))
    assert project.calls == ["build editable", "build editable"]


def test_two_runs_at_once_make_it_once(project: Machine) -> None:
    """The second says that it waits, and has nothing to do afterwards."""
    hold = project.hold()
    with project.start(*command()) as first:
        hold.wait()
        with project.start(*command()) as second:
            assert second.stderr is not None
            waiting = second.stderr.readline()
            hold.release()
            rest = second.stderr.read()
            first.communicate()

    assert (waiting, rest) == ("Another run is making .venv; waiting for it.\n", "")
    assert (first.returncode, second.returncode) == (0, 0)
    assert project.calls == ["build editable"]


def test_an_installation_that_fails_shows_what_pip_said(project: Machine) -> None:
    """One line, then pip's last ones; the environment does not count as whole."""
    (project.checkout / "requirements.lock").write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")

    done = project.run(*command())

    assert done.returncode == 1
    assert (
        "Installing what requirements.lock lists failed (exit status 1)\nThe last lines of its output:\n" in done.stderr
    )
    assert "No matching distribution found for no-such-package==1.0" in done.stderr
    assert not is_complete(project.checkout / ".venv", fingerprint(project.checkout))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("requirements.lock", "", "requests==2.32.0\n"),
        ("pyproject.toml", '"requests>=2"', '"requests>=2.32"'),
        ("pyproject.toml", 'version = "1.0"', 'version = "1.1"'),
        ("pyproject.toml", "requires = []", 'requires = ["hatchling"]'),
    ],
)
def test_an_environment_is_made_anew_when_what_it_is_made_from_changes(
    project: Machine, file: str, before: str, after: str
) -> None:
    """The lock, the dependencies, the version and the build system all end up in it."""
    old = fingerprint(project.checkout)
    text = (project.checkout / file).read_text()
    (project.checkout / file).write_text(text.replace(before, after, 1))

    assert fingerprint(project.checkout) != old


def test_an_environment_stays_when_the_rest_of_pyproject_changes(project: Machine) -> None:
    """A new description or linter rule costs nobody a minute."""
    old = fingerprint(project.checkout)
    with (project.checkout / "pyproject.toml").open("a") as pyproject:
        pyproject.write('[tool.ruff]\nline-length = 100\n[project.urls]\nHome = "https://example.com"\n')

    assert fingerprint(project.checkout) == old


def test_an_environment_of_a_checkout_that_was_moved_is_made_anew(project: Machine) -> None:
    """Its scripts begin with the path of the old place."""
    old = fingerprint(project.checkout)
    moved = project.checkout.rename(project.root / "moved")

    assert fingerprint(moved) != old


@pytest.mark.parametrize("left", ["nothing", "no python", "no stamp", "an older stamp", "half a stamp"])
def test_an_environment_without_its_whole_stamp_is_not_whole(tmp_path: Path, left: str) -> None:
    """The stamp is written last; if any of it is missing, although Python is there, the environment is made again."""
    stamp = {"no stamp": None, "an older stamp": "new-9", "half a stamp": "new"}.get(left, "new-10")
    if left != "nothing":
        (tmp_path / "bin").mkdir()
        if left != "no python":
            (tmp_path / "bin" / "python").touch()
        if stamp:
            (tmp_path / ".complete").write_text(stamp)

    assert not is_complete(tmp_path, "new-10")


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_that_cannot_make_environments_is_named(missing: str) -> None:
    """Debian ships Python without them."""

    def find(name: str) -> object | None:
        return None if name == missing else importlib.util.find_spec(name)

    with pytest.raises(SetupError) as failure:
        require_venv_modules(find)

    assert str(failure.value) == (
        f"{sys.executable} cannot make virtual environments: it has no module `{missing}`"
        " (on Debian and Ubuntu, `apt-get install python3-venv` brings it)."
    )


def test_an_older_python_is_refused_in_one_sentence(machine: Machine) -> None:
    """The check comes before anything that an older Python could not read."""
    done = machine.run(
        sys.executable, "-c", "import sys; sys.version_info = (3, 10, 12, 'final', 0); import tools.venv"
    )

    assert (done.returncode, done.stderr) == (
        1,
        f"This project needs Python 3.11 or newer, and {sys.executable} is 3.10:"
        " install one and name it, as in `make PYTHON=python3.11 up`.\n",
    )

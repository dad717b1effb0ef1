"""What the make targets do, with programs that only pretend to be Pulumi and chekt."""

import json
import shutil
import sys

import pytest

from tests.setup.machine import CHECKOUT, Machine
from tools.venv import fingerprint

CHEKT = """#!/bin/sh
echo "chekt ${*%% -- *}" >> "$CALLS"
case "$*" in
    emulator*) while [ "$1" != -- ]; do shift; done; shift; exec "$@" ;;
    "stations --json") echo "$STATIONS" ;;
    stations) echo "the table of stations" ;;
esac
"""
PULUMI = """#!/bin/sh
if [ "$1" = version ]; then echo v3.250.0; exit; fi
echo "pulumi $*" >> "$CALLS"
if [ "$1" = "$FAILING" ]; then exit 255; fi
"""


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A checkout that is already set up, with the engine on PATH."""
    shutil.copy(CHECKOUT / "Makefile", machine.checkout)
    (machine.checkout / "pyproject.toml").write_text('[project]\nname = "tried-out"\n')
    (machine.checkout / "requirements.lock").write_text("")
    venv = machine.checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    (venv / ".complete").write_text(fingerprint(machine.checkout))
    machine.add_pulumi("v3.250.0")
    machine.environ["PYTHON"] = sys.executable
    return machine


def test_env_prints_nothing_but_shell(ready: Machine) -> None:
    """One `export` on each line, with quotes where a value needs them; the folder for the state exists."""
    done = ready.run("make", "-s", "env")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"export PATH='{ready.checkout}/.venv/bin:{ready.bin}'",
        "export PULUMI_SKIP_UPDATE_CHECK=1",
        f"export PULUMI_BACKEND_URL='file://{ready.checkout}/.local/state'",
        f"export PULUMI_CONFIG_PASSPHRASE_FILE='{ready.checkout}/.local/passphrase'",
    ]
    assert (ready.checkout / ".local" / "state").is_dir()


def test_env_keeps_its_stdout_clean_while_it_sets_up(ready: Machine) -> None:
    """`eval` must not run the progress of a build."""
    (ready.bin / "pulumi").unlink()
    ready.add_go()
    ready.environ["https_proxy"] = "http://127.0.0.1:1"  # Pulumi's own site is out of reach

    done = ready.run("make", "-s", "env")

    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"export"}
    assert done.stdout.startswith(f"export PATH='{ready.checkout}/.venv/bin:{ready.checkout}/.engine:{ready.bin}'\n")
    assert "Building pulumi ...\n" in done.stderr


def test_env_may_be_evaluated_twice(ready: Machine) -> None:
    """The second time changes nothing; quotes in the checkout's path do no harm."""
    odd = ready.checkout.rename(ready.root / "it's here")
    (odd / ".venv" / ".complete").write_text(fingerprint(odd))
    ready.checkout = odd

    done = ready.run("sh", "-euc", 'eval "$(make -s env)"; echo "$PATH"; eval "$(make -s env)"; echo "$PATH"')

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{odd}/.venv/bin:{ready.bin}"] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PULUMI_BACKEND_URL", "s3://our-states"),
        ("PULUMI_CONFIG_PASSPHRASE", "correct horse"),
        ("PULUMI_CONFIG_PASSPHRASE", ""),
    ],
)
def test_env_leaves_what_the_user_has_set(ready: Machine, name: str, value: str) -> None:
    """Somebody who keeps the state elsewhere goes on doing so."""
    ready.environ[name] = value

    assert name not in ready.run("make", "-s", "env").stdout


def test_env_makes_a_passphrase_once(ready: Machine) -> None:
    """It is random, for the user alone, and for the state in this checkout: other backends' stacks have their own."""
    file = ready.checkout / ".local" / "passphrase"
    ready.run("make", "-s", "env")
    made = file.read_text()

    ready.run("make", "-s", "env")

    assert file.read_text() == made
    assert len(made) == 43
    assert file.stat().st_mode & 0o777 == 0o600
    ready.environ["PULUMI_BACKEND_URL"] = "s3://our-states"
    assert "PASSPHRASE" not in ready.run("make", "-s", "env").stdout


def test_env_leaves_a_passphrase_file_alone(ready: Machine) -> None:
    """A passphrase in the environment would win over the file."""
    ready.environ["PULUMI_CONFIG_PASSPHRASE_FILE"] = "/somewhere/passphrase"

    assert "PULUMI_CONFIG_PASSPHRASE" not in ready.run("make", "-s", "env").stdout


def test_up_shows_the_stations_of_the_same_emulator(ready: Machine) -> None:
    """One run of the emulator; inside it Pulumi, then the table."""
    ready.add("chekt", CHEKT)
    ready.add("pulumi", PULUMI)

    done = ready.run("make", "up")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "\nthe table of stations\n"
    assert ready.calls == [
        "pulumi stack select --create --stack dev",
        "chekt emulator --state .local/emulator.sqlite",
        "pulumi up --yes --stack dev",
        "chekt stations",
    ]


@pytest.mark.parametrize(("target", "command"), [("up", "up"), ("down", "destroy")])
def test_a_pulumi_that_fails_fails_the_target(ready: Machine, target: str, command: str) -> None:
    """No table may look as if all were well."""
    ready.add("chekt", CHEKT)
    ready.add("pulumi", PULUMI)
    ready.environ["FAILING"] = command

    done = ready.run("make", target)

    assert done.returncode == 2  # make's own
    assert "chekt stations" not in ready.calls


def test_down_is_content_with_an_empty_api(ready: Machine) -> None:
    """CHeKT's own list is the proof."""
    ready.add("chekt", CHEKT)
    ready.add("pulumi", PULUMI)
    ready.environ["STATIONS"] = "[]"

    done = ready.run("make", "down")

    assert (done.returncode, done.stderr) == (0, "")
    assert ready.calls[-3:] == ["pulumi destroy --yes --stack dev", "chekt stations", "chekt stations --json"]


def test_down_fails_while_the_api_holds_stations(ready: Machine) -> None:
    """Something else made them: one line says so."""
    ready.add("chekt", CHEKT)
    ready.add("pulumi", PULUMI)
    ready.environ["STATIONS"] = '[{"name": "Someone\'s"}]'

    done = ready.run("make", "down")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "The stack is destroyed, yet the API still holds the stations above: something else created them."
    )


def test_tests_cannot_skip_the_engine(ready: Machine) -> None:
    """`make test` finds the engine first, and says that it must be there; without PostgreSQL its tests fail."""
    python = ready.checkout / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$TEST_ENGINE: python $*"\n[ "$2" != tools.postgres ]\n')
    python.chmod(0o755)

    assert ready.run("make", "test").stdout.splitlines() == [
        ": python -m tools.postgres",
        "required: python -m pytest -n auto --dist worksteal",
    ]


CHECKS = [
    "ruff check",
    "ruff format --check",
    "mypy",
    "mypy examples/one/",
    "lint-imports",
    "zizmor --offline --no-progress --quiet examples/one/",
    "go tool actionlint -shellcheck= -pyflakes= ../../examples/one/.github/workflows/up.yml",
]


@pytest.fixture
def with_workflow(ready: Machine) -> Machine:
    """A set-up machine without an engine, whose linters pretend; `$FAILING` is the call that fails."""
    for name in ("ruff", "mypy", "lint-imports", "zizmor", "go"):
        linter = ready.checkout / ".venv" / "bin" / name
        linter.write_text(f'#!/bin/sh\ncall="{name}${{1:+ $*}}"\necho "$call" >> "$CALLS"\n[ "$call" != "$FAILING" ]\n')
        linter.chmod(0o755)
    (ready.bin / "pulumi").unlink()
    workflow = ready.checkout / "examples" / "one" / ".github" / "workflows" / "up.yml"
    workflow.parent.mkdir(parents=True)
    workflow.touch()
    return ready


@pytest.mark.parametrize("failing", ["", *CHECKS])
def test_check_runs_every_linter_and_stops_at_the_first_that_fails(with_workflow: Machine, failing: str) -> None:
    """It runs them from .venv, without an engine; this includes the workflows of every example that has some."""
    with_workflow.environ["FAILING"] = failing

    done = with_workflow.run("make", "check")

    assert done.returncode == (2 if failing else 0)
    assert with_workflow.calls == (CHECKS[: CHECKS.index(failing) + 1] if failing else CHECKS)


def test_check_says_that_it_goes_without_actionlint(with_workflow: Machine) -> None:
    """It is a Go module; everything else is checked."""
    (with_workflow.checkout / ".venv" / "bin" / "go").unlink()

    done = with_workflow.run("make", "check")

    assert done.stderr == "There is no go on PATH: actionlint is left out.\n"
    assert done.returncode == 0
    assert with_workflow.calls == CHECKS[:-1]


def test_clean_leaves_the_users_engines(ready: Machine) -> None:
    """Another checkout may be using them."""
    (ready.bin / "pulumi").unlink()
    ready.add_go()
    ready.environ["https_proxy"] = "http://127.0.0.1:1"
    ready.run("make", "env")
    ready.run("make", "clean")

    assert sorted(path.name for path in ready.checkout.iterdir()) == [
        "Makefile",
        "pyproject.toml",
        "requirements.lock",
        "tools",
    ]
    assert len(ready.engines()) == 1


def test_clean_keeps_the_state_of_stacks_that_hold_resources(ready: Machine) -> None:
    """It names them and the way out, and removes nothing. An empty stack is no reason to stay."""
    stacks = ready.checkout / ".local" / "state" / ".pulumi" / "stacks"
    for project, name, types in (
        ("a", "dev", ["pulumi:pulumi:Stack", "x:y:Z"]),
        ("b", "gone", ["pulumi:pulumi:Stack"]),
    ):
        (stacks / project).mkdir(parents=True)
        latest = {"resources": [{"type": kind} for kind in types]}
        (stacks / project / f"{name}.json").write_text(json.dumps({"checkpoint": {"latest": latest}}))
    (stacks / "b" / "broken.json").write_text("{")

    done = ready.run("make", "clean")

    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "The state of these stacks is here, and would be lost: a/dev (1 resource), b/broken (which cannot be read). "
        "Run `make down`, or `pulumi destroy` as you ran `pulumi up`, for each first; or remove .local yourself."
    )
    assert (ready.checkout / ".venv").is_dir()
    shutil.rmtree(stacks / "a")
    (stacks / "b" / "broken.json").unlink()
    assert ready.run("make", "clean").returncode == 0
    assert not (ready.checkout / ".local").exists()


def test_make_alone_lists_every_target(ready: Machine) -> None:
    """The default goal is the help; it lists every target."""
    phony = next(line for line in (CHECKOUT / "Makefile").read_text().splitlines() if line.startswith(".PHONY: "))

    listed = [line.split()[1] for line in ready.run("make").stdout.splitlines()]

    assert sorted(listed) == sorted(phony.removeprefix(".PHONY: ").split())


def test_ci_runs_check_and_test_and_nothing_else(machine: Machine) -> None:
    """It works from any folder, and stops at the first that fails."""
    make = machine.bin / "make"
    make.unlink()
    machine.add("make", '#!/bin/sh\necho "make $*" >> "$CALLS"\n[ "$1" != "$FAILING" ]\n')
    for name in ("bash", "dirname", "env"):
        (machine.bin / name).symlink_to(str(shutil.which(name)))
    script = CHECKOUT / ".ci" / "run"

    assert machine.run(script).returncode == 0
    assert machine.calls == ["make check", "make test"]
    machine.environ["FAILING"] = "check"
    assert machine.run(script).returncode == 1
    assert machine.calls == ["make check", "make test", "make check"]

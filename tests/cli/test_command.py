"""The `chekt` command as a whole, as typed in a shell."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

CHEKT = Path(sys.executable).with_name("chekt")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_tells_its_version() -> None:
    """It prints the package's version, and nothing else."""
    done = run(CHEKT, "--version")

    assert (done.stdout, done.stderr, done.returncode) == (f"chekt {version('chekt-provider')}\n", "", 0)


@pytest.mark.parametrize("verb", [[], ["emulator"], ["rollout"], ["schema"], ["stations"]])
def test_help_has_a_short_form(verb: list[str]) -> None:
    """The command has it, and so has each verb."""
    short, long = run(CHEKT, *verb, "-h"), run(CHEKT, *verb, "--help")

    assert short.returncode == 0
    assert short.stdout == long.stdout
    assert "Usage: chekt" in short.stdout


def test_shells_complete_it() -> None:
    """The script that a shell loads is printed on request."""
    assert "--show-completion" in run(CHEKT, "--help").stdout


@pytest.mark.parametrize("verb", ["", "emulator", "rollout", "schema", "stations"])
def test_a_help_loads_neither_pulumi_nor_what_speaks_to_chekt(verb: str) -> None:
    """They take most of a second, and completion starts the command at each key."""
    program = (
        "import sys\n"
        "from chekt_provider.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'pulumi', 'requests', 'fastapi', 'chekt_provider.model.inputs'} & sys.modules.keys()))"
    )
    done = run(sys.executable, "-c", program, *verb.split(), "--help")

    assert done.stdout.splitlines()[-1] == "[]"


def test_a_missing_extra_is_one_line() -> None:
    """`pip install chekt-provider` brings the command without its libraries."""
    done = run(
        sys.executable, "-c", "import sys; sys.modules['typer'] = None; from chekt_provider.cli import main; main()"
    )

    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == "chekt: typer is missing: pip install 'path/to/chekt-provider[cli]'\n"

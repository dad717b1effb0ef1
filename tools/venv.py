"""The checkout's virtual environment, made from requirements.lock: `python -m tools.venv`.

`.venv/.complete` is written last and says what the environment was made from. Without it, or with another text in it,
the environment is made anew from nothing: it is never repaired, so it cannot be half of one thing and half of another.
"""

import hashlib
import importlib.util
import json
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from tools.steps import CHECKOUT, SetupError, one_at_a_time, run_as_command, run_in_sight, say

LOCK = "requirements.lock"
# What of pyproject.toml ends up in an environment: the rest may change without making a new one.
PROJECT_KEYS = ("name", "version", "requires-python", "dependencies", "optional-dependencies", "scripts")


def ensure_venv(checkout: Path) -> None:
    """Leave the checkout with a `.venv` that fits its lock, its pyproject.toml, its place and this Python.

    Raises:
        SetupError: this Python cannot make one, or pip failed.
    """
    wanted = fingerprint(checkout)
    folder = checkout / ".venv"
    if is_complete(folder, wanted):
        return
    with one_at_a_time(checkout / ".local" / "venv.lock", "Another run is making .venv; waiting for it."):
        if not is_complete(folder, wanted):
            _make(checkout, folder)
            (folder / ".complete").write_text(wanted)


def fingerprint(checkout: Path) -> str:
    """What the environment is made from, as 64 hexadecimal digits."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    parts = [
        (checkout / LOCK).read_text(),
        {key: project["project"].get(key) for key in PROJECT_KEYS},
        project.get("build-system"),
        project.get("tool", {}).get("hatch"),
        str(checkout),  # an environment cannot be moved
        [sys.version, sys.base_prefix],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def is_complete(folder: Path, wanted: str) -> bool:
    """Whether the environment was made to its end, and from `wanted`."""
    try:
        return (folder / ".complete").read_text() == wanted and (folder / "bin" / "python").exists()
    except FileNotFoundError:
        return False


def _make(checkout: Path, folder: Path) -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise SetupError(
                f"{sys.executable} cannot make virtual environments, its `{module}` module is missing"
                " (on Debian and Ubuntu: apt-get install python3-venv)."
            )
    say("Making .venv from requirements.lock: half a minute or so.")
    (folder / ".complete").unlink(missing_ok=True)  # first, since clearing goes file by file
    try:
        venv.create(folder, clear=True, with_pip=True)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"{sys.executable} could not put pip into .venv:\n{error.output}") from None
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--progress-bar", "off"]
    run_in_sight(
        "Installing what requirements.lock lists",
        [*pip, "--require-hashes", "-r", checkout / LOCK],
        log=folder / "pip-requirements.log",
    )
    run_in_sight(
        "Installing this checkout",
        [*pip, "--no-deps", "--no-build-isolation", "-e", checkout],
        log=folder / "pip-checkout.log",
    )


def main() -> None:
    """Ensure this checkout's environment."""
    ensure_venv(CHECKOUT)


if __name__ == "__main__":
    sys.exit(run_as_command(main))

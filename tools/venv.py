"""The checkout's virtual environment, made from requirements.lock: `python -m tools.venv`.

`.venv/.complete` is written last and says what the environment was made from. Without it, or with another text in it,
the environment is made anew from nothing: it is never repaired, so it cannot be half of one thing and half of another.
"""

import hashlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Callable
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
    with one_at_a_time(checkout / ".local" / "venv.lock", "Another run is making .venv; waiting for it.") as lock:
        if not is_complete(folder, wanted):
            _make(checkout, folder, lock)
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


def require_venv_modules(find: Callable[[str], object | None] = importlib.util.find_spec) -> None:
    """Some distributions ship Python without them.

    Args:
        find: gives None for a module that is not there.

    Raises:
        SetupError: one is missing.
    """
    for module in ("venv", "ensurepip"):
        if find(module) is None:
            raise SetupError(
                f"{sys.executable} cannot make virtual environments: it has no module `{module}`"
                " (on Debian and Ubuntu, `apt-get install python3-venv` brings it)."
            )


def _make(checkout: Path, folder: Path, lock: int) -> None:
    require_venv_modules()
    say("Setting up .venv from requirements.lock: about a minute.")
    (folder / ".complete").unlink(missing_ok=True)  # first, since clearing goes file by file
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--progress-bar", "off"]
    steps: dict[str, list[str | Path]] = {
        "Making .venv": [sys.executable, "-m", "venv", "--clear", folder],
        "Installing what requirements.lock lists": [*pip, "--require-hashes", "-r", checkout / LOCK],
        "Installing this checkout": [*pip, "--no-deps", "--no-build-isolation", "-e", checkout],
    }
    for title, command in steps.items():
        run_in_sight(title, command, log=checkout / ".local" / "venv.log", lock=lock)


def main() -> None:
    """Ensure this checkout's environment."""
    ensure_venv(CHECKOUT)


if __name__ == "__main__":
    sys.exit(run_as_command(main))

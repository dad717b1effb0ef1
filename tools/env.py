"""The whole set-up, then the lines that let a shell use it: `eval "$(make -s env)"`.

Only those lines go to stdout.
"""

import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.engine.install import ensure_engine
from tools.steps import CHECKOUT, run_as_command
from tools.venv import ensure_venv


def exports(checkout: Path, path: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables to set; what the user has set for Pulumi stays as it is.

    Args:
        checkout: the root of this checkout.
        path: PATH of the shell that will use them. Our own may differ: pyenv's `python3` adds its folders.
        environ: the shell's other variables.
    """
    ours = [str(checkout / ".venv" / "bin")]
    if (checkout / ".engine").exists():
        ours.append(str(checkout / ".engine"))
    others = [folder for folder in path.split(os.pathsep) if folder not in ours]
    found = {"PATH": os.pathsep.join([*ours, *others]), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    backend = f"file://{checkout / '.local' / 'state'}"
    if "PULUMI_BACKEND_URL" not in environ:
        found["PULUMI_BACKEND_URL"] = backend
    is_ours = environ.get("PULUMI_BACKEND_URL", backend) == backend
    if is_ours and "PULUMI_CONFIG_PASSPHRASE" not in environ and "PULUMI_CONFIG_PASSPHRASE_FILE" not in environ:
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(checkout / ".local" / "passphrase")
    return found


def ensure_passphrase(file: Path) -> None:
    """Make the passphrase of the stacks whose state is in this checkout: random, and for the user's eyes alone."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(32))


def main() -> None:
    """Set up what is missing and print the lines; the one argument is the shell's PATH."""
    ensure_venv(CHECKOUT)
    ensure_engine(CHECKOUT)
    # The engine makes no folder for its state.
    (CHECKOUT / ".local" / "state").mkdir(parents=True, exist_ok=True)
    ensure_passphrase(CHECKOUT / ".local" / "passphrase")
    for name, value in exports(CHECKOUT, sys.argv[1], os.environ).items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")


if __name__ == "__main__":
    sys.exit(run_as_command(main))

"""Remove what was made in this checkout: `make clean`. Refused while stacks whose state is here hold resources."""

import json
import shutil
import sys
from pathlib import Path

from tools.steps import CHECKOUT, SetupError, run_as_command

MADE = (".venv", ".engine", ".local")


def holding(state: Path) -> list[str]:
    """The stacks in a folder of states that hold resources, as "project/stack (3 resources)"."""
    found = []
    for file in sorted(state.glob(".pulumi/stacks/*/*.json")):
        try:
            latest = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
        except (OSError, ValueError, KeyError, TypeError):
            found.append(f"{file.parent.name}/{file.stem} (which cannot be read)")
            continue
        count = sum(resource["type"] != "pulumi:pulumi:Stack" for resource in latest.get("resources") or ())
        if count:
            found.append(f"{file.parent.name}/{file.stem} ({count} resource{'s' if count > 1 else ''})")
    return found


def main() -> None:
    """Remove it all, or nothing."""
    if stacks := holding(CHECKOUT / ".local" / "state"):
        raise SetupError(
            f"The state of these stacks is here, and would be lost: {', '.join(stacks)}. Run `make down`, or "
            "`pulumi destroy` as you ran `pulumi up`, for each first; or remove .local yourself."
        )
    for name in MADE:
        path = CHECKOUT / name
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)


if __name__ == "__main__":
    sys.exit(run_as_command(main))

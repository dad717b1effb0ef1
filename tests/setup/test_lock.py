"""requirements.lock: everything pyproject.toml asks for, pinned and hashed, from nowhere in particular."""

import re
import tomllib

from packaging.requirements import Requirement

from tests.setup.machine import CHECKOUT

LOCK = (CHECKOUT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE))


def asked_for() -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    groups = [
        project["project"]["dependencies"],
        project["dependency-groups"]["dev"],
        *project["project"]["optional-dependencies"].values(),
    ]
    wanted = [Requirement(line) for group in groups for line in group]
    return [requirement for requirement in wanted if requirement.name != "chekt-provider"]


def test_the_lock_fits_pyproject() -> None:
    """Whoever adds a dependency runs `make lock`."""
    unfit = [str(wanted) for wanted in asked_for() if not wanted.specifier.contains(PINS.get(wanted.name, "0"))]

    assert unfit == []


def test_every_pin_has_hashes() -> None:
    """`pip --require-hashes` would refuse it otherwise."""
    entries = re.split(r"\n(?! )", LOCK.strip())

    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(PINS)


def test_the_lock_names_no_place() -> None:
    """Where packages come from is for each user's pip to know."""
    assert re.findall(r"://|--index|--find-links|--extra| @ |^#.*", LOCK, re.MULTILINE) == []

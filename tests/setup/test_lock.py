"""requirements.lock: everything pyproject.toml asks for, pinned and hashed, from no particular place."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.setup.machine import CHECKOUT

LOCK = (CHECKOUT / "requirements.lock").read_text()
EXAMPLES = {name: CHECKOUT / "examples" / name for name in ("infra-repo", "rollout")}


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))


PINS = pins(LOCK)


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


@pytest.mark.parametrize("lock", [LOCK, *((folder / "requirements.txt").read_text() for folder in EXAMPLES.values())])
def test_every_pin_has_hashes(lock: str) -> None:
    """`pip --require-hashes` would refuse it otherwise; each user's pip decides where packages come from."""
    entries = re.split(r"\n(?! )", lock.strip())

    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(pins(lock))
    assert re.findall(r"://|--index|--find-links|--extra| @ |^#.*", lock, re.MULTILINE) == []


@pytest.mark.parametrize(("example", "extra"), [("infra-repo", "emulator"), ("rollout", "cli")])
def test_an_example_locks_all_that_it_needs_but_the_package_itself(example: str, extra: str) -> None:
    """It locks the versions tested here; the package comes from a wheel of this version, as install.sh says."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    locked = pins((EXAMPLES[example] / "requirements.txt").read_text())
    wheel = f"wheels/chekt_provider-{project['version']}-py3-none-any.whl"
    named = (EXAMPLES[example] / "requirements.in").read_text()
    own = [line for line in named.splitlines() if not line.startswith(("#", "./"))]
    wanted = [*project["dependencies"], *project["optional-dependencies"][extra], *own]

    assert locked.items() <= PINS.items()
    assert {Requirement(line).name for line in wanted} <= locked.keys()
    assert f"./{wheel}[{extra}]\n" in named
    assert (EXAMPLES[example] / "ci" / "install.sh").read_text().endswith(f" {wheel}\n")

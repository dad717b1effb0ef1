"""Where a PostgreSQL server comes from, with programs that only pretend."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.setup.machine import Machine
from tools.postgres import PROGRAMS, ensure_programs, find_programs
from tools.steps import SetupError

# Answers with the names of two packages; one of them holds the programs.
APT_GET = """#!/bin/sh
while [ "${1#--option}" != "$1" ]; do shift; done
echo "apt-get $*" >> "$CALLS"
case "$1" in
    "$FAILING") echo "E: no route to the archive"; exit 100 ;;
    --simulate) printf 'Reading package lists...\\nInst libpq5 (15.1 Debian)\\nInst postgresql-15 (15.1 Debian)\\n' ;;
    download) shift; for package in "$@"; do : > "${package}_15.1_all.deb"; done ;;
esac
"""
DPKG = """#!/bin/sh
package="${2##*/}"
echo "dpkg $1 $package" >> "$CALLS"
mkdir -p "$3/usr/lib/x86_64-linux-gnu"
if [ "$package" = libpq5_15.1_all.deb ]; then exit; fi
mkdir -p "$3/usr/lib/postgresql/15/bin"
for program in initdb pg_ctl postgres psql; do
    echo "#!/bin/sh" > "$3/usr/lib/postgresql/15/bin/$program"
    chmod +x "$3/usr/lib/postgresql/15/bin/$program"
done
"""
FETCHED = [
    "apt-get update",
    "apt-get --simulate --no-install-recommends install postgresql",
    "apt-get download libpq5 postgresql-15",
    "dpkg -x libpq5_15.1_all.deb",
    "dpkg -x postgresql-15_15.1_all.deb",
]
REMEDY = "install PostgreSQL (on Debian and Ubuntu, `apt-get install postgresql`) and run this again."


@pytest.fixture
def bare(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """This process sees that machine's PATH, without PostgreSQL and without anything to fetch it."""
    for name in ("PATH", "CALLS"):
        monkeypatch.setenv(name, machine.environ[name])
    monkeypatch.setenv("FAILING", "")
    return machine


def put(folder: Path, programs: tuple[str, ...] = PROGRAMS) -> Path:
    """A folder of programs."""
    folder.mkdir(parents=True)
    for name in programs:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_server_on_path_is_used(bare: Machine) -> None:
    """PATH may have only a link to one of its programs."""
    programs = put(bare.root / "elsewhere" / "bin")
    (bare.bin / "postgres").symlink_to(programs / "postgres")

    assert ensure_programs(bare.root / "cache", bare.root / "debian") == programs
    assert bare.calls == []


def test_debian_keeps_its_servers_off_path(bare: Machine) -> None:
    """The newest complete version is taken: a client alone does not count."""
    debian = bare.root / "debian"
    put(debian / "9.6" / "bin")
    put(debian / "9" / "bin")
    whole = put(debian / "15" / "bin")
    put(debian / "17" / "bin", ("psql",))

    assert find_programs(bare.root / "cache", debian) == whole


def test_a_server_is_fetched_once(bare: Machine) -> None:
    """It comes from the distribution's packages, with those it needs and this machine lacks; nothing is installed."""
    bare.add("apt-get", APT_GET)
    bare.add("dpkg", DPKG)
    cache, debian = bare.root / "cache", bare.root / "debian"

    programs = ensure_programs(cache, debian)

    assert programs == cache / "programs" / "usr" / "lib" / "postgresql" / "15" / "bin"
    assert sorted(os.listdir(cache)) == ["lock", "programs"]
    assert bare.calls == FETCHED
    assert ensure_programs(cache, debian) == programs
    assert bare.calls == FETCHED
    (programs / "psql").unlink()  # not whole any more
    assert ensure_programs(cache, debian) == programs
    assert bare.calls == FETCHED * 2


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        ("update", "Reading the list of packages failed (exit status 100)"),
        ("--simulate", "Asking for what PostgreSQL needs failed (exit status 100)"),
        ("download", "Downloading PostgreSQL failed (exit status 100)"),
    ],
)
def test_a_download_that_fails_leaves_nothing(
    bare: Machine, monkeypatch: pytest.MonkeyPatch, failing: str, reason: str
) -> None:
    """One line says what failed and what to do; apt-get's own last lines are below it."""
    bare.add("apt-get", APT_GET)
    bare.add("dpkg", DPKG)
    monkeypatch.setenv("FAILING", failing)

    with pytest.raises(SetupError) as refused:
        ensure_programs(bare.root / "cache", bare.root / "debian")

    assert str(refused.value) == (
        f"No PostgreSQL server: {reason}; {REMEDY}\nThe last lines of its output:\n    E: no route to the archive"
    )
    assert os.listdir(bare.root / "cache") == ["lock"]


def test_packages_without_a_server_are_named(bare: Machine) -> None:
    """The archive may give something else than what was looked for."""
    bare.add("apt-get", APT_GET)
    bare.add("dpkg", '#!/bin/sh\nmkdir -p "$3"\n')

    with pytest.raises(SetupError) as refused:
        ensure_programs(bare.root / "cache", bare.root / "debian")

    assert str(refused.value) == (
        f"No PostgreSQL server: the packages do not hold initdb, pg_ctl, postgres, psql; {REMEDY}"
    )


def test_a_machine_without_debians_tools_is_told_what_to_do(bare: Machine) -> None:
    """One line with the remedy."""
    with pytest.raises(SetupError) as refused:
        ensure_programs(bare.root / "cache", bare.root / "debian")
    assert str(refused.value) == f"No PostgreSQL server, and no `apt-get` to fetch one with: {REMEDY}"

    bare.add("apt-get", APT_GET)
    with pytest.raises(SetupError) as refused:
        ensure_programs(bare.root / "cache", bare.root / "debian")
    assert str(refused.value) == f"No PostgreSQL server, and no `dpkg` to fetch one with: {REMEDY}"

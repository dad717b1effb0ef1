"""A PostgreSQL server for one test or one measurement: `python -m tools.postgres` finds its programs or fetches them.

In this order:

1. beside `postgres` on PATH;
2. below /usr/lib/postgresql, where Debian keeps them;
3. in the cache, from Debian's packages: downloaded and unpacked there, never installed, so that no root is needed and
   nothing else on the machine changes.
"""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from pwd import getpwnam
from typing import Self

from tools.steps import SetupError, one_at_a_time, run_as_command, run_in_sight, say

PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql")
DEBIAN = Path("/usr/lib/postgresql")
PACKAGE = "postgresql"
REMEDY = "install PostgreSQL (on Debian and Ubuntu, `apt-get install postgresql`) and run this again."
SECONDS_TO_FETCH = 600
SERVER_USERS = ("postgres", "nobody")


def cache_folder() -> Path:
    """Where fetched programs are kept; root's are where the user that runs the server can read them."""
    if os.geteuid() == 0:
        return Path("/var/cache/chekt-provider/postgresql")
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "chekt-provider" / "postgresql"


def find_programs(cache: Path, debian: Path = DEBIAN) -> Path | None:
    """The folder that has all programs; None where there is none.

    Args:
        cache: where `ensure_programs` puts them.
        debian: where Debian does, a folder for each version.
    """
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += _newest_first(debian) + _newest_first(cache / "programs" / DEBIAN.relative_to("/"))
    return next((folder for folder in folders if is_whole(folder)), None)


def ensure_programs(cache: Path, debian: Path = DEBIAN) -> Path:
    """The folder of the programs, fetched where there are none; arguments as for `find_programs`.

    Raises:
        SetupError: there are none and none could be fetched; says why, and what to do.
    """
    found = find_programs(cache, debian)
    if found:
        return found
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise SetupError(f"No PostgreSQL server, and no `{tool}` to fetch one with: {REMEDY}")
    with one_at_a_time(cache / "lock", "Another run is fetching PostgreSQL; waiting for it."):
        return find_programs(cache, debian) or _fetch(cache, debian)


def is_whole(folder: Path) -> bool:
    """Whether every program that is needed is there."""
    return all(os.access(folder / name, os.X_OK) for name in PROGRAMS)


def _newest_first(versions: Path) -> list[Path]:
    numbered = [folder for folder in versions.glob("*/bin") if folder.parent.name.isdigit()]
    return sorted(numbered, key=lambda folder: int(folder.parent.name), reverse=True)


def _fetch(cache: Path, debian: Path) -> Path:
    """Download PostgreSQL and what it needs that this machine has not; unpack all of it, then give it its name."""
    say(f"Fetching PostgreSQL from the distribution's packages into {cache}, once for this user.")
    with tempfile.TemporaryDirectory(prefix="half-made.", dir=cache) as scratch:
        try:
            unpacked = _unpack(Path(scratch))
        except SetupError as error:
            raise SetupError(f"No PostgreSQL server: {error.reason}; {REMEDY}", error.output) from None
        shutil.rmtree(cache / "programs", ignore_errors=True)  # somebody removed files from it
        unpacked.rename(cache / "programs")
    found = find_programs(cache, debian)
    if found is None:
        raise SetupError(f"No PostgreSQL server: the packages do not hold {', '.join(PROGRAMS)}; {REMEDY}")
    return found


def _unpack(scratch: Path) -> Path:
    lists, packages, unpacked = scratch / "lists", scratch / "packages", scratch / "unpacked"
    for folder in (lists / "partial", packages, unpacked):
        folder.mkdir(parents=True)
    # Lists of our own: the machine's may be missing, and only root may renew them.
    settings = (f"Dir::State::Lists={lists}", f"Dir::Cache={scratch}/cache", "APT::Sandbox::User=")
    apt = ["apt-get", *(f"--option={setting}" for setting in settings)]
    log = scratch / "log"
    run_in_sight("Reading the list of packages", [*apt, "update"], log=log, limit=SECONDS_TO_FETCH)
    run_in_sight(
        "Asking for what PostgreSQL needs",
        [*apt, "--simulate", "--no-install-recommends", "install", PACKAGE],
        log=log,
    )
    missing = re.findall(r"^Inst (\S+)", log.read_text(), re.MULTILINE)
    run_in_sight("Downloading PostgreSQL", [*apt, "download", *missing], log=log, limit=SECONDS_TO_FETCH, cwd=packages)
    for package in sorted(packages.iterdir()):
        run_in_sight(f"Unpacking {package.name.partition('_')[0]}", ["dpkg", "-x", package, unpacked], log=log)
    return unpacked


class Server:
    """A server with an empty database, while it is open: `with Server(programs) as server`.

    It listens on a socket in a folder of its own, so no port can be taken; it asks for a password, as a team's does.

    Args:
        programs: the folder of its programs.

    Attributes:
        url: for PULUMI_BACKEND_URL; the password goes into PGPASSWORD.
        password: of the server's only user.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.password = f"database-secret-{secrets.token_hex(8)}"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="chekt-postgres-"))
        self.url = f"postgres://pulumi@/postgres?host={self._folder}&sslmode=disable"
        password = self._folder / "password"
        password.write_text(self.password)
        for path in (self._folder, password):
            if os.geteuid() == 0:  # as which the server refuses to run
                shutil.chown(path, _server_user())
        data, socket = str(self._folder / "data"), shlex.quote(str(self._folder))
        new = ["--username=pulumi", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-locale"]
        self._run(["initdb", "--pgdata", data, *new, "--no-sync"])
        # -F: what a machine that loses its power would lose is nothing here.
        options = f"-F -h '' -k {socket}"
        self._run(["pg_ctl", "start", "--pgdata", data, "--wait", "--log", f"{self._folder}/log", "--options", options])
        return self

    def __exit__(self, *_: object) -> None:
        self._run(["pg_ctl", "stop", "--pgdata", str(self._folder / "data"), "--mode", "immediate"])
        shutil.rmtree(self._folder)

    def contents(self) -> dict[str, bytes]:
        """What Pulumi keeps in its table, by key."""
        rows = self._run(
            [
                "psql",
                *("--host", str(self._folder), "--username", "pulumi", "--dbname", "postgres"),
                *("--tuples-only", "--no-align", "--field-separator", " "),
                *("--command", "SELECT key, data->>'data' FROM pulumi_state"),
            ]
        )
        return {key: b64decode(data) for key, data in (row.rsplit(" ", 1) for row in rows.splitlines())}

    def _run(self, command: Sequence[str]) -> str:
        program, *arguments = command
        user = _server_user() if os.geteuid() == 0 else None
        output = self._folder / "output"
        with output.open("w+") as printed:  # no pipe: the server would hold it open
            done = subprocess.run(  # noqa: S603 - our own commands
                [self._programs / program, *arguments],
                cwd=self._folder,
                env={**os.environ, **libraries(self._programs), "PGPASSWORD": self.password},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                user=user,
                group=getpwnam(user).pw_gid if user else None,
                extra_groups=[] if user else None,
                check=False,
            )
            text = output.read_text()
        if done.returncode:
            raise SetupError(f"`{program}` of PostgreSQL failed (exit status {done.returncode})", text)
        return text


def libraries(programs: Path) -> Mapping[str, str]:
    """The variable by which fetched programs find the libraries that were fetched with them."""
    if programs.parents[1].name != DEBIAN.name:
        return {}
    folders = [str(folder) for folder in programs.parents[2].glob("*-linux-*")]
    return {"LD_LIBRARY_PATH": os.pathsep.join(folders)}


def _server_user() -> str:
    for name in SERVER_USERS:
        try:
            return getpwnam(name).pw_name
        except KeyError:
            continue
    raise SetupError("PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody`")


def main() -> None:
    """Find the programs or fetch them, and say where they are."""
    say(f"PostgreSQL is in {ensure_programs(cache_folder())}.")


if __name__ == "__main__":
    sys.exit(run_as_command(main))

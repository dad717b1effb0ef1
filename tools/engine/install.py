"""Find a Pulumi engine, or set one up: `python -m tools.engine.install`.

In this order:

1. the one this checkout uses already (`.engine`, a link into the user's cache);
2. `pulumi` on PATH, when it is new enough and can run Python programs: then there is no `.engine`;
3. one in the user's cache, made for any other checkout;
4. Pulumi's own installer, where its site answers, into the cache;
5. a build from Go modules, into the cache.

A folder in the cache gets its name only when `pulumi version` has answered from it, so one that has its name is whole.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tools.engine.build import ENGINE_VERSION, build, recipe_hash
from tools.steps import CHECKOUT, SetupError, one_at_a_time, run_as_command, run_in_sight, say

OLDEST_ENGINE = (3, 230)
INSTALLER = "https://get.pulumi.com/install.sh"
SECONDS_TO_ANSWER = 5
SECONDS_TO_INSTALL = 600
HALF_MADE = ".half-made"
# What running a Python program with dynamic providers takes beside `pulumi` itself.
COMPANIONS = ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")


def ensure_engine(checkout: Path, environ: Mapping[str, str], installer: str = INSTALLER) -> None:
    """Leave the checkout with an engine: its `.engine`, or else `pulumi` on PATH.

    Raises:
        SetupError: there is none and none could be made; says what was tried.
    """
    cache = cache_folder(environ)
    engine = cache / f"{ENGINE_VERSION}-{recipe_hash()}"
    link = checkout / ".engine"
    if link.is_symlink() and link.readlink() == engine and is_whole(engine):
        return
    on_path = why_not_on_path(environ, cache)
    if on_path is None:
        link.unlink(missing_ok=True)
        return
    if not is_whole(engine):
        with one_at_a_time(cache / "lock", "Another run is setting up the Pulumi engine; waiting for it."):
            _remove_leftovers(cache)
            if not is_whole(engine):
                _make(engine, on_path, environ, installer)
    _point(link, engine)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where engines are kept, shared by all checkouts of this user."""
    base = environ.get("XDG_CACHE_HOME", "")
    # The XDG rules: a path that is not absolute is ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "chekt-provider" / "engine"


def is_whole(engine: Path) -> bool:
    """Whether every program that a run needs is there."""
    return all(os.access(engine / name, os.X_OK) for name in ("pulumi", *COMPANIONS))


def why_not_on_path(environ: Mapping[str, str], cache: Path) -> str | None:
    """Half a sentence on why `pulumi` on PATH will not do; None when it will."""
    path = environ.get("PATH", "")
    pulumi = shutil.which("pulumi", path=path)
    if pulumi is None or Path(pulumi).resolve().is_relative_to(cache.resolve()):
        return "there is no `pulumi` on PATH"
    version = engine_version(Path(pulumi))
    if version is None:
        return f"`{pulumi} version` does not answer with a version"
    if version < OLDEST_ENGINE:
        return f"{pulumi} is {version[0]}.{version[1]}, older than {OLDEST_ENGINE[0]}.{OLDEST_ENGINE[1]}"
    beside = os.pathsep.join([str(Path(pulumi).resolve().parent), path])
    missing = [name for name in COMPANIONS if shutil.which(name, path=beside) is None]
    return f"{pulumi} has no {missing[0]} beside it" if missing else None


def engine_version(pulumi: Path) -> tuple[int, int] | None:
    """Major and minor version that the program gives itself; None when it is no working `pulumi`."""
    try:
        answer = subprocess.run(  # noqa: S603 - asking a program its version
            [pulumi, "version"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    if answer.returncode or not found:
        return None
    return int(found[1]), int(found[2])


def _make(engine: Path, on_path: str, environ: Mapping[str, str], installer: str) -> None:
    """Install or build into a folder with a temporary name, try it, give it its name."""
    say(
        f"Setting up the Pulumi engine {ENGINE_VERSION} in {engine}, since {on_path}."
        " A minute by download, about 4 minutes (1.7 GB of downloads) where it has to be built; once for this user."
    )
    with tempfile.TemporaryDirectory(prefix=f"{engine.name}.", suffix=HALF_MADE, dir=engine.parent) as scratch:
        made = _install_or_build(Path(scratch), on_path, environ, installer)
        if engine.exists():
            shutil.rmtree(engine)  # it is not whole: somebody removed files from it
        made.rename(engine)


def _install_or_build(scratch: Path, on_path: str, environ: Mapping[str, str], installer: str) -> Path:
    try:
        return _check(_install(installer, scratch))
    except SetupError as error:
        no_installer = str(error)
        say(no_installer)
    go = shutil.which("go", path=environ.get("PATH", ""))
    if go is None:
        raise SetupError(
            f"No Pulumi engine: {on_path}; {no_installer}; there is no `go` on PATH to build one with."
            f" Install Pulumi {OLDEST_ENGINE[0]}.{OLDEST_ENGINE[1]} or newer"
            " (https://www.pulumi.com/docs/iac/download-install/) or Go (https://go.dev/dl/), and run this again."
        )
    bin_folder = scratch / "built"
    bin_folder.mkdir()
    build(go, bin_folder, scratch)
    return _check(bin_folder)


def _install(installer: str, scratch: Path) -> Path:
    """Pulumi's own installer, kept away from ~/.pulumi and from the shell's profile; returns the folder of programs."""
    script = scratch / "install.sh"
    script.write_bytes(_fetch(installer))
    root = scratch / "installed"
    command = ["sh", script, "--no-edit-path", "--install-root", root, "--version", ENGINE_VERSION.removeprefix("v")]
    run_in_sight("Installing pulumi", command, log=scratch / "install.log", limit=SECONDS_TO_INSTALL)
    return root / "bin"


def _fetch(installer: str) -> bytes:
    try:
        with urllib.request.urlopen(installer, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310 - a fixed address
            script: bytes = answer.read()
    except urllib.error.URLError as error:
        raise SetupError(f"{installer} cannot be read ({error.reason})") from None
    except OSError as error:
        raise SetupError(f"{installer} cannot be read ({error})") from None
    # A network's log-in page answers 200 to everything.
    if not script.startswith(b"#!"):
        raise SetupError(f"{installer} answers with something that is not a script")
    return script


def _check(made: Path) -> Path:
    version = engine_version(made / "pulumi")
    if version is None or not is_whole(made):
        raise SetupError(f"the engine that was made in {made} does not run")
    return made


def _remove_leftovers(cache: Path) -> None:
    """Only called while the lock is held: a folder that is still half-made belongs to a run that died."""
    for folder in cache.glob(f"*{HALF_MADE}"):
        shutil.rmtree(folder, ignore_errors=True)


def _point(link: Path, engine: Path) -> None:
    """Replace the link in one move, so that another run never sees it missing."""
    new = link.with_name(f"{link.name}.{os.getpid()}")
    new.symlink_to(engine)
    new.replace(link)


def main() -> None:
    """Read the command line and ensure an engine."""
    parser = argparse.ArgumentParser(prog="python -m tools.engine.install", description="Find or set up a Pulumi engine.")
    parser.add_argument("--installer", default=INSTALLER, help="address of Pulumi's installer script")
    ensure_engine(CHECKOUT, os.environ, parser.parse_args().installer)


if __name__ == "__main__":
    sys.exit(run_as_command(main))

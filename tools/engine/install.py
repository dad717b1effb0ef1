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
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
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


def ensure_engine(checkout: Path, installer: str = INSTALLER) -> Path:
    """Leave the checkout with an engine: its `.engine`, or else `pulumi` on PATH; returns the folder it is in.

    Raises:
        SetupError: there is none and none could be made; says what was tried.
    """
    cache = cache_folder()
    engine = cache / f"{ENGINE_VERSION}-{recipe_hash()}"
    link = checkout / ".engine"
    if link.is_symlink() and link.readlink() == engine and is_whole(engine):
        return engine
    try:
        pulumi = pulumi_on_path(cache)
    except SetupError as error:
        not_on_path = error.reason
    else:
        link.unlink(missing_ok=True)
        return pulumi.parent
    if not is_whole(engine):
        with one_at_a_time(cache / "lock", "Another run is setting up the Pulumi engine; waiting for it."):
            _remove_leftovers(cache)
            if not is_whole(engine):
                _make(engine, not_on_path, installer)
    _point(link, engine)
    return engine


def cache_folder() -> Path:
    """Where engines are kept, shared by all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG rules: a path that is not absolute is ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "chekt-provider" / "engine"


def is_whole(engine: Path) -> bool:
    """Whether every program that a run needs is there."""
    return all(os.access(engine / name, os.X_OK) for name in ("pulumi", *COMPANIONS))


def pulumi_on_path(cache: Path) -> Path:
    """The user's own `pulumi`.

    Raises:
        SetupError: there is none that will do; the reason is half a sentence.
    """
    found = shutil.which("pulumi")
    if found is None or Path(found).resolve().is_relative_to(cache.resolve()):
        raise SetupError("there is no `pulumi` on PATH")
    pulumi = Path(found)
    version = engine_version(pulumi)
    if version is None:
        raise SetupError(f"`{pulumi} version` does not answer with a version")
    if version < OLDEST_ENGINE:
        raise SetupError(f"{pulumi} is {version[0]}.{version[1]}, older than {OLDEST_ENGINE[0]}.{OLDEST_ENGINE[1]}")
    beside = os.pathsep.join([str(pulumi.resolve().parent), os.environ["PATH"]])
    missing = [name for name in COMPANIONS if shutil.which(name, path=beside) is None]
    if missing:
        raise SetupError(f"{pulumi} has no {missing[0]} beside it")
    return pulumi


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


def _make(engine: Path, not_on_path: str, installer: str) -> None:
    """Install or build into a folder with a temporary name, try it, give it its name."""
    say(
        f"Setting up the Pulumi engine {ENGINE_VERSION} in {engine}, since {not_on_path}."
        " A minute by download; where it has to be built, 5 minutes on two cores and 1.7 GB of downloads."
        " Once for this user."
    )
    with tempfile.TemporaryDirectory(prefix=f"{engine.name}.", suffix=HALF_MADE, dir=engine.parent) as scratch:
        made = _install_or_build(Path(scratch), not_on_path, installer)
        if engine.exists():
            shutil.rmtree(engine)  # it is not whole: somebody removed files from it
        made.rename(engine)


def _install_or_build(scratch: Path, not_on_path: str, installer: str) -> Path:
    try:
        return _install(installer, scratch)
    except SetupError as error:
        not_installed = error.reason
        say(str(error))
    try:
        return _build(scratch)
    except SetupError as error:
        raise SetupError(
            f"No Pulumi engine: {not_on_path}; {not_installed}; {error.reason}."
            f" Install Pulumi {OLDEST_ENGINE[0]}.{OLDEST_ENGINE[1]} or newer by hand"
            " (https://www.pulumi.com/docs/iac/download-install/) and run this again.",
            error.output,
        ) from None


def _install(installer: str, scratch: Path) -> Path:
    """Pulumi's own installer, kept away from ~/.pulumi and from the shell's profile; returns the folder of programs."""
    script = scratch / "install.sh"
    script.write_bytes(fetch(installer))
    root = scratch / "installed"
    version = ENGINE_VERSION.removeprefix("v")
    run_in_sight(
        "Installing pulumi",
        ["sh", script, "--no-edit-path", "--install-root", root, "--version", version],
        log=scratch / "install.log",
        limit=SECONDS_TO_INSTALL,
    )
    return _checked(root / "bin", f"the engine that {installer} installs")


def _build(scratch: Path) -> Path:
    go = shutil.which("go")
    if go is None:
        raise SetupError("there is no `go` on PATH to build one with")
    built = scratch / "built"
    built.mkdir()
    build(go, built, scratch)
    return _checked(built, "the engine that Go builds")


def fetch(installer: str, seconds: float = SECONDS_TO_ANSWER) -> bytes:
    """The installer's script.

    Args:
        installer: its address.
        seconds: how long to wait for each sign of life.

    Raises:
        SetupError: there is no answer, or it is no script.
    """
    try:
        with urllib.request.urlopen(installer, timeout=seconds) as answer:  # noqa: S310 - a fixed address
            script: bytes = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise SetupError(f"{installer} cannot be read ({getattr(error, 'reason', error)})") from None
    # A network's log-in page answers 200 to everything.
    if not script.startswith(b"#!"):
        raise SetupError(f"{installer} answers with something that is not a script")
    return script


def _checked(made: Path, what: str) -> Path:
    if not is_whole(made) or engine_version(made / "pulumi") is None:
        raise SetupError(f"{what} does not run")
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
    """Read the command line, ensure an engine, say where it is."""
    parser = argparse.ArgumentParser(description="Find a Pulumi engine, or set one up.")
    parser.add_argument("--installer", default=INSTALLER, help="address of Pulumi's installer script")
    folder = ensure_engine(CHECKOUT, parser.parse_args().installer)
    say(f"The Pulumi engine is in {folder}.")


if __name__ == "__main__":
    sys.exit(run_as_command(main))

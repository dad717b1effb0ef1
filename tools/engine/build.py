"""The Pulumi engine from its published Go modules, for machines that Pulumi's own site does not reach.

The two folders beside this file are the smallest Go modules that can build the programs: `go install …@version`
refuses them, since their go.mod files hold replace directives. The committed go.sum files pin and verify every line
that is compiled.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.steps import SetupError, run_in_sight

ENGINE_VERSION = "v3.250.0"
MODULES = Path(__file__).resolve().parent
SDK = "github.com/pulumi/pulumi/sdk/v3"


@dataclass(frozen=True)
class Program:
    """One program to compile: `package` in the Go module `module` beside this file."""

    name: str
    module: str
    package: str
    link_flags: str


@dataclass(frozen=True)
class Launcher:
    """One script that ships in the SDK's folder of Go's module cache, at the SDK version that `module` requires."""

    path: str
    module: str


PROGRAMS = (
    Program(
        name="pulumi",
        module="pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        # Without its version the engine refuses to work with plugins that ask for one.
        link_flags=f"-s -w -X {SDK}/go/common/version.Version={ENGINE_VERSION}",
    ),
    Program(
        name="pulumi-language-python",
        module="language-python",
        package=f"{SDK}/python/cmd/pulumi-language-python",
        link_flags="-s -w",
    ),
)
LAUNCHERS = (
    Launcher(path="python/cmd/pulumi-language-python-exec", module="pulumi"),
    Launcher(path="python/dist/pulumi-resource-pulumi-python", module="pulumi"),
    Launcher(path="python/dist/pulumi-analyzer-policy-python", module="language-python"),
)
# Our own words for what a user's Go settings could change: the result has to be the same everywhere.
GO_SETTINGS = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOWORK": "off"}


def recipe_hash() -> str:
    """Twelve hexadecimal digits that change when anything that goes into a build does."""
    digest = hashlib.sha256(repr((PROGRAMS, LAUNCHERS, GO_SETTINGS)).encode())
    for module in sorted({program.module for program in PROGRAMS}):
        for name in ("go.mod", "go.sum"):
            digest.update((MODULES / module / name).read_bytes())
    return digest.hexdigest()[:12]


def build(go: str, into: Path, scratch: Path) -> None:
    """Compile the programs and copy the launchers into the folder `into`.

    Args:
        go: path of the `go` command.
        into: an existing folder.
        scratch: an existing folder for the logs and for Go's temporary files.

    Raises:
        SetupError: the build failed; carries the last lines of Go's output.
    """
    environ = {**os.environ, **GO_SETTINGS, "GOTMPDIR": str(scratch)}
    for program in PROGRAMS:
        run_in_sight(
            f"Building {program.name}",
            [go, "build", "-ldflags", program.link_flags, "-o", into / program.name, program.package],
            log=scratch / f"{program.name}.log",
            cwd=MODULES / program.module,
            environ=environ,
        )
    for launcher in LAUNCHERS:
        source = _sdk_folder(go, launcher.module, environ) / launcher.path
        target = into / source.name
        shutil.copyfile(source, target)  # without the mode: files in Go's module cache are read-only
        target.chmod(0o755)


def _sdk_folder(go: str, module: str, environ: dict[str, str]) -> Path:
    listing = subprocess.run(  # noqa: S603 - fixed command
        [go, "list", "-m", "-f", "{{.Dir}}", SDK],
        cwd=MODULES / module,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        raise SetupError(f"`go list -m {SDK}` failed", listing.stderr)
    return Path(listing.stdout.strip())

"""A machine for trying the set-up: its own checkout, home and PATH, and programs that only pretend."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BASICS = ("awk", "chmod", "cp", "grep", "make", "mkdir", "rm", "sh")
ENGINE_PROGRAMS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
)

# Answers `go build … -o FILE PACKAGE` with a program that says the version, `go list` with the SDK's folder.
GO = """#!/bin/sh
echo "$1 ${PWD##*/}" >> "$CALLS"
echo "CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOWORK=$GOWORK" > "$CALLS.settings"
if [ "$1" = list ]; then echo "$SDK"; exit; fi
if [ -n "$HOLD" ]; then echo $$ > "$HOLD/started"; read -r _ < "$HOLD/go-on"; fi
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho v3.250.0\\n' > "$2"
chmod +x "$2"
"""
INSTALLER = """#!/bin/sh
echo "install.sh $*" >> "$CALLS"
while [ "$1" != --install-root ]; do shift; done
mkdir -p "$2/bin"
for program in pulumi pulumi-language-python pulumi-language-python-exec pulumi-resource-pulumi-python; do
    printf '#!/bin/sh\\necho v3.250.0\\n' > "$2/bin/$program"
    chmod +x "$2/bin/$program"
done
"""


def timeless(text: str) -> str:
    """The text without the seconds that things took."""
    return re.sub(r"after \d+ s", "after N s", text)


class Hold:
    """Stops a pretending program half-way: it says that it has started, and waits until it may go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        os.mkfifo(folder / "started")
        os.mkfifo(folder / "go-on")

    def wait(self) -> int:
        """Until the program is half-way; returns its process id."""
        return int((self.folder / "started").read_text())

    def release(self) -> None:
        """Let it go on."""
        (self.folder / "go-on").write_text("\n")


class Machine:
    """Everything is below one folder; of the real machine it has only a shell, make and this Python."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.checkout = root / "check out"  # a blank in the path, as on many a desktop
        self.home = root / "home"
        self.bin = root / "bin"
        self.sdk = root / "sdk"
        for folder in (self.checkout, self.home, self.bin):
            folder.mkdir()
        shutil.copytree(CHECKOUT / "tools", self.checkout / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        for name in BASICS:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.environ = {
            "PATH": str(self.bin),
            "HOME": str(self.home),
            "CALLS": str(root / "calls"),
            "SDK": str(self.sdk),
            "HOLD": "",
        }

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "chekt-provider" / "engine"

    @property
    def engine(self) -> Path:
        """What `.engine` points to."""
        return (self.checkout / ".engine").readlink()

    @property
    def calls(self) -> list[str]:
        """What the pretending programs were asked, in order."""
        file = Path(self.environ["CALLS"])
        return file.read_text().splitlines() if file.exists() else []

    def engines(self) -> list[str]:
        """The folders of the engine cache, including half-made ones."""
        return sorted(path.name for path in self.cache.iterdir() if path.is_dir()) if self.cache.exists() else []

    def add(self, name: str, script: str) -> Path:
        """Put a program on PATH."""
        program = self.bin / name
        program.write_text(script)
        program.chmod(0o755)
        return program

    def add_pulumi(self, version: str, programs: tuple[str, ...] = ENGINE_PROGRAMS) -> None:
        """Put an engine on PATH."""
        for name in programs:
            self.add(name, f"#!/bin/sh\necho {version}\n")

    def add_go(self, script: str = GO) -> None:
        """Put a Go on PATH, and what it would have downloaded."""
        self.add("go", script)
        for name in (
            "python/cmd/pulumi-language-python-exec",
            "python/dist/pulumi-resource-pulumi-python",
            "python/dist/pulumi-analyzer-policy-python",
        ):
            launcher = self.sdk / name
            launcher.parent.mkdir(parents=True, exist_ok=True)
            launcher.write_text("#!/bin/sh\n")
            launcher.chmod(0o444)  # as in Go's module cache

    def hold(self) -> Hold:
        """From now on, builds stop half-way until they may go on."""
        hold = Hold(self.root / "hold")
        self.environ["HOLD"] = str(hold.folder)
        return hold

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """Start a command in the checkout."""
        return subprocess.Popen(
            command,
            cwd=self.checkout,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout to its end."""
        with self.start(*command) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def start_engine_setup(self, installer: str) -> subprocess.Popen[str]:
        """Start the set-up of the engine."""
        return self.start(sys.executable, "-m", "tools.engine.install", "--installer", installer)

    def set_up_engine(self, installer: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up of the engine to its end."""
        return self.run(sys.executable, "-m", "tools.engine.install", "--installer", installer)

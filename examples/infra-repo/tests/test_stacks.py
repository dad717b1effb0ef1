"""The stacks, through Pulumi itself; CHeKT is an emulator on this machine."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chekt_provider.emulator import Emulator

REPO = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no pulumi on PATH")


@pytest.fixture
def pulumi(tmp_path: Path) -> Callable[..., str]:
    """Run pulumi on a copy of this repo, with its state in a folder: what it printed."""
    copy = shutil.copytree(REPO, tmp_path / "repo", ignore=shutil.ignore_patterns(".git", ".venv"))
    state = tmp_path / "state"
    state.mkdir()
    # Without the credentials of whoever runs the tests.
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CHEKT_", "PULUMI_"))}
    ours |= {"PULUMI_BACKEND_URL": state.as_uri(), "PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def run(*arguments: str, **environment: str) -> str:
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        done = subprocess.run(command, cwd=copy, env=ours | environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_a_preview_needs_no_credentials(pulumi: Callable[..., str]) -> None:
    """Neither CHeKT's nor anybody's: it says what would be created."""
    pulumi("stack", "init", "dev")

    assert "+ 4 to create" in pulumi("preview")


def test_production_goes_up_once(pulumi: Callable[..., str]) -> None:
    """The stations are there, on the dealer of the stack file, and a second look finds nothing to do."""
    with Emulator(dealers=[12345]) as emulator:
        settings = emulator.environment()
        del settings["CHEKT_DEALER_ID"]  # the stack file's counts
        pulumi("stack", "init", "prod")
        pulumi("up", "--yes", "--skip-preview", **settings)
        pulumi("preview", "--expect-no-changes", **settings)

        assert sorted((s["external_monitoring_station_id"], s["linecard"]) for s in emulator.stations()) == [
            ("prod-backup-01", "20001"),
            ("prod-central-01", "10001"),
            ("prod-video-01", ""),
        ]

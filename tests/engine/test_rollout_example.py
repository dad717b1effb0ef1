"""examples/rollout: the commands of its README, and the steps of its workflow as GitHub would run them.

It skips the steps that install packages, since the virtual environment of this test is on PATH. A folder takes the
place of those that log in to Pulumi Cloud.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from chekt_provider.files.rollout_file import Gates, RolloutFile, WaveEntry
from tests.helpers import blocks, steps

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "rollout"
README = (EXAMPLE / "README.md").read_text()
WORKFLOW = yaml.safe_load((EXAMPLE / ".github" / "workflows" / "roll-out.yml").read_text())
FIRST, RESUMED = ([command for command, _ in steps(block)] for block in blocks(README, "console"))
INSTALL = "ci/install.sh"


@dataclass
class Checkout:
    """A copy of the example, with the state in a folder beside it."""

    folder: Path
    variables: dict[str, str]

    def shell(self, script: str, **variables: str) -> str:
        """Run a script that must succeed; what it prints on stdout."""
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = shutil.copytree(EXAMPLE, tmp_path / "repo", ignore=shutil.ignore_patterns("__pycache__", ".rollout"))
    (tmp_path / "state").mkdir()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return Checkout(folder, variables)


def shell_steps(job: str) -> list[dict[str, Any]]:
    """The shell steps of a job, without the installation."""
    return [step for step in WORKFLOW["jobs"][job]["steps"] if step.get("run", INSTALL) != INSTALL]


def test_the_commands_of_the_readme_and_the_workflow(checkout: Checkout) -> None:
    """Stacks, preview; the waves as GitHub's jobs run them; then no change, nothing to resume, and all down."""
    make, emulator, preview, _ = FIRST
    checkout.shell(make)
    checkout.variables["emulator"] = emulator.partition("=")[2].strip('"')
    assert checkout.shell(preview).splitlines()[4:8] == [
        "| dev | dev | previewed | 2 |  |  |  |  |",
        "| staging | staging | previewed | 2 |  |  |  |  |",
        "| production | prod-alpha | previewed | 2 |  |  |  |  |",
        "| production | prod-bravo | previewed | 2 |  |  |  |  |",
    ]

    (outputs := checkout.folder.parent / "outputs").touch()
    (summary := checkout.folder.parent / "summary.md").touch()
    github = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
    for job, shard in (("dev", ""), ("staging", ""), ("production", "1/1")):
        for step in shell_steps(job):
            script = step["run"].replace("chekt rollout", "$emulator -- chekt rollout")
            checkout.shell(script, SHARD=shard, **github)
    assert outputs.read_text() == 'shards=["1/1"]\n'
    assert re.findall(r"^## .*", summary.read_text(), re.MULTILINE) == [
        "## Roll-out of rollout.yaml: 1 done",
        "## Roll-out of rollout.yaml: 1 done",
        "## Roll-out of rollout.yaml: 2 done",
    ]
    assert re.findall(r"^\| prod.*", summary.read_text(), re.MULTILINE) == [
        "| production | prod-alpha | done | 2 |  |  |  |  |",
        "| production | prod-bravo | done | 2 |  |  |  |  |",
    ]

    assert "2 previewed" in checkout.shell(f"{preview} --wave production")
    assert re.findall(r"previewed \|.*", checkout.shell(preview)) == ["previewed |  |  |  |  | 2 |"] * 4
    checkout.shell("\n".join(RESUMED))
    report = json.loads((checkout.folder / ".rollout" / "report.json").read_text())
    assert {stack["outcome"] for stack in report["stacks"]} == {"done before"}

    destroy = (
        'for stack in dev staging prod-alpha prod-bravo; do pulumi destroy --yes --skip-preview --stack "$stack"; done'
    )
    checkout.shell(f"$emulator -- bash -ec '{destroy}'")
    assert json.loads(checkout.shell("$emulator -- chekt stations --dealer 601 --json")) == []


def test_the_shards_of_the_workflow_are_of_25_dealers(checkout: Checkout) -> None:
    """51 stacks make three; the matrix is what the job before it wrote."""
    for number in range(49):
        shutil.copy(checkout.folder / "Pulumi.prod-alpha.yaml", checkout.folder / f"Pulumi.prod-{number}.yaml")
    (outputs := checkout.folder / "outputs").touch()
    checkout.shell(shell_steps("staging")[-1]["run"], GITHUB_OUTPUT=str(outputs))
    assert outputs.read_text() == 'shards=["1/3", "2/3", "3/3"]\n'
    assert WORKFLOW["jobs"]["production"]["strategy"]["matrix"] == {
        "shard": "${{ fromJSON(needs.staging.outputs.shards) }}",
    }


def test_the_table_names_every_key() -> None:
    """The keys of rollout.yaml, of a wave and of gates."""
    rows = re.findall(r"^\| (`\w+`.*)", README, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)} - {"true", "false"}
    models = (RolloutFile, WaveEntry, Gates)
    assert named == {name for model in models for name in model.model_fields}

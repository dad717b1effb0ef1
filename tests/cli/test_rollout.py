"""What `chekt rollout` prints, and how it ends, when it needs no Pulumi."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from chekt_provider.cli.command import command as typed
from chekt_provider.rollout.operator import stack_resources
from chekt_provider.rollout.plan import read_plan
from chekt_provider.settings import decided
from tests.helpers import blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "where-to-run.md"
WORKFLOW = ROOT / "examples" / "rollout" / ".github" / "workflows" / "roll-out.yml"


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Pulumi.yaml").write_text("name: stations\n")
    for stack in ("dev", "prod-1", "prod-2"):
        Path(f"Pulumi.{stack}.yaml").touch()
    Path("rollout.yaml").write_text(
        "waves:\n- {name: dev, stacks: [dev]}\n- {name: production, stacks: ['prod-*'], approval: true}\n"
    )


def chekt(*arguments: str) -> Result:
    return CliRunner().invoke(typed, ["rollout", *arguments])


def test_the_list_for_people() -> None:
    """A row for each stack, in the order of the waves."""
    done = chekt("rollout.yaml", "--list")
    assert done.exit_code == 0
    assert [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line] == [
        ["dev", "dev", "2", ""],
        ["production", "prod-1", "2", "asked for"],
        ["production", "prod-2", "2", "asked for"],
    ]


def test_a_stack_that_no_wave_means_is_named() -> None:
    """It is named on stderr, whatever the command does."""
    Path("Pulumi.prod_3.yaml").touch()
    assert chekt("rollout.yaml", "--list", "--json").stderr == "chekt: In no wave: prod_3.\n"


def test_the_list_for_machines() -> None:
    """A CI matrix is made of it; `approval` is what the approval file must hold."""
    done = chekt("rollout.yaml", "--list", "--json", "--wave", "production", "--shard", "2/2")
    listed = json.loads(done.stdout)
    token = listed["waves"][0].pop("approval")
    assert listed == {"project": "stations", "waves": [{"name": "production", "parallel": 2, "stacks": ["prod-2"]}]}
    assert re.fullmatch("[0-9a-f]{16}", token)
    waves = json.loads(chekt("rollout.yaml", "--list", "--json").stdout)["waves"]
    assert waves[0] == {"name": "dev", "parallel": 2, "approval": None, "stacks": ["dev"]}
    assert waves[1]["approval"] not in (None, token)


def test_the_list_for_other_engines() -> None:
    """The page's rollout.yaml becomes the operator's resources, in a stream of documents, and Deployments' settings."""
    operator, deployments = blocks(PAGE.read_text(), "yaml")

    Path("rollout.yaml").write_text(operator)
    resources = list(yaml.safe_load_all(chekt("rollout.yaml", "--list", "--operator").stdout))
    assert [resource["metadata"]["name"] for resource in resources] == [
        "stations-dev",
        "stations-prod-1",
        "stations-prod-2",
    ]
    assert resources == stack_resources(
        read_plan("rollout.yaml").waves, "stations", yaml.safe_load(operator)["operator"]
    )

    Path("rollout.yaml").write_text(deployments)
    listed = json.loads(chekt("rollout.yaml", "--list", "--deployments", "--wave", "production").stdout)
    assert [stack["stack"] for stack in listed] == ["acme/stations/prod-1", "acme/stations/prod-2"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("none.yaml", "--list"),
            "chekt: none.yaml: there is no such file; relative paths begin at {folder}.",
        ),
        (
            ("rollout.yaml", "--wave", "prod"),
            "chekt: --wave prod: rollout.yaml has no wave of that name; it has dev, production.",
        ),
        (
            ("rollout.yaml", "--wave", "dev", "--shard", "3/2"),
            "chekt: --shard 3/2: write which part, and of how many, such as 3/10.",
        ),
        (
            ("rollout.yaml", "--wave", "dev", "--shard", "half"),
            "chekt: --shard half: write which part, and of how many, such as 3/10.",
        ),
        (
            ("rollout.yaml", "--wave", ""),
            "chekt: --wave : rollout.yaml has no wave of that name; it has dev, production.",
        ),
        (
            ("rollout.yaml", "--wave", "dev", "--shard", ""),
            "chekt: --shard : write which part, and of how many, such as 3/10.",
        ),
        (
            ("rollout.yaml", "--shard", "1/2"),
            "chekt: --shard splits one wave, since machines do not wait for each other: name it with --wave.",
        ),
        (
            ("rollout.yaml", "--list", "--deployments"),
            "chekt: rollout.yaml: deployments.organization is missing: it is the owner of the stacks in Pulumi Cloud.",
        ),
        (
            ("rollout.yaml",),
            "chekt: There is no pulumi on PATH: see https://www.pulumi.com/docs/install/.",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], line: str
) -> None:
    """The exit status is 2; nothing is done."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = chekt(*arguments)
    assert (done.exit_code, done.stderr) == (2, line.format(folder=tmp_path) + "\n")
    assert not Path(".rollout").exists()


def test_the_examples_workflow_approves_in_the_environment_that_it_rolls_out_in() -> None:
    """The token covers what the environment decides: with another environment the wave would wait forever."""
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["production"]["steps"]
    approves, rolls_out = (step for step in steps if "chekt rollout" in step.get("run", ""))
    assert "approval.py" in approves["run"]
    assert decided(approves.get("env", {})) == decided(rolls_out["env"]) != {}

"""examples/infra-repo: its pipelines' steps run here, against the emulator, as GitHub and GitLab would run them.

It skips the steps that install packages, since the virtual environment of this test is on PATH. A folder takes the
place of those that log in to Pulumi Cloud. The inputs of the official actions are compared with a text.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Run
from tools.engine.build import ENGINE_VERSION

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "infra-repo"
README = (EXAMPLE / "README.md").read_text()
WORKFLOWS = {path.name: path.read_text() for path in sorted((EXAMPLE / ".github" / "workflows").glob("*.yml"))}
JOBS = {(name, job): spec for name, text in WORKFLOWS.items() for job, spec in yaml.safe_load(text)["jobs"].items()}
PIPELINE = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text())
DEALERS = {"dev": 50001, "staging": 50002, "prod": 12345}
INSTALL = "ci/install.sh"

GIT = {f"GIT_{who}_{what}": "test@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

HOSTILE = "``` <b>x</b>"
"""A name that would leave a fenced block of Markdown."""

STEERING = "x\r# Heading\n::error::x\n \t::add-mask::x ##[error]x"
"""A name that would leave an indented block, and give a CI runner commands: it reads them behind blanks, too."""


def commands(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The shell steps of a GitHub job, without the installation."""
    return [step for step in spec["steps"] if "run" in step and step["run"] != INSTALL]


def gitlab(name: str) -> dict[str, Any]:
    """A GitLab job, with what it extends."""
    own: dict[str, Any] = PIPELINE[name]
    parents = own.get("extends", [])
    inherited: dict[str, Any] = {}
    for parent in [parents] if isinstance(parents, str) else parents:
        inherited |= gitlab(parent)
    return inherited | own


@dataclass
class Checkout:
    """A repository that holds a copy of the example, its `home` outside of it."""

    folder: Path
    home: Path

    def shell(self, script: str, **variables: str) -> Run:
        """Run a script as the runners do, in an environment with only PATH, a home and `variables`."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "CI": "true",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stdout
        return Run(done.stdout, done.returncode)

    def good(self, script: str, **variables: str) -> str:
        """Run a script that must succeed: what it printed."""
        done = self.shell(script, **variables)
        assert done.status == 0, done.text
        return done.text

    def github(self, job: tuple[str, str], expressions: dict[str, str], **variables: str) -> Run:
        """Run a job's shell step; its text is the job's summary. An expression without a value is an error."""
        (step,) = commands(JOBS[job])
        given = {
            name: re.sub(r"\$\{\{ (\S+) \}\}", lambda found: expressions[found[1]], value)
            for name, value in step.get("env", {}).items()
        }
        summary = self.home / "summary.md"
        summary.write_text("")
        done = self.shell(step["run"], **given, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary), **variables)
        return Run(summary.read_text(), done.status)

    def gitlab(self, name: str, **variables: str) -> Run:
        """Run a job's script; its text is the job's report, or what it printed."""
        job = gitlab(name)
        done = self.shell("\n".join(job["script"]), GITLAB_CI="true", **job.get("variables", {}), **variables)
        reports = job.get("artifacts", {}).get("paths", [])
        return Run("".join((self.folder / path).read_text() for path in reports) or done.text, done.status)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """The example as somebody's repository, with one commit on main."""
    copy = shutil.copytree(EXAMPLE, tmp_path / "repo", ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    (tmp_path / "home").mkdir()
    checkout = Checkout(copy, tmp_path / "home")
    checkout.good("git init --quiet --initial-branch=main; git add .; git commit --quiet --message=First", **GIT)
    return checkout


@pytest.fixture
def cloud(tmp_path: Path) -> dict[str, str]:
    """What a job can do after it has logged in: a folder in place of Pulumi Cloud."""
    state = tmp_path / "state"
    state.mkdir()
    return {"PULUMI_BACKEND_URL": state.as_uri(), "PULUMI_CONFIG_PASSPHRASE": ""}


@pytest.fixture
def chekt() -> Iterator[Emulator]:
    """A CHeKT that has the dealers of the three environments."""
    with Emulator(dealers=list(DEALERS.values())) as emulator:
        yield emulator


def where(chekt: Emulator) -> dict[str, str]:
    """The address of that CHeKT replaces those in the stack files; the dealers stay."""
    return {name: value for name, value in chekt.environment().items() if name.endswith("_URL")}


def expressions(stack: str) -> dict[str, str]:
    """What a job with credentials may ask GitHub for."""
    return {
        "matrix.stack": stack,
        "vars.PULUMI_ORGANIZATION": "organization",
        "vars.CHEKT_CLIENT_ID": "emulator-client",
        "secrets.CHEKT_CLIENT_SECRET": "emulator-secret",
    }


def credentials() -> dict[str, str]:
    """What GitLab gives a job of an environment."""
    return {"CHEKT_CLIENT_ID": "emulator-client", "CHEKT_CLIENT_SECRET": "emulator-secret"}


DRIFT = ("drift.yml", "drift")


def test_three_environments_go_up_drift_and_down(chekt: Emulator, checkout: Checkout, cloud: dict[str, str]) -> None:
    """A preview asks CHeKT nothing; the ups make the stations; drift is found if there is any; down leaves nothing."""
    here = {**cloud, **where(chekt), "PULUMI_ORGANIZATION": "organization"}
    for stack in DEALERS:
        checkout.good(f"pulumi stack init organization/{stack}", **here)
    previewed = checkout.gitlab("preview", **here, STACK="dev")
    assert previewed.status == 0
    assert previewed.text.startswith("### Preview of dev\n\n    ")
    assert "+ 4 to create" in previewed.text
    assert chekt.requests == []

    for stack, dealer in DEALERS.items():
        done = checkout.gitlab(stack, **here, **credentials(), CI_ENVIRONMENT_NAME=gitlab(stack)["environment"])
        assert "+ 4 created" in done.text
        assert sorted(s["name"] for s in chekt.stations(dealer)) == [
            f"{stack.upper()} Backup Receiving Centre, Shelbyville",
            f"{stack.upper()} Central Station, Springfield",
            f"{stack.upper()} Video Verification Desk",
        ]

    assert checkout.github(DRIFT, expressions("dev"), **here) == Run("### dev: no drift\n\n", 0)
    names = checkout.folder / "monitoring" / "stations.py"
    names.write_text(names.read_text().replace("Springfield", "Ogdenville"))  # merged, and not yet applied
    assert checkout.gitlab("drift", **here, **credentials(), STACK="staging") == Run("### staging: no drift\n\n", 0)

    (central,) = [s for s in chekt.stations(DEALERS["prod"]) if "Central" in s["name"]]
    chekt.edit_station(central["monitoring_station_id"], dealer_id=DEALERS["prod"], name=HOSTILE)
    done = checkout.github(DRIFT, expressions("prod"), **here)
    assert done.status == 1
    lines = done.text.splitlines()
    assert [line for line in lines if line and not line.startswith("    ")] == [
        "### prod: drift",
        "CHeKT differs from what the last `pulumi up` left. `pulumi up --refresh` applies the program of main again.",
    ]
    assert any(line.endswith("MonitoringStation::central]") for line in lines)
    assert f'~ name : "PROD Central Station, Springfield" => "{HOSTILE}"' in re.sub(" +", " ", done.text)

    chekt.edit_station(central["monitoring_station_id"], dealer_id=DEALERS["prod"], name=STEERING)
    steered = checkout.github(DRIFT, expressions("prod"), **here).text
    assert "\r" not in steered
    assert "##[" not in steered
    assert re.findall(r"^.{0,3}#.*|^\s*::.*", steered, re.MULTILINE) == ["### prod: drift"]
    assert "+ x # Heading\n" in steered
    assert "::add-mask::x ## [error]x\n" in steered

    done = checkout.github(DRIFT, expressions("qa"), **here)
    assert done.status == 2
    assert done.text == "### qa: drift could not be looked for\n\n    error: no stack named 'organization/qa' found\n\n"

    down = "pulumi destroy --yes --skip-preview --non-interactive --stack"
    refused = checkout.shell(f"{down} organization/prod", **here, **credentials())
    assert "cannot be deleted" in refused.text
    checkout.good("pulumi state unprotect --all --yes --stack organization/prod", **here)
    for stack, dealer in DEALERS.items():
        checkout.good(f"{down} organization/{stack}", **here, **credentials())
        assert chekt.stations(dealer) == []


def test_a_name_gives_no_command_to_a_ci_runner(checkout: Checkout) -> None:
    """GitHub reads commands after blanks; a carriage return ends a line of Markdown."""
    printed = checkout.good(f"printf %s {shlex.quote(STEERING)} | sed -f ci/block.sed")

    assert printed == "    x # Heading\n    : :error::x\n     \t: :add-mask::x ## [error]x"


def test_a_fork_sees_what_it_changes_without_any_secret(checkout: Checkout) -> None:
    """It shows a new name, another dealer and a new environment against the base branch; nothing is left behind.

    The jobs get no variable except the stack's name: a job that asked for a secret would fail here.
    """
    prod = (checkout.folder / "Pulumi.prod.yaml").read_text()
    checkout.good("git rm --quiet Pulumi.prod.yaml; git commit --quiet --message=Before", **GIT)
    checkout.good("git switch --quiet --create fork")
    (checkout.folder / "Pulumi.prod.yaml").write_text(prod)
    names = checkout.folder / "monitoring" / "stations.py"
    names.write_text(names.read_text().replace("Springfield", "Ogdenville"))
    staging = checkout.folder / "Pulumi.staging.yaml"
    staging.write_text(staging.read_text().replace("50002", "50003"))
    checkout.good("git add .; git commit --quiet --message=Proposal", **GIT)

    command = re.findall(r"^\$ (ci/preview.*)$", README, re.MULTILINE)
    assert command == ["ci/preview-offline.sh staging main"]
    shown = re.sub(" +", " ", checkout.good(command[0]))
    assert '~ dealer_id : "50002" => "50003"' in shown
    assert '~ name : "STAGING Central Station, Springfield" => "STAGING Central Station, Ogdenville"' in shown
    assert "+-3 to replace" in shown

    base = checkout.good("git merge-base main HEAD").strip()
    done = checkout.gitlab("preview-fork", STACK="prod", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert done.status == 0
    assert "+ 4 to create" in done.text

    (checkout.folder / "preview.md").unlink()
    checkout.good("git switch --quiet main; git merge --quiet --no-ff --message='Merge fork' fork", **GIT)
    done = checkout.github(("preview.yml", "preview-fork"), {"matrix.stack": "prod"})
    assert done.status == 0
    assert done.text.startswith("### Preview of prod\n\n    ")
    assert "+ 4 to create" in done.text
    assert checkout.good("git status --porcelain") == ""


def test_the_examples_own_tests_pass(checkout: Checkout) -> None:
    """The pipelines run them like this, including those that need the engine."""
    (step,) = commands(JOBS["preview.yml", "tests"])
    assert [step["run"]] == gitlab("tests")["script"] == ["pytest"]

    printed = checkout.good("pytest -p no:cacheprovider")

    assert re.search(r"^=+ 6 passed in .*$", printed, re.MULTILINE)


def test_every_shell_step_is_run_here() -> None:
    """A new step needs a test; no step's text has an expression that GitHub fills in."""
    assert {job: [step["run"] for step in commands(spec)] for job, spec in JOBS.items()} == {
        DRIFT: ['ci/drift.sh "$STACK" | tee -a "$GITHUB_STEP_SUMMARY"'],
        ("preview.yml", "tests"): ["pytest"],
        ("preview.yml", "preview"): [],
        ("preview.yml", "preview-fork"): ['ci/preview-offline.sh "$STACK" HEAD^ | tee -a "$GITHUB_STEP_SUMMARY"'],
        ("up.yml", "dev"): [],
        ("up.yml", "staging"): [],
        ("up.yml", "prod"): [],
    }
    assert [name for name in PIPELINE if "script" in PIPELINE[name]] == [
        "tests",
        "preview",
        "preview-fork",
        ".up",
        "drift",
    ]
    # Without its name the shell has no pipefail, and `| tee` would hide a failure.
    assert [yaml.safe_load(WORKFLOWS[name])["defaults"] for name in ("drift.yml", "preview.yml")] == [
        {"run": {"shell": "bash"}}
    ] * 2


# Public repositories show each hash beside the release that it claims to be.
CHECKOUT = "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0"
PYTHON = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405"
AUTH = "pulumi/auth-actions@141415910c3beb54e03b48e9057c204c97b956f2"
PULUMI = "pulumi/actions@8e5e406f4007fca908480587cb9893c07090f58d"
RELEASES = {CHECKOUT: "v7.0.0", PYTHON: "v6.2.0", AUTH: "v2.1.0", PULUMI: "v7.0.0"}

Uses = tuple[str, dict[str, Any]]
VERSION = {"pulumi-version-file": ".pulumi.version"}
START: list[Uses] = [(CHECKOUT, {"persist-credentials": False}), (PYTHON, {"python-version-file": ".python-version"})]
LOGIN: Uses = (
    AUTH,
    {
        "organization": "${{ vars.PULUMI_ORGANIZATION }}",
        "requested-token-type": "urn:pulumi:token-type:access_token:organization",
    },
)


def up_of(stack: str) -> list[Uses]:
    name = {"stack-name": f"${{{{ vars.PULUMI_ORGANIZATION }}}}/{stack}"}
    return [*START, LOGIN, (PULUMI, {"command": "up", **name, **VERSION, "comment-on-summary": True})]


ACTIONS: dict[tuple[str, str], list[Uses]] = {
    DRIFT: [*START, LOGIN, (PULUMI, VERSION)],
    ("preview.yml", "tests"): [*START, (PULUMI, VERSION)],
    ("preview.yml", "preview"): [
        *START,
        LOGIN,
        (
            PULUMI,
            {
                "command": "preview",
                "stack-name": "${{ vars.PULUMI_ORGANIZATION }}/${{ matrix.stack }}",
                **VERSION,
                "diff": True,
                "comment-on-pr": True,
            },
        ),
    ],
    ("preview.yml", "preview-fork"): [
        (CHECKOUT, {"persist-credentials": False, "fetch-depth": 2}),
        START[1],
        (PULUMI, VERSION),
    ],
    ("up.yml", "dev"): up_of("dev"),
    ("up.yml", "staging"): up_of("staging"),
    ("up.yml", "prod"): up_of("prod"),
}


def test_the_official_actions_are_given_these_inputs() -> None:
    """Each is pinned by a release's commit, with the release beside it; each input is one that it documents."""
    used = {job: [(s["uses"], s["with"]) for s in spec["steps"] if "uses" in s] for job, spec in JOBS.items()}
    assert used == ACTIONS

    pins = re.findall(r"uses: (\S+) # (v[\d.]+)", "".join(WORKFLOWS.values()))
    assert set(pins) == set(RELEASES.items())
    assert len(pins) == sum(len(actions) for actions in ACTIONS.values())


def test_a_job_may_do_what_it_must() -> None:
    """Only previews of the repository's own branches may comment; only jobs that log in may prove who they are."""
    read, prove = {"contents": "read"}, {"contents": "read", "id-token": "write"}

    assert [yaml.safe_load(text)["permissions"] for text in WORKFLOWS.values()] == [{}, {}, {}]
    assert {job: spec["permissions"] for job, spec in JOBS.items()} == {
        DRIFT: prove,
        ("preview.yml", "tests"): read,
        ("preview.yml", "preview"): {**prove, "pull-requests": "write"},
        ("preview.yml", "preview-fork"): read,
        ("up.yml", "dev"): prove,
        ("up.yml", "staging"): prove,
        ("up.yml", "prod"): prove,
    }
    # `on` is a boolean in YAML 1.1. A pull_request_target would give secrets to forks.
    assert {name: yaml.safe_load(text)[True] for name, text in WORKFLOWS.items()} == {
        "drift.yml": {"schedule": [{"cron": "17 3 * * *"}], "workflow_dispatch": None},
        "preview.yml": {"pull_request": None},
        "up.yml": {"push": {"branches": ["main"]}},
    }
    assert "secrets." not in WORKFLOWS["preview.yml"]
    assert "CHEKT_CLIENT" not in WORKFLOWS["preview.yml"]
    assert "PULUMI_ACCESS_TOKEN" not in "".join(WORKFLOWS.values()) + str(PIPELINE)


def test_ups_follow_one_another_and_are_never_cancelled() -> None:
    """GitHub and GitLab agree: one at a time for each stack, in its environment, after the one before."""
    jobs = {job: spec for (name, job), spec in JOBS.items() if name == "up.yml"}
    assert {job: (spec.get("needs"), spec["environment"], spec["concurrency"]) for job, spec in jobs.items()} == {
        "dev": (None, "dev", {"group": "up-dev", "cancel-in-progress": False}),
        "staging": ("dev", "staging", {"group": "up-staging", "cancel-in-progress": False}),
        "prod": ("staging", "prod", {"group": "up-prod", "cancel-in-progress": False}),
    }
    drift = JOBS[DRIFT]
    assert drift["environment"] == "${{ matrix.stack }}-drift"
    assert drift["concurrency"] == {"group": "drift-${{ matrix.stack }}", "cancel-in-progress": False}

    assert PIPELINE["stages"] == ["check", "dev", "staging", "prod"]
    assert PIPELINE["default"]["interruptible"] is False
    for stack in DEALERS:
        assert [gitlab(stack)[key] for key in ("stage", "environment", "resource_group")] == [stack] * 3
    assert [rule.get("when") for stack in DEALERS for rule in gitlab(stack)["rules"]] == [None, None, "manual"]


def test_a_fork_is_told_from_a_branch() -> None:
    """Each condition is the opposite of the other, and GitLab compares the projects."""
    ours, forks = (JOBS["preview.yml", job]["if"].replace("\n", " ") for job in ("preview", "preview-fork"))
    event = "github.event.pull_request"
    assert ours == (f"{event}.head.repo.full_name == github.repository && {event}.user.login != 'dependabot[bot]'")
    assert forks == (f"{event}.head.repo.full_name != github.repository || {event}.user.login == 'dependabot[bot]'")

    ids = ("$CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "$CI_MERGE_REQUEST_PROJECT_ID")
    request = '$CI_PIPELINE_SOURCE == "merge_request_event"'
    assert gitlab("preview")["rules"] == [{"if": f"{request} && {ids[0]} == {ids[1]}"}]
    assert gitlab("preview-fork")["rules"] == [{"if": f"{request} && {ids[0]} != {ids[1]}"}]
    assert "id_tokens" not in gitlab("preview-fork")


def test_gitlab_logs_in_without_a_token_that_lives() -> None:
    """The job's own identity is exchanged, for the organization that it names."""
    assert PIPELINE["default"]["before_script"] == [INSTALL]
    assert PIPELINE[".cloud"] == {
        "id_tokens": {"PULUMI_ID_TOKEN": {"aud": "urn:pulumi:org:$PULUMI_ORGANIZATION"}},
        "before_script": [
            INSTALL,
            'pulumi login --oidc-org "$PULUMI_ORGANIZATION" --oidc-token "$PULUMI_ID_TOKEN"',
        ],
    }
    assert [job for job in PIPELINE if "id_tokens" in PIPELINE[job]] == [".cloud"]


def test_the_pipelines_take_the_engine_that_is_tried_here() -> None:
    """Both use one version."""
    version = (EXAMPLE / ".pulumi.version").read_text().strip()

    assert f"v{version}" == ENGINE_VERSION
    assert PIPELINE["default"]["image"] == f"pulumi/pulumi-python-3.12:{version}"
    assert (EXAMPLE / ".python-version").read_text() == "3.12\n"


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ("chekt:clientSecret: s3cret", ["chekt:clientSecret"]),
        ('"chekt:clientSecret": "s3cret"', ["chekt:clientSecret"]),
        ("chekt:clientSecret:\n    s3cret", ["chekt:clientSecret"]),
        ("? chekt:clientSecret\n  : s3cret", ["chekt:clientSecret"]),
        ("chekt:clientSecret: 12345", ["chekt:clientSecret"]),
        ("app:alphaClientSecret: s3cret", ["app:alphaClientSecret"]),
        ("app:dealers: {alpha: {clientSecret: s3cret, name: Alpha}}", ["app:dealers.alpha.clientSecret"]),
        ("app:dealers: [{api_key: s3cret}]", ["app:dealers[0].api_key"]),
        ("app:tokens: [s3cret]\n  app:accessToken: s3cret", ["app:tokens[0]", "app:accessToken"]),
        ("chekt:privateKey: |\n    -----BEGIN PRIVATE KEY-----\n    abc", ["chekt:privateKey"]),
        ("chekt:privateKey: key.pem", []),
        ("chekt:clientSecret:\n    secure: v1:abc", []),
        ("chekt:clientSecret: {secure: v1:abc}", []),
        ("app:dealers: {alpha: {clientSecret: {secure: v1:abc}}}", []),
        ("chekt:clientId: my-app\n  chekt:tokenUrl: https://token.example", []),
    ],
)
def test_a_secret_in_clear_is_not_committed(tmp_path: Path, config: str, keys: list[str]) -> None:
    """YAML allows many forms of it; what Pulumi encrypted passes, and so does the path of a key."""
    hooks = yaml.safe_load((EXAMPLE / ".pre-commit-config.yaml").read_text())["repos"][-1]["hooks"]
    (hook,) = [hook for hook in hooks if hook["id"] == "no-plain-secret"]
    assert [path.name for path in EXAMPLE.iterdir() if re.search(hook["files"], path.name)] == [
        path.name for path in EXAMPLE.glob("Pulumi.*.yaml")
    ]
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  {config}\n")

    done = subprocess.run(
        [*hook["entry"].split(), str(tmp_path / "Pulumi.dev.yaml")],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "".join(
        f"{tmp_path}/Pulumi.dev.yaml: {key} is in clear: run `pulumi config set --secret {key}`, and change it where "
        "it was shared\n"
        for key in keys
    )
    assert (done.returncode, done.stderr) == (int(bool(keys)), "")


def test_the_package_is_taken_from_wheels(checkout: Checkout) -> None:
    """The README's command puts it there, and ci/install.sh finds it, without an index of packages."""
    (command,) = re.findall(r"^\$ (pip wheel .*?) path/to/chekt-provider$", README, re.MULTILINE)
    # Without the network: the build backend is that of this environment, and so are the locked packages.
    checkout.good(f"python -m {command} --quiet --no-build-isolation {ROOT}")
    locked, ours = (checkout.folder / INSTALL).read_text().splitlines()[-2:]

    printed = checkout.good(f"python -m {ours} --dry-run --ignore-installed")

    assert locked == "pip install --require-hashes --requirement requirements.txt"

    assert re.search(r"^Would install chekt-provider-[\d.]+$", printed, re.MULTILINE)

"""The settings for Pulumi Deployments, word for word; what it could not keep is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.rollout.deployments import deployment_settings
from chekt_provider.rollout.plan import Wave

WAVES = (Wave("dev", ("dev",)), Wave("production", ("prod-1", "Prod 2")))
OPERATION = {"preRunCommands": ["pip install chekt-provider"], "environmentVariables": {"CHEKT_CLIENT_ID": "my-app"}}
TEAM = {
    "organization": "acme",
    "sourceContext": {"git": {"branch": "main", "repoDir": "stations"}},
    "gitHub": {"repository": "acme/infra", "deployCommits": True, "previewPullRequests": True, "deployTags": True},
    "operationContext": OPERATION,
}


def refused(**deployments: Any) -> str:
    """Why these settings are refused."""
    with pytest.raises(BadFileError) as error:
        deployment_settings(WAVES, "stations", deployments)
    return str(error.value)


def test_a_push_deploys_the_first_wave_alone() -> None:
    """Every stack has the team's settings; somebody starts those of later waves."""
    first = {"sourceContext": TEAM["sourceContext"], "gitHub": TEAM["gitHub"], "operationContext": OPERATION}
    pushless = {"repository": "acme/infra", "deployCommits": False, "previewPullRequests": True, "deployTags": False}
    later = {**first, "gitHub": pushless}

    assert deployment_settings(WAVES, "stations", TEAM) == [
        {
            "stack": "acme/stations/dev",
            "path": "/api/stacks/acme/stations/dev/deployments/settings",
            "settings": first,
        },
        {
            "stack": "acme/stations/prod-1",
            "path": "/api/stacks/acme/stations/prod-1/deployments/settings",
            "settings": later,
        },
        {
            "stack": "acme/stations/Prod 2",
            "path": "/api/stacks/acme/stations/Prod%202/deployments/settings",
            "settings": later,
        },
    ]


def test_what_a_stack_had_before_does_not_stay() -> None:
    """Settings are merged: if a push no longer deploys, the settings must say so."""
    *_, last = deployment_settings(WAVES, "stations", {"organization": "acme", "vcs": {"provider": "gitlab"}})

    assert last["settings"] == {"vcs": {"provider": "gitlab", "deployCommits": False}}


@pytest.mark.parametrize("deployments", [{}, {"organization": ""}, {"organization": 7}])
def test_the_organization_must_be_said(deployments: dict[str, Any]) -> None:
    """rollout.yaml names stacks by their files, which do not know the organization."""
    assert refused(**deployments) == (
        "deployments.organization is missing: it is the owner of the stacks in Pulumi Cloud."
    )


def test_a_misspelt_setting_is_refused() -> None:
    """The API would silently ignore it."""
    assert refused(organization="acme", sourceContex={}) == (
        "deployments.sourceContex is no deployment setting: there are organization, agentPoolID, cacheOptions,"
        " executorContext, gitHub, operationContext, sourceContext, tag, vcs."
    )


@pytest.mark.parametrize("variable", ["CHEKT_CLIENT_SECRET", "CHEKT_PRIVATE_KEY"])
@pytest.mark.parametrize("value", ["in-clear", {"secret": "in-clear"}, {"isSecret": True, "value": "in-clear"}])
def test_a_secret_in_clear_is_refused(variable: str, value: Any) -> None:
    """rollout.yaml is in a repository; a secret that Pulumi Cloud has encrypted may be there."""
    variables = {"environmentVariables": {variable: value}}

    assert refused(organization="acme", operationContext=variables) == (
        f"deployments.operationContext.environmentVariables.{variable} is written in clear: take it out, and set it"
        " once in Pulumi Cloud, as a secret; it stays there, since settings are merged."
    )
    encrypted = {"environmentVariables": {variable: {"ciphertext": "AAAB"}}}
    assert deployment_settings(WAVES, "stations", {"organization": "acme", "operationContext": encrypted})


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (
            {"operationContext": {"environmentVariables": {"PULUMI_CONFIG_PASSPHRASE": {"secret": "in-clear"}}}},
            "operationContext.environmentVariables.PULUMI_CONFIG_PASSPHRASE",
        ),
        (
            {"operationContext": {"environmentVariables": {"ANY": {"secret": "in-clear"}}}},
            "operationContext.environmentVariables.ANY",
        ),
        (
            {"operationContext": {"preRunCommands": ["make", "export CHEKT_CLIENT_SECRET=in-clear"]}},
            "operationContext.preRunCommands[1]",
        ),
        (
            {"sourceContext": {"git": {"gitAuth": {"accessToken": {"secret": "in-clear"}}}}},
            "sourceContext.git.gitAuth.accessToken",
        ),
    ],
)
def test_no_secret_in_clear_is_passed_on(settings: dict[str, Any], path: str) -> None:
    """Wherever it is; a command may name a variable."""
    assert refused(organization="acme", **settings).startswith(f"deployments.{path} is written in clear: ")
    commands = {
        "preRunCommands": ['export A_SECRET="$B_SECRET"', "export TOKEN=$TOKEN; pip install -r requirements.txt"]
    }
    assert deployment_settings(WAVES, "stations", {"organization": "acme", "operationContext": commands})


@pytest.mark.parametrize("organization", ["..", ".", "a/b", "a b"])
def test_an_organization_that_is_no_name_is_refused(organization: str) -> None:
    """It becomes part of a path."""
    assert refused(organization=organization) == (
        "deployments.organization is no name of an organization of Pulumi Cloud."
    )

"""Settings of Pulumi Deployments for the stacks of a roll-out.

The shape is the body of PatchDeploymentSettings, `POST /api/stacks/{org}/{project}/{stack}/deployments/settings`, in
Pulumi Cloud's REST API: its page "Deployments" and, field by field, "DeploymentSettingsRequest". `pulumi api` sends it.
The file Pulumi.<stack>.deploy.yaml is no way: Pulumi took it out in June 2026 (pull request 23480 of pulumi/pulumi).

The API merges: what is set elsewhere, secrets above all, stays. Deployments knows no waves: a push starts every stack
whose settings say so. So pushes deploy the first wave alone; later ones begin when somebody runs
`pulumi deployment run`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.rollout.clear_text import is_name, secrets_in_clear
from chekt_provider.rollout.plan import Wave
from chekt_provider.text import shown

FIELDS = (
    "agentPoolID",
    "cacheOptions",
    "executorContext",
    "gitHub",
    "operationContext",
    "sourceContext",
    "tag",
    "vcs",
)
PUSHED = ("gitHub", "vcs")
PUSHES = ("deployCommits", "deployTags")


def deployment_settings(waves: Sequence[Wave], project: str, deployments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings of each stack.

    Args:
        waves: in their order.
        project: the name of the Pulumi project.
        deployments: what rollout.yaml says under `deployments`: `organization`, and the settings.

    Returns:
        `{"stack": "org/project/stack", "path": "/api/stacks/…/deployments/settings", "settings": {…}}` of each;
        `settings` is to be posted to `path`.

    Raises:
        BadFileError: `deployments` cannot be taken; one line, which does not name the file.
    """
    organization = deployments.get("organization")
    if not isinstance(organization, str) or not organization:
        raise BadFileError("deployments.organization is missing: it is the owner of the stacks in Pulumi Cloud.")
    if not is_name(organization):
        raise BadFileError("deployments.organization is no name of an organization of Pulumi Cloud.")
    settings = {field: value for field, value in deployments.items() if field != "organization"}
    _refuse(settings)
    found = []
    for number, wave in enumerate(waves):
        of_wave = settings if number == 0 else _without_pushes(settings)
        for stack in wave.stacks:
            names = (organization, project, stack)
            path = "/".join(quote(name, safe="") for name in names)
            found.append(
                {"stack": "/".join(names), "path": f"/api/stacks/{path}/deployments/settings", "settings": of_wave}
            )
    return found


def _refuse(settings: Mapping[str, Any]) -> None:
    for field in settings:
        if field not in FIELDS:
            raise BadFileError(
                f"deployments.{shown(str(field), 100)} is no deployment setting: there are organization, "
                f"{', '.join(FIELDS)}."
            )
    if path := next(secrets_in_clear("deployments", settings), None):
        raise BadFileError(
            f"{shown(path, 100)} is written in clear: take it out, and set it once in Pulumi Cloud, as a secret; it"
            " stays there, since settings are merged."
        )


def _without_pushes(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: _unpushed(value) if field in PUSHED and isinstance(value, Mapping) else value
        for field, value in settings.items()
    }


def _unpushed(source: Mapping[str, Any]) -> dict[str, Any]:
    """False is said also where nothing was: what the stack had before would stay."""
    return {**source, **{key: False for key in PUSHES if key in source}, "deployCommits": False}

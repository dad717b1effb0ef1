"""The documents for Pulumi's Kubernetes Operator, word for word; what it could not keep is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chekt_provider.files.rollout_file import read_rollout_file
from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.rollout.deployments import deployment_settings
from chekt_provider.rollout.operator import as_yaml, stack_resources
from chekt_provider.rollout.plan import Wave
from tests.helpers import blocks

PAGE = Path(__file__).parents[2] / "docs" / "where-to-run.md"
WAVES = (Wave("dev", ("dev",)), Wave("staging", ("staging-1", "staging-2")), Wave("production", ("Prod_1",)))
SOURCE = {"projectRepo": "https://github.com/acme/stations", "commit": "03658b5514f08970f350618a6e6fdf1bd75f45d0"}
DOCUMENTS = """
apiVersion: pulumi.com/v1
kind: Stack
metadata:
  name: stations-dev
spec:
  stack: dev
  refresh: true
  projectRepo: https://github.com/acme/stations
  commit: 03658b5514f08970f350618a6e6fdf1bd75f45d0
  destroyOnFinalize: false
---
apiVersion: pulumi.com/v1
kind: Stack
metadata:
  name: stations-staging-1
spec:
  stack: staging-1
  refresh: true
  projectRepo: https://github.com/acme/stations
  commit: 03658b5514f08970f350618a6e6fdf1bd75f45d0
  destroyOnFinalize: false
  prerequisites:
  - name: stations-dev
---
apiVersion: pulumi.com/v1
kind: Stack
metadata:
  name: stations-staging-2
spec:
  stack: staging-2
  refresh: true
  projectRepo: https://github.com/acme/stations
  commit: 03658b5514f08970f350618a6e6fdf1bd75f45d0
  destroyOnFinalize: false
  prerequisites:
  - name: stations-dev
---
apiVersion: pulumi.com/v1
kind: Stack
metadata:
  name: stations-prod-1
spec:
  stack: Prod_1
  refresh: true
  projectRepo: https://github.com/acme/stations
  commit: 03658b5514f08970f350618a6e6fdf1bd75f45d0
  destroyOnFinalize: false
  prerequisites:
  - name: stations-staging-1
  - name: stations-staging-2
"""


def refused(*waves: Wave, **operator: Any) -> str:
    """Why these waves are refused."""
    with pytest.raises(BadFileError) as error:
        stack_resources(waves, "stations", operator)
    return str(error.value)


def named(*stacks: str, project: str = "stations") -> list[str]:
    """The names of these stacks' resources."""
    return [resource["metadata"]["name"] for resource in stack_resources([Wave("all", stacks)], project, {})]


def test_each_stack_waits_for_every_stack_of_the_wave_before() -> None:
    """One document each, in the order of the waves: as text, since `kubectl apply` reads text."""
    resources = stack_resources(WAVES, "stations", SOURCE)

    assert yaml.safe_dump_all(resources, sort_keys=False) == DOCUMENTS.removeprefix("\n")


def test_a_team_may_refresh_otherwise_and_add_any_field() -> None:
    """What rollout.yaml says under `operator` goes into every specification as it is."""
    backend = {"backend": "s3://state", "refresh": False, "envRefs": {"CHEKT_CLIENT_SECRET": {"type": "Secret"}}}

    (resource,) = stack_resources(WAVES[:1], "stations", backend)

    assert resource["spec"] == {"stack": "dev", **backend, "destroyOnFinalize": False}


def test_stacks_of_an_organization_are_named_in_full() -> None:
    """Otherwise Pulumi Cloud would look for them with the token's owner; the resource's name stays short."""
    (resource,) = stack_resources(WAVES[:1], "stations", {"organization": "acme"})

    assert resource["metadata"] == {"name": "stations-dev"}
    assert resource["spec"] == {"stack": "acme/stations/dev", "refresh": True, "destroyOnFinalize": False}


def test_a_wave_without_stacks_breaks_no_order() -> None:
    """The wave behind it waits for the one before it."""
    *_, last = stack_resources((WAVES[0], Wave("none", ()), WAVES[2]), "stations", SOURCE)

    assert last["spec"]["prerequisites"] == [{"name": "stations-dev"}]


def test_names_are_names_of_kubernetes() -> None:
    """Small letters, digits and hyphens, a letter first, and never longer than the operator can bear."""
    assert named("Prod_1", "München-2", "a.b") == ["stations-prod-1", "stations-m-nchen-2", "stations-a-b"]
    assert named("dev", project="7 seas") == ["stack-7-seas-dev"]
    assert named("s" * 33) == ["stations-" + "s" * 33]
    long = named("s" * 34, "s" * 35)
    assert long == ["stations-ssssssssssssssssssssssss-7771c049", "stations-ssssssssssssssssssssssss-4bca114e"]
    assert [len(name) for name in long] == [42, 42]


def test_two_stacks_with_one_name_are_refused() -> None:
    """The error names both."""
    assert refused(Wave("all", ("prod-1", "Prod_1"))) == (
        "The stacks 'prod-1' and 'Prod_1' would both be the Kubernetes resource 'stations-prod-1': rename one of them."
    )


@pytest.mark.parametrize("field", ["stack", "prerequisites", "destroyOnFinalize"])
def test_what_the_waves_say_is_not_said_again(field: str) -> None:
    """Above all, nobody may let the deletion of a resource destroy stations."""
    assert refused(WAVES[0], **{field: True}) == f"operator.{field} is made from the waves: take it out."


@pytest.mark.parametrize("source", [{}, {"branch": "main"}, {"commit": ""}, {"commit": 1234567}])
def test_waves_need_a_commit(source: dict[str, Any]) -> None:
    """The operator asks whether a prerequisite's specification was carried out: only a commit makes it a new one."""
    assert refused(*WAVES[:2], **source) == (
        "operator.commit must be a commit's hash, in quotes: where the specification names none, the operator begins"
        " all waves at once."
    )
    assert stack_resources(WAVES[:1], "stations", source)


def test_a_wave_behind_an_approval_is_applied_by_itself() -> None:
    """The operator waits for stacks, not for people; the first wave begins because somebody applies it."""
    asking = Wave("production", ("prod-1",), approval=True)

    assert refused(WAVES[0], asking, **SOURCE) == (
        "The wave 'production' asks for an approval, for which the operator does not wait: list each wave by itself"
        " with --wave, and apply that one when it is approved."
    )
    assert stack_resources([asking], "stations", SOURCE)


@pytest.mark.parametrize("variable", ["CHEKT_CLIENT_SECRET", "CHEKT_PRIVATE_KEY"])
def test_a_secret_in_clear_is_refused(variable: str) -> None:
    """rollout.yaml is in a repository; the line does not show the secret either."""
    literal = {"type": "Literal", "literal": {"value": "in-clear"}}

    assert refused(WAVES[0], envRefs={variable: literal}) == (
        f"operator.envRefs.{variable} is written in clear: put it into a Secret of the cluster and name that, with"
        " `type: Secret`."
    )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"config": {"chekt:clientSecret": "in-clear"}}, "config.chekt:clientSecret"),
        ({"config": {"app:alphaClientSecret": "in-clear"}}, "config.app:alphaClientSecret"),
        ({"secretsRef": {"x": {"type": "Literal", "literal": {"value": "in-clear"}}}}, "secretsRef.x"),
        (
            {"envRefs": {"CHEKT_CLIENT_SECRET": {"literal": {"value": "in-clear"}}}},
            "envRefs.CHEKT_CLIENT_SECRET.literal",
        ),
        ({"envRefs": {"PULUMI_ACCESS_TOKEN": {"type": "Literal"}}}, "envRefs.PULUMI_ACCESS_TOKEN"),
        ({"envRefs": {"PULUMI_CONFIG_PASSPHRASE": "in-clear"}}, "envRefs.PULUMI_CONFIG_PASSPHRASE"),
        ({"gitAuth": {"accessToken": {"type": "Literal", "literal": {"value": "x"}}}}, "gitAuth.accessToken"),
        ({"gitAuth": {"basicAuth": {"password": "in-clear"}}}, "gitAuth.basicAuth.password"),
    ],
)
def test_no_secret_in_clear_is_passed_on(fields: dict[str, Any], path: str) -> None:
    """Wherever it is; the name of a secret of the cluster is passed on."""
    assert refused(WAVES[0], **fields).startswith(f"operator.{path} is written in clear: ")
    reference = {"type": "Secret", "secret": {"name": "chekt", "key": "client-secret"}}
    named = {
        "envRefs": {"CHEKT_CLIENT_SECRET": reference},
        "secretsRef": {"chekt:clientSecret": reference},
        "gitAuth": {"accessToken": reference},
        "secretsProvider": "awskms://alias/x",
        "config": {"chekt:clientId": "app", "chekt:tokenUrl": "https://token.example"},
    }
    assert stack_resources(WAVES[:1], "stations", named)


@pytest.mark.parametrize("organization", ["..", "a/b", "a b", 7])
def test_an_organization_that_is_no_name_is_refused(organization: Any) -> None:
    """It becomes part of the stack's name."""
    assert refused(WAVES[0], organization=organization) == (
        "operator.organization is no name of an organization of Pulumi Cloud."
    )


NUMBERLIKE = """\
apiVersion: pulumi.com/v1
kind: Stack
metadata:
  name: stations-y
spec:
  stack: "y"
  refresh: true
  commit: "12345e7"
  path: "a"
  destroyOnFinalize: false
"""


def test_kubernetes_reads_texts_as_texts() -> None:
    """This includes texts that Kubernetes' YAML, unlike Python's, takes for a number or a truth value."""
    (resource,) = stack_resources([Wave("dev", ("y",))], "stations", {"commit": "12345e7", "path": "a"})
    assert as_yaml([resource]) == NUMBERLIKE


def test_the_page_about_it_can_be_copied(tmp_path: Path) -> None:
    """Its two files are read, and give resources and settings of each stack."""
    operator, deployments = blocks(PAGE.read_text("utf-8"), "yaml")

    def listed(text: str) -> tuple[list[Wave], Any]:
        (tmp_path / "rollout.yaml").write_text(text)
        content = read_rollout_file(str(tmp_path / "rollout.yaml")).content
        return [Wave(wave.name, wave.stacks) for wave in content.waves], content

    waves, content = listed(operator)
    resources = stack_resources(waves, "stations", content.operator)
    assert [resource["metadata"]["name"] for resource in resources] == ["stations-dev", "stations-prod"]
    assert resources[1]["spec"]["prerequisites"] == [{"name": "stations-dev"}]
    waves, content = listed(deployments)
    settings = [stack["settings"] for stack in deployment_settings(waves, "stations", content.deployments)]
    assert [each["gitHub"]["deployCommits"] for each in settings] == [True, False]

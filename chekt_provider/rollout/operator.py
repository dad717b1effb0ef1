"""Stack resources for Pulumi's Kubernetes Operator, made from the waves of a roll-out.

The shape is the custom resource `Stack` of `pulumi.com/v1` as operator 2 defines it: docs/stacks.md and
deploy/crds/pulumi.com_stacks.yaml of github.com/pulumi/pulumi-kubernetes-operator. That a change goes from wave to wave
by `prerequisites` and a pinned `commit` is what Pulumi's page "Rolling out changes" of the operator advises.

A prerequisite is met when its last update succeeded and was one of its present specification. So `commit` must be in
the specification: with `branch` or a Flux source a new commit changes no specification, what the wave before did with
the old commit counts, and all waves begin at once.

Every stack waits for each of the wave before. 200 stacks behind 200 are 40,000 names: 10 KB in each resource, of the
256 KB that `kubectl apply` can note in one, and the operator looks them up in its cache.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from chekt_provider.files.yaml_file import TAG, BadFileError
from chekt_provider.rollout.clear_text import is_name, secrets_in_clear
from chekt_provider.rollout.plan import Wave
from chekt_provider.text import shown

OURS = ("destroyOnFinalize", "prerequisites", "stack")
LONGEST_NAME = 42
"""The operator adds "-workspace" and Kubernetes a hash, and the sum must fit into a label (its issue 899)."""


def stack_resources(waves: Sequence[Wave], project: str, operator: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One resource for each stack, in the order in which they must be applied.

    Args:
        waves: in their order.
        project: the name of the Pulumi project.
        operator: what rollout.yaml says under `operator`: fields of every `spec`, such as `projectRepo` and `commit`;
            `refresh` is true unless it says otherwise. And `organization`, for stacks that one of Pulumi Cloud owns.

    Returns:
        `{"apiVersion": "pulumi.com/v1", "kind": "Stack", "metadata": {"name": …}, "spec": {…}}` of each. Deleting one
        never destroys its stack.

    Raises:
        BadFileError: the operator could not keep what rollout.yaml says; one line, which does not name the file.
    """
    _refuse_fields(operator)
    _refuse_waves(waves, operator)
    names = _names([stack for wave in waves for stack in wave.stacks], project)
    spec = {field: value for field, value in operator.items() if field != "organization"}
    owner = f"{operator['organization']}/{project}/" if operator.get("organization") else ""
    resources = []
    before: list[str] = []
    for wave in waves:
        resources += [_resource(names[stack], owner + stack, before, spec) for stack in wave.stacks]
        before = [names[stack] for stack in wave.stacks] or before
    return resources


def as_yaml(resources: Iterable[Mapping[str, Any]]) -> str:
    """A stream of documents for `kubectl apply -f -`."""
    return yaml.dump_all(resources, Dumper=_Dumper, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that PyYAML reads as texts and Kubernetes does not, such as y and the commit 12345e7."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_word = text[:1].isalpha() and len(text) > 1
    return dumper.represent_scalar(f"{TAG}str", text, style=None if is_word else '"')


_Dumper.add_representer(str, _text)


def _resource(name: str, stack: str, before: list[str], common: Mapping[str, Any]) -> dict[str, Any]:
    spec = {"stack": stack, "refresh": True, **common, "destroyOnFinalize": False}
    if before:
        spec["prerequisites"] = [{"name": prerequisite} for prerequisite in before]
    return {"apiVersion": "pulumi.com/v1", "kind": "Stack", "metadata": {"name": name}, "spec": spec}


def _refuse_fields(operator: Mapping[str, Any]) -> None:
    for field in OURS:
        if field in operator:
            raise BadFileError(f"operator.{field} is made from the waves: take it out.")
    if path := next(secrets_in_clear("operator", operator), None):
        raise BadFileError(
            f"{shown(path, 100)} is written in clear: put it into a Secret of the cluster and name that, with"
            " `type: Secret`."
        )
    organization = operator.get("organization")
    if organization and not is_name(organization):
        raise BadFileError("operator.organization is no name of an organization of Pulumi Cloud.")


def _refuse_waves(waves: Sequence[Wave], operator: Mapping[str, Any]) -> None:
    commit = operator.get("commit")
    if len(waves) > 1 and not (isinstance(commit, str) and commit):
        raise BadFileError(
            "operator.commit must be a commit's hash, in quotes: where the specification names none, the operator"
            " begins all waves at once."
        )
    for wave in waves[1:]:
        if wave.approval:
            raise BadFileError(
                f"The wave {wave.name!r} asks for an approval, for which the operator does not wait: list each wave by"
                " itself with --wave, and apply that one when it is approved."
            )


def _names(stacks: Iterable[str], project: str) -> dict[str, str]:
    """The name of each stack's resource."""
    owners: dict[str, str] = {}
    for stack in stacks:
        name = _name(f"{project}-{stack}")
        if name in owners:
            raise BadFileError(
                f"The stacks {shown(owners[name], 100)!r} and {shown(stack, 100)!r} would both be the Kubernetes"
                f" resource {name!r}: rename one of them."
            )
        owners[name] = stack
    return {stack: name for name, stack in owners.items()}


def _name(text: str) -> str:
    """The text as a name that Kubernetes takes also for a Service: lowercase letters, digits and hyphens."""
    name = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name[:1].isalpha():
        name = f"stack-{name}"
    if len(name) > LONGEST_NAME:
        mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        name = f"{name[: LONGEST_NAME - 9].rstrip('-')}-{mark}"
    return name

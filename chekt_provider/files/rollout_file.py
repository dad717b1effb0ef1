"""rollout.yaml: the stacks of a roll-out, their order, and what may not happen to them.

project: stations
parallel: 2
gates:
  changes: 20
waves:
  - name: dev
    stacks: [dev]
  - name: production
    stacks: ["prod-*"]
    parallel: 4
    approval: true

The classes below say what each key means.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictInt, StrictStr

from chekt_provider.files.document import Document, Shape, read_document

Parallel = Annotated[StrictInt, Field(ge=1, le=64)]


class Gates(Shape):
    """What a stack's preview may show. Anything else stops its wave.

    Attributes:
        deletes: whether it may delete resources.
        replacements: whether it may replace resources.
        changes: the most resources that it may change; None: any number.
        policies: the folders of policy packs that it must satisfy, from rollout.yaml's folder.
    """

    deletes: StrictBool = False
    replacements: StrictBool = False
    changes: Annotated[StrictInt, Field(ge=0)] | None = None
    policies: tuple[StrictStr, ...] = ()


class WaveEntry(Shape):
    """A wave as the file gives it.

    Attributes:
        name: its name; it is part of file names.
        stacks: names of stacks, or patterns of them such as "prod-*".
        parallel: how many of its stacks change at once; None: what the file says for all.
        approval: whether a person must approve the wave before it begins.
        gates: these replace the file's own gates.
    """

    name: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")]
    stacks: Annotated[tuple[StrictStr, ...], Field(min_length=1)]
    parallel: Parallel | None = None
    approval: StrictBool = False
    gates: Gates = Gates()


class RolloutFile(Shape):
    """What rollout.yaml says.

    Attributes:
        project: the folder of the Pulumi project, from rollout.yaml's own.
        parallel: how many stacks change at once.
        gates: for the stacks of all waves.
        checkpoints: whether Pulumi writes a stack's state after each resource, and not only at the end.
        waves: in their order.
        operator: what `--list --operator` adds to every Stack resource of Pulumi's Kubernetes Operator.
        deployments: what `--list --deployments` adds to the settings of every stack.
    """

    project: StrictStr = "."
    parallel: Parallel = 2
    gates: Gates = Gates()
    checkpoints: StrictBool = True
    waves: Annotated[tuple[WaveEntry, ...], Field(min_length=1)]
    operator: dict[str, Any] = Field(default_factory=dict)
    deployments: dict[str, Any] = Field(default_factory=dict)


_MEANINGS = {
    "project": "the folder of a Pulumi project",
    "parallel": "a whole number from 1 to 64",
    "gates": "keys with values, such as `changes: 20`",
    "checkpoints": "true or false",
    "waves": "a list of waves, of one at least",
    "operator": "keys with values",
    "deployments": "keys with values",
    "name": "up to 50 lowercase letters, digits and hyphens",
    "stacks": 'a list of stacks or patterns, such as [dev, "prod-*"]; text that YAML takes for a number needs quotes',
    "approval": "true or false",
    "deletes": "true or false",
    "replacements": "true or false",
    "changes": "a whole number of 0 or more",
    "policies": "a list of folders",
}


def read_rollout_file(path: str) -> Document[RolloutFile]:
    """Read a rollout.yaml. Raises BadFileError with all problems at once."""
    return read_document(path, RolloutFile, _MEANINGS)

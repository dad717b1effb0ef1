"""rollout.yaml: which stacks a roll-out changes, in which order, and what may not happen to them.

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

What each key means, the classes below say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from chekt_provider.files.yaml_file import (
    TAG,
    BadYamlError,
    line_of,
    located,
    meant,
    plain_values,
    read_yaml,
    refuse_growth,
)

_Path = tuple[str | int, ...]

Parallel = Annotated[StrictInt, Field(ge=1, le=64)]


class BadRolloutError(ValueError):
    """A rollout.yaml that cannot be taken; its text has a line for each problem."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gates(_Shape):
    """What a stack's preview may show without stopping its wave.

    Attributes:
        deletes: whether resources may be deleted.
        replacements: whether resources may be replaced.
        changes: how many resources may be changed at most; None: any number.
        policies: the folders of policy packs, each of which must be satisfied, from rollout.yaml's folder.
    """

    deletes: StrictBool = False
    replacements: StrictBool = False
    changes: Annotated[StrictInt, Field(ge=0)] | None = None
    policies: tuple[StrictStr, ...] = ()


class WaveEntry(_Shape):
    """A wave as the file gives it.

    Attributes:
        name: its name; it is part of file names.
        stacks: names of stacks, or patterns of them such as "prod-*".
        parallel: how many of its stacks are changed at once; None: what the file says for all.
        approval: whether a person must approve the wave before it begins.
        gates: what it says in place of the file's own gates.
    """

    name: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")]
    stacks: Annotated[tuple[StrictStr, ...], Field(min_length=1)]
    parallel: Parallel | None = None
    approval: StrictBool = False
    gates: Gates = Gates()


class RolloutFile(_Shape):
    """What rollout.yaml says.

    Attributes:
        project: the folder of the Pulumi project, from rollout.yaml's own.
        parallel: how many stacks are changed at once.
        gates: for the stacks of all waves.
        checkpoints: False: Pulumi writes a stack's state once, at the end, and not after each resource.
        waves: in their order.
        operator: what `--list --operator` adds to every Stack resource of Pulumi's Kubernetes Operator.
        deployments: what `--list --deployments` adds to the settings of every stack.
    """

    project: StrictStr = "."
    parallel: Parallel = 2
    gates: Gates = Gates()
    checkpoints: StrictBool = True
    waves: Annotated[tuple[WaveEntry, ...], Field(min_length=1)]
    operator: dict[str, Any] = {}
    deployments: dict[str, Any] = {}


_SHAPES = {
    "project": "the folder of a Pulumi project",
    "parallel": "a whole number from 1 to 64",
    "gates": "keys with values, such as `changes: 20`",
    "checkpoints": "true or false",
    "waves": "a list of waves, of one at least",
    "operator": "keys with values",
    "deployments": "keys with values",
    "name": "up to 50 small letters, digits and hyphens",
    "stacks": 'a list of stacks or patterns, such as [dev, "prod-*"]; text that YAML takes for a number needs quotes',
    "approval": "true or false",
    "deletes": "true or false",
    "replacements": "true or false",
    "changes": "a whole number of 0 or more",
    "policies": "a list of folders",
}


@dataclass(frozen=True)
class Document:
    """A rollout.yaml that was read.

    Attributes:
        path: as it was given.
        content: what it says.
    """

    path: str
    content: RolloutFile
    _node: Node

    def problem(self, place: _Path, sentence: str) -> str:
        """A line that tells what is wrong at a place, such as ("waves", 0, "stacks")."""
        return _told(self.path, self._node, place, sentence)


def read_rollout_file(path: str) -> Document:
    """Read a rollout.yaml.

    Args:
        path: its path.

    Raises:
        BadRolloutError: whatever is wrong with it, all at once.
    """
    try:
        node = read_yaml(path)
    except BadYamlError as error:
        raise BadRolloutError(located(path, error.line, f"{error}.")) from None
    if not isinstance(node, MappingNode):
        raise BadRolloutError(f"{path}: holds no `waves:`.")
    try:
        refuse_growth(node)
        problems = list(_traps(node, ()))
        value = {} if problems else plain_values(node)
    except BadYamlError as error:
        raise BadRolloutError(f"{path}: {error}.") from None
    if not problems:
        try:
            return Document(path, RolloutFile.model_validate(value), node)
        except ValidationError as error:
            problems = list(dict.fromkeys(_sentence(problem) for problem in _deepest(error)))
    raise BadRolloutError("\n".join(_told(path, node, *problem) for problem in problems))


def _deepest(error: ValidationError) -> list[Mapping[str, Any]]:
    """The problems but for those of a list whose items have problems: of a list that lost them it says too much."""
    problems: list[Mapping[str, Any]] = list(error.errors())
    places = [problem["loc"] for problem in problems]
    return [p for p in problems if not any(p["loc"] == place[: len(p["loc"])] != place for place in places)]


def _sentence(problem: Mapping[str, Any]) -> tuple[_Path, str]:
    """Where a problem is, as far as our own keys go, and what is wrong there."""
    place: _Path = problem["loc"]
    if problem["type"] == "extra_forbidden":
        return place, _unknown(place)
    if problem["type"] == "model_type" and isinstance(place[-1], int):
        return place, f"{_named(place)} must be keys with values, such as `name: dev`."
    deepest = next(index for index in range(len(place), 0, -1) if place[index - 1] in _SHAPES)
    wanted = "is missing: it is" if problem["type"] == "missing" else "must be"
    return place, f"{_named(place[:deepest])} {wanted} {_SHAPES[str(place[deepest - 1])]}."


def _unknown(place: _Path) -> str:
    inside = next((key for key in reversed(place[:-1]) if isinstance(key, str)), "")
    models: dict[str, type[_Shape]] = {"": RolloutFile, "gates": Gates, "waves": WaveEntry}
    where = f"{_named(place[:-1])}: " if place[:-1] else ""
    name = str(place[-1])
    return f"{where}{name!a} is not a key here{meant(name, list(models[inside].model_fields))}"


def _traps(node: Node, place: _Path) -> Iterator[tuple[_Path, str]]:
    """What YAML would take for something else: keys that stand twice or are no words, and dates."""
    if isinstance(node, ScalarNode) and node.tag == f"{TAG}timestamp":
        yield place, f"{_named(place)} is {node.value}, which YAML takes for a date: put it in quotes."
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _traps(item, (*place, index))
    if isinstance(node, MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "?"
            if key.tag != f"{TAG}str":
                yield (
                    (*place, name),
                    f"{_named((*place, name))} is a key that YAML takes for no word: put it in quotes.",
                )
            elif name in seen:
                yield (*place, name), f"{_named((*place, name))} stands here twice: take one out."
            seen.add(name)
            yield from _traps(value, (*place, name))


def _named(place: _Path) -> str:
    """A place as people write it: waves[0].stacks."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")


def _told(path: str, node: Node, place: _Path, sentence: str) -> str:
    line = line_of(node)
    for key in place:
        if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = line_of(node)
        elif isinstance(node, MappingNode):
            found = [(name, value) for name, value in node.value if getattr(name, "value", None) == key]
            if not found:
                break
            line, node = line_of(found[-1][0]), found[-1][1]
        else:
            break
    return located(path, line, sentence)

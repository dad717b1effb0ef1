"""A YAML file of a known shape: checks all of it, and gives the line of every problem."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from chekt_provider.files.yaml_file import (
    TAG,
    BadFileError,
    BadYamlError,
    Place,
    Problem,
    all_told,
    keys_of,
    line_of,
    located,
    meant,
    plain_values,
    read_yaml,
    refuse_growth,
    taken_for,
    written,
)


class Shape(BaseModel):
    """What a file, or a part of it, holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Shape)

_OTHERWISE = "text; what YAML takes for something else needs quotes"
"""What a value must be when the meanings say nothing of it."""


@dataclass(frozen=True)
class Document(Generic[S]):
    """A file, its path as given, and its content."""

    path: str
    content: S
    _lines: Mapping[Place, int]

    def problem(self, place: Place, sentence: str) -> str:
        """One line about a problem at a place, such as ("waves", 0, "stacks")."""
        return located(self.path, _line(self._lines, place), sentence)


def read_document(path: str, shape: type[S], meanings: Mapping[str, str]) -> Document[S]:
    """Read a file.

    Args:
        path: its path.
        shape: what it holds.
        meanings: what the value of a key must be, in words.

    Raises:
        BadFileError: all problems at once.
    """
    try:
        node = read_yaml(path)
    except BadYamlError as error:
        raise BadFileError(located(path, error.line, f"{error}.")) from None
    if not isinstance(node, MappingNode):
        fields = shape.model_fields
        least = [name for name, field in fields.items() if field.is_required()] or list(fields)
        keys = " or ".join(f"`{key}:`" for key in least)
        raise BadFileError(f"{path}: holds no {keys}.")
    try:
        refuse_growth(node)
        lines: dict[Place, int] = {}
        problems = list(_traps(node, line_of(node), (), lines))
        value = {} if problems else plain_values(node)
    except BadYamlError as error:
        raise BadFileError(f"{path}: {error}.") from None
    if not problems:
        try:
            return Document(path, shape.model_validate(value), lines)
        except ValidationError as error:
            told = [_sentence(problem, shape, meanings) for problem in _deepest(error)]
            problems = [(_line(lines, place), sentence) for place, sentence in dict.fromkeys(told)]
    raise BadFileError(all_told(path, problems))


def _deepest(error: ValidationError) -> list[Mapping[str, Any]]:
    """The problems, without those of a list whose items have problems: they follow from the items'."""
    problems: list[Mapping[str, Any]] = list(error.errors())
    places = [problem["loc"] for problem in problems]
    return [p for p in problems if not any(p["loc"] == place[: len(p["loc"])] != place for place in places)]


def _sentence(problem: Mapping[str, Any], shape: type[Shape], meanings: Mapping[str, str]) -> tuple[Place, str]:
    """The place of a problem, as far as our keys go, and a sentence about it."""
    place: Place = problem["loc"]
    if problem["type"] == "extra_forbidden":
        return place, _unknown(place, shape)
    if problem["type"] == "model_type" and isinstance(place[-1], int):
        return place, f"{written(place)} must be keys with values, such as `name: dev`."
    deepest = next(index for index in range(len(place), 0, -1) if isinstance(place[index - 1], str))
    wanted = "is missing: it is" if problem["type"] == "missing" else "must be"
    return place, f"{written(place[:deepest])} {wanted} {meanings.get(str(place[deepest - 1]), _OTHERWISE)}."


def _unknown(place: Place, shape: type[Shape]) -> str:
    for key in place[:-1]:
        if isinstance(key, str):
            shape = _shape_in(shape.model_fields[key].annotation) or shape
    where = f"{written(place[:-1])}: " if place[:-1] else ""
    name = str(place[-1])
    return f"{where}{name!a} is not a key here{meant(name, list(shape.model_fields))}"


def _shape_in(annotation: Any) -> type[Shape] | None:
    """The shape in a field's type; None where there is none."""
    if inspect.isclass(annotation) and issubclass(annotation, Shape):
        return annotation
    found = (_shape_in(inner) for inner in get_args(annotation))
    return next((shape for shape in found if shape), None)


def _traps(node: Node, line: int, place: Place, lines: dict[Place, int]) -> Iterator[Problem]:
    """Traps of YAML: keys that come twice or are no words, and dates. Notes the line of each place."""
    lines[place] = line
    if isinstance(node, ScalarNode) and node.tag == f"{TAG}timestamp":
        yield line, f"{written(place)} {taken_for('a date', node)}."
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _traps(item, line_of(item), (*place, index), lines)
    if isinstance(node, MappingNode):
        found, problems = keys_of(node, written(place))
        yield from problems
        for name, entry in found.items():
            yield from _traps(entry.node, entry.line, (*place, name), lines)


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a place, or of as much of it as there is."""
    while place not in lines:
        place = place[:-1]
    return lines[place]

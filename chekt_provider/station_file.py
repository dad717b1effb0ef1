"""Stations as data: reads a stations file and finds everything that is wrong with it, each with its line and key.

The file is YAML, for people who do not program:

    groups:
      - dealer_id: 12345
        prefix: CS
        stations:
          - external_monitoring_station_id: central-01
            name: Central Station, Springfield
            linecard: "10001"

or, without groups, `stations:` alone. What a value may be, `models.input_problems` says; here are the shape of the file
and the traps of YAML: a linecard without quotes is a number, the prefix NO is false, a key given twice counts once.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import Reader

from chekt_provider.models import MAX_LENGTH, StationInputs, input_problems
from chekt_provider.text import shown

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as fast
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

FILE_KEYS = ("groups", "stations")
GROUP_KEYS = ("dealer_id", "prefix", "stations")

MOST_BYTES = 5_000_000
MOST_STATIONS = 20_000
MOST_SHOWN = 50
"""Problems that an error shows; of the others it says how many they are."""

_MOST_NODES = 500_000
_DEEPEST = 20  # PyYAML's recursion in C ends the process where a file nests deep enough
_LONGEST_LINE = 300
_SPLIT = "split it, with a Fleet for each part"
_INPUTS = frozenset(StationInputs.model_fields)
_TAG = "tag:yaml.org,2002:"
_TAKEN_FOR = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
    "null": "nothing",
    "value": "a sign of its own",
    "merge": "a sign of its own",
}
_SYNTAX_HINTS = {
    "mapping values are not allowed": 'text that holds ": " needs quotes, and the keys of a station begin in one column',
    "cannot start any token": "text that begins with a sign such as @, % or ` needs quotes",
    "undefined alias": "text that begins with * needs quotes",
    "scanning an alias": "text that begins with * needs quotes",
    "scanning an anchor": "text that begins with & needs quotes",
    "unexpected end of stream": "a quote that is opened here is not closed",
    "could not find expected ':'": "a key needs a colon and a blank behind it",
    "another document": "--- begins a second document, and one is taken",
}


class BadStationsError(ValueError):
    """A stations file that cannot be taken.

    Its text has one line for each problem, `MOST_SHOWN` at most.

    Attributes:
        problems: one line each, in the file's order.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        rest = len(problems) - MOST_SHOWN
        more = [f"and {rest:,} more"] if rest > 0 else []
        super().__init__("\n".join([*problems[:MOST_SHOWN], *more]))


@dataclass(frozen=True)
class DeclaredStation:
    """A station that a file declares.

    Attributes:
        inputs: what MonitoringStation takes, the group's defaults among it.
    """

    inputs: Mapping[str, Any]

    @property
    def external_id(self) -> str:
        """The caller's own key."""
        return str(self.inputs["external_monitoring_station_id"])

    @property
    def dealer_id(self) -> str:
        """The dealer's id as digits; "" where the file names none."""
        return str(self.inputs.get("dealer_id", ""))


def read_stations(file: str | os.PathLike[str], default_dealer_id: str = "") -> list[DeclaredStation]:
    """Read a stations file.

    Args:
        file: its path.
        default_dealer_id: whose the stations are for which the file names no dealer; "" where that is not known.

    Raises:
        BadStationsError: whatever is wrong with it, all at once.
    """
    return _Reading(os.fspath(file), default_dealer_id).stations()


class _Loader(SafeLoader):
    """Composes nodes without making anything of them, up to a depth and a number of them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def descend_resolver(self, current_node: Node | None, current_index: object) -> None:
        """Called ahead of each node."""
        self._nodes += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _TooMuchError(f"lists and keys are nested more than {_DEEPEST} deep")
        if self._nodes > _MOST_NODES:
            raise _TooMuchError(f"holds more than {_MOST_NODES:,} keys and values: {_SPLIT}")

    def ascend_resolver(self) -> None:
        """Called behind each node."""
        self._depth -= 1


class _TooMuchError(ValueError):
    """A file beyond what anybody writes for stations."""


@dataclass(frozen=True)
class _Value:
    """What stands behind a key or at a place of a list, and in which line to look for it."""

    line: int
    node: Node


class _Reading:
    """Reads one file, and gathers what is wrong with it.

    Args:
        file: its path, as the program names it.
        default_dealer_id: as for `read_stations`.
    """

    def __init__(self, file: str, default_dealer_id: str) -> None:
        self._file = file
        self._default_dealer_id = default_dealer_id
        self._problems: list[tuple[int, str]] = []
        self._lines: dict[tuple[str, str], int] = {}
        self._count = 0

    def stations(self) -> list[DeclaredStation]:
        """The stations that the file declares."""
        stations = list(self._of_file(_Value(1, self._composed(self._text()))))
        if self._problems:
            in_order = sorted(self._problems, key=lambda problem: problem[0])
            raise BadStationsError([self._told(sentence, line) for line, sentence in in_order])
        return stations

    def _text(self) -> str:
        try:
            with Path(self._file).open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except FileNotFoundError:
            raise self._refused(f"there is no such file; its path begins at the program's folder, {Path.cwd()}") from None
        except OSError as error:
            raise self._refused(f"cannot be read: {error.strerror}") from None
        if len(content) > MOST_BYTES:
            raise self._refused(f"is larger than {MOST_BYTES:,} bytes: {_SPLIT}")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise self._refused("this is not UTF-8: save the file in that encoding", line) from None
        if found := Reader.NON_PRINTABLE.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise self._refused(f"this line holds the control character U+{ord(found[0]):04X}: delete it", line)
        return text

    def _composed(self, text: str) -> Node:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        except _TooMuchError as error:
            raise self._refused(str(error)) from None
        except yaml.MarkedYAMLError as error:
            line, sentence = _syntax_problem(error, text)
            raise self._refused(f"this is not YAML: {sentence}", line) from None
        finally:
            loader.dispose()
        if node is None:
            raise self._refused("is empty: write `stations: []` if there are to be none")
        return node

    def _of_file(self, file: _Value) -> Iterator[DeclaredStation]:
        """The stations, as far as they can be made out; they count only when no problem was found."""
        found = self._keys(file, "", FILE_KEYS)
        if found is not None and not found:
            self._blame(1, "the file holds neither `groups:` nor `stations:`.")
        for path, group in self._places(found, "", "groups"):
            yield from self._of_group(group, path)
        yield from self._of_list(found, "", {})

    def _of_group(self, group: _Value, path: str) -> Iterator[DeclaredStation]:
        found = self._keys(group, path, GROUP_KEYS)
        if found is not None and "stations" not in found:
            self._blame(group.line, f"{path}.stations is missing: it holds the group's stations.")
        defaults = {name: value for name, value in (found or {}).items() if name != "stations"}
        yield from self._of_list(found, path, self._values(defaults, path))

    def _of_list(
        self, found: Mapping[str, _Value] | None, path: str, defaults: Mapping[str, Any]
    ) -> Iterator[DeclaredStation]:
        for item_path, item in self._places(found, path, "stations"):
            self._count += 1
            if self._count > MOST_STATIONS:
                raise self._refused(f"holds more than {MOST_STATIONS:,} stations: {_SPLIT}")
            fields = self._mapping(item, item_path)
            if fields is not None:
                yield from self._station(_Value(item.line, item.node), fields, item_path, defaults)

    def _station(
        self, item: _Value, fields: Mapping[str, _Value], path: str, defaults: Mapping[str, Any]
    ) -> Iterator[DeclaredStation]:
        inputs = self._values(fields, path)
        for sentence in input_problems({}, {"dealer_id", *fields}):  # a group or the settings may say whose it is
            self._blame(item.line, f"{path}.{sentence}")
        if inputs.get("external_monitoring_station_id"):
            station = DeclaredStation({**defaults, **inputs})
            self._refuse_twin(station, fields["external_monitoring_station_id"].line, path)
            yield station

    def _refuse_twin(self, station: DeclaredStation, line: int, path: str) -> None:
        key = (station.dealer_id or self._default_dealer_id, station.external_id)
        if key in self._lines:
            sentence = f"is the same as in line {self._lines[key]}: give each station of a dealer its own."
            self._blame(line, f"{path}.external_monitoring_station_id {sentence}")
        else:
            self._lines[key] = line

    def _values(self, fields: Mapping[str, _Value], path: str) -> dict[str, Any]:
        """The values of a station's inputs, but for those that YAML takes for something else; each is looked at."""
        values = {}
        for name, field in fields.items():
            if trap := _trap(name, field.node):
                self._blame(field.line, f"{path}.{name} {trap}.")
            else:
                values[name] = _plain(name, field.node)
        if input_problems(values, _INPUTS - values.keys()):
            for name, value in values.items():
                for sentence in input_problems({name: value}, _INPUTS - {name}):
                    joint = "." if name in _INPUTS else ": "
                    self._blame(fields[name].line, f"{path}{joint}{sentence}")
        return values

    def _keys(self, value: _Value, path: str, known: tuple[str, ...]) -> dict[str, _Value] | None:
        """The keys of the file or of a group; None where it is something else. Others than the known are refused."""
        found = self._mapping(value, path)
        for name in sorted((found or {}).keys() - set(known)):
            near = difflib.get_close_matches(name, known, n=1)
            where = f"{path}: " if path else ""
            what = f"{name!a} is not a key of {'a group' if path else 'a stations file'}"
            self._blame((found or {})[name].line, f"{where}{what}{f'; did you mean {near[0]!r}?' if near else '.'}")
        return None if found is None else {name: found[name] for name in known if name in found}

    def _mapping(self, value: _Value, path: str) -> dict[str, _Value] | None:
        what = path or "the file"
        if not isinstance(value.node, MappingNode):
            kind = _kind(value.node)
            self._blame(value.line, f"{what} must be keys with values, such as `name: Central`, not {kind}.")
            return None
        found: dict[str, _Value] = {}
        for key, node in value.node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self._blame(line, f"{what} has a key that is not a word.")
            elif key.value in found:
                first = found[key.value].line
                self._blame(line, f"{_joined(path, shown(key.value, 60))} is there already, in line {first}.")
            else:
                found[key.value] = _Value(line, node)
        return found

    def _places(self, found: Mapping[str, _Value] | None, path: str, key: str) -> Iterator[tuple[str, _Value]]:
        """Each place of a list, with its path such as "groups[0].stations[2]"; none where there is no list."""
        value = (found or {}).get(key)
        path = _joined(path, key)
        if value is None:
            return
        if not isinstance(value.node, SequenceNode):
            kind = _kind(value.node)
            self._blame(value.line, f"{path} must be a list, each entry begun with a dash, or [] for none; not {kind}.")
            return
        for index, node in enumerate(value.node.value):
            yield f"{path}[{index}]", _Value(node.start_mark.line + 1, node)

    def _blame(self, line: int, sentence: str) -> None:
        self._problems.append((line, sentence))

    def _refused(self, sentence: str, line: int | None = None) -> BadStationsError:
        """What ends the reading at once."""
        return BadStationsError([self._told(f"{sentence}.", line)])

    def _told(self, sentence: str, line: int | None) -> str:
        where = self._file if line is None else f"{self._file}:{line}"
        return shown(f"{where}: {sentence}", _LONGEST_LINE)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _trap(name: str, node: Node) -> str | None:
    """What is wrong with a value before any rule for it is asked: YAML takes it for something else, or for nothing."""
    if not isinstance(node, ScalarNode):
        return None
    kind = node.tag.removeprefix(_TAG)
    if kind == "null" and not node.value:
        return "is empty: give it a value, or take the line out"
    if kind not in (*_TAKEN_FOR, "str"):
        return f"has the tag {node.tag.replace(_TAG, '!!')}: take that out"
    if kind == "str" or (name not in MAX_LENGTH and kind != "null"):
        return None
    return f'is {node.value}, which YAML takes for {_TAKEN_FOR[kind]}: put it in quotes, "{node.value}"'


def _plain(name: str, node: Node) -> object:
    """A value as the rules want it: ids as they are written, so that 012345 is not taken for an octal number."""
    if isinstance(node, MappingNode):
        return {}
    if isinstance(node, SequenceNode):
        return []
    if name not in MAX_LENGTH and node.tag == f"{_TAG}bool":
        return SafeConstructor.bool_values.get(node.value.lower(), node.value)
    return node.value


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "keys with values"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if node.tag == f"{_TAG}null" else "a single value"


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line to look at, and what may be wrong there in words of people who write no YAML."""
    problem = f"{error.problem}, {error.context}"
    mark = error.context_mark if "unexpected end of stream" in problem else error.problem_mark
    mark = mark or error.problem_mark
    line = mark.line if mark else 0
    if text.splitlines()[line : line + 1] and "\t" in text.splitlines()[line][: mark.column + 1 if mark else 0]:
        return line + 1, "indent with blanks, not with tabs"
    hints = [hint for sign, hint in _SYNTAX_HINTS.items() if sign in problem]
    fallback = f"{error.problem}; look at how this line and those before it are indented"
    return line + 1, hints[0] if hints else fallback

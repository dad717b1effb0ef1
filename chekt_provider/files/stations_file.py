"""Stations as data: reads a stations file, and finds every mistake in it, with its line and key.

The file is YAML, for people who do not program:

    groups:
      - dealer_id: 12345
        prefix: CS
        stations:
          - external_monitoring_station_id: central-01
            name: Central Station, Springfield
            linecard: "10001"

or, without groups, `stations:` alone. `input_problems` says what a value may be; here are the shape of the file and
the traps of YAML: a linecard without quotes is a number, the prefix NO is false, a repeated key counts once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from chekt_provider.files.stations_schema import IN_COMMON
from chekt_provider.files.yaml_file import (
    TAG,
    BadFileError,
    BadYamlError,
    Entry,
    Problem,
    all_told,
    keys_of,
    kind_of,
    line_of,
    located,
    meant,
    read_yaml,
    taken_for,
)
from chekt_provider.model.fields import StationInputs, facts, of_kind
from chekt_provider.model.inputs import input_problems
from chekt_provider.model.kinds import Text

FILE_KEYS = ("groups", "stations")
GROUP_KEYS = (*IN_COMMON, "stations")
"""The last one holds the stations; they share the others."""

MOST_STATIONS = 20_000
_INPUTS = frozenset(facts(StationInputs))
_TEXTS = of_kind(StationInputs, Text)
_TAKEN_FOR = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
    "null": "nothing",
    "value": "a sign of its own",
    "merge": "a sign of its own",
}


@dataclass(frozen=True)
class DeclaredStation:
    """A station that a file declares.

    Attributes:
        inputs: what MonitoringStation takes, with the group's defaults.
    """

    inputs: Mapping[str, Any]

    @property
    def external_id(self) -> str:
        """The caller's own key."""
        return str(self.inputs["external_monitoring_station_id"])

    @property
    def dealer_id(self) -> str:
        """The dealer's id, digits; "" where the file names none."""
        return str(self.inputs.get("dealer_id", ""))


def read_stations(file: str | os.PathLike[str], default_dealer_id: str = "") -> list[DeclaredStation]:
    """Read a stations file.

    Args:
        file: its path.
        default_dealer_id: the dealer of stations for which the file names none; "" where nobody knows.

    Raises:
        BadFileError: all problems at once.
    """
    path = os.fspath(file)
    try:
        _refuse_link_out(path)
        node = read_yaml(path)
        if node is None:
            raise BadYamlError("is empty: write `stations: []` if there are to be none")
        reading = _Reading(default_dealer_id)
        stations = list(reading.of_file(Entry(1, node)))
    except BadYamlError as error:
        raise BadFileError(located(path, error.line, f"{error}.")) from None
    if reading.problems:
        raise BadFileError(all_told(path, reading.problems))
    return stations


def _refuse_link_out(path: str) -> None:
    """Refuse a link that leads out of its folder: problems would show lines of another file."""
    folder = os.path.realpath(os.path.dirname(path) or ".")
    if os.path.commonpath([folder, os.path.realpath(path)]) != folder:
        raise BadYamlError("is a link that leads out of its folder: name the file itself")


class _Reading:
    """Makes stations of nodes, and gathers their problems.

    Attributes:
        problems: line and sentence of each. If there are any, stations are missing, and none counts.
    """

    def __init__(self, default_dealer_id: str) -> None:
        self.problems: list[Problem] = []
        self._default_dealer_id = default_dealer_id
        self._lines: dict[tuple[str, str], int] = {}
        self._count = 0

    def of_file(self, file: Entry) -> Iterator[DeclaredStation]:
        """The stations of a whole file. Raises BadYamlError when there are too many."""
        found = self._keys(file, "", FILE_KEYS)
        if not found and not self.problems:
            self._blame(1, "the file holds neither `groups:` nor `stations:`.")
        for path, group in self._places(found, "", "groups"):
            yield from self._of_group(group, path)
        yield from self._of_list(found, "", {})

    def _of_group(self, group: Entry, path: str) -> Iterator[DeclaredStation]:
        before = len(self.problems)
        found = self._keys(group, path, GROUP_KEYS)
        if "stations" not in found and len(self.problems) == before:
            self._blame(group.line, f"{path}.stations is missing: it holds the group's stations.")
        common = {name: value for name, value in found.items() if name != "stations"}
        yield from self._of_list(found, path, self._values(common, path))

    def _of_list(self, found: Mapping[str, Entry], path: str, common: Mapping[str, Any]) -> Iterator[DeclaredStation]:
        for item_path, item in self._places(found, path, "stations"):
            self._count += 1
            if self._count > MOST_STATIONS:
                raise BadYamlError(f"holds more than {MOST_STATIONS:,} stations: split it, with a Fleet for each part")
            fields = self._mapping(item, item_path)
            if fields is not None:
                yield from self._station(item.line, fields, item_path, common)

    def _station(
        self, line: int, fields: Mapping[str, Entry], path: str, common: Mapping[str, Any]
    ) -> Iterator[DeclaredStation]:
        inputs = self._values(fields, path)
        # The group or the settings may name the dealer.
        for sentence in input_problems(StationInputs, {}, {"dealer_id", *fields}):
            self._blame(line, f"{path}.{sentence}")
        if inputs.get("external_monitoring_station_id"):
            station = DeclaredStation({**common, **inputs})
            self._refuse_twin(station, fields["external_monitoring_station_id"].line, path)
            yield station

    def _refuse_twin(self, station: DeclaredStation, line: int, path: str) -> None:
        key = (station.dealer_id or self._default_dealer_id, station.external_id)
        if key in self._lines:
            sentence = f"is the same as in line {self._lines[key]}: give each station of a dealer its own."
            self._blame(line, f"{path}.external_monitoring_station_id {sentence}")
        else:
            self._lines[key] = line

    def _values(self, fields: Mapping[str, Entry], path: str) -> dict[str, Any]:
        """The values of inputs, without those that YAML takes for something else. Gathers the problems of each."""
        values = {}
        for name, field in fields.items():
            if trap := _trap(name, field.node):
                self._blame(field.line, f"{path}.{name} {trap}.")
            else:
                values[name] = _plain(name, field.node)
        if input_problems(StationInputs, values, _INPUTS - values.keys()):
            for name, value in values.items():
                joint = "." if name in _INPUTS else ": "
                for sentence in input_problems(StationInputs, {name: value}, _INPUTS - {name}):
                    self._blame(fields[name].line, f"{path}{joint}{sentence}")
        return values

    def _keys(self, value: Entry, path: str, known: tuple[str, ...]) -> dict[str, Entry]:
        """The known keys of the file or of a group. Refuses others."""
        found = self._mapping(value, path) or {}
        where, what = (f"{path}: ", "a group") if path else ("", "a stations file")
        for name, entry in found.items():
            if name not in known:
                self._blame(entry.line, f"{where}{name!a} is not a key of {what}{meant(name, known)}")
        return {name: found[name] for name in known if name in found}

    def _mapping(self, value: Entry, path: str) -> dict[str, Entry] | None:
        """Each key with its value; None where there are no keys but something else."""
        if not isinstance(value.node, MappingNode):
            what, kind = path or "the file", kind_of(value.node)
            self._blame(value.line, f"{what} must be keys with values, such as `name: Central`, not {kind}.")
            return None
        found, problems = keys_of(value.node, path)
        self.problems += problems
        return found

    def _places(self, found: Mapping[str, Entry], path: str, key: str) -> Iterator[tuple[str, Entry]]:
        """Each item of a list, with its path such as "groups[0].stations[2]"; none where there is no list."""
        if key not in found:
            return
        path, value = f"{path}.{key}" if path else key, found[key]
        if not isinstance(value.node, SequenceNode):
            kind = kind_of(value.node)
            self._blame(value.line, f"{path} must be a list, each entry begun with a dash, or [] for none; not {kind}.")
            return
        for index, node in enumerate(value.node.value):
            yield f"{path}[{index}]", Entry(line_of(node), node)

    def _blame(self, line: int, sentence: str) -> None:
        self.problems.append((line, sentence))


def _trap(name: str, node: Node) -> str | None:
    """A problem ahead of all rules for the value: YAML takes it for something else, or for nothing."""
    if not isinstance(node, ScalarNode):
        return None
    kind = node.tag.removeprefix(TAG)
    if kind == "null" and not node.value:
        return "is empty: give it a value, or take the line out"
    if kind != "str" and kind not in _TAKEN_FOR:
        return f"has the tag {node.tag.replace(TAG, '!!')}: take that out"
    if kind == "str" or (name not in _TEXTS and kind != "null"):
        return None
    return taken_for(_TAKEN_FOR[kind], node)


def _plain(name: str, node: Node) -> object:
    """A value as the rules want it: ids as written, so that 012345 is no octal number."""
    if isinstance(node, MappingNode):
        return {}
    if isinstance(node, SequenceNode):
        return []
    if name not in _TEXTS and node.tag == f"{TAG}bool":
        return SafeConstructor.bool_values.get(node.value.lower(), node.value)
    return node.value

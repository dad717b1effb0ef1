"""YAML from people who do not write it every day: reads it safely, and refuses it in words that help them.

It makes nodes of the text, which know their lines, and obeys no tag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import Reader

from chekt_provider.text import did_you_mean, shown

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as fast
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

MOST_BYTES = 5_000_000
MOST_NODES = 500_000
DEEPEST = 20
"""PyYAML's recursion in C ends the process where a file nests deep enough."""

_LONGEST_LINE = 300
_ITSELF = "holds an alias of itself, or a tag: write the values out"

TAG = "tag:yaml.org,2002:"
_CONTROL = re.compile(rf"{Reader.NON_PRINTABLE.pattern}|[\x85\u2028\u2029]|\r(?!\n)")
"""What YAML refuses, and line breaks that editors do not count."""

_HINTS = {
    "mapping values are not allowed": 'text that holds ": " needs quotes, and keys that belong together begin in one '
    "column",
    "cannot start any token": "text that begins with a sign such as @, % or ` needs quotes",
    "undefined alias": "text that begins with * needs quotes",
    "scanning an alias": "text that begins with * needs quotes",
    "scanning an anchor": "text that begins with & needs quotes",
    "unexpected end of stream": "a quote that is opened here is not closed",
    "a flow sequence": "a [ that is opened here is not closed, or a comma is missing",
    "a flow mapping": "a { that is opened here is not closed, or a comma is missing",
    "could not find expected ':'": "a key needs a colon and a blank behind it",
    "unknown escape character": "in double quotes a backslash is written twice; single quotes take it as it is",
    "another document": "--- begins a second document, and one is taken",
}
_SEEN_LATE = ("unexpected end of stream", "could not find expected ':'", "a flow sequence", "a flow mapping")
"""Problems that PyYAML finds far behind the line where they begin."""


Place = tuple[str | int, ...]
"""The place of a value, such as ("waves", 0, "stacks")."""

Problem = tuple[int, str]
"""The line of a problem, and a sentence about it."""

MOST_SHOWN = 50
"""Problems that an error shows; it counts the others."""


class BadFileError(ValueError):
    """A bad file; the text has a line for each problem, and at most one more."""


class BadYamlError(ValueError):
    """A file that is no YAML, or too large. Its text has no full stop; `line` is None for the whole file."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


def read_yaml(file: str) -> Node | None:
    """Read the node of a file with one YAML document; None where it holds blanks and comments alone.

    Raises:
        BadYamlError: it is unreadable, no YAML, or too large.
    """
    text = _text(_content(file))
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line, hint = _where_and_why(error, text)
        raise BadYamlError(f"this is not YAML: {hint}", line) from None
    finally:
        loader.dispose()


def plain_values(node: Node) -> Any:
    """The plain values of a node.

    Raises:
        BadYamlError: it holds an alias of itself, a tag, or aliases that multiply it.
    """
    refuse_growth(node)
    try:
        return SafeConstructor().construct_document(node)
    except (ValueError, yaml.YAMLError):
        raise BadYamlError(_ITSELF) from None


def refuse_growth(node: Node) -> None:
    """Raise BadYamlError for a node that an alias makes endless, or that aliases multiply."""
    try:
        size = _size(node, {})
    except RecursionError:
        raise BadYamlError(_ITSELF) from None
    if size > MOST_NODES:
        raise BadYamlError(f"holds more than {MOST_NODES:,} keys and values through aliases: write the values out")


def _size(node: Node, known: dict[int, int]) -> int:
    """The number of nodes; an alias counts as all that it stands for."""
    if id(node) not in known:
        inner = node.value if isinstance(node, SequenceNode) else ()
        if isinstance(node, MappingNode):
            inner = [each for pair in node.value for each in pair]
        known[id(node)] = 1 + sum(_size(each, known) for each in inner)
    return known[id(node)]


@dataclass(frozen=True)
class Entry:
    """A value behind a key or in a list, and its line."""

    line: int
    node: Node


def keys_of(node: MappingNode, path: str) -> tuple[dict[str, Entry], list[Problem]]:
    """Each key of a node at a path with its value; and the problems of the keys."""
    found: dict[str, Entry] = {}
    problems: list[Problem] = []
    for key, value in node.value:
        line = line_of(key)
        if not isinstance(key, ScalarNode):
            problems.append((line, f"{path or 'the file'} has a key that is not a word."))
            continue
        name = f"{path}.{key.value}" if path else key.value
        if key.tag == f"{TAG}merge":
            problems.append((line, f"{name} merges keys, which is not taken: write them out."))
        elif key.tag != f"{TAG}str":
            problems.append((line, f"{name} is a key that YAML takes for no word: put it in quotes."))
        elif key.value in found:
            problems.append((line, f"{name} is there already, in line {found[key.value].line}: take one of them out."))
        else:
            found[key.value] = Entry(line, value)
    return found, problems


def taken_for(kind: str, node: ScalarNode) -> str:
    """The end of a sentence about a value that YAML takes for something else."""
    return f'is {node.value}, which YAML takes for {kind}: put it in quotes, "{node.value}"'


def written(place: Place) -> str:
    """A place as people write it: waves[0].stacks."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    return text.removeprefix(".")


def all_told(path: str, problems: list[Problem]) -> str:
    """The problems of a file that an error shows, in the order of their lines."""
    in_order = sorted(problems, key=lambda problem: problem[0])
    lines = [located(path, line, sentence) for line, sentence in in_order[:MOST_SHOWN]]
    rest = len(problems) - MOST_SHOWN
    return "\n".join([*lines, f"and {rest:,} more"] if rest > 0 else lines)


def located(path: str, line: int | None, sentence: str) -> str:
    """One line about a problem in a file; `line` is None for the whole file."""
    where = path if line is None else f"{path}:{line}"
    return shown(f"{where}: {sentence}", _LONGEST_LINE)


def meant(name: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown key: the nearest key, or all of them."""
    meant = did_you_mean(name, known)
    return f": there are {', '.join(known)}." if meant == "." else meant


def line_of(node: Node) -> int:
    """The line in which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def kind_of(node: Node) -> str:
    """The kind of a node, in words."""
    if isinstance(node, MappingNode):
        return "keys with values"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if node.tag == f"{TAG}null" else "a single value"


class _Loader(SafeLoader):
    """Composes nodes up to a depth and a number."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def descend_resolver(self, _parent: Node | None, _index: object) -> None:
        """Count a node; PyYAML calls this ahead of each."""
        self._nodes += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadYamlError(f"nests lists and keys more than {DEEPEST} deep")
        if self._nodes > MOST_NODES:
            raise BadYamlError(f"holds more than {MOST_NODES:,} keys and values: split it, with a Fleet for each part")

    def ascend_resolver(self) -> None:
        """Leave a node; PyYAML calls this behind each."""
        self._depth -= 1


def _content(file: str) -> bytes:
    try:
        if Path(file).is_fifo():  # open() would wait for it
            raise BadYamlError("is not a file")
        with Path(file).open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise BadYamlError(f"there is no such file; relative paths begin at {Path.cwd()}") from None
    except OSError as error:
        raise BadYamlError(f"cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise BadYamlError(f"is larger than {MOST_BYTES:,} bytes: split it, with a Fleet for each part")
    return content


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadYamlError("this is not UTF-8: save the file in that encoding", line) from None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise BadYamlError(f"this line holds the control character U+{ord(found[0]):04X}: delete it", line)
    return text


def _where_and_why(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line to look at, and the likely mistake."""
    problem = f"{error.problem}, {error.context}"
    began = error.context_mark if any(sign in problem for sign in _SEEN_LATE) else None
    mark = began or error.problem_mark
    lines = text.rstrip().split("\n")
    index = min(mark.line if mark else 0, len(lines) - 1)  # PyYAML may name a line behind the last one
    if mark and "\t" in lines[index][: mark.column + 1]:
        return index + 1, "indent with blanks, not with tabs"
    hints = [hint for sign, hint in _HINTS.items() if sign in problem]
    otherwise = f"{error.problem}; look at how this line and those before it are indented"
    return index + 1, hints[0] if hints else otherwise

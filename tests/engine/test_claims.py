"""What Pulumi calls for a resource that it has in its state: the table in operations/claims.py."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Stack

WITH_TOLD = """
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider


class Telling(ResourceProvider):
    def _tell(self, call):
        with open({path!r}, "a") as calls:
            calls.write(call + " ")

    def create(self, props):
        return CreateResult("1", props)

    def diff(self, _id, _olds, _news):
        self._tell("diff")
        return DiffResult(changes=False)

    def read(self, id_, props):
        self._tell("read")
        return ReadResult(id_, props)

    def delete(self, _id, _props):
        self._tell("delete")


class Told(Resource):
    pass


if {is_declared}:
    Told(Telling(), "told", {{}})
"""


def _calls(stack: Stack, *command: str, is_declared: bool) -> str:
    """What a command calls for a resource in the state."""
    calls = stack.folder / "calls.txt"
    stack.program(WITH_TOLD.format(path=str(calls), is_declared=True))
    stack.up()
    calls.write_text("")
    stack.program(WITH_TOLD.format(path=str(calls), is_declared=is_declared))
    stack.pulumi(*command, "--yes", *([] if command[0] == "destroy" else ["--skip-preview"]))
    return calls.read_text().strip()


@pytest.mark.parametrize(
    ("command", "declared", "no_longer"),
    [
        (["up"], "diff", "delete"),
        (["up", "--refresh"], "read diff diff", "read diff delete"),
        (["refresh"], "read diff", "read diff"),
        (["destroy"], "delete", "delete"),
    ],
)
def test_a_resource_is_compared_more_often_than_it_is_read_only_where_it_goes_on(
    stack: Stack, command: list[str], declared: str, no_longer: str
) -> None:
    """By command: the calls for a resource of the program, and for one that is only in the state."""
    assert _calls(stack, *command, is_declared=True) == declared
    assert _calls(stack, *command, is_declared=False) == no_longer

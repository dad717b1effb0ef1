"""Resources as a program declares them, under Pulumi's own stand-in for the engine."""

from __future__ import annotations

import contextvars
import inspect
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi import Resource, ResourceOptions
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks
from pydantic import BaseModel

from chekt_provider import MonitoringStation, SiteAssignment
from chekt_provider.model.fields import AssignmentInputs, Change, StationInputs, facts
from chekt_provider.model.kinds import Flag, Id, Kind, Number, Probe, Text


class _Numbered(Mocks):
    def __init__(self, id_: str) -> None:
        self._id = id_

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return self._id, args.inputs

    def call(self, args: MockCallArgs) -> Any:
        raise AssertionError("nothing is called")


def in_a_run(program: Callable[[], Any], id_: str = "12345/17") -> None:
    """A program under mocks that give each resource this id."""

    def run() -> None:
        pulumi.runtime.set_mocks(_Numbered(id_))
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]

    contextvars.copy_context().run(run)


def station(opts: ResourceOptions | None = None) -> MonitoringStation:
    return MonitoringStation("central", external_monitoring_station_id="central-01", name="Central", opts=opts)


@pytest.mark.parametrize(
    ("id_", "number"), [("12345/17", 17), ("17", 17), ("central_id", 0), ("a/b", 0), ("12345/\u00b2", 0)]
)
def test_a_station_has_a_number_under_any_id_of_a_mock(id_: str, number: int) -> None:
    """Users test their programs with Pulumi's mocks, which make up the ids."""
    seen: list[int] = []
    in_a_run(lambda: station().monitoring_station_id.apply(seen.append), id_)

    assert seen == [number]


@pytest.mark.parametrize(
    ("declare", "line"),
    [
        (
            station,
            "Could not declare 'central': import_ does not work with this resource. Pass adopt_existing=True in its "
            "place: it takes an existing station over.",
        ),
        (
            lambda opts: SiteAssignment("front", site_id=5, monitoring_station_id=1, opts=opts),
            "Could not declare 'front': import_ does not work with this resource. Leave it out: an assignment is made "
            "for a site that exists already.",
        ),
    ],
)
def test_an_import_is_refused(declare: Callable[[ResourceOptions], Resource], line: str) -> None:
    """One line, from what the resource's class knows: Pulumi would end in a KeyError."""
    with pytest.raises(pulumi.RunError) as caught:
        in_a_run(lambda: declare(ResourceOptions(import_="12345/1")))

    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("centr\u0430l-01", r"'centr\u0430l-01'"),  # a Cyrillic letter
        ("central\u201001", r"'central\u201001'"),  # another dash
        ("\uff43entral-01", r"'\uff43entral-01'"),  # a wide letter
    ],
)
def test_an_external_id_that_looks_like_another_one_is_refused(other: str, said: str) -> None:
    """People cannot tell them apart; the line shows how they differ."""

    def program() -> None:
        station()
        MonitoringStation("second", external_monitoring_station_id=other, name="Second")

    with pytest.raises(pulumi.RunError) as caught:
        in_a_run(program)

    assert str(caught.value) == (
        f"Could not declare 'second': its external id {said} looks like 'central-01' of 'central'. Give each resource "
        "an external_monitoring_station_id that people can tell apart."
    )


def test_external_ids_that_people_can_tell_apart_are_two() -> None:
    """This goes for capitals and small letters, and for a script of its own."""

    def program() -> None:
        for number, external_id in enumerate(["central-01", "Central-01", "централь-01", "central-o1"]):
            MonitoringStation(f"s{number}", external_monitoring_station_id=external_id, name="Central")

    in_a_run(program)


BOTH = pytest.mark.parametrize(
    ("declared", "inputs"), [(MonitoringStation, StationInputs), (SiteAssignment, AssignmentInputs)]
)
TYPES: dict[type[Kind], str] = {Id: "int | str", Text: "str", Probe: "str", Flag: "bool", Number: "float"}


@BOTH
def test_a_resource_takes_the_inputs_of_the_table(declared: type[Resource], inputs: type[BaseModel]) -> None:
    """Each has its type; an input that may be left out, or comes from the settings, has only None as its default."""
    taken = dict(inspect.signature(declared).parameters)
    del taken["resource_name"], taken["opts"]
    assert set(taken) == set(facts(inputs))
    for name, fact in facts(inputs).items():
        is_given = fact.is_required and name != "dealer_id"
        values = TYPES[type(fact.kind)] + ("" if is_given else " | None")
        assert (name, taken[name].annotation) == (name, f"Input[{values}]")
        assert taken[name].default is (inspect.Parameter.empty if is_given else None)


@BOTH
def test_a_resource_explains_its_inputs_as_the_table_does(declared: type[Resource], inputs: type[BaseModel]) -> None:
    """Each has its limit, and an input that replaces the resource says so."""
    told = explained(declared.__init__.__doc__ or "", "Args")
    assert list(told) == ["resource_name", *taken_by(declared), "opts"]
    for name, fact in facts(inputs).items():
        assert fact.kind.limit() in told[name]
        assert ("replaces" in told[name]) == (fact.change is Change.REPLACES)


@pytest.mark.parametrize("declared", [MonitoringStation, SiteAssignment])
def test_a_resource_explains_its_outputs(declared: type[Resource]) -> None:
    """Each of its outputs, in order."""
    assert list(explained(declared.__doc__ or "", "Attributes")) == list(declared.__annotations__)


def taken_by(declared: type[Resource]) -> list[str]:
    """The inputs in the order of the signature."""
    return [name for name in inspect.signature(declared).parameters if name not in ("resource_name", "opts")]


def explained(text: str, title: str) -> dict[str, str]:
    """Each name in a section of a docstring with what it says, in one line."""
    section = inspect.cleandoc(text).split(f"{title}:\n")[1].split("\n\n")[0]
    entries = re.findall(r"^    (\w+): ((?:.*\n?)(?:        .*\n?)*)", section, re.MULTILINE)
    return {name: " ".join(said.split()) for name, said in entries}

"""What is understood of Pulumi's events, as the engine writes them."""

from __future__ import annotations

from typing import Any

from pulumi.automation import EngineEvent
from pulumi.runtime.rpc import UNKNOWN

from chekt_provider.rollout.changes import Change, Events

STATION = "pulumi-python:dynamic/chekt:MonitoringStation"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}


def done(op: str, name: str = "a", *, logical: bool = False, type_: str = STATION, **states: Any) -> EngineEvent:
    """The event of a step that Pulumi has taken; `states` are the inputs before and after it, as old and new."""
    urn = f"urn:pulumi:dev::stations::{type_}::{name}"
    state = {"type": type_, "urn": urn, "id": "1", "parent": "", "provider": "", "custom": True, "outputs": {}}
    given = {key: {**state, "inputs": inputs} for key, inputs in ({"new": {}} | states).items()}
    metadata: dict[str, Any] = {"op": op, "urn": urn, "type": type_, "provider": "", **given}
    if logical:
        metadata["logical"] = True
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resOutputsEvent": {"metadata": metadata}})


def heard(*events: EngineEvent) -> Events:
    gathered = Events(lambda: None)
    for event in events:
        gathered(event)
    return gathered


def test_a_replacement_is_one_change() -> None:
    """Though it is three steps."""
    gathered = heard(done("create-replacement"), done("replace", logical=True), done("delete-replaced"))
    assert [(change.verb, change.name) for change in gathered.changes] == [("replace", "a")]


def test_what_an_earlier_run_could_not_delete_any_more_is_a_deletion() -> None:
    """It is deleted now, in a step that belongs to nothing of the program: no gate may overlook that."""
    gathered = heard(done("same", logical=True), done("delete-replaced"))
    assert gathered.changes == [Change("delete", "a", "MonitoringStation", {})]
    assert gathered.same == 1


def test_what_a_refresh_finds_is_a_change() -> None:
    """Its steps are no logical ones."""
    gathered = heard(done("update", old={"name": "A"}, new={"name": "B"}), done("delete", "b"), done("same", "c"))
    assert gathered.changes == [
        Change("update", "a", "MonitoringStation", {"name": ("A", "B")}),
        Change("delete", "b", "MonitoringStation", {}),
    ]


def test_no_secret_shows_in_a_field() -> None:
    """A secret comes as a mapping; what is not known yet, as a sign; internal inputs are left out."""
    old = {"name": SECRET, "prefix": "A", "__provider": "x"}
    gathered = heard(done("update", logical=True, old=old, new={"name": "B", "prefix": UNKNOWN, "__provider": "y"}))
    (change,) = gathered.changes
    assert change.fields == {"name": ("[secret]", "B"), "prefix": ("A", "[not known yet]")}


def test_providers_do_not_count() -> None:
    """Only what somebody wrote into the program."""
    gathered = heard(done("update", "default", logical=True, type_="pulumi:providers:pulumi-python"))
    assert (gathered.changes, gathered.same) == ([], 0)

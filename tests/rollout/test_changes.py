"""What is understood of Pulumi's events, as the engine writes them."""

from __future__ import annotations

from typing import Any

from pulumi.automation import EngineEvent
from pulumi.runtime.rpc import UNKNOWN

from chekt_provider.rollout.changes import Change, Events

STATION = "pulumi-python:dynamic/chekt:MonitoringStation"
NOTHING = object()
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}


def event(kind: str, **content: Any) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, kind: content})


def done(
    op: str, name: str = "a", *, logical: bool = False, type_: str = STATION, custom: bool = True, **states: Any
) -> EngineEvent:
    """The event of a step that Pulumi has taken; `states` are the inputs in the states before and after it.

    They are called old and new; one that is NOTHING is absent.
    """
    urn = f"urn:pulumi:dev::stations::{type_}::{name}"
    state = {"type": type_, "urn": urn, "id": "1", "parent": "", "provider": "", "custom": custom, "outputs": {}}
    given = {
        key: {**state, "inputs": inputs} for key, inputs in ({"new": {}} | states).items() if inputs is not NOTHING
    }
    metadata: dict[str, Any] = {"op": op, "urn": urn, "type": type_, "provider": "", **given}
    if logical:
        metadata["logical"] = True
    return event("resOutputsEvent", metadata=metadata)


def heard(*events: EngineEvent) -> Events:
    gathered = Events(lambda: None)
    for one in events:
        gathered(one)
    return gathered


def test_a_replacement_is_one_change() -> None:
    """Although it is three steps."""
    gathered = heard(done("create-replacement"), done("replace", logical=True), done("delete-replaced"))
    assert [(change.op, change.name) for change in gathered.changes] == [("replace", "a")]


def test_what_an_earlier_run_could_not_delete_any_more_is_a_deletion() -> None:
    """It is deleted now, in a step that belongs to nothing in the program: no gate may overlook it."""
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


def test_a_deletion_has_no_state_after_it() -> None:
    """It still counts: the gates must see it."""
    gathered = heard(done("delete", logical=True, old={"name": "A"}, new=NOTHING))
    assert gathered.changes == [Change("delete", "a", "MonitoringStation", {})]


def test_no_secret_shows_in_a_field() -> None:
    """A secret comes as a mapping, an unknown as a sign; internal inputs are left out."""
    old = {"name": SECRET, "prefix": "A", "__provider": "x"}
    gathered = heard(done("update", logical=True, old=old, new={"name": "B", "prefix": UNKNOWN, "__provider": "y"}))
    (change,) = gathered.changes
    assert change.fields == {"name": ("[secret]", "B"), "prefix": ("A", "[not known yet]")}


def test_providers_and_components_do_not_count() -> None:
    """Only the resources that somebody wrote in the program count; each of those is a step."""
    steps: list[None] = []
    gathered = Events(lambda: steps.append(None))
    gathered(done("update", "default", logical=True, type_="pulumi:providers:pulumi-python"))
    gathered(done("update", "fleet", logical=True, type_="chekt:Fleet", custom=False))
    gathered(done("create", logical=True))
    gathered(done("same", "b", logical=True))
    gathered(done("same", "c", logical=True))
    assert ([change.name for change in gathered.changes], gathered.same, len(steps)) == (["a"], 2, 3)


def test_only_what_changes_from_one_value_to_another_has_fields() -> None:
    """A creation and a deletion have none; nor has an unchanged input, or a state that shows no inputs."""
    gathered = heard(
        done("create", logical=True, new={"name": "A"}),
        done("delete", "b", logical=True, old={"name": "B"}),
        done("update", "c", logical=True, old={"name": "C", "prefix": "P"}, new={"name": "C", "linecard": "7"}),
        done("update", "d", logical=True, old=None, new=None),
    )
    assert [(change.op, dict(change.fields)) for change in gathered.changes] == [
        ("create", {}),
        ("delete", {}),
        ("update", {"prefix": ("P", ""), "linecard": ("", "7")}),
        ("update", {}),
    ]


def test_a_mandatory_policy_demands_and_another_one_speaks() -> None:
    """It gives each sentence once, on one line, without the engine's colours."""
    events = [
        event(
            "policyEvent", policyName=name, enforcementLevel=level, message=f"<{{%fg 1%}}>{name}\nof a<{{%reset%}}>\n"
        )
        for name, level in (("prefix", "mandatory"), ("linecard", "advisory"), ("name", "mandatory"))
    ]
    gathered = heard(*events, *events)
    assert gathered.demands == ["policy name (mandatory): name of a", "policy prefix (mandatory): prefix of a"]
    assert gathered.said == ["policy linecard (advisory): linecard of a"]
    assert gathered.errors == []


def test_errors_are_those_of_resources() -> None:
    """Each comes once; what Pulumi says of the whole run tells nothing new."""
    texts = [
        "<{%reset%}>Could not create monitoring station 'a'.<{%reset%}>\n",
        "Could not create monitoring station 'a'.",
        "Preview failed: Could not read monitoring station 'b'.",
        "preview failed",
        "update failed",
        "an unhandled error occurred: the program ended with 1",
    ]
    gathered = heard(*(event("diagnosticEvent", severity="error", message=text) for text in texts))
    assert gathered.errors == [
        "Could not create monitoring station 'a'.",
        "Could not read monitoring station 'b'.",
    ]
    assert gathered.said == []


def test_the_sentences_of_the_provider_are_told() -> None:
    """They come among what its process prints to stderr; other lines there, or elsewhere, do not count."""
    printed = "chekt: Moved site 'House' (1).\nwarning of Python\nchekt-log: GET /x\nchekt: Moved site 'House' (1).\n"
    gathered = heard(
        event("diagnosticEvent", severity="info#err", message=printed),
        event("diagnosticEvent", severity="info", message="chekt: printed by the program"),
        event("diagnosticEvent", severity="warning", message="chekt: a warning"),
    )
    assert gathered.said == ["Moved site 'House' (1)."]
    assert gathered.errors == []

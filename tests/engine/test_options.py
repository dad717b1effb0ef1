"""Pulumi's resource options on a monitoring station: what CHeKT holds, and what it was sent, shows each."""

from __future__ import annotations

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import calls, held

STATION = """
from pulumi import Alias, CustomTimeouts, ResourceOptions, ResourceTransformResult

def station(resource_name, external_id, name, **options):
    opts = ResourceOptions(**options)
    MonitoringStation(resource_name, external_monitoring_station_id=external_id, name=name, opts=opts)

def in_capitals(args):
    return ResourceTransformResult({**args.props, "name": args.props["name"].upper()}, args.opts)

"""


def names(emulator: Emulator) -> dict[str, str]:
    """What CHeKT holds: the stations' names by external id."""
    return {external_id: name for _, external_id, name, _, _ in held(emulator)}


def ids(stack: Stack) -> dict[str, str]:
    """The ids in the state, by resource name."""
    return {name: station["id"] for name, station in stack.stations().items()}


def paths(stack: Stack) -> dict[str, str]:
    """The paths of the stations in the state, below the dealer, by resource name."""
    return {name: f"/monitoring-stations/{id_.removeprefix('12345/')}" for name, id_ in ids(stack).items()}


def writes(emulator: Emulator) -> list[str]:
    """Method and path, below the dealer, of each request so far that changes something."""
    return [call for call in calls(emulator) if not call.startswith("GET ")]


BEFORE = (
    STATION
    + """
station("ignoring", "ignoring", "Old", ignore_changes=["name"])
station("retained", "retained", "Old", retain_on_delete=True)
station("old-name", "renamed", "Old")
station("early", "early-1", "Old", delete_before_replace=True)
station("transformed", "transformed", "old", transforms=[in_capitals])
station("protected", "protected", "Old", protect=True)
station("kept", "kept", "Old", replace_on_changes=["name"])
station("hurried", "hurried", "Old", custom_timeouts=CustomTimeouts(update="1s"))
"""
)

AFTER = (
    STATION
    + """
station("ignoring", "ignoring", "New", ignore_changes=["name"])
station("new-name", "renamed", "Old", aliases=[Alias(name="old-name")])
station("early", "early-2", "Old", delete_before_replace=True)
station("transformed", "transformed", "new", transforms=[in_capitals])
station("protected", "protected", "New", protect=True)
station("kept", "kept", "New", replace_on_changes=["name"])
station("hurried", "hurried", "New", custom_timeouts=CustomTimeouts(update="1s"))
"""
)


def test_options_hold_through_a_change_of_everything(emulator: Emulator, stack: Stack) -> None:
    """One edit of a whole program: each option shows in what CHeKT holds and in what it was sent.

    `replace_on_changes` and `custom_timeouts` have no effect: the first only updates the station in place; the second
    succeeds although CHeKT takes longer than it allows.
    """
    stack.program(BEFORE)
    stack.up()
    before, path = ids(stack), paths(stack)
    assert names(emulator)["transformed"] == "OLD"
    stack.program(AFTER)
    emulator.clear_requests()
    emulator.add_fault(Fault(method="PUT", path=f"*{path['hurried']}", delay=1.5))

    stack.up()

    after = ids(stack)
    assert names(emulator) == {
        "ignoring": "Old",
        "retained": "Old",
        "renamed": "Old",
        "early-2": "Old",
        "transformed": "NEW",
        "protected": "New",
        "kept": "New",
        "hurried": "New",
    }
    assert sorted(w for w in writes(emulator) if w.startswith("PUT")) == sorted(
        f"PUT {path[resource_name]}" for resource_name in ("transformed", "protected", "kept", "hurried")
    )
    assert [w for w in writes(emulator) if not w.startswith("PUT")] == [
        f"DELETE {path['early']}",
        "POST /monitoring-stations",
    ]
    assert after.pop("new-name") == before.pop("old-name")
    assert after.pop("early") != before.pop("early")
    del before["retained"]
    assert after == before

    # Taken out of the program, a protected station stays, in CHeKT and in the state.
    stack.program(AFTER.replace('station("protected"', '# station("protected"'))
    emulator.clear_requests()
    (error,) = set(stack.up(status=1).errors)
    assert error.endswith('MonitoringStation::protected" cannot be deleted')
    assert emulator.requests == []
    assert ids(stack)["protected"] == after["protected"]


def test_target_and_exclude_bound_what_is_written(emulator: Emulator, stack: Stack) -> None:
    """Of three edits only the targeted one is sent, then all except the excluded one."""
    program = "for key in 'abc':\n    MonitoringStation(key, external_monitoring_station_id=key, name={!r})\n"
    stack.program(program.format("Old"))
    stack.up()
    path = paths(stack)
    stack.program(program.format("New"))

    emulator.clear_requests()
    stack.up("--target", "**::a")
    assert writes(emulator) == [f"PUT {path['a']}"]

    emulator.clear_requests()
    stack.up("--exclude", "**::b")
    assert writes(emulator) == [f"PUT {path['c']}"]
    assert names(emulator) == {"a": "New", "b": "Old", "c": "New"}

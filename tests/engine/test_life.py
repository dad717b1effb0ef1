"""The life of a stack through the real engine, under every answer to each of CHeKT's open questions."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from chekt_provider.emulator import Emulator, Switches
from tests.engine.conftest import Stack
from tests.helpers import held

IN_ANOTHER_FORM = {"external_ids", "values", "post_answer", "numbers", "site_put", "site_activation", "site_put_answer"}
"""Switches that change what is held, or are about sites: they live in test_switches.py."""

CHOICES: dict[str, tuple[str, ...]] = {
    **{
        name: get_args(field.annotation)
        for name, field in Switches.model_fields.items()
        if get_args(field.annotation) and name not in IN_ANOTHER_FORM
    },
    "lists": ("whole", "pages", "pages_from_0", "offset"),  # the others differ in the client alone
}


def rows() -> list[dict[str, str]]:
    """As few rows as hold every value of every switch; other tests run all combinations without Pulumi."""
    most = max(len(values) for values in CHOICES.values())
    return [{name: values[number % len(values)] for name, values in CHOICES.items()} for number in range(most)]


def test_every_value_of_every_switch_is_in_a_row() -> None:
    """A new value lives through everything too."""
    for name, values in CHOICES.items():
        assert {row[name] for row in rows()} == set(values)
    assert len(rows()) == 4


def program(stations: dict[str, dict[str, Any]]) -> str:
    lines = [f"MonitoringStation({name!r}, **{inputs!r})" for name, inputs in stations.items()]
    return "\n".join(lines)


def inputs(name: str, **changes: Any) -> dict[str, Any]:
    return {"external_monitoring_station_id": f"{name}-01", "name": name, "prefix": "PR", "linecard": "11", **changes}


@pytest.mark.acceptance(
    "create, empty preview, refresh, empty preview",
    "update each field alone",
    "clear each optional field",
    "out-of-band delete",
    "out-of-band edit",
)
@pytest.mark.parametrize("row", rows(), ids=lambda row: "-".join(row.values()))
def test_a_stack_lives_through_everything(emulator: Emulator, stack: Stack, row: dict[str, str]) -> None:
    """Preview, up, no change, refresh, edit, clear, drift, vanish, replace, destroy; the API ends empty."""
    emulator.switches = Switches.model_validate({**row, "page_size": 2})
    names = ["alpha", "bravo", "charlie", "delta", "echo"]
    stations = {name: inputs(name) for name in names} | {
        "foxtrot": {**inputs("foxtrot"), "prefix": "", "linecard": None}
    }
    stack.program(program(stations))

    # A preview sends nothing; an up makes each station once; then neither up nor refresh finds a change.
    assert "+ 7 to create" in stack.pulumi("preview").text
    assert emulator.requests == []
    stack.up()
    assert [station[1] for station in sorted(held(emulator), key=lambda s: s[1])] == [
        "alpha-01",
        "bravo-01",
        "charlie-01",
        "delta-01",
        "echo-01",
        "foxtrot-01",
    ]
    stack.up_changes_nothing()
    stack.pulumi("refresh", "--yes", "--expect-no-changes")

    # Every field is edited, and every optional one is cleared, each on a station of its own.
    stations["alpha"]["name"] = "Alpha renamed"
    stations["bravo"]["prefix"] = "NEW"
    stations["charlie"]["linecard"] = "99"
    stations["delta"]["prefix"] = None
    del stations["echo"]["linecard"]
    stack.program(program(stations))
    assert "~ 5 updated" in stack.up().text
    edited = {
        "alpha-01": ("Alpha renamed", "PR", "11"),
        "bravo-01": ("bravo", "NEW", "11"),
        "charlie-01": ("charlie", "PR", "99"),
        "delta-01": ("delta", "", "11"),
        "echo-01": ("echo", "PR", ""),
        "foxtrot-01": ("foxtrot", "", ""),
    }
    assert {station[1]: station[2:] for station in held(emulator)} == edited

    # A preview that refreshes sees drift of every field, and a vanished station, and nothing else.
    ids = {station[1]: station[0] for station in held(emulator)}
    emulator.edit_station(ids["alpha-01"], name="Drifted")
    emulator.edit_station(ids["bravo-01"], prefix="")
    emulator.edit_station(ids["foxtrot-01"], linecard="drifted")
    emulator.remove_station(ids["echo-01"])
    drift = re.sub(" +:", ":", stack.pulumi("preview", "--refresh", "--diff", "--expect-no-changes", status=7).text)
    assert '~ name: "Drifted" => "Alpha renamed"' in drift
    assert '+ prefix: "NEW"' in drift
    assert '- linecard: "drifted"' in drift
    assert re.findall(r"[+~-] ?\d to \w+|\d unchanged", drift) == ["+ 1 to create", "~ 3 to update", "3 unchanged"]

    # One up repairs it all. Another external id replaces: the new station is there before the old one goes.
    stations["delta"]["external_monitoring_station_id"] = "delta-02"
    edited["delta-02"] = edited.pop("delta-01")
    stack.program(program(stations))
    emulator.clear_requests()
    stack.up("--refresh")
    assert {station[1]: station[2:] for station in held(emulator)} == edited
    done = [r for r in emulator.requests if r.method != "GET" and "oauth" not in r.path]
    # 422 teaches which value clears a field; 409 that echo's key was used when it was first made, with other values.
    writes = [(r.method, r.status) for r in done if r.status not in (409, 422)]
    assert [(r.method, r.status) for r in done if r.status == 409] == [("POST", 409)] * (row["idempotency"] == "kept")
    assert sorted(writes[:-1]) == [("POST", 201), ("POST", 201), ("PUT", 200), ("PUT", 200), ("PUT", 200)]
    assert writes[-1] == ("DELETE", int(row["delete_answer"]))
    stack.pulumi("preview", "--refresh", "--expect-no-changes")

    stack.destroy()
    assert held(emulator) == []

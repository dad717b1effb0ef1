"""What a stack's state holds, and what it must not."""

from __future__ import annotations

import json

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack
from tests.helpers import held


@pytest.mark.acceptance("state scanned for secret and token after every case")
def test_state_holds_neither_secret_nor_token(emulator: Emulator, stack: Stack) -> None:
    """Credentials in stack config are encrypted: after all that a stack does, no secret and no token is in clear."""
    for name in ("CHEKT_CLIENT_ID", "CHEKT_CLIENT_SECRET", "CHEKT_DEALER_ID", "CHEKT_BASE_URL", "CHEKT_TOKEN_URL"):
        stack.environment.pop(name)
    stack.pulumi("config", "set", "chekt:baseUrl", emulator.url)
    stack.pulumi("config", "set", "chekt:clientId", "emulator-client")
    stack.pulumi("config", "set", "--secret", "chekt:clientSecret", "emulator-secret")
    stack.pulumi("config", "set", "chekt:dealerId", "12345")
    one = 'MonitoringStation("a", external_monitoring_station_id="a-01", name="{}")'
    stack.program(one.format("A"))
    stack.up()
    stack.program(one.format("B"))
    stack.up()
    emulator.edit_station(1, name="C")
    stack.up("--refresh")
    stack.pulumi("refresh", "--yes")

    state = stack.exported()

    assert "emulator-secret" not in state
    assert "Bearer" not in state
    assert "access_token" not in state
    for name in ("inputs", "outputs"):
        provider = stack.stations()["a"][name]["__provider"]
        assert isinstance(provider, str), "a secret would be a map"
        assert len(provider) < 200
    stack.destroy()
    assert held(emulator) == []


def test_a_station_in_state_is_what_a_person_would_expect(emulator: Emulator, stack: Stack) -> None:
    """Ids as text, unset texts as "", the host that holds it, the resource that has it, and nothing else."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A", dealer_id=12345)')
    stack.up()

    station = stack.stations()["a"]

    outputs = {name: value for name, value in station["outputs"].items() if name not in ("__provider", "created_at")}
    assert station["id"] == "12345/1"
    assert station["type"] == "pulumi-python:dynamic/chekt:MonitoringStation"
    assert outputs == {
        "external_monitoring_station_id": "a-01",
        "name": "A",
        "prefix": "",
        "linecard": "",
        "dealer_id": "12345",
        "api_host": "localhost",
        "declared_by": "organization/test/dev/a",
    }


def test_the_number_of_a_station_stays_known_while_a_rename_is_previewed(emulator: Emulator, stack: Stack) -> None:
    """Otherwise a rename would ripple through everything that uses it."""
    program = """
        a = MonitoringStation("a", external_monitoring_station_id="a-01", name="{}")
        pulumi.export("number", a.monitoring_station_id)
    """
    stack.program(program.format("A"))
    stack.up()
    stack.program(program.format("B"))

    preview = stack.pulumi("preview", "--diff").text

    assert "number" not in preview.split("--outputs:--")[-1]
    assert "~ 1 to update" in preview


def test_a_rotated_secret_in_the_environment_is_used_by_destroy(emulator: Emulator, stack: Stack) -> None:
    """Pulumi destroys with the config in the state, where a rotated secret is stale; the environment wins."""
    stack.pulumi("config", "set", "--secret", "chekt:clientSecret", "stale")
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')
    stack.up()

    stack.destroy()

    assert held(emulator) == []


def test_state_that_was_written_by_hand_is_taken_over_without_a_write(emulator: Emulator, stack: Stack) -> None:
    """A resource entry without `__provider`: one update without a call, then no change."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')
    stack.up()
    state = json.loads(stack.exported())
    for resource in state["deployment"]["resources"]:
        resource.get("outputs", {}).pop("__provider", None)
    path = stack.folder / "state.json"
    path.write_text(json.dumps(state))
    stack.pulumi("stack", "import", "--file", str(path))
    emulator.clear_requests()

    stack.up()

    assert emulator.requests == []
    stack.up_changes_nothing()

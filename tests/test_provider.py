"""The dynamic provider as Pulumi calls it: inputs in, state out."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import UNKNOWN
from pulumi.runtime import rpc

from chekt_provider.emulator import Emulator
from chekt_provider.provider import MonitoringStationProvider
from tests.faults.world import Moments, TimedProvider
from tests.helpers import config_of, configured

CENTRAL = {"external_monitoring_station_id": "central-01", "name": "Central", "dealer_id": 12345.0}
STATE = {
    "__provider": "x",
    "external_monitoring_station_id": "central-01",
    "name": "Central",
    "prefix": "CH",
    "linecard": "",
    "dealer_id": "12345",
    "created_at": "2026-01-01T00:00:00.000Z",
    "api_host": "localhost",
}


@pytest.fixture
def offline() -> MonitoringStationProvider:
    """A provider without any setting, as in a pull request from a fork."""
    return configured({})


def reasons(provider: MonitoringStationProvider, inputs: dict[str, Any]) -> list[str]:
    failures = provider.check({}, inputs).failures
    assert all(failure.property == "" for failure in failures), "naming a property prints its value"
    return [failure.reason for failure in failures]


def test_check_gives_the_inputs_in_canonical_form(offline: MonitoringStationProvider) -> None:
    """Numbers become digits, absent optional texts become "", None vanishes."""
    checked = offline.check({}, {**CENTRAL, "prefix": None, "adopt_existing": None, "__provider": "x"})

    assert checked.failures == []
    assert checked.inputs == {
        "external_monitoring_station_id": "central-01",
        "name": "Central",
        "prefix": "",
        "linecard": "",
        "dealer_id": "12345",
    }


def test_check_names_every_bad_input_at_once(offline: MonitoringStationProvider) -> None:
    """One line each, none with the value."""
    bad = {"external_monitoring_station_id": " ", "name": 7.0, "prefix": "a\x1b[31m", "dealer_id": True, "nmae": "x"}

    assert reasons(offline, bad) == [
        "external_monitoring_station_id is blank: give the station your own key, such as 'central-01'.",
        "name must be text, not a number.",
        "prefix holds the invisible or control character U+001B at position 2.",
        "dealer_id is not an id: write digits only, such as 12345.",
        "'nmae' is not an input of a monitoring station; did you mean 'name'?",
    ]


def test_check_takes_the_dealer_from_the_settings(emulator: Emulator) -> None:
    """chekt:dealerId is the default of dealer_id, and ends up in the state."""
    provider = configured({"chekt:dealerId": 777.0})

    assert provider.check({}, {**CENTRAL, "dealer_id": None}).inputs["dealer_id"] == "777"
    assert provider.check({}, CENTRAL).inputs["dealer_id"] == "12345"


@pytest.mark.parametrize("dealer", ["", 0.0])
def test_a_blank_dealer_is_not_the_default_dealer(dealer: object) -> None:
    """A blank variable in a program must not turn into another dealer."""
    provider = configured({"chekt:dealerId": "777"})

    assert reasons(provider, {**CENTRAL, "dealer_id": dealer}) == [
        "dealer_id is not an id: write digits only, such as 12345."
    ]


def test_a_dealer_that_nobody_names_is_a_failure(offline: MonitoringStationProvider) -> None:
    """The line names both ways to give it."""
    assert reasons(offline, {**CENTRAL, "dealer_id": None}) == [
        "dealer_id is missing: pass dealer_id, or set chekt:dealerId (CHEKT_DEALER_ID)."
    ]


def test_a_dealer_that_is_set_and_none_is_told_once() -> None:
    """The setting is wrong, not missing."""
    provider = configured({"chekt:dealerId": "12345abc"})

    assert reasons(provider, {**CENTRAL, "dealer_id": None}) == [
        "chekt:dealerId (CHEKT_DEALER_ID) is not an id: write digits only, such as 12345."
    ]


@pytest.mark.parametrize("unknown", [UNKNOWN, rpc.UNKNOWN])
def test_a_value_that_a_preview_does_not_know_passes(offline: MonitoringStationProvider, unknown: object) -> None:
    """Every input may be another resource's output."""
    inputs = dict.fromkeys(["external_monitoring_station_id", "name", "prefix", "linecard", "dealer_id"], unknown)

    checked = offline.check({}, inputs)

    assert checked.failures == []
    assert checked.inputs == inputs


def test_a_wrong_setting_is_a_check_failure_and_not_an_exception() -> None:
    """`configure` raises nothing; `check` tells each problem in a line."""
    provider = configured({"chekt:baseUrl": "http://api.chekt.com", "chekt:clientId": "app"})

    assert reasons(provider, CENTRAL) == [
        "chekt:baseUrl (CHEKT_BASE_URL) begins with http://, which would send the credentials in clear: "
        "write https://.",
        "chekt:clientSecret (CHEKT_CLIENT_SECRET) is missing while chekt:clientId is set: "
        "run `pulumi config set --secret chekt:clientSecret`.",
    ]


def test_check_and_diff_send_nothing(emulator: Emulator) -> None:
    """A preview is offline."""
    provider = configured(emulator.environment())

    provider.check({}, CENTRAL)
    provider.diff("12345/1", STATE, {**NEWS, "name": "New"})

    assert emulator.requests == []


NEWS = {
    "__provider": "x",
    "external_monitoring_station_id": "central-01",
    "name": "Central",
    "prefix": "CH",
    "linecard": "",
    "dealer_id": "12345",
}


@pytest.mark.parametrize(
    ("change", "changes", "replaces"),
    [
        ({}, False, []),
        ({"name": "New"}, True, []),
        ({"prefix": ""}, True, []),
        ({"prefix": None}, True, []),
        ({"linecard": None}, False, []),
        ({"linecard": "7"}, True, []),
        ({"external_monitoring_station_id": "other"}, True, ["external_monitoring_station_id"]),
        ({"dealer_id": "777"}, True, ["dealer_id"]),
        ({"dealer_id": "777", "name": "New"}, True, ["dealer_id"]),
        ({"adopt_existing": True}, False, []),
        ({"reassign_sites_to": "17"}, True, []),
        ({"reassign_sites_to": ""}, False, []),
        ({"reassign_sites_to": UNKNOWN}, True, []),
        ({"reassign_sites_to": rpc.UNKNOWN}, True, []),
        ({"__provider": "y"}, False, []),
        ({"name": UNKNOWN}, True, []),
        ({"name": rpc.UNKNOWN}, True, []),
        ({"dealer_id": UNKNOWN}, True, ["dealer_id"]),
    ],
)
def test_diff_says_what_changes_and_what_replaces(
    offline: MonitoringStationProvider, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    """External id and dealer replace; texts update; None, "" and absent are one; the pickled provider is no change."""
    result = offline.diff("12345/1", STATE, {**NEWS, **change})

    assert result.changes is changes
    assert result.replaces == replaces
    assert result.delete_before_replace is None, "a replacement creates first"


def test_state_without_unset_texts_is_the_same_state(offline: MonitoringStationProvider) -> None:
    """Absent and "" are the same in state too."""
    olds = {name: value for name, value in STATE.items() if value}

    assert offline.diff("12345/1", olds, NEWS).changes is False


def test_state_without_the_provider_is_updated_without_a_call(emulator: Emulator) -> None:
    """State that came from elsewhere: `diff` answers "changed", `update` returns what the state holds."""
    provider = configured(emulator.environment())
    olds = {name: value for name, value in STATE.items() if name != "__provider"}

    assert provider.diff("12345/1", olds, NEWS).changes is True
    assert provider.update("12345/1", olds, NEWS).outs == olds
    assert emulator.requests == []


def test_the_life_of_a_station_in_state(emulator: Emulator) -> None:
    """Create, read, update, read, delete: what each gives Pulumi to keep."""
    provider = TimedProvider(Moments(), lambda sentence: None, 30.0)
    provider.configure(ConfigureRequest(Config(config_of(emulator.environment()), "test")))

    created = provider.create({**CENTRAL, "__provider": "x"})
    assert created.id == "12345/1"
    assert created.outs is not None
    created_at = created.outs["created_at"]
    assert created.outs == {
        "external_monitoring_station_id": "central-01",
        "name": "Central",
        "prefix": "",
        "linecard": "",
        "dealer_id": "12345",
        "created_at": created_at,
        "api_host": "localhost",
    }

    read = provider.read("12345/1", created.outs)
    assert read.id == "12345/1"
    assert read.outs == created.outs
    assert read.inputs == {
        "external_monitoring_station_id": "central-01",
        "name": "Central",
        "prefix": "",
        "linecard": "",
        "dealer_id": "12345",
    }

    updated = provider.update("12345/1", created.outs, {**CENTRAL, "prefix": "CH"})
    assert updated.outs == {**created.outs, "prefix": "CH"}

    provider.configure(ConfigureRequest(Config(config_of(emulator.environment()), "test")))
    provider.delete("12345/1", updated.outs or {})
    provider.configure(ConfigureRequest(Config(config_of(emulator.environment()), "test")))
    gone = provider.read("12345/1", updated.outs or {})
    assert (gone.id, gone.outs) == ("", {})


def test_credentials_that_are_absent_are_no_error_before_a_call_needs_them() -> None:
    """Preview works without them; create names the settings."""
    provider = configured({"chekt:dealerId": "12345"})
    assert provider.check({}, CENTRAL).failures == []

    with pytest.raises(Exception, match="no credentials are set") as caught:
        provider.create(CENTRAL)

    assert str(caught.value) == (
        "Could not create monitoring station 'central-01' of dealer 12345: no credentials are set. Nothing was "
        "changed. Set chekt:clientId and chekt:clientSecret (`pulumi config set --secret chekt:clientSecret`), or "
        "CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET."
    )


def test_a_stripped_line_break_is_told_once(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret pasted with its line break works, and the person learns of it."""
    configured(emulator.environment() | {"CHEKT_CLIENT_SECRET": "emulator-secret\n"}).create(CENTRAL)

    assert capsys.readouterr().err == (
        "chekt: chekt:clientSecret (CHEKT_CLIENT_SECRET) ended with a line break, which was left out.\n"
    )

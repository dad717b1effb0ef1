"""One run for each plugin process, however many provider classes Pulumi configures in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from chekt_provider.emulator import Emulator
from chekt_provider.plugin.run import run_of
from chekt_provider.provider import MonitoringStationProvider
from tests.helpers import calls, config_of


def test_providers_of_one_process_share_token_and_lists(emulator: Emulator) -> None:
    """With the same config they fetch one token and list a dealer's stations once."""
    config = config_of(emulator.environment())
    providers = [MonitoringStationProvider(), MonitoringStationProvider()]
    for provider in providers:
        provider.configure(ConfigureRequest(Config(config, "test")))

    for number, provider in enumerate(providers):
        provider.create({"external_monitoring_station_id": f"s-{number}", "name": "A", "dealer_id": "12345"})

    looks = ["GET /monitoring-stations"] * 2  # an empty list is read twice
    assert calls(emulator) == [*looks, "POST /monitoring-stations", "POST /monitoring-stations"]
    assert [r.path for r in emulator.requests].count("/oauth/token") == 1


def test_another_config_is_another_run() -> None:
    """No run answers with the settings of an earlier one."""
    runs = [run_of(Config({"chekt:dealerId": str(n)}, "test")).settings.dealer_id for n in range(1, 20)]

    assert runs == [str(n) for n in range(1, 20)]


def test_threads_that_are_configured_at_once_share_one_run() -> None:
    """The first begins it."""
    config: dict[str, Any] = {}

    with ThreadPoolExecutor(16) as pool:
        runs = list(pool.map(lambda _: run_of(Config(config, "test")), range(64)))

    assert len(set(runs)) == 1


def test_what_a_setting_was_corrected_to_is_told_once_a_process(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not told once for each class."""
    config = config_of(emulator.environment() | {"CHEKT_CLIENT_SECRET": "emulator-secret\n"})

    runs = [run_of(Config(config, "test")) for _ in range(2)]

    assert runs[0] is runs[1]
    assert capsys.readouterr().err.count("which was left out") == 1

"""Lookups in programs that the real engine runs."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi import automation

from chekt_provider import list_monitoring_stations
from chekt_provider.emulator import Emulator
from chekt_provider.settings import VARIABLES
from tests.engine.conftest import Stack
from tests.helpers import anonymous, calls, held

HEAD = """
    from chekt_provider import get_monitoring_station, get_monitoring_station_output, list_monitoring_stations
"""
ONE_LIST = ["GET /monitoring-stations"] * 3


def test_ten_lookups_and_a_list_cost_one_list_and_are_inputs_of_others(emulator: Emulator, stack: Stack) -> None:
    """Plain ones, and those by inputs, in the preview as well; another up has nothing to do."""
    emulator.add_station(external_monitoring_station_id="old-01", name="Old", prefix="OL")
    stack.program(
        HEAD
        + """
    keys = [pulumi.Output.from_input("old-01") for _ in range(5)]
    outputs = [get_monitoring_station_output(external_monitoring_station_id=key) for key in keys]
    plain = [get_monitoring_station(external_monitoring_station_id="old-01") for _ in range(5)]
    MonitoringStation("new", external_monitoring_station_id="new-01", name=plain[4].name, prefix=outputs[4].prefix)
    old = MonitoringStation.get("old", outputs[0].id)
    pulumi.export("numbers", [plain[0].monitoring_station_id, outputs[0].monitoring_station_id])
    pulumi.export("listed", [station.id for station in list_monitoring_stations()][:1])
    pulumi.export("got", old.prefix)
    """
    )

    preview = stack.pulumi("preview").text
    assert "numbers: [" in preview
    assert calls(emulator) == ONE_LIST + ONE_LIST  # the program's; and the plugin's, for get()
    stack.up()
    assert stack.outputs() == {"numbers": [1, 1], "listed": ["12345/1"], "got": "OL"}
    assert held(emulator) == [(1, "old-01", "Old", "OL", ""), (2, "new-01", "Old", "OL", "")]
    stack.up_changes_nothing()


def test_a_lookup_that_fails_is_one_line(emulator: Emulator, stack: Stack) -> None:
    """A plain one, and one by inputs that feeds a resource; nothing is created."""
    not_found = (
        "error: Could not look up monitoring station 'nope' of dealer 12345: no station of this dealer has this "
        "external id. Nothing was changed. Correct external_monitoring_station_id or dealer_id; "
        "`chekt stations --dealer 12345` lists what there is. (trace id T)"
    )
    stack.program(HEAD + '    get_monitoring_station(external_monitoring_station_id="nope")')
    assert [anonymous(line) for line in stack.pulumi("preview", status=1).errors] == [not_found]

    stack.program(
        HEAD
        + """
    nope = pulumi.Output.from_input("nope")
    for n in range(3):
        found = get_monitoring_station_output(external_monitoring_station_id=nope)
        MonitoringStation(f"s-{n}", external_monitoring_station_id=f"s-{n}", name=found.name)
    """
    )
    assert [anonymous(line) for line in stack.up(status=1).errors] == [not_found]
    assert held(emulator) == []


def test_programs_in_one_process_share_no_list(emulator: Emulator, tmp_path: Path) -> None:
    """Two runs of an inline program of the Automation API, and one with another stack's settings."""
    for name in ("state", "home"):
        (tmp_path / name).mkdir()
    environment = {
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def program() -> None:
        pulumi.export("listed", [station.id for station in list_monitoring_stations()])

    def listed(name: str, settings: dict[str, str]) -> list[str]:
        workspace = automation.LocalWorkspaceOptions(env_vars=environment, work_dir=str(tmp_path))
        stack = automation.create_or_select_stack(name, "lookups", program, opts=workspace)
        config = {key: settings[variable] for key, variable in VARIABLES.items() if variable in settings}
        stack.set_all_config({key: automation.ConfigValue(value, "Secret" in key) for key, value in config.items()})
        found: list[str] = stack.up().outputs["listed"].value
        return found

    with Emulator(dealers=[777]) as other:
        assert listed("a", emulator.environment()) == []
        emulator.add_station(external_monitoring_station_id="old-01", name="Old")
        other.add_station(external_monitoring_station_id="far-01", name="Far")
        assert listed("a", emulator.environment()) == ["12345/1"]
        assert listed("b", other.environment()) == ["777/1"]

"""A Fleet through the real engine: the example's whole life, Pulumi's options, and names that never change."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack
from tests.helpers import blocks, calls, held

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fleet"
GUIDE = (EXAMPLE / "README.md").read_text()

README_OUTPUT = """\
| external_monitoring_station_id | name | prefix | linecard | monitoring_station_id |
| --- | --- | --- | --- | --- |
| backup-01 | Backup Receiving Centre, Shelbyville | BK | 20001 | N |
| central-01 | Central Station, Springfield | CS | 10001 | N |
| central-02 | Central Station, Ogdenville | CS | 10002 | N |
| video-01 | Video Verification Desk |  |  | N |"""

REORDERED = """
stations: [{name: Video Verification Desk, external_monitoring_station_id: video-01}]
groups:
  - stations:
      - {name: "Backup Receiving Centre, Shelbyville", external_monitoring_station_id: backup-01, linecard: "20001"}
    prefix: BK
  - stations:
      - {name: "Central Station, Ogdenville", external_monitoring_station_id: central-02, linecard: "10002"}
    prefix: CS
  - stations:
      - {name: "Central Station, Springfield", external_monitoring_station_id: central-01, linecard: '10001'}
    prefix: CS
"""

STATION = "[{external_monitoring_station_id: central-01, name: Central}]"


def writes(emulator: Emulator) -> list[str]:
    """The method of each request so far that changes something."""
    return [method for method in (call.split()[0] for call in calls(emulator)) if method != "GET"]


def write(stack: Stack, stations: str) -> None:
    """Replace the stations file."""
    (stack.folder / "stations.yaml").write_text(stations)


def test_the_example_lives(emulator: Emulator, stack: Stack) -> None:
    """Up, no change, another order, mistakes, an edit, down: each writes what it must, and nothing else."""
    shutil.copytree(EXAMPLE, stack.folder / "fleet")
    (stack.folder / "Pulumi.yaml").write_text("name: test\nruntime: python\nmain: fleet\n")
    file = stack.folder / "fleet" / "stations.yaml"
    original = file.read_text()

    assert "+ 6 created" in stack.up().text
    assert re.sub(r"\d+ \|$", "N |", stack.outputs()["readme"], flags=re.MULTILINE) == README_OUTPUT
    stack.up_changes_nothing()
    emulator.clear_requests()

    file.write_text(REORDERED)
    stack.up_changes_nothing()
    assert writes(emulator) == []

    file.write_text(original.replace('"10001"', "10001").replace("name: Video", "nmae: Video"))
    printed = [line.strip().removeprefix("error: ") for line in stack.pulumi("preview", status=1).text.splitlines()]
    mistakes = [line for line in printed if line.startswith("stations.yaml:")]
    assert mistakes == re.findall(r"```\n(stations.*?)\n```", GUIDE, re.DOTALL)[0].splitlines()
    assert len(mistakes) == 3

    file.write_text(original.replace("Ogdenville", "North Haverbrook"))
    assert "~ 1 updated" in stack.up().text
    assert writes(emulator) == ["PUT"]

    stack.destroy()
    assert held(emulator) == []


@pytest.fixture
def other() -> Iterator[Emulator]:
    """The CHeKT of another app, whose dealer is 222."""
    with Emulator(dealers=[222], client_id="app", client_secret="canary-5b2e") as emulator:
        yield emulator


def test_a_provider_and_protect_hold_for_the_stations(emulator: Emulator, other: Emulator, stack: Stack) -> None:
    """The stations are made through the app that the Fleet names, and one taken out of the file cannot be deleted."""
    write(stack, f"stations: {STATION}")
    stack.program(f"""
        from chekt_provider import Fleet, Provider
        app = Provider("app", base_url="{other.url}", client_id="app", client_secret="canary-5b2e", dealer_id=222)
        fleet = Fleet("stations", file="stations.yaml", opts=pulumi.ResourceOptions(provider=app, protect=True))
        pulumi.export("number", fleet.stations["central-01"].monitoring_station_id)
    """)
    stack.up()
    assert [station["name"] for station in other.stations(222)] == ["Central"]
    assert stack.outputs() == {"number": 1}
    assert emulator.requests == []

    write(stack, "stations: []")
    stack.program(
        (stack.folder / "__main__.py").read_text().replace('pulumi.export("number"', '# pulumi.export("number"')
    )
    (error,) = set(stack.up(status=1).errors)
    assert error.endswith('MonitoringStation::central-01" cannot be deleted')
    assert len(other.stations(222)) == 1


def test_names_outlive_every_edit_of_the_file(emulator: Emulator, stack: Stack) -> None:
    """A plain station moves in; its dealer gets a name, then another dealer's station comes with its external id.

    None of this writes to an existing station, and the station keeps its id.
    """
    emulator.add_dealer(777)
    stack.program('MonitoringStation("central", external_monitoring_station_id="central-01", name="Central")')
    stack.up()
    emulator.clear_requests()
    write(stack, f"stations: {STATION}")
    program = blocks(GUIDE, "python")[0]
    (stack.folder / "__main__.py").write_text(program)

    stack.up()
    assert {name: s["id"] for name, s in stack.stations().items()} == {"central-01": "12345/1"}

    stack.program('from chekt_provider import Fleet\nFleet("stations", file="stations.yaml")\n')
    stack.up_changes_nothing()

    write(stack, f"groups: [{{dealer_id: 12345, stations: {STATION}}}]")
    stack.up()
    assert {name: s["id"] for name, s in stack.stations().items()} == {"12345/central-01": "12345/1"}

    both = f"{{dealer_id: 12345, stations: {STATION}}}, {{dealer_id: 777, stations: {STATION}}}"
    write(stack, f"groups: [{both}]")
    assert writes(emulator) == []
    stack.up()
    assert {name: s["id"].split("/")[0] for name, s in stack.stations().items()} == {
        "12345/central-01": "12345",
        "777/central-01": "777",
    }
    assert stack.stations()["12345/central-01"]["id"] == "12345/1"

    write(stack, f"stations: {STATION}\ngroups: [{{dealer_id: 777, stations: {STATION}}}]")
    stack.up()
    assert stack.stations()["central-01"]["id"] == "12345/1"
    assert writes(emulator) == ["POST"]

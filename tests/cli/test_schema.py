"""`chekt schema`: editors know the same stations file that a Fleet takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from chekt_provider.files.stations_file import FILE_KEYS, GROUP_KEYS, read_stations
from chekt_provider.files.stations_schema import stations_schema
from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.model.fields import StationInputs, facts

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fleet"

STATION = "external_monitoring_station_id: a, name: A"


def is_taken(folder: Path, text: str) -> bool:
    """Whether a Fleet takes a stations file."""
    (folder / "stations.yaml").write_text(text)
    try:
        read_stations(folder / "stations.yaml")
    except BadFileError:
        return False
    return True


def test_the_command_prints_the_schema_of_the_example() -> None:
    """It is JSON alone, of the draft that it names; the file beside the example's stations is the same."""
    chekt = Path(sys.executable).with_name("chekt")
    done = subprocess.run([chekt, "schema"], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (EXAMPLE / "stations.schema.json").read_text()
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(json.loads(done.stdout))


def test_the_schema_has_every_key_with_its_meaning() -> None:
    """All keys of the file, of a group and of a station, no others, and the lengths that a program takes."""
    schema = stations_schema()
    group, station = schema["$defs"]["group"], schema["$defs"]["station"]

    assert tuple(schema["properties"]) == FILE_KEYS
    assert tuple(group["properties"]) == GROUP_KEYS
    assert set(station["properties"]) == set(facts(StationInputs))
    assert station["required"] == ["external_monitoring_station_id", "name"]
    for described in (schema, group, station):
        assert described["additionalProperties"] is False
        assert all(field["description"] for field in described["properties"].values())
    lengths = {name: field["maxLength"] for name, field in station["properties"].items() if "maxLength" in field}
    assert lengths == {"external_monitoring_station_id": 200, "name": 200, "prefix": 50, "linecard": 50}


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ((EXAMPLE / "stations.yaml").read_text(), True),
        (f"stations: [{{{STATION}}}]", True),
        (f"stations: [{{{STATION}, prefix: '', linecard: '7', dealer_id: 12345}}]", True),
        (f"stations: [{{{STATION}, adopt_existing: true, reassign_sites_to: 17}}]", True),
        (f"stations: [{{{STATION}, reassign_sites_to: central-02}}]", False),
        (f"stations: [{{{STATION}, dealer_id: '12345'}}]", True),
        (f"groups: [{{dealer_id: 12345, prefix: CS, stations: [{{{STATION}}}]}}]", True),
        ("groups: []\nstations: []", True),
        ("{}", False),
        ("[]", False),
        ("stations:", False),
        ("stations: {}", False),
        ("stations: [a]", False),
        ("stations: []\nmore: 1", False),
        ("groups: [{}]", False),
        ("groups: [{stations: [], linecard: '7'}]", False),
        ("groups: [{stations: [], dealer_id: a}]", False),
        ("groups: [{stations: [], prefix: 7}]", False),
        ("stations: [{name: A}]", False),
        ("stations: [{external_monitoring_station_id: a}]", False),
        ("stations: [{external_monitoring_station_id: '', name: A}]", False),
        (f"stations: [{{{STATION}, linecard: 10001}}]", False),
        (f"stations: [{{{STATION}, prefix: NO}}]", False),
        (f"stations: [{{{STATION}, prefix: }}]", False),
        (f"stations: [{{{STATION}, prefix: [a]}}]", False),
        (f"stations: [{{{STATION}, lincard: '7'}}]", False),
        (f"stations: [{{{STATION}, dealer_id: 0}}]", False),
        (f"stations: [{{{STATION}, dealer_id: '012'}}]", False),
        (f"stations: [{{{STATION}, dealer_id: 1.5}}]", False),
        (f"stations: [{{{STATION}, adopt_existing: 'true'}}]", False),
        (f"stations: [{{{STATION}, linecard: {'x' * 50}}}]", True),
        (f"stations: [{{{STATION}, linecard: {'x' * 51}}}]", False),
        (f"stations: [{{{STATION.replace('A', 'A' * 201)}}}]", False),
    ],
)
def test_editors_and_programs_agree(tmp_path: Path, text: str, taken: bool) -> None:
    """What the schema marks is refused, what it lets through is taken."""
    assert is_taken(tmp_path, text) is taken
    assert jsonschema_rs.is_valid(stations_schema(), yaml.safe_load(text)) is taken


@pytest.mark.parametrize(
    "text", [f"stations: [{{{STATION}}}, {{{STATION}}}]", "stations: [{external_monitoring_station_id: a, name: ' A'}]"]
)
def test_a_program_refuses_more_than_a_schema_can_say(tmp_path: Path, text: str) -> None:
    """Never the other way round: an editor marks nothing that a program takes."""
    assert not is_taken(tmp_path, text)
    assert jsonschema_rs.is_valid(stations_schema(), yaml.safe_load(text))

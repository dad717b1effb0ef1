"""`chekt stations`, as typed in a shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.files.stations_file import read_stations
from tests.helpers import NO_ACCESS, anonymous

CHEKT = Path(sys.executable).with_name("chekt")


def chekt(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `chekt stations`, with these CHEKT_* variables and no others."""
    return subprocess.run(
        [CHEKT, "stations", *arguments],
        env={**os.environ, "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def cells(table: str) -> list[list[str]]:
    """The rows of a printed table, its heading first."""
    rows = [re.split("[│┃]", line)[1:-1] for line in table.splitlines() if line.startswith(("│", "┃"))]
    return [[cell.strip() for cell in row] for row in rows]


@pytest.fixture
def stocked(emulator: Emulator) -> Emulator:
    """Three stations on two pages; somebody gave one a hostile name."""
    emulator.switches = Switches(lists="offset", page_size=2)
    emulator.add_station(external_monitoring_station_id="central-01", name="CHeKT Central", prefix="CH", linecard="7")
    emulator.add_station(external_monitoring_station_id="süd-02", name="Süd [bold]")
    emulator.add_station(external_monitoring_station_id="x-3", name="\x1b]0;title\x07 left\u202etfel")
    return emulator


def test_the_stations_are_printed_as_a_table(stocked: Emulator) -> None:
    """One row each, all pages; what could steer the terminal appears by code point."""
    done = chekt(**stocked.environment())

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].rstrip() == "Monitoring stations that CHeKT holds for dealer 12345"
    assert cells(done.stdout) == [
        ["id", "external id", "name", "prefix", "linecard"],
        ["1", "central-01", "CHeKT Central", "CH", "7"],
        ["2", "süd-02", "Süd [bold]", "", ""],
        ["3", "x-3", "\\u001b]0;title\\u0007 left\\u202etfel", "", ""],
    ]


def test_the_stations_are_printed_as_json(stocked: Emulator) -> None:
    """This is for programs: every field, values as CHeKT holds them, on standard output alone and in ASCII."""
    done = chekt("--json", **stocked.environment())
    created = [station["created_at"] for station in stocked.stations()]

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert json.loads(done.stdout) == [
        {
            "monitoring_station_id": "1",
            "external_monitoring_station_id": "central-01",
            "name": "CHeKT Central",
            "prefix": "CH",
            "linecard": "7",
            "created_at": created[0],
        },
        {
            "monitoring_station_id": "2",
            "external_monitoring_station_id": "süd-02",
            "name": "Süd [bold]",
            "prefix": "",
            "linecard": "",
            "created_at": created[1],
        },
        {
            "monitoring_station_id": "3",
            "external_monitoring_station_id": "x-3",
            "name": "\x1b]0;title\x07 left\u202etfel",
            "prefix": "",
            "linecard": "",
            "created_at": created[2],
        },
    ]


YAML = """\
# What CHeKT holds for dealer 12345. After the first `pulumi up`, adopt_existing has no effect.
groups:
- dealer_id: 12345
  stations:
  - external_monitoring_station_id: central-01
    name: CHeKT Central
    prefix: CH
    linecard: '7'
    adopt_existing: true
  - external_monitoring_station_id: süd-02
    name: 'NO'
    adopt_existing: true
"""


def test_the_stations_are_printed_as_a_stations_file(emulator: Emulator, tmp_path: Path) -> None:
    """A `Fleet` takes it as it is: in UTF-8, with quotes around each value that YAML would read as something else."""
    emulator.add_station(external_monitoring_station_id="central-01", name="CHeKT Central", prefix="CH", linecard="7")
    emulator.add_station(external_monitoring_station_id="süd-02", name="NO")
    done = chekt("--yaml", PYTHONIOENCODING="ascii:strict", **emulator.environment())

    assert (done.returncode, done.stderr, done.stdout) == (0, "", YAML)
    (tmp_path / "stations.yaml").write_text(done.stdout)
    assert [station.inputs for station in read_stations(tmp_path / "stations.yaml")] == [
        {
            "dealer_id": "12345",
            "external_monitoring_station_id": "central-01",
            "name": "CHeKT Central",
            "prefix": "CH",
            "linecard": "7",
            "adopt_existing": True,
        },
        {"dealer_id": "12345", "external_monitoring_station_id": "süd-02", "name": "NO", "adopt_existing": True},
    ]


def test_a_station_that_no_program_can_declare_is_left_out_and_named(emulator: Emulator, tmp_path: Path) -> None:
    """One without an external id, twins, and those whose values no program may give."""
    emulator.switches = Switches(duplicate="twin")
    for external_id, name in (
        ("", "Nobody"),
        ("twin-1", "One"),
        ("twin-1", "Two"),
        ("x-4", "\x1b[2J"),
        ("x-5", " Outer blanks "),
        ("good-01", "Good"),
    ):
        emulator.add_station(external_monitoring_station_id=external_id, name=name)

    done = chekt("--yaml", **emulator.environment())

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "chekt: Left out: station 1 'Nobody': it has no external id, by which a program knows it.",
        "chekt: Left out: station 2 'One': its external id 'twin-1' is also that of 3: delete all but one.",
        "chekt: Left out: station 3 'Two': its external id 'twin-1' is also that of 2: delete all but one.",
        r"chekt: Left out: station 4 '\\u001b[2J': name holds the invisible or control character U+001B at position 1.",
        "chekt: Left out: station 5 'Outer blanks': name begins or ends with a blank.",
    ]
    (tmp_path / "stations.yaml").write_text(done.stdout)
    assert [station.external_id for station in read_stations(tmp_path / "stations.yaml")] == ["good-01"]


def test_a_dealer_without_stations_has_a_stations_file_too(emulator: Emulator, tmp_path: Path) -> None:
    """It is an empty one."""
    (tmp_path / "stations.yaml").write_text(chekt("--yaml", **emulator.environment()).stdout)

    assert read_stations(tmp_path / "stations.yaml") == []


def test_two_forms_at_once_are_refused(emulator: Emulator) -> None:
    """The command refuses before anything is sent."""
    done = chekt("--json", "--yaml", **emulator.environment())

    assert done.returncode == 2
    assert "--json and --yaml are two forms: choose one" in done.stderr
    assert emulator.requests == []


def test_no_stations_are_said_to_be_none(emulator: Emulator) -> None:
    """People get a sentence, programs an empty list."""
    environment = emulator.environment()

    assert chekt(**environment).stdout == "CHeKT holds no monitoring station of dealer 12345.\n"
    assert chekt("--json", **environment).stdout == "[]\n"


def test_another_dealer_can_be_named(emulator: Emulator) -> None:
    """--dealer wins over CHEKT_DEALER_ID."""
    emulator.add_dealer(99)

    assert chekt("--dealer", "99", **emulator.environment()).stdout == (
        "CHeKT holds no monitoring station of dealer 99.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "variable", "wrong"),
    [
        ([], "", ""),
        ([], "abc", "'abc' is not an id: write digits only. "),
        (["--dealer", "../sites/5"], "", "'../sites/5' is not an id: write digits only. "),
        (["--dealer", "0"], "12345", "'0' is not an id: write digits only. "),
    ],
)
def test_without_a_dealer_there_is_nothing_to_list(
    emulator: Emulator, arguments: list[str], variable: str, wrong: str
) -> None:
    """Usage: exit status 2, one line that shows what was given, nothing sent."""
    done = chekt(*arguments, **{**emulator.environment(), "CHEKT_DEALER_ID": variable})

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"chekt: {wrong}Name the dealer: --dealer 12345, or set CHEKT_DEALER_ID.\n"
    assert emulator.requests == []


def test_refused_credentials_are_one_line(emulator: Emulator) -> None:
    """Failure: exit status 1, the reason and what to do; the secret is nowhere."""
    done = chekt(**{**emulator.environment(), "CHEKT_CLIENT_SECRET": "canary-9c1e"})

    assert (done.returncode, done.stdout) == (1, "")
    assert anonymous(done.stderr) == (
        "chekt: Could not list the monitoring stations of dealer 12345: the token endpoint refused the credentials "
        "(invalid_client). No other call was made. Correct CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET, or "
        "CHEKT_PRIVATE_KEY. (HTTP 401, trace id T, request id R)\n"
    )


def test_missing_credentials_are_one_line() -> None:
    """The stack's config is not mentioned: the command does not read it."""
    done = chekt("--dealer", "12345", CHEKT_CLIENT_ID="", CHEKT_CLIENT_SECRET="", CHEKT_BASE_URL="http://127.0.0.1:9")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "chekt: Could not list the monitoring stations of dealer 12345: no credentials are set. Nothing was changed. "
        "Set CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET.\n"
    )


def test_half_of_the_credentials_is_one_line() -> None:
    """It names the variables that this command reads."""
    done = chekt("--dealer", "12345", CHEKT_CLIENT_ID="me", CHEKT_BASE_URL="http://127.0.0.1:9")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "chekt: Could not list the monitoring stations of dealer 12345: CHEKT_CLIENT_SECRET is missing while "
        "CHEKT_CLIENT_ID is set: set it. Nothing was changed.\n"
    )


def test_an_unreachable_host_is_one_line(emulator: Emulator) -> None:
    """It names the port that was tried."""
    done = chekt(**{**emulator.environment(), "CHEKT_BASE_URL": "http://127.0.0.1:9", "CHEKT_TOKEN_URL": ""})

    assert anonymous(done.stderr) == (
        "chekt: Could not list the monitoring stations of dealer 12345: the token endpoint at 127.0.0.1 gave no token: "
        "127.0.0.1 does not accept connections on port 9, 5 times. No other call was made. Check the network and "
        "CHEKT_BASE_URL, which gives the token endpoint while CHEKT_TOKEN_URL is not set, then run again. "
        "(trace id T)\n"
    )


def test_an_error_is_shown_with_its_traceback_on_request(emulator: Emulator) -> None:
    """CHEKT_DEBUG=1 does it, as for Pulumi's commands."""
    done = chekt(**{**emulator.environment(), "CHEKT_CLIENT_SECRET": "canary-9c1e", "CHEKT_DEBUG": "1"})

    assert done.returncode == 1
    assert "Traceback (most recent call last):" in done.stderr
    assert "canary-9c1e" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_letters_is_shown_code_points(emulator: Emulator, encoding: str) -> None:
    """It shows them for the letters that it lacks, and for no others."""
    emulator.add_station(external_monitoring_station_id="x", name="Süd Łódź")

    done = subprocess.run(
        [CHEKT, "stations"],
        env={**os.environ, "COLUMNS": "120", "PYTHONIOENCODING": encoding, **emulator.environment()},
        capture_output=True,
        check=True,
        timeout=60,
    )
    shown = "S\\xfcd \\u0141\\xf3d\\u017a" if encoding == "ascii" else "Süd \\u0141ód\\u017a"
    assert shown in done.stdout.decode(encoding)


def test_a_failing_list_is_one_line(emulator: Emulator) -> None:
    """Listing changes nothing, and the line says so."""
    emulator.add_fault(Fault(path="*/monitoring-stations", status=403))

    done = chekt(**emulator.environment())

    assert (done.returncode, done.stdout) == (1, "")
    assert anonymous(done.stderr) == (
        "chekt: Could not list the monitoring stations of dealer 12345: CHeKT refused: forbidden, "
        '"a fault of the emulator". Nothing was changed. '
        f"{NO_ACCESS} "
        "(HTTP 403, trace id T, request id R)\n"
    )


def test_bad_settings_are_one_line(emulator: Emulator) -> None:
    """Nothing is sent to a wrong host."""
    done = chekt(**{**emulator.environment(), "CHEKT_BASE_URL": "http://api.chekt.com"})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "chekt: Could not list the monitoring stations of dealer 12345: CHEKT_BASE_URL begins with "
        "http://, which would send the credentials in clear: write https://. Nothing was changed.\n"
    )
    assert emulator.requests == []

"""The rules of the pack in examples/policy, as plain functions; engine/test_examples.py runs the pack itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.policy.pack.__main__ import (
    LINECARDS,
    Station,
    external_id_pattern,
    linecard_documented,
    one_prefix,
    policies,
    prefix_and_linecard_unique,
    protected_in_production,
    read_linecards,
)

PATTERN = "[a-z]+(-[a-z]+)*-[0-9]{2}"
README = (LINECARDS.parents[1] / "README.md").read_text()


def station(external_id: str, prefix: str = "", linecard: str = "", stack: str = "dev") -> Station:
    """A station whose resource name is its external id."""
    urn = f"urn:pulumi:{stack}::project::pulumi-python:dynamic/chekt:MonitoringStation::{external_id}"
    return Station(urn, external_id, prefix, linecard)


@pytest.mark.parametrize(
    ("external_id", "fits"),
    [
        ("central-01", True),
        ("central-east-01", True),
        ("central", False),
        ("Central-01", False),
        ("central-001", False),
        ("central-01\n", False),
        ("x central-01", False),
    ],
)
def test_the_whole_external_id_fits_the_pattern(external_id: str, fits: bool) -> None:
    """A fitting beginning or end is not enough."""
    assert (external_id_pattern(station(external_id), PATTERN) is None) is fits


def test_an_external_id_that_does_not_fit_is_named_with_the_pattern() -> None:
    """The line says which, and what would fit."""
    assert external_id_pattern(station("Central 1"), PATTERN) == (
        "Monitoring station 'Central 1': its external id does not fit the pattern [a-z]+(-[a-z]+)*-[0-9]{2}: choose "
        "one that does."
    )


def test_a_linecard_is_documented_or_unset() -> None:
    """The line names the station, the linecard and the file."""
    documented = {"10001"}

    assert linecard_documented(station("a-01", linecard="10001"), documented) is None
    assert linecard_documented(station("a-01"), documented) is None
    assert linecard_documented(station("a-01", linecard="1000"), documented) == (
        "Monitoring station 'a-01': its linecard '1000' is not in linecards.yaml: describe it there, or correct it."
    )


@pytest.mark.parametrize("stack", ["prod", "prod-eu"])
def test_a_station_in_production_is_protected(stack: str) -> None:
    """The line names the station and the stack, and gives what to write."""
    assert protected_in_production(station("a-01", stack=stack), True, "prod(-.*)?") is None
    assert protected_in_production(station("a-01", stack=stack), False, "prod(-.*)?") == (
        f"Monitoring station 'a-01': it is not protected, and stack '{stack}' is production: pass "
        "opts=pulumi.ResourceOptions(protect=True)."
    )


@pytest.mark.parametrize("stack", ["dev", "preprod", "product"])
def test_a_station_elsewhere_need_not_be_protected(stack: str) -> None:
    """The whole name of the stack counts."""
    assert protected_in_production(station("a-01", stack=stack), False, "prod(-.*)?") is None


@pytest.mark.parametrize(
    ("prefixes", "odd"),
    [
        ({}, []),
        ({"a-01": "CS", "b-01": "CS"}, []),
        ({"a-01": "CS", "b-01": ""}, []),
        ({"a-01": "", "b-01": ""}, []),
        ({"a-01": "BK", "b-01": "CS", "c-01": "CS"}, ["a-01"]),
        ({"a-01": "CS", "b-01": "BK"}, ["b-01"]),
        ({"b-01": "BK", "a-01": "CS"}, ["b-01"]),
        ({"a-01": "CS", "b-01": "BK", "c-01": "VD", "d-01": "CS"}, ["b-01", "c-01"]),
        ({"a-01": "CS", "b-01": "cs"}, ["b-01"]),
    ],
)
def test_the_stations_of_a_stack_have_one_prefix(prefixes: dict[str, str], odd: list[str]) -> None:
    """A station is odd if it differs from most, or, without a most, from the first; unset prefixes do not count."""
    violations = one_prefix(station(external_id, prefix) for external_id, prefix in prefixes.items())

    assert [violation.urn.rpartition("::")[2] for violation in violations] == odd


def test_an_odd_prefix_is_shown_beside_one_of_the_others() -> None:
    """The line names both stations and both prefixes."""
    (violation,) = one_prefix([station("a-01", "CS"), station("b-01", "BK")])

    assert violation.line == (
        "Monitoring station 'b-01': its prefix is 'BK', and that of 'a-01' in the same stack 'CS': give both the same "
        "prefix, or each a stack of its own."
    )


@pytest.mark.parametrize(
    ("stations", "second"),
    [
        ([], []),
        ([("a-01", "CS", "1"), ("b-01", "CS", "2")], []),
        ([("a-01", "CS", "1"), ("b-01", "BK", "1")], []),
        ([("a-01", "CS", ""), ("b-01", "CS", "")], []),
        ([("a-01", "CS", "1"), ("b-01", "CS", "1")], ["b-01"]),
        ([("b-01", "CS", "1"), ("a-01", "CS", "1")], ["b-01"]),
        ([("a-01", "", "1"), ("b-01", "", "1")], ["b-01"]),
        ([("a-01", "CS", "1"), ("b-01", "CS", "1"), ("c-01", "CS", "1")], ["b-01", "c-01"]),
    ],
)
def test_no_two_stations_share_prefix_and_linecard(stations: list[tuple[str, str, str]], second: list[str]) -> None:
    """Only both together count; stations without a linecard may be many."""
    violations = prefix_and_linecard_unique(station(*values) for values in stations)

    assert [violation.urn.rpartition("::")[2] for violation in violations] == second


def test_a_shared_linecard_is_shown_with_both_stations() -> None:
    """The line names both stations, the prefix and the linecard."""
    (violation,) = prefix_and_linecard_unique([station("a-01", "CS", "1"), station("b-01", "CS", "1")])

    assert violation.line == (
        "Monitoring station 'b-01': its prefix 'CS' and linecard '1' are those of 'a-01' too: give one of the two "
        "another linecard."
    )


def test_the_file_of_linecards_is_read() -> None:
    """Its keys are the linecards."""
    assert read_linecards(LINECARDS) == {"10001", "20001"}


REMEDY = 'write a line for each linecard, with it in quotes, such as "10001": Receiver 1, rack 3.'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"10001: Receiver 1\n", f"linecards.yaml holds something other than linecards in quotes: {REMEDY}"),
        (b"", f"linecards.yaml holds something other than linecards in quotes: {REMEDY}"),
        (b'- "10001"\n', f"linecards.yaml holds something other than linecards in quotes: {REMEDY}"),
        (
            b'"1": @',
            "linecards.yaml cannot be read (while scanning for the next token found character '@' that cannot start "
            f'any token in "<unicode string>", line 1, column 6: "1": @ ^): {REMEDY}',
        ),
        (
            b"\xff",
            "linecards.yaml cannot be read ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte): "
            f"{REMEDY}",
        ),
    ],
)
def test_a_file_of_linecards_that_is_none_ends_the_pack_with_one_line(tmp_path: Path, text: bytes, line: str) -> None:
    """This includes numbers without quotes, which no linecard would ever equal."""
    file = tmp_path / "linecards.yaml"
    file.write_bytes(text)

    with pytest.raises(SystemExit) as ended:
        read_linecards(file)

    assert str(ended.value) == line


def test_a_file_of_linecards_that_is_missing_ends_the_pack_with_one_line(tmp_path: Path) -> None:
    """The line names the file and what to write into it."""
    file = tmp_path / "linecards.yaml"

    with pytest.raises(SystemExit) as ended:
        read_linecards(file)

    assert str(ended.value) == (
        f"linecards.yaml cannot be read ([Errno 2] No such file or directory: '{file}'): {REMEDY}"
    )


def test_the_table_of_the_readme_holds_every_rule() -> None:
    """Name, level and setting with its default, in the order of the table."""
    rows = re.findall(r"^\| `(\S+)` \| (\w+) \| .*? \| (.*?) ?\|$", README, re.MULTILINE)
    pack = {}
    for policy in policies(()):
        settings = policy.config_schema.properties if policy.config_schema else {}
        assert policy.enforcement_level
        pack[policy.name] = (
            policy.enforcement_level.value,
            "".join(f"`{name}`: `{schema['default']}`" for name, schema in settings.items()),
        )

    assert {name: (level, setting) for name, level, setting in rows} == pack
    assert len(rows) == len(pack)

"""A stations file is taken as a whole, or refused with a line for everything that is wrong with it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chekt_provider.files import stations_file as station_file
from chekt_provider.files import yaml_file
from chekt_provider.files.stations_file import read_stations
from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.text import shown

GOOD = """\
groups:
  - dealer_id: 12345
    prefix: CS
    stations:
      - external_monitoring_station_id: central-01
        name: Central Station, Springfield
        linecard: "10001"
      - external_monitoring_station_id: central-02
        name: Central
        prefix: ""
        dealer_id: "777"
stations:
  - {external_monitoring_station_id: süd-01, name: Süd, adopt_existing: yes}
"""


@pytest.fixture(autouse=True)
def _in_the_programs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(text: str | bytes, dealer_id: str = "") -> list[str]:
    """The lines of the error that a stations file gives; none for a good one."""
    Path("s.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    try:
        read_stations("s.yaml", dealer_id)
    except BadFileError as error:
        return str(error).splitlines()
    return []


def one(fields: str) -> str:
    """A stations file with one station: its external id and name in line 2, these fields in line 3."""
    return f"stations:\n- {{external_monitoring_station_id: central-01, name: Central,\n   {fields}}}\n"


def test_a_station_has_its_own_values_before_its_groups() -> None:
    """A station without its own dealer and prefix has the group's; "" is a value: none."""
    Path("s.yaml").write_text(GOOD, encoding="utf-8")

    assert [dict(station.inputs) for station in read_stations("s.yaml")] == [
        {
            "dealer_id": "12345",
            "prefix": "CS",
            "external_monitoring_station_id": "central-01",
            "name": "Central Station, Springfield",
            "linecard": "10001",
        },
        {"dealer_id": "777", "prefix": "", "external_monitoring_station_id": "central-02", "name": "Central"},
        {"external_monitoring_station_id": "süd-01", "name": "Süd", "adopt_existing": True},
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ("linecard: 10001", 'linecard is 10001, which YAML takes for a number: put it in quotes, "10001".'),
        ("linecard: 012", 'linecard is 012, which YAML takes for a number: put it in quotes, "012".'),
        ("linecard: 1e3", None),
        ("linecard: 12:30", 'linecard is 12:30, which YAML takes for a number: put it in quotes, "12:30".'),
        ("linecard: 1.5", 'linecard is 1.5, which YAML takes for a number: put it in quotes, "1.5".'),
        ("prefix: NO", 'prefix is NO, which YAML takes for true or false: put it in quotes, "NO".'),
        ("prefix: 2024-01-01", 'prefix is 2024-01-01, which YAML takes for a date: put it in quotes, "2024-01-01".'),
        ("prefix: ~", 'prefix is ~, which YAML takes for nothing: put it in quotes, "~".'),
        ("prefix: =", 'prefix is =, which YAML takes for a sign of its own: put it in quotes, "=".'),
        ("prefix: ", "prefix is empty: give it a value, or take the line out."),
        ("prefix: !!str 10001", None),
        ("prefix: !!python/name:os.system x", "prefix has the tag !!python/name:os.system: take that out."),
        ("prefix: !secret x", "prefix has the tag !secret: take that out."),
        ("prefix: [a]", "prefix must be text, not a list."),
        ("prefix: {a: b}", "prefix must be text, not a map."),
        ("prefix: ' CS'", "prefix begins or ends with a blank."),
        ("linecard: " + 51 * "x", "linecard is 51 characters long; at most 50 are taken."),
        ("dealer_id: 12345", None),
        ("dealer_id: '12345'", None),
        ("dealer_id: 012345", "dealer_id is not an id: write digits only, such as 12345."),
        ("dealer_id: 1.0", "dealer_id is not an id: write digits only, such as 12345."),
        ("dealer_id: yes", "dealer_id is not an id: write digits only, such as 12345."),
        ("dealer_id: ~", 'dealer_id is ~, which YAML takes for nothing: put it in quotes, "~".'),
        ("adopt_existing: on", None),
        ("adopt_existing: 'true'", "adopt_existing must be true or false."),
        ("adopt_existing: 1", "adopt_existing must be true or false."),
        ("adopt_existing: !!bool maybe", "adopt_existing must be true or false."),
    ],
)
def test_a_value_is_what_was_meant_or_refused(fields: str, line: str | None) -> None:
    """YAML takes some values for something else: none of these pass, and the line says how to write them."""
    assert problems(one(fields)) == ([] if line is None else [f"s.yaml:3: stations[0].{line}"])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            one("lincard: '7'"),
            ["s.yaml:3: stations[0]: 'lincard' is not an input of a monitoring station; did you mean 'linecard'?"],
        ),
        (one("<<: {}"), ["s.yaml:3: stations[0].<< merges keys, which is not taken: write them out."]),
        (one("name: Other"), ["s.yaml:3: stations[0].name is there already, in line 2: take one of them out."]),
        (one("? [a]\n   : b"), ["s.yaml:3: stations[0] has a key that is not a word."]),
        (
            "stations:\n- prefix: CS\n",
            [
                "s.yaml:2: stations[0].external_monitoring_station_id is missing: give the station your own key, such "
                "as 'central-01'.",
                "s.yaml:2: stations[0].name is missing: give the station the name that people will see.",
            ],
        ),
        (
            "stations:\n- central-01\n- [a]\n-\n",
            [
                "s.yaml:2: stations[0] must be keys with values, such as `name: Central`, not a single value.",
                "s.yaml:3: stations[1] must be keys with values, such as `name: Central`, not a list.",
                "s.yaml:4: stations[2] must be keys with values, such as `name: Central`, not nothing.",
            ],
        ),
        (
            "stations:\n",
            ["s.yaml:1: stations must be a list, each entry begun with a dash, or [] for none; not nothing."],
        ),
        (
            "groups:\n  stations: []\n",
            ["s.yaml:1: groups must be a list, each entry begun with a dash, or [] for none; not keys with values."],
        ),
        ("groups:\n- prefix: CS\n", ["s.yaml:2: groups[0].stations is missing: it holds the group's stations."]),
        (
            "groups:\n- dealer_id: 012\n  prefix: NO\n  stations: []\n  linecard: '7'\n",
            [
                "s.yaml:2: groups[0].dealer_id is not an id: write digits only, such as 12345.",
                's.yaml:3: groups[0].prefix is NO, which YAML takes for true or false: put it in quotes, "NO".',
                "s.yaml:5: groups[0]: 'linecard' is not a key of a group: there are dealer_id, prefix, stations.",
            ],
        ),
        ("station: []\n", ["s.yaml:1: 'station' is not a key of a stations file; did you mean 'stations'?"]),
        (
            "- name: Central\n",
            ["s.yaml:1: the file must be keys with values, such as `name: Central`, not a list."],
        ),
        ("{}\n", ["s.yaml:1: the file holds neither `groups:` nor `stations:`."]),
        ("# nothing\n", ["s.yaml: is empty: write `stations: []` if there are to be none."]),
        ("", ["s.yaml: is empty: write `stations: []` if there are to be none."]),
        ("stations: []\n", []),
    ],
)
def test_a_shape_is_refused_with_its_line_and_key(text: str, lines: list[str]) -> None:
    """Something in the wrong place, something twice, something missing."""
    assert problems(text) == lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("stations:\n\t- name: x\n", "s.yaml:2: this is not YAML: indent with blanks, not with tabs."),
        (
            "stations:\n- name: Central: North\n",
            's.yaml:2: this is not YAML: text that holds ": " needs quotes, and keys that belong together begin in one '
            "column.",
        ),
        (
            "stations:\n- name: x\n   prefix: y\n",
            's.yaml:3: this is not YAML: text that holds ": " needs quotes, and keys that belong together begin in one '
            "column.",
        ),
        (
            "stations:\n- name: x\n prefix: y\n",
            "s.yaml:3: this is not YAML: did not find expected key; look at how this line and those before it are "
            "indented.",
        ),
        (
            "stations:\n- name: @home\n",
            "s.yaml:2: this is not YAML: text that begins with a sign such as @, % or ` needs quotes.",
        ),
        ("stations:\n- name: *1\n", "s.yaml:2: this is not YAML: text that begins with * needs quotes."),
        ("stations:\n- name: * x\n", "s.yaml:2: this is not YAML: text that begins with * needs quotes."),
        ("stations:\n- name: & x\n", "s.yaml:2: this is not YAML: text that begins with & needs quotes."),
        (
            "stations:\n- name: 'x\n- name: y\n",
            "s.yaml:2: this is not YAML: a quote that is opened here is not closed.",
        ),
        (
            "stations: [\n{name: x}\n\n",
            "s.yaml:1: this is not YAML: a [ that is opened here is not closed, or a comma is missing.",
        ),
        (
            "stations:\n- {name: x\n- {name: y}\n",
            "s.yaml:2: this is not YAML: a { that is opened here is not closed, or a comma is missing.",
        ),
        (
            "stations: {",
            "s.yaml:1: this is not YAML: did not find expected node content; look at how this line and those before it "
            "are indented.",
        ),
        ("stations:\n- name: x\n  prefix\n", "s.yaml:3: this is not YAML: a key needs a colon and a blank behind it."),
        (
            'stations:\n- name: "C:\\stations"\n',
            "s.yaml:2: this is not YAML: in double quotes a backslash is written twice; single quotes take it as it "
            "is.",
        ),
        (
            "stations: []\n---\nstations: []\n",
            "s.yaml:2: this is not YAML: --- begins a second document, and one is taken.",
        ),
        ("stations:\r- name: x\r", "s.yaml:1: this line holds the control character U+000D: delete it."),
        ("stations: []\n#\x85\n", "s.yaml:2: this line holds the control character U+0085: delete it."),
        ("stations:\n- name: a\x07b\n", "s.yaml:2: this line holds the control character U+0007: delete it."),
        (b"stations:\n- name: S\xfcd\n", "s.yaml:2: this is not UTF-8: save the file in that encoding."),
        (
            "\ufeffstations: []\n".encode("utf-16-le"),
            "s.yaml:1: this is not UTF-8: save the file in that encoding.",
        ),
    ],
)
def test_broken_yaml_is_one_line(text: str | bytes, line: str) -> None:
    """It speaks to people who write no YAML, and gives the line to look at."""
    assert problems(text) == [line]


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Some editors write one."""
    assert problems(b"\xef\xbb\xbfstations: []\r\n") == []


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """It names the folder where relative paths begin."""
    with pytest.raises(BadFileError) as missing:
        read_stations("none.yaml")
    with pytest.raises(BadFileError) as folder:
        read_stations(Path())

    assert str(missing.value) == (f"none.yaml: there is no such file; relative paths begin at {tmp_path}.")
    assert str(folder.value) == ".: cannot be read: Is a directory."


TWINS = """\
stations:
- {external_monitoring_station_id: central-01, name: One}
groups:
- dealer_id: 12345
  stations:
  - {external_monitoring_station_id: central-01, name: Two}
  - {external_monitoring_station_id: central-01, name: Three, dealer_id: 777}
  - {external_monitoring_station_id: central-01, name: Four}
"""


def test_an_external_id_is_taken_once_for_each_dealer() -> None:
    """The error names both lines; a station without a dealer belongs to the settings' dealer."""
    sentence = "is the same as in line {}: give each station of a dealer its own."
    path = "groups[0].stations[{}].external_monitoring_station_id"

    assert problems(TWINS) == [f"s.yaml:8: {path.format(2)} {sentence.format(6)}"]
    assert problems(TWINS, "12345") == [
        f"s.yaml:2: stations[0].external_monitoring_station_id {sentence.format(6)}",
        f"s.yaml:8: {path.format(2)} {sentence.format(6)}",
    ]
    twice = "{external_monitoring_station_id: a, name: A}"
    assert problems(f"stations: [{twice}, {twice}]") == [
        f"s.yaml:1: stations[1].external_monitoring_station_id {sentence.format(1)}"
    ]


def test_fifty_problems_are_shown_and_the_others_counted() -> None:
    """Each in one line of at most 300 characters, in the order of the file."""
    lines = problems("stations:\n" + "- {}\n" * 600 + f"- {'x' * 1000}: 1\n")

    assert len(lines) == 51
    assert lines[0].startswith("s.yaml:2: stations[0].external_monitoring_station_id is missing")
    assert lines[49].startswith("s.yaml:26: stations[24].name is missing")
    assert lines[50] == "and 1,153 more"
    assert {len(line) for line in problems(one("x" * 1000 + ": 1"))} == {300}


def test_anchors_are_taken() -> None:
    """A text may be written once and used twice."""
    text = "stations:\n- {external_monitoring_station_id: &key a, name: *key}\n"
    Path("s.yaml").write_text(text)

    (station,) = read_stations("s.yaml")

    assert dict(station.inputs) == {"external_monitoring_station_id": "a", "name": "a"}


def laughs(levels: int) -> str:
    """The billion laughs: each level is ten of the one before."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join(10 * [f'*a{n - 1}'])}]" for n in range(1, levels))]
    return "\n".join([*lines, f"stations: *a{levels - 1}\n"])


@pytest.mark.parametrize("opening", ["[", "- ", "? ", "{a: "])
def test_a_file_that_nests_deep_is_one_line(opening: str) -> None:
    """PyYAML itself would end the process."""
    assert problems(opening * 50_000) == ["s.yaml: nests lists and keys more than 20 deep."]


def test_a_bomb_is_refused_at_once() -> None:
    """It follows no aliases of aliases; a number of stations limits lists that multiply, a size limits big files."""
    began = time.process_time()

    assert "s.yaml:14: stations[9] must be keys with values, such as `name: Central`, not a list." in problems(
        laughs(15)
    )
    assert problems("stations: &a [*a]") == [
        "s.yaml:1: stations[0] must be keys with values, such as `name: Central`, not a list."
    ]
    group = "&g {stations: [" + "{}, " * 500 + "]}"
    assert problems(f"groups: [{group}, " + "*g, " * 5000 + "]") == [
        f"s.yaml: holds more than {station_file.MOST_STATIONS:,} stations: split it, with a Fleet for each part."
    ]
    assert problems("- " + "#" * yaml_file.MOST_BYTES) == [
        "s.yaml: is larger than 5,000,000 bytes: split it, with a Fleet for each part."
    ]
    assert problems("[" + "a," * 600_000 + "]") == [
        "s.yaml: holds more than 500,000 keys and values: split it, with a Fleet for each part."
    ]
    assert time.process_time() - began < 60


def test_ten_thousand_stations_are_read_in_seconds() -> None:
    """Less than two on the authors' machine; ten are allowed here."""
    station = '- external_monitoring_station_id: central-{}\n  name: Central Station {}\n  linecard: "{}"\n'
    Path("s.yaml").write_text("stations:\n" + "".join(station.format(n, n, n) for n in range(10_000)))
    began = time.process_time()

    assert len(read_stations("s.yaml")) == 10_000
    assert time.process_time() - began < 10


SIGNS = st.sampled_from(["stations:", "groups:", "- ", "\n", "\n  ", "name: ", "dealer_id: ", "{", "}", "[", "]", ", "])
MORE_SIGNS = st.sampled_from(
    ["'", '"', "*a ", "&a ", "!x ", "!!int ", "? ", ": ", "#", "|\n ", "~", "%", "\t", "---\n"]
)
TEXTS = st.lists(SIGNS | MORE_SIGNS | st.text(max_size=5), max_size=25).map("".join)
KEYS = st.sampled_from([*station_file.FILE_KEYS, *station_file.GROUP_KEYS, "name", "linecard"]) | st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def test_a_link_that_leads_out_of_its_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error shows what is wrong line by line, but never another file's lines. Links inside the folder are taken."""
    (tmp_path / "secret").write_text("stations: [{linecard: 4711}]\n")
    project = tmp_path / "project"
    (project / "below").mkdir(parents=True)
    (project / "below" / "good.yaml").write_text("stations: []\n")
    (project / "inside.yaml").symlink_to("below/good.yaml")
    (project / "out.yaml").symlink_to("../secret")
    monkeypatch.chdir(project)

    assert read_stations("inside.yaml") == []
    with pytest.raises(BadFileError) as caught:
        read_stations("out.yaml")

    assert str(caught.value) == "out.yaml: is a link that leads out of its folder: name the file itself."
    assert read_stations(project / "below" / ".." / "inside.yaml") == []


@given(TEXTS | VALUES.map(yaml.safe_dump) | VALUES.map(lambda value: yaml.safe_dump({"stations": [value]})))
def test_any_text_is_taken_or_refused_in_lines(text: str) -> None:
    """Never a traceback: stations, or lines that begin with the file."""
    lines = problems(text.encode(errors="surrogatepass"))

    assert all(line.startswith("s.yaml:") for line in lines)
    assert all(line == shown(line, 300) for line in lines)


@given(TEXTS | st.binary(max_size=60))
def test_what_is_put_into_a_good_file_never_makes_a_traceback(text: str | bytes) -> None:
    """It goes into the middle of the second station."""
    before, after = GOOD.split("central-02")
    inside = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")

    lines = problems(before.encode() + inside + after.encode())

    assert all(line.startswith("s.yaml:") for line in lines)


def test_every_value_that_yaml_reads_otherwise_is_refused() -> None:
    """A plain text passes unchanged exactly when PyYAML reads it as that text."""
    plain = [
        "abc",
        "10001",
        "1_000",
        "0x1F",
        "-7",
        "+1",
        ".5",
        ".inf",
        ".nan",
        "yes",
        "y",
        "Off",
        "true",
        "null",
        "é",
        "1a",
    ]

    for value in plain:
        read: Any = yaml.safe_load(value)
        assert bool(problems(one(f"linecard: {value}"))) == (read != value), value

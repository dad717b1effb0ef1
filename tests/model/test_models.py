"""What a program may ask for, and what part of an answer is believed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chekt_provider.model.fields import AssignmentInputs, Station, StationInputs, facts
from chekt_provider.model.ids import id_digits
from chekt_provider.model.inputs import input_problems, present
from chekt_provider.model.kinds import Flag, Text, probe_address
from chekt_provider.model.wire import Site
from chekt_provider.text import unsafe
from tests.test_text import ANY_TEXT

GOOD: dict[str, object] = {
    "dealer_id": "12345",
    "external_monitoring_station_id": "central-01",
    "name": "CHeKT Central Station",
}
TEXTS = ["external_monitoring_station_id", "name", "prefix", "linecard"]
CANARY = "canary-7f3a"

NO_ID = "dealer_id is not an id: write digits only, such as 12345."
INEXACT = 'dealer_id is too large to be exact as a number: write it as text, "…".'
NOT_COMPOSED = "name is not in Unicode's composed form (NFC), so that it may look the same as another and not be it."
HIDDEN = " holds the invisible or control character U+{} at position 2."


# ids


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        ("77", "77"),
        (77, "77"),
        (77.0, "77"),
        (1, "1"),
        ("9" * 19, "9" * 19),
        (2**53 - 1, "9007199254740991"),
        (float(2**53 - 1), "9007199254740991"),
        (2**53 + 1, "9007199254740993"),
    ],
)
def test_an_id_is_kept_as_its_digits(value: object, digits: str) -> None:
    """A number, a whole float and digits are one id."""
    assert id_digits(value) == digits


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        0,
        0.0,
        -1,
        -1.0,
        "-1",
        "+1",
        "007",
        "1_000",
        "1e3",
        "0x1f",
        " 7",
        "7\n",
        "\uff11\uff12\uff13",  # full-width digits
        "\u0661\u0662\u0663",  # Arabic digits
        "../sites/5",
        "%2e%2e",
        "5?x",
        "5/",
        "5#",
        "9" * 20,
        10**19,
        12345.5,
        float(2**53),  # 2**53 + 1 arrives as this: nobody knows which of the two it was
        1e300,
        math.inf,
        math.nan,
        True,
        False,
        None,
        b"7",
        ["7"],
    ],
)
def test_what_is_no_id_never_becomes_one(value: object) -> None:
    """Ids go into paths: only 1 to 19 ASCII digits without a leading zero pass, and no inexact number."""
    assert id_digits(value) is None


@given(st.integers(1, 10**19 - 1))
def test_every_id_survives_the_way_through_its_digits(number: int) -> None:
    """The digits of an id stand for that id, and are taken again as they are."""
    digits = id_digits(number)

    assert digits is not None
    assert int(digits) == number
    assert id_digits(digits) == digits


@given(st.one_of(ANY_TEXT, st.floats(), st.integers(), st.booleans(), st.none(), st.binary()))
def test_only_plain_digits_come_out(value: object) -> None:
    """Whatever goes in, nothing comes out that could change a path."""
    digits = id_digits(value)

    assert digits is None or (set(digits) <= set("0123456789") and 1 <= len(digits) <= 19 and digits[0] != "0")


# inputs


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("dealer_id", None, "dealer_id is missing: pass dealer_id, or set chekt:dealerId (CHEKT_DEALER_ID)."),
        ("dealer_id", "", NO_ID),
        ("dealer_id", "../sites/5", NO_ID),
        ("dealer_id", "%2e%2e", NO_ID),
        ("dealer_id", "5?x", NO_ID),
        ("dealer_id", True, NO_ID),
        ("dealer_id", 12345.5, NO_ID),
        ("dealer_id", "1_000", NO_ID),
        ("dealer_id", "\uff11\uff12\uff13", NO_ID),
        ("dealer_id", 0, NO_ID),
        ("dealer_id", -1, NO_ID),
        ("dealer_id", "9" * 20, NO_ID),
        ("dealer_id", math.nan, NO_ID),
        ("dealer_id", [12345], NO_ID),
        ("dealer_id", float(2**53), INEXACT),
        ("dealer_id", 1e300, INEXACT),
        ("dealer_id", math.inf, INEXACT),
        (
            "external_monitoring_station_id",
            None,
            "external_monitoring_station_id is missing: give the station your own key, such as 'central-01'.",
        ),
        (
            "external_monitoring_station_id",
            " \t",
            "external_monitoring_station_id is blank: give the station your own key, such as 'central-01'.",
        ),
        ("name", None, "name is missing: give the station the name that people will see."),
        ("name", "", "name is blank: give the station the name that people will see."),
        ("name", "\u3000\n", "name is blank: give the station the name that people will see."),
        ("name", 7.0, "name must be text, not a number."),
        ("name", 7, "name must be text, not a number."),
        ("name", True, "name must be text, not true or false."),
        ("name", ["Central"], "name must be text, not a list."),
        ("name", {"de": "Central"}, "name must be text, not a map."),
        ("name", "a\x1b[2Jb", "name holds the invisible or control character U+001B at position 2."),
        ("name", "Central\n", "name holds the invisible or control character U+000A at position 8."),
        ("name", "a\x9bb", "name holds the invisible or control character U+009B at position 2."),
        ("name", "\x00", "name holds the invisible or control character U+0000 at position 1."),
        ("name", "ab\u202ecd", "name holds the invisible or control character U+202E at position 3."),
        ("name", "ab\u200b", "name holds the invisible or control character U+200B at position 3."),
        ("name", "\ud800", "name holds the invisible or control character U+D800 at position 1."),
        ("name", "\U000e0041", "name holds the invisible or control character U+E0041 at position 1."),
        ("external_monitoring_station_id", "a\u200db", "external_monitoring_station_id" + HIDDEN.format("200D")),
        ("external_monitoring_station_id", "a\u200cb", "external_monitoring_station_id" + HIDDEN.format("200C")),
        ("external_monitoring_station_id", "a\ufe0fb", "external_monitoring_station_id" + HIDDEN.format("FE0F")),
        ("external_monitoring_station_id", "a\u3164b", "external_monitoring_station_id" + HIDDEN.format("3164")),
        ("external_monitoring_station_id", "a\u2800b", "external_monitoring_station_id" + HIDDEN.format("2800")),
        ("external_monitoring_station_id", "a\u00a0b", "external_monitoring_station_id" + HIDDEN.format("00A0")),
        ("external_monitoring_station_id", "a\u3000b", "external_monitoring_station_id" + HIDDEN.format("3000")),
        ("name", "a\u3164b", "name" + HIDDEN.format("3164")),
        ("name", "a\u2800b", "name" + HIDDEN.format("2800")),
        ("name", " Central", "name begins or ends with a blank."),
        ("name", "Central\xa0", "name begins or ends with a blank."),
        ("name", "Cafe\u0301", NOT_COMPOSED),
        ("name", "a" * 201, "name is 201 characters long; at most 200 are taken."),
        ("name", "a" * 1024**2, "name is 1,048,576 characters long; at most 200 are taken."),
        ("name", "\u0301\u0323" * 500_000, "name is 1,000,000 characters long; at most 200 are taken."),
        ("prefix", 12.0, "prefix must be text, not a number."),
        ("prefix", " ", "prefix begins or ends with a blank."),
        ("prefix", "C\x07", "prefix holds the invisible or control character U+0007 at position 2."),
        ("prefix", "a" * 51, "prefix is 51 characters long; at most 50 are taken."),
        ("linecard", 12345.0, "linecard must be text, not a number."),
        ("linecard", "a" * 51, "linecard is 51 characters long; at most 50 are taken."),
        ("adopt_existing", "true", "adopt_existing must be true or false."),
        ("adopt_existing", 1.0, "adopt_existing must be true or false."),
        ("reassign_sites_to", " ", "reassign_sites_to" + NO_ID.removeprefix("dealer_id")),
        ("reassign_sites_to", "12345/17", "reassign_sites_to" + NO_ID.removeprefix("dealer_id")),
        ("reassign_sites_to", True, "reassign_sites_to" + NO_ID.removeprefix("dealer_id")),
        ("nmae", "x", "'nmae' is not an input of a monitoring station; did you mean 'name'?"),
        ("line_card", "x", "'line_card' is not an input of a monitoring station; did you mean 'linecard'?"),
        ("colour", "x", "'colour' is not an input of a monitoring station."),
        ("na\x1bme\u202e", "x", "'na\\x1bme\\u202e' is not an input of a monitoring station; did you mean 'name'?"),
    ],
)
def test_a_broken_rule_is_one_sentence(name: str, value: object, sentence: str) -> None:
    """Each bad input gives one sentence: which input, what is wrong and, if it helps, what to write."""
    assert input_problems(StationInputs, {**GOOD, name: value}) == [sentence]


@pytest.mark.parametrize(
    "value", ["a", "a" * 200, "Zentrale Süd (Köln) #1", "中央監視", "مركز", "👩\u200d🚒", 'it\'s "A/B"']
)
def test_ordinary_text_passes(value: str) -> None:
    """Names in any script pass, up to the limit of length."""
    assert input_problems(StationInputs, {**GOOD, "name": value}) == []


@pytest.mark.parametrize("name", ["prefix", "linecard", "adopt_existing"])
def test_an_optional_input_may_be_left_out(name: str) -> None:
    """None and absent are the same."""
    assert input_problems(StationInputs, GOOD) == []
    assert input_problems(StationInputs, {**GOOD, name: None}) == []


def test_all_problems_are_told_at_once() -> None:
    """One preview names every bad input, not only the first."""
    problems = input_problems(
        StationInputs,
        {"dealer_id": "x", "name": "", "prefix": 7.0, "linecard": " 1", "adopt_existing": "no", "nmae": "Central"},
    )

    assert problems == [
        "external_monitoring_station_id is missing: give the station your own key, such as 'central-01'.",
        "name is blank: give the station the name that people will see.",
        "prefix must be text, not a number.",
        "linecard begins or ends with a blank.",
        NO_ID,
        "adopt_existing must be true or false.",
        "'nmae' is not an input of a monitoring station; did you mean 'name'?",
    ]


@pytest.mark.parametrize("name", ["dealer_id", "external_monitoring_station_id", "name"])
def test_a_value_that_a_preview_does_not_know_is_no_problem(name: str) -> None:
    """An unknown required input is neither missing nor wrong; the others are still checked."""
    known = {key: value for key, value in GOOD.items() if key != name}

    assert input_problems(StationInputs, known, unknown=[name]) == []
    assert input_problems(StationInputs, {**known, "prefix": " "}, unknown=[name]) == [
        "prefix begins or ends with a blank."
    ]


@pytest.mark.parametrize("name", [*TEXTS, "dealer_id", "adopt_existing", "nmae"])
@pytest.mark.parametrize(
    "value",
    [
        f"\x1b{CANARY}",
        f" {CANARY}",
        f"{CANARY}e\u0301",
        CANARY * 100,
        [CANARY],
        {CANARY: CANARY},
        CANARY.encode(),
        f"9{CANARY}",
    ],
)
def test_a_sentence_never_repeats_the_value(name: str, value: object) -> None:
    """A value may be secret: whatever is wrong with it, it is not printed."""
    assert CANARY not in "".join(input_problems(StationInputs, {**GOOD, name: value}))


def test_the_limits_are_those_of_the_table() -> None:
    """The longest text taken for each input, in characters."""
    known = facts(StationInputs) | facts(AssignmentInputs)
    assert {name: fact.kind.longest for name, fact in known.items() if isinstance(fact.kind, Text)} == {
        "external_monitoring_station_id": 200,
        "name": 200,
        "prefix": 50,
        "linecard": 50,
        "external_site_id": 200,
    }


def test_inputs_have_one_canonical_form() -> None:
    """A dealer's number becomes digits, an optional input that is left out becomes ""."""
    inputs = StationInputs.model_validate(present({**GOOD, "dealer_id": 12345.0, "prefix": None, "linecard": ""}))

    assert inputs.model_dump() == {
        "dealer_id": "12345",
        "external_monitoring_station_id": "central-01",
        "name": "CHeKT Central Station",
        "prefix": "",
        "linecard": "",
        "adopt_existing": False,
        "reassign_sites_to": "",
        "declared_by": "",
        "secret_inputs": (),
    }


def test_only_none_counts_as_left_out() -> None:
    """A blank stays: for a required input it is a mistake, and the error says so."""
    assert present({"name": "", "prefix": None, "adopt_existing": False}) == {"name": "", "adopt_existing": False}


@given(ANY_TEXT)
def test_text_that_is_taken_is_harmless_and_unchanged(text: str) -> None:
    """Text that passes has nothing unsafe in it, no outer blanks, at most 200 characters; and it is not altered."""
    if not input_problems(StationInputs, {**GOOD, "name": text}):
        assert not any(unsafe(character) for character in text)
        assert text == text.strip() != ""
        assert len(text) <= 200
        assert StationInputs.model_validate({**GOOD, "name": text}).name == text


@given(
    st.dictionaries(
        st.sampled_from([*TEXTS, "dealer_id", "adopt_existing", "colour"]),
        st.one_of(ANY_TEXT, st.floats(), st.booleans(), st.none(), st.lists(ANY_TEXT)),
    )
)
def test_any_input_gets_a_verdict(inputs: dict[str, Any]) -> None:
    """Whatever a program passes, the answer is one-line sentences, never an exception."""
    for sentence in input_problems(StationInputs, inputs):
        assert sentence.isprintable()


# answers


STATION: dict[str, object] = {
    "monitoring_station_id": 77,
    "external_monitoring_station_id": "central-01",
    "name": "CHeKT Central Station",
    "prefix": "CH",
    "linecard": "12345",
    "created_at": "2026-01-02T03:04:05.678Z",
}


@pytest.mark.parametrize("answered", [77, "77", 77.0])
def test_a_station_s_id_is_digits_in_every_form(answered: object) -> None:
    """CHeKT may answer a number, text or 77.0."""
    assert Station.model_validate({**STATION, "monitoring_station_id": answered}).model_dump() == {
        "monitoring_station_id": "77",
        "external_monitoring_station_id": "central-01",
        "name": "CHeKT Central Station",
        "prefix": "CH",
        "linecard": "12345",
        "created_at": "2026-01-02T03:04:05.678Z",
    }


@pytest.mark.parametrize("answered", [None, "", 0, -1, "-1", "../5", True, 77.5, float(2**53), [77], {"id": 77}])
def test_a_station_without_a_usable_id_is_no_station(answered: object) -> None:
    """An id that cannot go into a path, or not exactly, never enters the state."""
    with pytest.raises(ValidationError):
        Station.model_validate({**STATION, "monitoring_station_id": answered})


def test_a_station_must_have_an_id() -> None:
    """Without it nothing could be read, changed or deleted."""
    with pytest.raises(ValidationError):
        Station.model_validate({"external_monitoring_station_id": "central-01", "name": "Central"})


@pytest.mark.parametrize("name", ["external_monitoring_station_id", "name", "prefix", "linecard", "created_at"])
def test_null_blank_and_absent_are_one(name: str) -> None:
    """An unset text is "", however CHeKT says so."""
    absent = {key: value for key, value in STATION.items() if key != name}
    parsed = [Station.model_validate(answer) for answer in (absent, {**absent, name: None}, {**absent, name: ""})]

    assert [getattr(station, name) for station in parsed] == ["", "", ""]


def test_further_fields_and_another_order_change_nothing() -> None:
    """CHeKT may add fields."""
    answer = {"zone": {"a": 1}, **dict(reversed(STATION.items())), "dealer_id": 12345}

    assert Station.model_validate(answer) == Station.model_validate(STATION)


@pytest.mark.parametrize("name", ["external_monitoring_station_id", "name", "prefix", "linecard", "created_at"])
@pytest.mark.parametrize("answered", [7, 7.0, True, ["x"], {"x": 1}])
def test_a_text_of_another_type_is_no_station(name: str, answered: object) -> None:
    """An undocumented shape is refused, not bent."""
    with pytest.raises(ValidationError):
        Station.model_validate({**STATION, name: answered})


@pytest.mark.parametrize("answered", [None, 7, "Central", [STATION], True])
def test_only_an_object_is_a_station(answered: object) -> None:
    """Whatever else comes in its place is refused."""
    with pytest.raises(ValidationError):
        Station.model_validate(answered)


def test_odd_text_of_the_server_is_kept() -> None:
    """Our rules for inputs do not judge what already exists."""
    assert Station.model_validate({**STATION, "name": " \x1b[2J\u202e "}).name == " \x1b[2J\u202e "


def test_what_cannot_be_parsed_is_not_printed() -> None:
    """The parser's own error text has none of an answer's values."""
    with pytest.raises(ValidationError) as caught:
        Station.model_validate({**STATION, "name": [CANARY], "monitoring_station_id": CANARY})

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("answered", "station_id"),
    [({"monitoring_station_id": 77}, "77"), ({"monitoring_station_id": "77"}, "77")]
    + [(without, None) for without in ({}, {"monitoring_station_id": None}, {"monitoring_station_id": ""})],
)
def test_a_site_may_be_without_a_station(answered: dict[str, object], station_id: str | None) -> None:
    """Null, blank and absent all mean that no station receives the site's signals."""
    site = Site.model_validate({"site_id": 5, "name": "Warehouse", "external_site_id": "w-5", **answered})

    assert site.model_dump() == {
        "site_id": "5",
        "external_site_id": "w-5",
        "name": "Warehouse",
        "account_number": "",
        "is_activated": False,
        "address1": "",
        "address2": "",
        "monitoring_station_id": station_id,
        "external_monitoring_station_id": "",
    }


@pytest.mark.parametrize(("answered", "activated"), [(1, True), ("1", True), (True, True), (0, False), (None, False)])
def test_whether_a_site_is_activated(answered: object, activated: bool) -> None:
    """CHeKT documents 0 or 1; a site that is not told to be on does not count."""
    assert Site.model_validate({"site_id": 5, "is_activated": answered}).is_activated is activated


@pytest.mark.parametrize("answered", [None, "", 0, "0"])
def test_a_site_without_a_station(answered: object) -> None:
    """CHeKT has several ways to say so; no station has the number 0."""
    assert Site.model_validate({"site_id": 5, "monitoring_station_id": answered}).monitoring_station_id is None


@pytest.mark.parametrize("answered", [False, -1, "x", True, [], 77.5])
def test_a_site_with_a_station_that_is_no_id_is_no_site(answered: object) -> None:
    """Nobody guesses whether it may be cut off from a station."""
    with pytest.raises(ValidationError):
        Site.model_validate({"site_id": 5, "name": "Warehouse", "monitoring_station_id": answered})


@pytest.mark.parametrize(("answered", "number"), [("0042", "0042"), (42, "42"), (None, ""), ("", "")])
def test_an_account_number_is_text(answered: object, number: str) -> None:
    """Leading zeros count; a number becomes its digits."""
    assert Site.model_validate({"site_id": 5, "account_number": answered}).account_number == number


ASSIGNMENT = {"dealer_id": "12345", "monitoring_station_id": 17.0, "site_id": 5.0}
PROBE = "probe is not of the form tcp://host:port, such as tcp://receiver.example:5000."
PROBE_SECONDS = "probe_timeout must be a number of seconds from 1 to 60."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("dealer_id", "../x", NO_ID),
        (
            "monitoring_station_id",
            None,
            "monitoring_station_id is missing: pass the monitoring_station_id of a MonitoringStation.",
        ),
        ("monitoring_station_id", "12345/17", "monitoring_station_id" + NO_ID.removeprefix("dealer_id")),
        ("site_id", "../monitoring-stations/1", "site_id" + NO_ID.removeprefix("dealer_id")),
        ("site_id", "", "site_id" + NO_ID.removeprefix("dealer_id")),
        ("probe", "", PROBE),
        ("probe", 5000.0, PROBE),
        ("probe", "receiver.example:5000", PROBE),
        ("probe", "udp://receiver.example:5000", PROBE),
        ("probe", "tcp://receiver.example", PROBE),
        ("probe", "tcp://receiver.example:0", PROBE),
        ("probe", "tcp://receiver.example:65536", PROBE),
        ("probe", "tcp://:5000", PROBE),
        ("probe", "tcp://user@receiver.example:5000", PROBE),
        ("probe", "tcp://a b:5000", PROBE),
        ("probe", "tcp://receiver.example:5000/x", PROBE),
        ("probe", "tcp://receiver.example:5000\n", PROBE),
        ("probe_timeout", 0.5, PROBE_SECONDS),
        ("probe_timeout", 61.0, PROBE_SECONDS),
        ("probe_timeout", math.nan, PROBE_SECONDS),
        ("probe_timeout", "5", PROBE_SECONDS),
        ("probe_timeout", True, PROBE_SECONDS),
        ("prob", "x", "'prob' is not an input of a site assignment; did you mean 'probe'?"),
    ],
)
def test_a_broken_rule_of_an_assignment_is_one_sentence(name: str, value: object, sentence: str) -> None:
    """The same as for a station."""
    assert input_problems(AssignmentInputs, {**ASSIGNMENT, name: value}) == [sentence]


@pytest.mark.parametrize(
    ("probe", "address"),
    [
        ("tcp://receiver.example:5000", ("receiver.example", 5000)),
        ("tcp://10.0.0.7:1", ("10.0.0.7", 1)),
        ("tcp://localhost:65535", ("localhost", 65535)),
        ("tcp://[::1]:5000", ("::1", 5000)),
    ],
)
def test_a_probe_names_host_and_port(probe: str, address: tuple[str, int]) -> None:
    """A name, an address, or an IPv6 address in brackets; the loopback interface is as good as any."""
    assert input_problems(AssignmentInputs, {**ASSIGNMENT, "probe": probe, "probe_timeout": 60.0}) == []
    assert probe_address(probe) == address


def test_a_site_is_named_once() -> None:
    """It is named by site_id or by external_site_id; an input that a preview does not know yet counts as given."""
    station = {name: value for name, value in ASSIGNMENT.items() if name != "site_id"}
    twice = "site_id and external_site_id are both given: pass one of them."

    assert input_problems(AssignmentInputs, station) == [
        "site_id or external_site_id is missing: pass the one by which you know the site."
    ]
    assert input_problems(AssignmentInputs, {**ASSIGNMENT, "external_site_id": "house-01"}) == [twice]
    assert input_problems(AssignmentInputs, ASSIGNMENT, unknown=["external_site_id"]) == [twice]
    assert input_problems(AssignmentInputs, station, unknown=["external_site_id"]) == []
    assert input_problems(AssignmentInputs, {**station, "external_site_id": " "}) == [
        "external_site_id is blank: give the site's own key, such as 'house-01', or its site_id."
    ]


def test_all_problems_of_an_assignment_are_told_at_once() -> None:
    """The choice between two inputs comes last."""
    assert input_problems(AssignmentInputs, {"dealer_id": "x", "probe": "y"}) == [
        NO_ID,
        "monitoring_station_id is missing: pass the monitoring_station_id of a MonitoringStation.",
        PROBE,
        "site_id or external_site_id is missing: pass the one by which you know the site.",
    ]


@pytest.mark.parametrize(
    ("answer", "is_on"), [(1, True), ("1", True), (0, False), ("0", False), (True, True), (None, "")]
)
def test_a_flag_may_be_answered_as_a_number(answer: object, is_on: object) -> None:
    """As CHeKT does for is_activated of a site; null is unset."""
    assert Flag().answered(answer) == is_on
    assert type(Flag().answered(answer)) is type(is_on)

"""Rows B1 to B4: settings and data that are wrong or malicious."""

from __future__ import annotations

import json

import pulumi
import pytest

from chekt_provider import MonitoringStation
from tests.faults.rows import row
from tests.faults.world import CANARY, ID, World
from tests.helpers import held

BAD_URLS = {
    "http://api.chekt.com": "begins with http://",
    f"https://user:{CANARY}@api.chekt.com": "holds a user name or password",
    f"https://api.chekt.com/?key={CANARY}": "holds a query or fragment",
    "https://api.chekt.com#part": "holds a query or fragment",
    "https://169.254.169.254": "points at a link-local address",
    "https://bücher.example": "holds a blank, a control character or a letter outside ASCII",
    "https://api.chekt.com\r\nX-Evil: 1": "holds a blank, a control character or a letter outside ASCII",
    "ftp://api.chekt.com": "is not a URL",
    "https://": "is not a URL",
    "api.chekt.com": "is not a URL",
    "https://[::1": "is not a URL",
}


def refused(world: World, name: str, sentence: str) -> None:
    """`check` names it in a line without the value; no operation sends anything; once corrected, everything works."""
    failures = world.provider().check({}, world.wanted).failures
    world.seen.extend(failure.reason for failure in failures)
    assert [failure.property for failure in failures] == [""] * len(failures)
    assert any(failure.reason.startswith(name) and sentence in failure.reason for failure in failures)
    assert not any("\n" in failure.reason for failure in failures)

    world.error(world.provider())
    assert world.emulator.requests == []
    world.untouched()
    world.repaired()


@pytest.mark.parametrize("url", BAD_URLS)
@pytest.mark.parametrize("setting", ["baseUrl", "tokenUrl"])
@row("B1")
def test_b1_a_url_that_no_secret_goes_to(world: World, setting: str, url: str) -> None:
    """Both URLs follow the same rule."""
    world.settings = {setting: url}

    refused(world, f"chekt:{setting} (", BAD_URLS[url])


@row("B1")
def test_b1_a_base_url_with_a_path(world: World) -> None:
    """It would change every path."""
    world.settings = {"baseUrl": "https://api.chekt.com/partner"}

    refused(world, "chekt:baseUrl (CHEKT_BASE_URL) ", "holds a path")


@row("B1")
def test_b1_a_slash_at_the_end(world: World) -> None:
    """It is the same URL."""
    world.settings = {"baseUrl": world.emulator.url + "/"}

    world.works()

    assert not any("//" in call for call in world.calls())


@pytest.mark.parametrize("trace_id", ["not-a-uuid", "123e4567-e89b-12d3-a456-426614174000\r\nX-Evil: 1"])
@row("B1")
def test_b1_a_trace_id_that_is_none(world: World, trace_id: str) -> None:
    """The same goes for a trace id."""
    world.settings = {"traceId": trace_id}

    refused(world, "chekt:traceId (CHEKT_TRACE_ID) ", "must be a UUID")


BAD_SECRETS = {
    "missing": (None, "is missing while chekt:clientId is set"),
    "blank": ("", "is missing while chekt:clientId is set"),
    "quotes": (f'"{CANARY}-secret"', "stands in quotes"),
    "inner blank": (f"{CANARY} secret", "holds a blank or a character outside ASCII"),
    "inner line break": (f"{CANARY}\nsecret", "holds a blank or a character outside ASCII"),
}


@pytest.mark.parametrize("kind", BAD_SECRETS)
@row("B2")
def test_b2_a_secret_that_cannot_be_right(world: World, kind: str) -> None:
    """The error names its key, but not its value."""
    secret, sentence = BAD_SECRETS[kind]
    world.settings = {"clientSecret": secret}

    refused(world, "chekt:clientSecret (CHEKT_CLIENT_SECRET) ", sentence)


@row("B2")
def test_b2_a_secret_with_a_line_break_at_its_end(world: World) -> None:
    """The line break is left out, with a note."""
    world.settings = {"clientSecret": f"{CANARY}-secret\n"}

    world.works()


@row("B2", "create")
def test_b2_a_secret_in_clear(world: World) -> None:
    """Set without --secret, it is refused in the program, before anything is registered."""
    pulumi.runtime.set_all_config({"chekt:clientSecret": f"{CANARY}-secret"}, [])
    try:
        with pytest.raises(pulumi.RunError, match="chekt:clientSecret") as caught:
            MonitoringStation("central", external_monitoring_station_id="central-01", name="Central")
    finally:
        pulumi.runtime.set_all_config({}, [])

    world.seen.append(str(caught.value))
    assert "--secret" in str(caught.value)


HOSTILE_DEALERS = ["../sites/5", "%2e%2e", "", "5?x", True, "1_000", 12345.5, "\uff11\uff12", "0", "-1", "1" * 20]


@pytest.mark.parametrize("dealer", HOSTILE_DEALERS)
@row("B3", "create", "update")
def test_b3_a_hostile_dealer_id(world: World, dealer: object) -> None:
    """The preview refuses it."""
    [failure] = world.provider().check({}, {**world.wanted, "dealer_id": dealer}).failures

    assert failure.reason == "dealer_id is not an id: write digits only, such as 12345."


@pytest.mark.parametrize("setting", ["../sites/5", "%2e%2e", "5?x", "1_000", "\uff11\uff12"])
@row("B3")
def test_b3_a_hostile_dealer_id_in_the_settings(world: World, setting: str) -> None:
    """The preview refuses it too."""
    world.settings = {"dealerId": setting}

    refused(world, "chekt:dealerId (CHEKT_DEALER_ID) ", "is not an id")


@pytest.mark.parametrize(
    "id_", ["../sites/5", "12345/%2e%2e", "12345/", "", "12345/5?x", "12345/1_000", "12345/\uff11", "1/2/3", "12345/0"]
)
@row("B3", "read", "update", "delete")
def test_b3_a_hostile_id_in_state(world: World, id_: str) -> None:
    """It never reaches a path: ../ would be somebody's site, and blank the whole collection."""
    provider, state = world.provider(), world.state or {}
    operations = {
        "read": lambda: provider.read(id_, state),
        "update": lambda: provider.update(id_, state, world.wanted),
        "delete": lambda: provider.delete(id_, state),
    }

    error = world.error_of(operations[world.operation])

    assert "is not the id of a monitoring station. Nothing was sent." in str(error)
    assert world.emulator.requests == []


HOSTILE_TEXTS = {
    "escape": ("a\x1b[31m", "U+001B at position 2"),
    "OSC": ("\x1b]8;;http://evil", "U+001B at position 1"),
    "C1": ("ab\x9b31m", "U+009B at position 3"),
    "turned": ("a\u202eb", "U+202E at position 2"),
    "isolated": ("a\u2066b", "U+2066 at position 2"),
    "NUL": ("a\x00", "U+0000 at position 2"),
    "half a character": ("a\ud800", "U+D800 at position 2"),
    "line break": ("a\nb", "U+000A at position 2"),
    "a MiB": ("a" * 1024**2, "is 1,048,576 characters long"),
    "decomposed": ("Ce\u0301ntral", "is not in Unicode's composed form"),
    "outer blank": (" a", "begins or ends with a blank"),
}


@pytest.mark.parametrize("name", ["external_monitoring_station_id", "name", "prefix", "linecard"])
@pytest.mark.parametrize("kind", HOSTILE_TEXTS)
@row("B4", "create", "update")
def test_b4_hostile_text(world: World, kind: str, name: str) -> None:
    """The preview refuses it by code point and position, without the value."""
    text, sentence = HOSTILE_TEXTS[kind]

    [failure] = world.provider().check({}, {**world.wanted, name: text}).failures

    assert failure.reason.startswith(f"{name} ")
    assert sentence in failure.reason
    assert failure.reason.isprintable()
    assert len(failure.reason) < 200


@row("B4", "read", "update", "delete")
def test_b4_odd_text_of_the_server(world: World) -> None:
    """The state keeps it as it is; a line shows it escaped."""
    odd = "C\x1b[31m\u202eentral"
    world.emulator.edit_station(1, name=odd)
    provider = world.provider()

    if world.operation == "read":
        assert (provider.read(ID, world.state or {}).outs or {})["name"] == odd
    elif world.operation == "update":
        world.works(provider)
        assert [line for line in world.said if "C\\\\u001b[31m\\\\u202eentral" in line] != []
    else:
        world.works(provider)
    assert all(line.isprintable() for line in world.said)


@row("B4")
def test_b4_an_error_that_steers_a_terminal(world: World) -> None:
    """It is shown escaped, on one line."""
    message = "no\x1b]8;;http://evil\x07 \u202e\x9b2J\nsecond"
    world.fault(status=400, body=json.dumps({"error": {"code": "bad\x1b", "message": message}}))

    line = world.fails_and_is_repaired()

    assert line.isprintable()
    assert "\\u001b" in line


@row("B4", "create")
def test_b4_an_existing_station_with_odd_text(world: World) -> None:
    """The error that shows it stays on its line."""
    world.emulator.add_station(external_monitoring_station_id="central-01", name="C\x1b[31m\u202e\nentral")

    line = world.fails()

    assert line.isprintable()
    assert "name 'C\\\\u001b[31m\\\\u202e entral'" in line
    assert len(held(world.emulator)) == 1

"""What a person reads when something is wrong: one line for each resource, and no traceback."""

from __future__ import annotations

import pytest

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, NO_ACCESS, anonymous, held

TWO = """
    MonitoringStation("a", external_monitoring_station_id="a-01", name="A")
    MonitoringStation("b", external_monitoring_station_id="b-01", name="B")
"""


def test_a_wrong_secret_is_one_line_for_each_resource_and_one_call_in_all(emulator: Emulator, stack: Stack) -> None:
    """The token endpoint is asked once; neither the wrong secret nor the right one is printed."""
    stack.program(TWO)

    run = stack.up(status=1, CHEKT_CLIENT_SECRET="wrong-canary")

    assert sorted(anonymous(line) for line in run.errors) == [
        f"error: Could not create monitoring station '{name}-01' of dealer 12345: the token endpoint refused the "
        "credentials (invalid_client). No other call was made. Correct chekt:clientId and chekt:clientSecret "
        "(CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET); refresh and destroy use the stack's settings of the last "
        "`pulumi up`, so after a rotation set the environment variables. (HTTP 401, trace id T, request id R)"
        for name in ("a", "b")
    ]
    assert [(r.method, r.path) for r in emulator.requests] == [("POST", "/oauth/token")]
    assert "canary" not in run.text


def test_a_preview_needs_no_credentials_and_an_up_names_them(emulator: Emulator, stack: Stack) -> None:
    """A pull request from a fork can be previewed."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')

    assert "+ 2 to create" in stack.pulumi("preview", CHEKT_CLIENT_ID=None, CHEKT_CLIENT_SECRET=None).text
    assert stack.up(status=1, CHEKT_CLIENT_ID=None, CHEKT_CLIENT_SECRET=None).errors == [
        "error: Could not create monitoring station 'a-01' of dealer 12345: no credentials are set. Nothing was "
        "changed. Set chekt:clientId and chekt:clientSecret (`pulumi config set --secret chekt:clientSecret`), or "
        "CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET."
    ]
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        (
            "CHEKT_CLIENT_SECRET",
            None,
            "chekt:clientSecret (CHEKT_CLIENT_SECRET) is missing while chekt:clientId is set: "
            "run `pulumi config set --secret chekt:clientSecret`.",
        ),
        (
            "CHEKT_BASE_URL",
            "http://api.chekt.com",
            "chekt:baseUrl (CHEKT_BASE_URL) begins with http://, which would send the credentials in clear: "
            "write https://.",
        ),
        ("CHEKT_DEALER_ID", None, "dealer_id is missing: pass dealer_id, or set chekt:dealerId (CHEKT_DEALER_ID)."),
    ],
)
def test_a_wrong_setting_fails_in_the_preview(
    emulator: Emulator, stack: Stack, setting: str, value: str | None, sentence: str
) -> None:
    """One line names the setting and how to set it; nothing is sent."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')

    assert stack.pulumi("preview", status=1, **{setting: value}).errors == [
        f"error: pulumi-python:dynamic/chekt:MonitoringStation resource 'a' has a problem: {sentence}"
    ]
    assert emulator.requests == []


def test_a_secret_in_plain_text_is_refused_before_anything_is_registered(emulator: Emulator, stack: Stack) -> None:
    """Otherwise everybody could read it in the stack's file; the secret itself is not printed."""
    stack.program(TWO)
    stack.pulumi("config", "set", "chekt:clientSecret", "plain-canary")

    run = stack.pulumi("preview", status=1)

    assert run.errors == [
        "error: chekt:clientSecret is set in plain text. Run `pulumi config set --secret chekt:clientSecret` to set "
        "it again encrypted, and change it in CHeKT's portal if the file was shared."
    ]
    assert "canary" not in run.text
    assert emulator.requests == []


def test_a_key_that_is_no_setting_is_refused_before_anything_is_registered(emulator: Emulator, stack: Stack) -> None:
    """Ignored, `chekt:baseURL` would leave the stack at the default API."""
    stack.program(TWO)
    stack.pulumi("config", "set", "chekt:baseURL", "http://127.0.0.1:8112")

    assert stack.pulumi("preview", status=1).errors == [
        "error: chekt:baseURL is no setting; did you mean 'chekt:baseUrl'? Take it away with "
        "`pulumi config rm chekt:baseURL`."
    ]
    assert emulator.requests == []


def test_every_bad_input_of_a_resource_is_refused_in_the_preview_at_once(emulator: Emulator, stack: Stack) -> None:
    """One line for each input, without its value; nothing is sent."""
    stack.program(
        """
        MonitoringStation(
            "a",
            external_monitoring_station_id="",
            name=" A",
            prefix="canary\\u202e",
            linecard="\\x1b[31m",
            dealer_id="../sites/5",
            adopt_existing="yes",
        )
        """
    )

    run = stack.pulumi("preview", status=1)

    problem = "error: pulumi-python:dynamic/chekt:MonitoringStation resource 'a' has a problem: "
    assert run.errors == [
        problem + "external_monitoring_station_id is blank: give the station your own key, such as 'central-01'.",
        problem + "name begins or ends with a blank.",
        problem + "prefix holds the invisible or control character U+202E at position 7.",
        problem + "linecard holds the invisible or control character U+001B at position 1.",
        problem + "dealer_id is not an id: write digits only, such as 12345.",
        problem + "adopt_existing must be true or false.",
    ]
    assert "canary" not in run.text
    assert emulator.requests == []


@pytest.mark.parametrize("dealer", ["''", "'5?x'", "True", "12345.5", "'\\uff11\\uff12'", "0", "-5", "'1_000'", "[1]"])
def test_a_hostile_dealer_id_never_reaches_a_path(emulator: Emulator, stack: Stack, dealer: str) -> None:
    """The preview refuses it."""
    stack.program(f'MonitoringStation("a", external_monitoring_station_id="a-01", name="A", dealer_id={dealer})')

    run = stack.pulumi("preview", status=1)

    assert run.errors == [
        "error: pulumi-python:dynamic/chekt:MonitoringStation resource 'a' has a problem: "
        "dealer_id is not an id: write digits only, such as 12345."
    ]
    assert emulator.requests == []


def test_an_unknown_property_that_a_transform_adds_is_refused(emulator: Emulator, stack: Stack) -> None:
    """A misspelt field never passes silently."""
    stack.program(
        """
        def misspell(args):
            return pulumi.ResourceTransformResult({**args.props, "prefxi": "CH"}, args.opts)

        opts = pulumi.ResourceOptions(transforms=[misspell])
        MonitoringStation("a", external_monitoring_station_id="a-01", name="A", opts=opts)
        """
    )

    assert stack.pulumi("preview", status=1).errors == [
        "error: pulumi-python:dynamic/chekt:MonitoringStation resource 'a' has a problem: "
        "'prefxi' is not an input of a monitoring station; did you mean 'prefix'?"
    ]


REFUSAL = '{"error": {"code": "some_code", "message": "some text", "request_id": "req-7"%s}}'


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            400,
            REFUSAL % ', "field": "linecard"',
            'some_code, "some text", field linecard. Nothing was changed. Correct the input and run again.',
        ),
        (
            401,
            REFUSAL % "",
            'some_code, "some text", after 3 attempts. The dealer\'s list does not show the station, which may still '
            "come. Check that chekt:baseUrl and chekt:tokenUrl (CHEKT_BASE_URL and CHEKT_TOKEN_URL) belong to the "
            "same environment, and that the app was not revoked.",
        ),
        (
            403,
            REFUSAL % "",
            f'some_code, "some text". Nothing was created. {NO_ACCESS}',
        ),
        (
            404,
            REFUSAL % "",
            'some_code, "some text". Nothing was created. Check the dealer id and chekt:baseUrl '
            "(CHEKT_BASE_URL), then run again.",
        ),
    ],
)
def test_a_documented_refusal_is_one_line_with_remedy_trace_id_and_request_id(
    emulator: Emulator, stack: Stack, status: int, body: str, said: str
) -> None:
    """400, 401, 403 and 404 of the POST; no station is made."""
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=status, body=body, times=None))
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')

    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        f"error: Could not create monitoring station 'a-01' of dealer 12345: CHeKT refused: {said} "
        f"(HTTP {status}, trace id T, request id R)"
    ]
    assert held(emulator) == []


def test_an_outage_during_refresh_is_an_error_and_the_state_stays(emulator: Emulator, stack: Stack) -> None:
    """No traceback, no vanished station."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')
    stack.up()
    emulator.withdraw_dealer(12345, status=403)

    run = stack.pulumi("refresh", "--yes", "--skip-preview", status=1)

    assert len(run.errors) == 1
    assert "Could not read monitoring station 'a-01' (12345/1): CHeKT refused: " in run.errors[0]
    assert list(stack.stations()) == ["a"]


@pytest.mark.acceptance(".get()")
def test_get_reads_a_station_that_is_managed_elsewhere_and_fails_for_one_that_is_not_there(
    emulator: Emulator, stack: Stack
) -> None:
    """Its outputs are known; a wrong id is an error."""
    emulator.add_station(external_monitoring_station_id="old-01", name="Old", prefix="OL")
    stack.program(
        """
        old = MonitoringStation.get("old", "12345/1")
        pulumi.export("name", old.name)
        pulumi.export("prefix", old.prefix)
        pulumi.export("linecard", old.linecard)
        pulumi.export("number", old.monitoring_station_id)
        """
    )
    stack.up()
    assert stack.outputs() == {"name": "Old", "prefix": "OL", "linecard": "", "number": 1}
    stack.up_changes_nothing()

    stack.program('MonitoringStation.get("old", "12345/77")')
    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        "error: Could not read monitoring station 12345/77: it does not exist. Nothing was changed. "
        "Correct the id given to get(). (trace id T)"
    ]
    stack.program('MonitoringStation.get("old", "12345/../sites/5")')
    assert stack.up(status=1).errors == [
        "error: '12345/../sites/5' is not the id of a monitoring station. Nothing was sent. "
        "Write dealer id and monitoring station id, such as 12345/17."
    ]


def test_a_bug_keeps_its_traceback_only_with_the_debug_variable(emulator: Emulator, stack: Stack) -> None:
    """CHEKT_DEBUG=1 shows where an error came from."""
    stack.program('MonitoringStation("a", external_monitoring_station_id="a-01", name="A")')

    with pytest.raises(AssertionError, match="Traceback"):
        stack.up(status=1, CHEKT_CLIENT_ID="", CHEKT_CLIENT_SECRET="", CHEKT_DEBUG="1")

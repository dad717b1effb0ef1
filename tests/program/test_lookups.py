"""Lookups: what they give, how often they ask, and the one line with which they fail."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pulumi
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from chekt_provider import MonitoringStationResult, get_monitoring_station, list_monitoring_stations
from chekt_provider.api.client import Client
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ChektError
from chekt_provider.program.lookups import Lookups
from chekt_provider.settings import Settings
from tests.helpers import COLLECTION, NO_ACCESS, anonymous, calls

ONE_LIST = ["GET /monitoring-stations"] * 3
"""A list, and the questions whether there is more of it."""

CREDENTIALS = (
    "Correct chekt:clientId and chekt:clientSecret (CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET); refresh and destroy use "
    "the stack's settings of the last `pulumi up`, so after a rotation set the environment variables."
)

T = TypeVar("T")


@pytest.fixture
def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment points at the emulator, which holds two stations of dealer 12345."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    emulator.add_station(external_monitoring_station_id="central-01", name="Central", prefix="CH", linecard="7")
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    return monkeypatch


class _NoResources(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError("nothing is registered")

    def call(self, args: MockCallArgs) -> Any:
        raise AssertionError("nothing is called")


def in_a_run(program: Callable[[], T], config: dict[str, str] | None = None) -> T:
    """What a program gives in its own run, as the Automation API runs programs inside one process."""

    def run() -> T:
        pulumi.runtime.set_mocks(_NoResources())
        pulumi.runtime.set_all_config(config or {})
        return program()

    return contextvars.copy_context().run(run)


def failure(**arguments: Any) -> str:
    """The line with which a lookup fails."""
    with pytest.raises(pulumi.RunError) as caught:
        get_monitoring_station(**{"external_monitoring_station_id": "central-01", **arguments})
    assert caught.value.__suppress_context__
    assert "\n" not in str(caught.value)
    return anonymous(str(caught.value))


# what they give


def test_a_station_is_found_by_its_external_id(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """Ids as Pulumi keeps them, the number as a number, unset texts as ""."""
    created = emulator.stations()[1]["created_at"]

    assert get_monitoring_station(external_monitoring_station_id="backup-01") == MonitoringStationResult(
        id="12345/2",
        monitoring_station_id=2,
        external_monitoring_station_id="backup-01",
        name="Backup",
        prefix="",
        linecard="",
        dealer_id="12345",
        created_at=created,
    )


def test_the_list_holds_every_station_in_chekt_s_order(environment: pytest.MonkeyPatch) -> None:
    """The stations of the dealer in the settings, or in the argument, as a number or as text."""
    for dealer in (None, 12345, "12345", 12345.0):
        found = list_monitoring_stations(dealer_id=dealer)  # type: ignore[arg-type]
        assert [(station.id, station.prefix) for station in found] == [("12345/1", "CH"), ("12345/2", "")]


def test_a_dealer_without_stations_has_an_empty_list(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """It is no failure."""
    emulator.add_dealer(777)

    assert list_monitoring_stations(dealer_id=777) == []


def test_an_empty_list_is_believed_once_a_second_look_agrees(
    emulator: Emulator, environment: pytest.MonkeyPatch
) -> None:
    """Otherwise a program that declares what is listed would make Pulumi delete everything."""
    emulator.add_fault(Fault(path=COLLECTION, status=200, body="[]", times=1))

    assert [station.id for station in list_monitoring_stations()] == ["12345/1", "12345/2"]


def test_the_settings_are_those_of_environment_and_stack(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """The environment wins here too."""
    emulator.add_dealer(777)
    emulator.add_station(external_monitoring_station_id="far-01", name="Far", dealer_id=777)
    environment.delenv("CHEKT_DEALER_ID")
    environment.delenv("CHEKT_CLIENT_SECRET")
    config = {"chekt:dealerId": "777", "chekt:clientId": "wrong", "chekt:clientSecret": "emulator-secret"}

    def program() -> list[str]:
        pulumi.runtime.set_all_config(config, ["chekt:clientSecret"])
        return [station.id for station in list_monitoring_stations()]

    assert in_a_run(program) == ["777/3"]


# how often they ask


def test_a_run_reads_a_dealer_s_list_once(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """Ten lookups on ten threads, and two whole lists."""
    emulator.clear_requests()

    def program() -> None:
        with ThreadPoolExecutor(10) as pool:
            threads = [contextvars.copy_context() for _ in range(10)]
            found = list(
                pool.map(lambda c: c.run(get_monitoring_station, external_monitoring_station_id="central-01"), threads)
            )
        assert {station.id for station in found} == {"12345/1"}
        assert len(list_monitoring_stations()) == len(list_monitoring_stations(dealer_id=12345)) == 2

    in_a_run(program)

    assert calls(emulator) == ONE_LIST


def test_every_run_of_one_process_reads_a_list_of_its_own(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """The second run of an inline program sees what was made since the first."""
    assert len(in_a_run(list_monitoring_stations)) == 2
    emulator.add_station(external_monitoring_station_id="new-01", name="New")

    assert len(in_a_run(list_monitoring_stations)) == 3


def test_changed_settings_within_a_run_are_another_list(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """A program that switches to another app or API does not get what the first one saw."""

    def program() -> tuple[int, int, int]:
        with Emulator(client_secret="other") as other:
            here = len(list_monitoring_stations())
            for name, value in other.environment().items():
                environment.setenv(name, value)
            there = len(list_monitoring_stations())
            for name, value in emulator.environment().items():
                environment.setenv(name, value)
            return here, there, len(list_monitoring_stations())

    assert in_a_run(program) == (2, 0, 2)
    assert calls(emulator) == ONE_LIST


def test_without_a_run_every_lookup_asks_anew(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """In a Python shell there is no run that could end."""
    list_monitoring_stations()
    list_monitoring_stations()

    assert calls(emulator) == ONE_LIST * 2


def test_a_failure_is_shared_as_a_list_is(emulator: Emulator, settings: Settings, client: Client) -> None:
    """An outage keeps a run waiting once, and each lookup names itself."""
    emulator.add_fault(Fault(path=COLLECTION, status=503, times=None))
    lookups = Lookups(client, settings)

    lines = []
    for name in ("a", "b", "c"):
        with pytest.raises(ChektError) as caught:
            lookups.station(name, None)
        lines.append(anonymous(str(caught.value)))

    assert lines == [
        f"Could not look up monitoring station '{name}' of dealer 12345: CHeKT failed: service_unavailable, "
        '"a fault of the emulator", 5 times; no call gets through, this is an outage. Nothing was changed. Run again. '
        "(HTTP 503, trace id T, request id R)"
        for name in ("a", "b", "c")
    ]
    assert len(calls(emulator)) == 5


# how they fail


def test_one_that_is_not_there_names_external_id_and_dealer(environment: pytest.MonkeyPatch) -> None:
    """It also says where to see what there is."""
    assert failure(external_monitoring_station_id="nope") == (
        "Could not look up monitoring station 'nope' of dealer 12345: no station of this dealer has this external id. "
        "Nothing was changed. Correct external_monitoring_station_id or dealer_id; `chekt stations --dealer 12345` "
        "lists what there is. (trace id T)"
    )


def test_twins_are_refused(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """The words are those of a creation that meets them."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Twin")

    assert failure() == (
        "Could not look up monitoring station 'central-01' of dealer 12345: 2 stations have this external id: "
        "12345/1, 12345/3. Nothing was changed. Delete all but one of them in CHeKT's portal, then run again. "
        "(trace id T)"
    )


def test_a_lookup_without_credentials_names_the_settings(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """Nothing is sent."""
    environment.delenv("CHEKT_CLIENT_ID")
    environment.delenv("CHEKT_CLIENT_SECRET")

    assert failure() == (
        "Could not look up monitoring station 'central-01' of dealer 12345: no credentials are set. Nothing was "
        "changed. Set chekt:clientId and chekt:clientSecret (`pulumi config set --secret chekt:clientSecret`), or "
        "CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET."
    )
    assert emulator.requests == []


def test_refused_credentials_are_told_as_ever(environment: pytest.MonkeyPatch) -> None:
    """The secret is not repeated."""
    environment.setenv("CHEKT_CLIENT_SECRET", "wrong-canary")

    assert failure() == (
        "Could not look up monitoring station 'central-01' of dealer 12345: the token endpoint refused the credentials "
        f"(invalid_client). No other call was made. {CREDENTIALS} (HTTP 401, trace id T, request id R)"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"dealer_id": "../sites"}, "dealer_id is not an id: write digits only, such as 12345"),
        ({"dealer_id": ""}, "dealer_id is not an id: write digits only, such as 12345"),
        ({"dealer_id": 0}, "dealer_id is not an id: write digits only, such as 12345"),
        (
            {"external_monitoring_station_id": ""},
            "external_monitoring_station_id is blank: give the station your own key, such as 'central-01'",
        ),
        ({"external_monitoring_station_id": 17}, "external_monitoring_station_id must be text, not a number"),
        (
            {"external_monitoring_station_id": " x", "dealer_id": True},
            "external_monitoring_station_id begins or ends with a blank. dealer_id is not an id: write digits only, "
            "such as 12345",
        ),
    ],
)
def test_a_bad_argument_is_refused(
    emulator: Emulator, environment: pytest.MonkeyPatch, arguments: dict[str, Any], sentence: str
) -> None:
    """All bad arguments at once, in the words of a resource's inputs; nothing is sent."""
    assert failure(**arguments) == f"Could not look up a monitoring station: {sentence}. Nothing was sent."
    assert emulator.requests == []


def test_a_bad_setting_is_refused(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """It gets its own sentence, not that of the dealer that is missing because of it."""
    environment.setenv("CHEKT_DEALER_ID", "12 345")

    with pytest.raises(pulumi.RunError) as caught:
        list_monitoring_stations()
    assert str(caught.value) == (
        "Could not list the monitoring stations of a dealer: chekt:dealerId (CHEKT_DEALER_ID) is not an id: write "
        "digits only, such as 12345. Nothing was sent."
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            403,
            'forbidden, "this app has no access to dealer 12345", field dealer_id. Nothing was changed. '
            f"{NO_ACCESS} (HTTP 403, trace id T, request id R)",
        ),
        (
            404,
            'not_found, "dealer 12345 does not exist", field dealer_id. Nothing was changed. Check the dealer id and '
            "chekt:baseUrl (CHEKT_BASE_URL), then run again. "
            "(HTTP 404, trace id T, request id R)",
        ),
    ],
)
def test_a_dealer_that_is_not_ours_is_an_error_and_never_an_empty_list(
    emulator: Emulator, environment: pytest.MonkeyPatch, status: Any, said: str
) -> None:
    """The line has CHeKT's refusal, and what to check."""
    emulator.withdraw_dealer(12345, status=status)

    with pytest.raises(pulumi.RunError) as caught:
        list_monitoring_stations()
    assert anonymous(str(caught.value)) == (
        f"Could not list the monitoring stations of dealer 12345: CHeKT refused: {said}"
    )


def test_a_secret_in_plain_text_is_refused(emulator: Emulator, environment: pytest.MonkeyPatch) -> None:
    """A resource does the same."""
    with pytest.raises(pulumi.RunError, match=r"^chekt:clientSecret is set in plain text\. Run `pulumi config set"):
        in_a_run(list_monitoring_stations, {"chekt:clientSecret": "plain-canary"})
    assert emulator.requests == []


def test_without_any_dealer_the_setting_is_named(environment: pytest.MonkeyPatch) -> None:
    """A resource does the same."""
    environment.delenv("CHEKT_DEALER_ID")

    assert failure() == (
        "Could not look up a monitoring station: dealer_id is missing: pass dealer_id, or set chekt:dealerId "
        "(CHEKT_DEALER_ID). Nothing was sent."
    )


def test_the_debug_variable_keeps_the_error_as_it_is(environment: pytest.MonkeyPatch) -> None:
    """It keeps its traceback."""
    environment.setenv("CHEKT_DEBUG", "1")

    with pytest.raises(ChektError):
        get_monitoring_station(external_monitoring_station_id="nope")

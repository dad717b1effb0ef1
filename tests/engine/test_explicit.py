"""Explicit providers: several dealers, each with its own app, in one program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack
from tests.helpers import anonymous

SECRETS = ("secret-of-alpha", "secret-of-bravo", "rotated-of-alpha")
TOKEN = "/oauth/token"

PROGRAM = """
    from chekt_provider import Provider
    config = pulumi.Config()
    for dealer in ("alpha", "bravo"):
        provider = Provider(
            f"dealer-{dealer}",
            base_url=config.get(f"{dealer}Url"),
            client_id=f"app-{dealer}",
            client_secret=config.require_secret(f"{dealer}Secret"),
            dealer_id=config.require_int(f"{dealer}Dealer"),
        )
        MonitoringStation(
            f"central-{dealer}",
            external_monitoring_station_id="central-01",
            name=config.get(f"{dealer}Name") or "Central",
            opts=pulumi.ResourceOptions(provider=provider),
        )
"""

GET_OF_BRAVO = """
    MonitoringStation.get("old", "222/1", opts=pulumi.ResourceOptions(provider=provider))
"""


def emulator_of(name: str, dealer: int, folder: Path, *, secret: str = "", port: int = 0) -> Emulator:
    """The CHeKT that one dealer's app reaches; restarted on the same port and folder, it holds the same stations."""
    return Emulator(
        dealers=[dealer],
        client_id=f"app-{name}",
        client_secret=secret or f"secret-of-{name}",
        state=folder / f"{name}.db",
        port=port,
    )


@pytest.fixture
def alpha(tmp_path: Path) -> Iterator[Emulator]:
    with emulator_of("alpha", 111, tmp_path) as emulator:
        yield emulator


@pytest.fixture
def bravo(tmp_path: Path) -> Iterator[Emulator]:
    with emulator_of("bravo", 222, tmp_path) as emulator:
        yield emulator


@pytest.fixture
def dealers(emulator: Emulator, alpha: Emulator, bravo: Emulator, tmp_path: Path) -> Stack:
    """A stack of two dealers; the environment points at a third CHeKT, with its own credentials."""
    folder = tmp_path / "program"
    folder.mkdir()
    stack = Stack(folder, emulator.environment())
    plain = {"alphaUrl": alpha.url, "alphaDealer": 111, "bravoUrl": bravo.url, "bravoDealer": 222}
    secret = {"alphaSecret": "secret-of-alpha", "bravoSecret": "secret-of-bravo"}
    stack.pulumi(
        *("config", "set-all"),
        *(f"--plaintext={name}={value}" for name, value in plain.items()),
        *(f"--secret={name}={value}" for name, value in secret.items()),
    )
    stack.program(PROGRAM)
    return stack


def assert_no_secret_in_state(stack: Stack) -> None:
    """Neither `pulumi stack export` nor any file of the state shows a secret in clear."""
    files = [path.read_text() for path in (stack.folder / "state").rglob("*.json*")]
    assert any("central-alpha" in text for text in files)
    for text in [stack.exported(), *files]:
        assert [secret for secret in SECRETS if secret in text] == []


def test_each_station_lands_at_its_dealer_by_its_app(
    dealers: Stack, emulator: Emulator, alpha: Emulator, bravo: Emulator
) -> None:
    """Whatever the environment holds; neither secret is in the state, another up changes nothing, destroy cleans up.

    A station that is managed elsewhere is also read with its dealer's app.
    """
    bravo.add_station(external_monitoring_station_id="old-01", name="Old")
    dealers.program(PROGRAM + GET_OF_BRAVO)
    dealers.up()

    assert {name: station["id"] for name, station in dealers.stations().items()} == {
        "central-alpha": "111/1",
        "central-bravo": "222/2",
        "old": "222/1",
    }
    assert dealers.stations()["old"]["outputs"]["name"] == "Old"
    assert [station["external_monitoring_station_id"] for station in alpha.stations()] == ["central-01"]
    assert [station["external_monitoring_station_id"] for station in bravo.stations()] == ["old-01", "central-01"]
    assert {request.client_id for request in alpha.requests if request.path != TOKEN} == {"app-alpha"}
    assert {request.client_id for request in bravo.requests if request.path != TOKEN} == {"app-bravo"}
    assert_no_secret_in_state(dealers)
    dealers.up_changes_nothing()
    dealers.destroy()
    assert (len(alpha.stations()), len(bravo.stations())) == (0, 1)
    assert emulator.requests == []


@pytest.mark.acceptance("secret rotated in config, then destroy")
def test_a_rotated_secret_updates_its_provider_and_replaces_no_station(
    dealers: Stack, alpha: Emulator, bravo: Emulator, tmp_path: Path
) -> None:
    """Until an up brings it into the state, refresh fails for this dealer in one line, and works for the other."""
    dealers.up()
    alpha.stop()
    with emulator_of("alpha", 111, tmp_path, secret="rotated-of-alpha", port=alpha.port) as rotated:
        dealers.pulumi("config", "set", "--secret", "alphaSecret", "rotated-of-alpha")
        stale = dealers.pulumi("refresh", "--yes", "--skip-preview", status=1)
        assert [anonymous(line) for line in stale.errors] == [
            "error: Could not read monitoring station 'central-01' (111/1): the token endpoint refused the credentials "
            "(invalid_client). No other call was made. Correct client_id and client_secret, or private_key, of "
            "Provider 'dealer-alpha'; refresh and destroy use those of the last `pulumi up`, so after a rotation run "
            "`pulumi up` first. (HTTP 401, trace id T, request id R)"
        ]

        up = dealers.up().text
        assert "~ 1 updated\n    4 unchanged" in up
        assert "pulumi:providers:pulumi-python dealer-alpha updated" in up
        dealers.pulumi("config", "set", "alphaName", "Renamed")
        dealers.up("--refresh")
        assert [(station["monitoring_station_id"], station["name"]) for station in rotated.stations()] == [
            (1, "Renamed")
        ]
        assert_no_secret_in_state(dealers)
        dealers.destroy()
        assert (rotated.stations(), bravo.stations()) == ([], [])


def test_a_station_that_moves_to_a_provider_stays_as_it_is(emulator: Emulator, stack: Stack) -> None:
    """It moves from the stack's settings to a Provider, and then to one of another name: nothing is sent."""
    station = 'MonitoringStation("a", external_monitoring_station_id="a-01", name="A"'
    stack.program(f"{station})")
    stack.up()
    emulator.clear_requests()

    for name in ("one", "two"):
        stack.program(
            f"""
            from chekt_provider import Provider
            app = Provider("{name}", client_id="emulator-client", client_secret="emulator-secret", dealer_id=12345)
            {station}, opts=pulumi.ResourceOptions(provider=app))
            """
        )
        assert "2 unchanged" in stack.up().text
    assert emulator.requests == []
    assert "::two::" in stack.stations()["a"]["provider"]


def test_a_wrong_secret_of_one_dealer_keeps_no_other_from_its_stations(
    dealers: Stack, alpha: Emulator, bravo: Emulator
) -> None:
    """One line names the Provider. If neither argument nor environment names the API, the stack does."""
    dealers.pulumi("config", "set", "--secret", "alphaSecret", "wrong-canary")
    dealers.pulumi("config", "rm", "bravoUrl")
    dealers.pulumi("config", "set", "chekt:baseUrl", bravo.url)

    run = dealers.up("--continue-on-error", status=1, CHEKT_BASE_URL=None, CHEKT_TOKEN_URL=None)

    assert [anonymous(line) for line in run.errors] == [
        "error: Could not create monitoring station 'central-01' of dealer 111: the token endpoint refused the "
        "credentials (invalid_client). No other call was made. Correct client_id and client_secret, or private_key, of "
        "Provider 'dealer-alpha'; refresh and destroy use those of the last `pulumi up`, so after a rotation run "
        "`pulumi up` first. (HTTP 401, trace id T, request id R)"
    ]
    assert "canary" not in run.text
    assert (len(alpha.stations()), len(bravo.stations())) == (0, 1)

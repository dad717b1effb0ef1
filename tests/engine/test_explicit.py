"""Explicit providers: several dealers, each with an app of its own, in one program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack
from tests.helpers import anonymous

SECRETS = ("secret-of-alpha", "secret-of-bravo", "rotated-of-alpha")

PROGRAM = """
    from chekt_provider import Provider
    config = pulumi.Config()
    for dealer in ("alpha", "bravo"):
        provider = Provider(
            f"dealer-{dealer}",
            base_url=config.require(f"{dealer}Url"),
            client_id=f"app-{dealer}",
            client_secret=config.require_secret(f"{dealer}Secret"),
            dealer_id=int(config.require(f"{dealer}Dealer")),
            requests_per_minute=600,
            adopt_existing=False,
        )
        MonitoringStation(
            f"central-{dealer}",
            external_monitoring_station_id="central-01",
            name=f"Central {dealer}",
            opts=pulumi.ResourceOptions(provider=provider),
        )
"""


def emulator_of(name: str, dealer: int, folder: Path, *, secret: str = "", port: int = 0) -> Emulator:
    """The CHeKT that one dealer's app opens; made anew on the same port and folder it holds the same stations."""
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
    """A stack of two dealers; the environment points at a third CHeKT, with credentials of its own."""
    folder = tmp_path / "program"
    folder.mkdir()
    stack = Stack(folder, emulator.environment())
    for name, dealer in (("alpha", alpha), ("bravo", bravo)):
        stack.pulumi("config", "set", f"{name}Url", dealer.url)
        stack.pulumi("config", "set", f"{name}Dealer", dealer.environment()["CHEKT_DEALER_ID"])
        stack.pulumi("config", "set", "--secret", f"{name}Secret", f"secret-of-{name}")
    stack.program(PROGRAM)
    return stack


def assert_no_secret_in_state(stack: Stack) -> None:
    """Neither what `pulumi stack export` shows nor any file of the state holds a secret in clear."""
    files = [path.read_text() for path in (stack.folder / "state").rglob("*") if path.is_file()]
    assert len(files) > 1
    for text in [stack.exported(), *files]:
        assert [secret for secret in SECRETS if secret in text] == []


def test_each_station_lands_at_its_dealer_by_its_app(
    dealers: Stack, emulator: Emulator, alpha: Emulator, bravo: Emulator
) -> None:
    """x"""
    print(dealers.pulumi("preview").text)
    print(dealers.up().text)
    print(dealers.exported())
    print(alpha.requests, bravo.requests, emulator.requests)
    dealers.up_changes_nothing()
    assert_no_secret_in_state(dealers)
    dealers.pulumi("config", "set", "--secret", "alphaSecret", "rotated-of-alpha")
    print(dealers.pulumi("preview", "--diff").text)
    print(dealers.up().text)
    print(dealers.exported())
    alpha.revoke_tokens()
    print(dealers.pulumi("refresh", "--yes", "--skip-preview", status=1).text)
    print(dealers.pulumi("destroy", "--yes", "--skip-preview", status=1).text)
    assert 0

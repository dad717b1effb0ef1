"""Fixtures: an emulator, and a caller of its API that uses plain HTTP over a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from chekt_provider.emulator import Emulator

TIMEOUT = 20  # seconds, for what should take a moment


class Time:
    """A clock that a test sets. It starts at Unix time 1,800,000,000: 2027-01-15T08:00:00Z."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Api:
    """Calls the API as one app would: with a token, below one dealer."""

    def __init__(self, emulator: Emulator, dealer_id: int = 12345) -> None:
        self.emulator = emulator
        self.dealer_id = dealer_id
        self.session = requests.Session()
        self.session.trust_env = False
        self.log_in()

    def log_in(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def token(self, **changes: str | None) -> requests.Response:
        """Ask for a token; a change of None leaves that field out."""
        form = {"grant_type": "client_credentials", "client_id": "emulator-client", "client_secret": "emulator-secret"}
        return self.session.post(self.emulator.token_url, data=form | changes, timeout=TIMEOUT)

    def call(self, method: str, path: str, body: Any = None, **rest: Any) -> requests.Response:
        """Call a path below the dealer; one that starts with // begins at the root."""
        url = self.emulator.url
        url += path[1:] if path.startswith("//") else f"/partner/v1/dealers/{self.dealer_id}{path}"
        return self.session.request(method, url, json=body, **({"timeout": TIMEOUT} | rest))

    def get(self, path: str, **rest: Any) -> requests.Response:
        return self.call("GET", path, **rest)

    def post(self, path: str, body: Any, **rest: Any) -> requests.Response:
        return self.call("POST", path, body, **rest)

    def put(self, path: str, body: Any, **rest: Any) -> requests.Response:
        return self.call("PUT", path, body, **rest)

    def delete(self, path: str, **rest: Any) -> requests.Response:
        return self.call("DELETE", path, **rest)

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call a control route, without a token."""
        return requests.request(method, f"{self.emulator.url}/_emulator{path}", json=body, timeout=TIMEOUT)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def make_emulator() -> Iterator[Callable[..., Emulator]]:
    """Start emulators that are stopped after the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Emulator(**settings))


@pytest.fixture
def make_api(make_emulator: Callable[..., Emulator]) -> Iterator[Callable[..., Api]]:
    """Start emulators, and give a caller of each."""
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        made.append(Api(make_emulator(**settings)))
        return made[-1]

    yield make
    for api in made:
        api.session.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """A caller of an emulator with all defaults."""
    return make_api()


@pytest.fixture
def emulator(api: Api) -> Emulator:
    """The emulator behind `api`."""
    return api.emulator

"""The token endpoint, and how long tokens last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import requests

from chekt_provider.emulator import Emulator

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"


def test_a_client_gets_a_bearer_token(make_api: Callable[..., Api]) -> None:
    """It tells the life that was set, and that nobody may store the answer."""
    answer = make_api(token_life=120).token()

    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 120)
    assert answer.headers["Cache-Control"] == "no-store"


def test_each_answer_is_another_token_and_all_of_them_work(api: Api) -> None:
    """A new token does not end the older ones."""
    first = api.session.headers["Authorization"]
    api.log_in()

    assert api.session.headers["Authorization"] != first
    assert api.get(STATIONS).status_code == 200
    assert api.get(STATIONS, headers={"Authorization": first}).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_secret": None}, 400, "invalid_request"),
        ({"client_id": None}, 400, "invalid_request"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "unsupported_grant_type"),
    ],
)
def test_a_refusal_has_the_form_of_oauth(api: Api, change: dict[str, str | None], status: int, error: str) -> None:
    """It has `error` and `error_description`, as in RFC 6749; no secret in either."""
    answer = api.token(**change)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == {"error", "error_description"}
    assert "emulator-secret" not in answer.text


def test_a_token_request_in_json_is_refused(api: Api) -> None:
    """It takes a form and nothing else."""
    answer = requests.post(api.emulator.token_url, json={"grant_type": "client_credentials"}, timeout=20)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_token_ends_with_its_life(make_api: Callable[..., Api], time: Time) -> None:
    """It works until the last moment, and gets 401 from then on."""
    api = make_api(clock=time, token_life=60)

    time.now += 59.9
    assert api.get(STATIONS).status_code == 200
    time.now += 0.1
    assert api.get(STATIONS).status_code == 401
    api.log_in()
    assert api.get(STATIONS).status_code == 200


def test_the_life_of_tokens_can_be_set_while_it_runs(api: Api) -> None:
    """It counts for new tokens; a life of 0 is over at once."""
    api.emulator.token_life = 0
    assert api.get(STATIONS).status_code == 200

    assert api.token().json()["expires_in"] == 0
    api.log_in()
    assert api.get(STATIONS).status_code == 401


def test_revoked_tokens_are_401_and_new_ones_work(api: Api) -> None:
    """Whatever life was promised."""
    api.emulator.revoke_tokens()

    assert api.get(STATIONS).status_code == 401
    api.log_in()
    assert api.get(STATIONS).status_code == 200


def test_the_client_is_the_one_that_was_named(make_emulator: Callable[..., Emulator]) -> None:
    """Another pair of id and secret can be registered; the environment then names it."""
    emulator = make_emulator(client_id="mine", client_secret="canary", dealers=(7, 8))

    environment = emulator.environment()

    assert environment == {
        "CHEKT_BASE_URL": f"http://127.0.0.1:{emulator.port}",
        "CHEKT_TOKEN_URL": f"http://127.0.0.1:{emulator.port}/oauth/token",
        "CHEKT_CLIENT_ID": "mine",
        "CHEKT_CLIENT_SECRET": "canary",
        "CHEKT_DEALER_ID": "7",
    }
    form = {"grant_type": "client_credentials", "client_id": "mine", "client_secret": "canary"}
    assert requests.post(environment["CHEKT_TOKEN_URL"], data=form, timeout=20).status_code == 200

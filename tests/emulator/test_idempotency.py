"""The Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chekt_provider.emulator import Fault, Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
KEY = {"Idempotency-Key": "k1"}
DAY = 24 * 60 * 60


def test_the_same_key_and_body_get_the_first_answer_again(api: Api) -> None:
    """Status and body are those of the first; one station is made, and the log tells which answer was a repeat."""
    first, second = (api.post(STATIONS, EAST, headers=KEY) for _ in range(2))

    assert (second.status_code, second.json()) == (201, first.json())
    assert len(api.emulator.stations()) == 1
    assert [request.replayed for request in api.emulator.requests[-2:]] == [False, True]


def test_keys_can_be_ignored(api: Api) -> None:
    """This switch is for an API that does not know them: it carries out every request."""
    api.emulator.switches = Switches(idempotency="ignored", duplicate="twin")

    first, second = (api.post(STATIONS, EAST, headers=KEY) for _ in range(2))

    assert (first.json()["monitoring_station_id"], second.json()["monitoring_station_id"]) == (1, 2)
    assert [request.replayed for request in api.emulator.requests[-2:]] == [False, False]


def test_the_same_key_with_another_body_is_409(api: Api) -> None:
    """It changes nothing."""
    api.post(STATIONS, EAST, headers=KEY)

    answer = api.post(STATIONS, EAST | {"external_monitoring_station_id": "west"}, headers=KEY)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert len(api.emulator.stations()) == 1


def test_a_refusal_is_remembered_too(api: Api) -> None:
    """The first answer was 422, so the repeat is 422."""
    bad = EAST | {"name": ""}

    first, second = (api.post(STATIONS, bad, headers=KEY) for _ in range(2))

    assert (first.status_code, second.status_code) == (422, 422)
    assert first.json() == second.json()


def test_put_and_delete_have_keys_as_well(api: Api) -> None:
    """A repeated DELETE is 204 again; a repeated PUT does not undo what came between."""
    api.post(STATIONS, EAST)
    api.put(f"{STATIONS}/1", {"name": "A"}, headers=KEY)
    api.put(f"{STATIONS}/1", {"name": "B"})

    assert api.put(f"{STATIONS}/1", {"name": "A"}, headers=KEY).json()["name"] == "A"
    assert api.emulator.stations()[0]["name"] == "B"
    assert [api.delete(f"{STATIONS}/1", headers=KEY).status_code for _ in range(2)] == [204, 204]


def test_a_key_belongs_to_its_endpoint(api: Api) -> None:
    """The same key with another method or path is another key."""
    for name in ("a", "b"):
        api.emulator.add_station(external_monitoring_station_id=name, name=name)

    assert api.put(f"{STATIONS}/1", {"name": "n"}, headers=KEY).json()["monitoring_station_id"] == 1
    assert api.put(f"{STATIONS}/2", {"name": "n"}, headers=KEY).json()["monitoring_station_id"] == 2
    assert api.delete(f"{STATIONS}/2", headers=KEY).status_code == 204


def test_a_read_has_no_key(api: Api) -> None:
    """Each GET looks again."""
    assert api.get(STATIONS, headers=KEY).json() == []
    api.post(STATIONS, EAST)
    assert len(api.get(STATIONS, headers=KEY).json()) == 1


def test_a_key_is_forgotten_after_24_hours(make_api: Callable[..., Api], time: Time) -> None:
    """Until then the answer may name a station that is long gone."""
    api = make_api(clock=time, token_life=10 * DAY)
    api.post(STATIONS, EAST, headers=KEY)
    api.delete(f"{STATIONS}/1")

    time.now += DAY - 1
    assert api.post(STATIONS, EAST, headers=KEY).json()["monitoring_station_id"] == 1
    assert api.emulator.stations() == []
    time.now += 1
    assert api.post(STATIONS, EAST, headers=KEY).json()["monitoring_station_id"] == 2


def test_401_and_429_are_not_remembered(api: Api) -> None:
    """They are said before the key is looked at."""
    assert api.post(STATIONS, EAST, headers=KEY | {"Authorization": "Bearer x"}).status_code == 401
    assert api.post(STATIONS, EAST, headers=KEY).status_code == 201


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_fault_that_is_remembered_comes_again(api: Api, when: Any, made: int) -> None:
    """The API itself broke and keeps that answer: the same 500 for the key, whatever was stored."""
    api.emulator.add_fault(Fault(method="POST", status=500, remember=True, when=when))

    statuses = [api.post(STATIONS, EAST, headers=KEY).status_code for _ in range(3)]

    assert statuses == [500, 500, 500]
    assert len(api.emulator.stations()) == made
    assert api.post(STATIONS, EAST, headers={"Idempotency-Key": "k2"}).status_code == (409 if made else 201)


def test_a_fault_in_front_of_the_api_is_not_remembered(api: Api) -> None:
    """A gateway's 502 after storing: the repeat gets the API's own first answer."""
    api.emulator.add_fault(Fault(method="POST", status=502, when="after"))

    answers = [api.post(STATIONS, EAST, headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [502, 201]
    assert len(api.emulator.stations()) == 1


def test_many_at_once_with_one_key_make_one_station(make_api: Callable[..., Api]) -> None:
    """This holds even where a second POST would make a twin."""
    api = make_api(switches=Switches(duplicate="twin"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: api.post(STATIONS, EAST, headers=KEY).json(), range(64)))

    assert all(answer == answers[0] for answer in answers)
    assert len(api.emulator.stations()) == 1

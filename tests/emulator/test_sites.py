"""The routes of dealers and sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

SHOP = {"external_site_id": "shop", "name": "Shop", "timezone": "Europe/London"}


def refusal(answer: Any) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["field"]


def test_a_dealer_can_be_read(make_api: Callable[..., Api], time: Time) -> None:
    """All eight fields, made up."""
    assert make_api(clock=time).get("").json() == {
        "dealer_id": 12345,
        "external_dealer_id": "dealer-12345",
        "company_name": "Dealer 12345 Security",
        "company_address1": "1 Example Street",
        "company_address2": None,
        "company_email": "office@dealer-12345.example",
        "company_phone_number": "+1 555 0100",
        "created_at": "2027-01-15T08:00:00.000Z",
    }


def test_post_makes_a_site_and_get_reads_it(make_api: Callable[..., Api], time: Time) -> None:
    """A site names its station by both ids; a new one is not activated."""
    api = make_api(clock=time)
    api.emulator.add_station(external_monitoring_station_id="cs", name="CS")

    made = api.post("/sites", SHOP | {"monitoring_station_id": 1, "account_number": "0042", "address1": "1 Road"})

    assert made.status_code == 201
    assert made.json() == {
        "site_id": 1,
        "external_site_id": "shop",
        "name": "Shop",
        "monitoring_station_id": 1,
        "external_monitoring_station_id": "cs",
        "account_number": "0042",
        "address1": "1 Road",
        "address2": None,
        "timezone": "Europe/London",
        "is_activated": 0,
        "created_at": "2027-01-15T08:00:00.000Z",
    }
    assert api.get("/sites/1").json() == made.json()
    assert api.get("/sites").json() == [made.json()]


def test_put_moves_a_site_to_another_station(api: Api) -> None:
    """What is left out stays; null takes the site off its station."""
    for name in ("a", "b"):
        api.emulator.add_station(external_monitoring_station_id=name, name=name)
    before = api.post("/sites", SHOP | {"monitoring_station_id": 1}).json()

    moved = api.put("/sites/1", {"monitoring_station_id": 2})

    assert moved.status_code == 200
    assert moved.json() == before | {"monitoring_station_id": 2, "external_monitoring_station_id": "b"}
    assert api.put("/sites/1", {"monitoring_station_id": None}).json()["monitoring_station_id"] is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": " "}, (422, "validation_failed", "name")),
        ({"external_site_id": 5}, (422, "validation_failed", "external_site_id")),
        ({"timezone": "not a zone"}, (422, "validation_failed", "timezone")),
        ({"monitoring_station_id": "1"}, (422, "validation_failed", "monitoring_station_id")),
        ({"monitoring_station_id": True}, (422, "validation_failed", "monitoring_station_id")),
        ({"monitoring_station_id": 1.5}, (422, "validation_failed", "monitoring_station_id")),
        ({"monitoring_station_id": 99}, (404, "not_found", "monitoring_station_id")),
        ({"account_number": 42}, (422, "validation_failed", "account_number")),
    ],
)
def test_a_bad_value_is_refused_and_named(api: Api, change: dict[str, Any], expected: Any) -> None:
    """POST and PUT alike."""
    api.post("/sites", SHOP)

    assert refusal(api.post("/sites", SHOP | {"external_site_id": "new"} | change)) == expected
    assert refusal(api.put("/sites/1", change)) == expected


def test_a_station_id_of_1_point_0_is_1(api: Api) -> None:
    """JSON knows one kind of number."""
    api.emulator.add_station(external_monitoring_station_id="cs", name="CS")

    assert api.post("/sites", SHOP | {"monitoring_station_id": 1.0}).json()["monitoring_station_id"] == 1


def test_an_external_site_id_in_use_is_409(api: Api) -> None:
    """This holds for a new site and for a renamed one; a site may keep its own."""
    api.post("/sites", SHOP)
    api.post("/sites", SHOP | {"external_site_id": "mill"})

    assert refusal(api.post("/sites", SHOP)) == (409, "conflict", "external_site_id")
    assert refusal(api.put("/sites/2", {"external_site_id": "shop"})) == (409, "conflict", "external_site_id")
    assert api.put("/sites/1", {"external_site_id": "shop"}).status_code == 200


def test_a_station_of_another_dealer_cannot_take_a_site(api: Api) -> None:
    """For this dealer the station does not exist."""
    api.emulator.add_dealer(2)
    api.emulator.add_station(external_monitoring_station_id="cs", name="CS", dealer_id=2)

    assert refusal(api.post("/sites", SHOP | {"monitoring_station_id": 1}))[0] == 404


def test_a_site_that_does_not_exist_is_404(api: Api) -> None:
    """GET and PUT answer it; this API deletes no sites."""
    assert refusal(api.get("/sites/1")) == (404, "not_found", "site_id")
    assert refusal(api.put("/sites/1", {"name": "n"})) == (404, "not_found", "site_id")
    assert refusal(api.delete("/sites/1"))[0] == 405

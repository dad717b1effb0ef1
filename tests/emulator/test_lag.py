"""The switches for when a change is seen and when it is made, and for what PUT does to a site."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chekt_provider.emulator import Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
SHOP = {
    "external_site_id": "shop",
    "name": "Shop",
    "timezone": "UTC",
    "monitoring_station_id": 1,
    "account_number": "7",
    "address1": "1 Road",
    "address2": "Rear",
}


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()]


def status(api: Api, path: str) -> int:
    return api.get(path).status_code


# Lags


def test_lists_show_what_was_there_some_time_ago(make_api: Callable[..., Api], time: Time) -> None:
    """Made, changed, deleted: each is seen when the lag is over, and not a moment earlier."""
    api = make_api(clock=time, switches=Switches(list_lag=15))
    api.post(STATIONS, EAST)
    time.now += 10
    api.put(f"{STATIONS}/1", {"name": "New"})
    time.now += 4.9
    assert names(api.get(STATIONS)) == []

    time.now += 0.1
    assert names(api.get(STATIONS)) == ["East"]
    time.now += 10
    assert names(api.get(STATIONS)) == ["New"]
    api.delete(f"{STATIONS}/1")
    time.now += 14.9
    assert names(api.get(STATIONS)) == ["New"]
    time.now += 0.1
    assert names(api.get(STATIONS)) == []


def test_a_lagging_list_of_sites_shows_old_stations_on_them(make_api: Callable[..., Api], time: Time) -> None:
    """The station's external id is the old one too, though it was deleted since; the list is in order."""
    api = make_api(clock=time, switches=Switches(list_lag=5))
    api.post(STATIONS, EAST)
    api.post("/sites", SHOP)
    api.emulator.add_site(external_site_id="mill", name="Mill")
    time.now += 5
    api.put("/sites/1", {"name": "Renamed"})
    api.delete(f"{STATIONS}/1")
    api.emulator.remove_site(1)

    seen = api.get("/sites").json()

    assert [(site["site_id"], site["name"]) for site in seen] == [(1, "Shop"), (2, "Mill")]
    assert (seen[0]["monitoring_station_id"], seen[0]["external_monitoring_station_id"]) == (1, "cs-east")
    time.now += 5
    assert names(api.get("/sites")) == ["Mill"]


def test_one_item_may_lag_and_what_is_written_does_not(make_api: Callable[..., Api], time: Time) -> None:
    """GET answers 404 for what is new; POST and PUT answer with the present, and so do lists and controls."""
    api = make_api(clock=time, switches=Switches(item_lag=3))
    assert api.post(STATIONS, EAST).json()["name"] == "East"
    assert api.post("/sites", SHOP).status_code == 201

    assert (status(api, f"{STATIONS}/1"), status(api, "/sites/1")) == (404, 404)
    assert api.put(f"{STATIONS}/1", {"name": "New"}).json()["name"] == "New"
    assert (names(api.get(STATIONS)), names(api.get("/sites"))) == (["New"], ["Shop"])
    assert [station["name"] for station in api.emulator.stations()] == ["New"]
    time.now += 3
    assert (api.get(f"{STATIONS}/1").json()["name"], status(api, "/sites/1")) == ("New", 200)


def test_an_item_that_lags_is_there_after_its_deletion(make_api: Callable[..., Api], time: Time) -> None:
    """Only for GET: a second DELETE finds nothing. The answer is the same as before."""
    api = make_api(clock=time, switches=Switches(item_lag=3, gone="410"))
    api.post(STATIONS, EAST)
    api.post("/sites", SHOP)
    time.now += 3
    before = api.get(f"{STATIONS}/1").json()
    api.delete(f"{STATIONS}/1")
    api.emulator.remove_site(1)

    assert api.delete(f"{STATIONS}/1").status_code == 410
    assert api.get(f"{STATIONS}/1").json() == before
    assert api.get("/sites/1").json()["external_monitoring_station_id"] == "cs-east"
    time.now += 3
    assert (status(api, f"{STATIONS}/1"), status(api, "/sites/1")) == (410, 410)


def test_an_item_is_404_and_not_410_before_it_is_seen(make_api: Callable[..., Api], time: Time) -> None:
    """It was made and deleted within the lag: at that time it was not there."""
    api = make_api(clock=time, switches=Switches(item_lag=3, gone="410"))
    api.post(STATIONS, EAST)
    api.delete(f"{STATIONS}/1")

    assert status(api, f"{STATIONS}/1") == 404


def test_a_list_and_an_item_lag_each_for_itself(make_api: Callable[..., Api], time: Time) -> None:
    """An item is seen that no list shows yet."""
    api = make_api(clock=time, switches=Switches(list_lag=15))
    api.post(STATIONS, EAST)

    assert (status(api, f"{STATIONS}/1"), names(api.get(STATIONS))) == (200, [])


def test_what_the_controls_do_is_seen_late_too(make_api: Callable[..., Api], time: Time) -> None:
    """It looks as if somebody did it in the portal."""
    api = make_api(clock=time, switches=Switches(list_lag=2))
    for step in (
        lambda: api.emulator.add_station(external_monitoring_station_id="a", name="A"),
        lambda: api.emulator.edit_station(1, name="B"),
        lambda: api.emulator.put_station(1, external_monitoring_station_id="c", name="C"),
        lambda: api.emulator.remove_station(1),
        lambda: api.emulator.add_site(external_site_id="s", name="S"),
        lambda: api.emulator.edit_site(1, name="T"),
    ):
        before = names(api.get(STATIONS)), names(api.get("/sites"))
        step()
        assert (names(api.get(STATIONS)), names(api.get("/sites"))) == before
        time.now += 2
        assert (names(api.get(STATIONS)), names(api.get("/sites"))) != before


def test_a_minute_can_be_looked_back(make_api: Callable[..., Api], time: Time) -> None:
    """This is the longest lag."""
    api = make_api(clock=time, switches=Switches(list_lag=60))
    api.post(STATIONS, EAST)
    time.now += 59.9
    api.put(f"{STATIONS}/1", {"name": "New"})
    assert names(api.get(STATIONS)) == []

    time.now += 0.1

    assert names(api.get(STATIONS)) == ["East"]


def test_a_look_back_leaves_the_present_as_it_is(make_api: Callable[..., Api], time: Time) -> None:
    """It changes neither stations nor the next number."""
    api = make_api(clock=time, switches=Switches(list_lag=60, item_lag=60))
    api.post(STATIONS, EAST)
    for path in (STATIONS, f"{STATIONS}/1", "/sites"):
        api.get(path)

    assert [station["name"] for station in api.emulator.stations()] == ["East"]
    assert api.emulator.add_station(external_monitoring_station_id="b", name="B") == 2


def test_a_late_deletion_is_seen_late_from_its_own_moment_on(make_api: Callable[..., Api], time: Time) -> None:
    """Whenever somebody looks: 2 seconds of delay and 5 of lag make 7."""
    api = make_api(clock=time, switches=Switches(delete_answer="202", list_lag=5))
    api.post(STATIONS, EAST)
    time.now += 20
    api.delete(f"{STATIONS}/1")

    time.now += 6.9
    assert names(api.get(STATIONS)) == ["East"]
    time.now += 0.1
    assert names(api.get(STATIONS)) == []


def test_a_reset_forgets_the_past_and_what_was_to_come(make_api: Callable[..., Api], time: Time) -> None:
    """A lagging list shows nothing from before, and no late deletion hits what is made after."""
    api = make_api(clock=time, switches=Switches(delete_answer="202", list_lag=60, gone="410"))
    api.post(STATIONS, EAST)
    time.now += 61
    api.put(f"{STATIONS}/1", {"name": "New"})
    api.delete(f"{STATIONS}/1")
    api.emulator.add_site(external_site_id="s", name="S")
    api.emulator.remove_site(1)
    api.emulator.reset()
    api.log_in()

    assert names(api.get(STATIONS)) == []
    assert status(api, "/sites/1") == 404
    api.post(STATIONS, EAST)
    time.now += 60
    assert names(api.get(STATIONS)) == ["East"]
    assert [station["name"] for station in api.emulator.stations()] == ["East"]


# PUT of a site


def with_a_site(make_api: Callable[..., Api], time: Time, **switches: Any) -> Api:
    """Give a caller; stations 1 and 2, and site 1, all fields set and activated, on station 1."""
    api = make_api(clock=time, switches=Switches(**switches))
    for name in ("a", "b"):
        api.emulator.add_station(external_monitoring_station_id=name, name=name)
    api.post("/sites", SHOP)
    api.emulator.edit_site(1, is_activated=1)
    return api


def fields(site: dict[str, Any]) -> dict[str, Any]:
    return {field: site[field] for field in SHOP}


@pytest.mark.parametrize("site_put", ["merge", "replace", "required"])
def test_what_put_does_to_what_is_left_out_of_a_site(make_api: Callable[..., Api], time: Time, site_put: Any) -> None:
    """Merge keeps it, replace unsets all of it, and required keeps what is optional."""
    api = with_a_site(make_api, time, site_put=site_put)
    required = {"external_site_id": "shop", "name": "Shop", "timezone": "UTC"}

    answer = api.put("/sites/1", {"account_number": "9"} | (required if site_put == "required" else {}))

    unset = {
        "external_site_id": "",
        "name": "",
        "timezone": "",
        "monitoring_station_id": None,
        "address1": None,
        "address2": None,
    }
    assert fields(answer.json()) == SHOP | (unset if site_put == "replace" else {}) | {"account_number": "9"}
    assert api.get("/sites/1").json() == answer.json()
    assert answer.json()["is_activated"] == 1


def test_two_sites_may_lose_their_external_id(make_api: Callable[..., Api], time: Time) -> None:
    """A blank one belongs to nobody."""
    api = with_a_site(make_api, time, site_put="replace")
    api.post("/sites", SHOP | {"external_site_id": "mill"})

    answers = [api.put(f"/sites/{number}", {"name": "N"}) for number in (1, 2, 1)]

    assert [(answer.status_code, answer.json()["external_site_id"]) for answer in answers] == [(200, "")] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"monitoring_station_id": 2}, "external_site_id"),
        ({"external_site_id": "shop", "timezone": "UTC"}, "name"),
        ({"external_site_id": "shop", "name": "Shop"}, "timezone"),
    ],
)
def test_put_of_a_site_may_require_three_fields(
    make_api: Callable[..., Api], time: Time, body: dict[str, Any], field: str
) -> None:
    """A 422 names the first one missing, and nothing changes."""
    api = with_a_site(make_api, time, site_put="required")

    answer = api.put("/sites/1", body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (422, "validation_failed", field)
    assert error["message"] == f"{field} is required"
    assert fields(api.emulator.sites()[0]) == SHOP


@pytest.mark.parametrize(("site_activation", "activated"), [("kept", 1), ("off", 0)])
def test_put_of_a_site_may_turn_it_off(
    make_api: Callable[..., Api], time: Time, site_activation: Any, activated: int
) -> None:
    """Every PUT does, even an empty one; the controls turn it on again."""
    api = with_a_site(make_api, time, site_activation=site_activation)

    for body in ({"name": "N"}, {}):
        assert api.put("/sites/1", body).json()["is_activated"] == activated
        assert api.get("/sites/1").json()["is_activated"] == activated
        api.emulator.edit_site(1, is_activated=1)


@pytest.mark.parametrize("answer", ["new", "old"])
@pytest.mark.parametrize("delay", [0, 4])
def test_put_of_a_site_may_work_later_and_answer_either_way(
    make_api: Callable[..., Api], time: Time, answer: Any, delay: float
) -> None:
    """What the answer shows and when the change is made are two things."""
    api = with_a_site(make_api, time, site_put_delay=delay, site_put_answer=answer)

    put = api.put("/sites/1", {"monitoring_station_id": 2})

    shown = (put.json()["monitoring_station_id"], put.json()["external_monitoring_station_id"])
    assert (put.status_code, shown) == (200, {"new": (2, "b"), "old": (1, "a")}[answer])
    if delay:
        time.now += 3.9
        assert api.get("/sites/1").json()["monitoring_station_id"] == 1
        assert api.get("/sites").json()[0]["monitoring_station_id"] == 1
        time.now += 0.1
    assert [site["monitoring_station_id"] for site in api.emulator.sites()] == [2]


def test_late_changes_of_a_site_come_in_the_order_of_their_times(make_api: Callable[..., Api], time: Time) -> None:
    """Each adds to the one before, even when all of them are overdue."""
    api = with_a_site(make_api, time, site_put_delay=10)
    api.put("/sites/1", {"name": "First", "address1": "2 Road"})
    api.emulator.switches = Switches(site_put_delay=1)
    api.put("/sites/1", {"name": "Second", "address2": "Front"})
    time.now += 20

    site = api.get("/sites/1").json()

    assert (site["name"], site["address1"], site["address2"]) == ("First", "2 Road", "Front")


def test_a_late_change_of_a_site_is_refused_at_once(make_api: Callable[..., Api], time: Time) -> None:
    """What does not fit now is refused now, and is not done later."""
    api = with_a_site(make_api, time, site_put_delay=4)

    assert api.put("/sites/1", {"monitoring_station_id": 99}).status_code == 404

    time.now += 4
    assert api.emulator.sites()[0]["monitoring_station_id"] == 1


def test_a_late_change_of_a_site_that_was_removed_is_nothing(make_api: Callable[..., Api], time: Time) -> None:
    """It went with the site."""
    api = with_a_site(make_api, time, site_put_delay=4)
    api.put("/sites/1", {"name": "N"})
    api.emulator.remove_site(1)

    time.now += 4

    assert names(api.get("/sites")) == []

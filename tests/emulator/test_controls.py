"""The controls, from Python and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api

STATIONS = "/monitoring-stations"


def without_time(row: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if field != "created_at"}


def test_a_station_can_be_added_edited_and_removed_behind_the_api_s_back(api: Api, emulator: Emulator) -> None:
    """The API shows it at once; the log shows nothing."""
    assert emulator.add_station(external_monitoring_station_id="a", name="A", prefix="P") == 1
    emulator.edit_station(1, name="B", linecard="L")
    emulator.clear_requests()
    expected = {
        "monitoring_station_id": 1,
        "external_monitoring_station_id": "a",
        "name": "B",
        "prefix": "P",
        "linecard": "L",
    }

    assert [without_time(station) for station in emulator.stations()] == [expected]
    assert emulator.requests == []
    assert without_time(api.get(f"{STATIONS}/1").json()) == expected

    emulator.edit_station(1, prefix="")
    assert api.get(f"{STATIONS}/1").json()["prefix"] is None
    emulator.remove_station(1)
    assert api.get(STATIONS).json() == []


def test_a_station_can_be_put_on_any_number(api: Api, emulator: Emulator) -> None:
    """It replaces the one that has the number, of whichever dealer; its sites stay. New numbers go on above it."""
    emulator.add_dealer(2)
    emulator.add_station(external_monitoring_station_id="a", name="A", prefix="P", dealer_id=2)
    emulator.add_site(external_site_id="s", name="S", monitoring_station_id=1)

    emulator.put_station(1, external_monitoring_station_id="b", name="B", linecard="L")
    emulator.put_station(40, external_monitoring_station_id="c", name="C")

    assert emulator.stations(2) == []
    assert without_time(api.get(f"{STATIONS}/1").json()) == {
        "monitoring_station_id": 1,
        "external_monitoring_station_id": "b",
        "name": "B",
        "prefix": None,
        "linecard": "L",
    }
    assert api.get("/sites/1").json()["external_monitoring_station_id"] == "b"
    assert emulator.add_station(external_monitoring_station_id="d", name="D") == 41


def test_a_number_can_be_given_again(api: Api, emulator: Emulator) -> None:
    """The number of a deleted station is there again, and belongs to another one."""
    emulator.add_station(external_monitoring_station_id="a", name="A")
    api.delete(f"{STATIONS}/1")

    emulator.put_station(1, external_monitoring_station_id="b", name="B")

    assert api.get(f"{STATIONS}/1").json()["name"] == "B"


def test_a_site_can_be_removed(api: Api, emulator: Emulator) -> None:
    """The API itself has no call for it."""
    emulator.add_site(external_site_id="s", name="S")
    emulator.remove_site(1)

    assert (emulator.sites(), api.get("/sites").json()) == ([], [])
    assert api.get("/sites/1").status_code == 404


def test_twins_can_be_planted(emulator: Emulator) -> None:
    """The controls do what the API would refuse."""
    for _ in range(2):
        emulator.add_station(external_monitoring_station_id="a", name="A")

    assert [station["monitoring_station_id"] for station in emulator.stations()] == [1, 2]


def test_sites_can_be_added_and_edited(api: Api, emulator: Emulator) -> None:
    """They set any field by its name in the API; a site may point at a station that is not there."""
    emulator.add_station(external_monitoring_station_id="a", name="A")
    emulator.add_site(external_site_id="s", name="S", monitoring_station_id=99, account_number="1", address1="x")
    assert api.get("/sites/1").json()["monitoring_station_id"] == 99

    emulator.edit_site(1, monitoring_station_id=1, is_activated=1, address1=None)

    assert without_time(emulator.sites()[0]) == {
        "site_id": 1,
        "external_site_id": "s",
        "name": "S",
        "monitoring_station_id": 1,
        "external_monitoring_station_id": "a",
        "account_number": "1",
        "address1": None,
        "address2": None,
        "timezone": "UTC",
        "is_activated": 1,
    }


def test_what_does_not_exist_is_a_lookup_error(emulator: Emulator) -> None:
    """The message names it."""
    with pytest.raises(LookupError, match="monitoring station 7 does not exist"):
        emulator.edit_station(7, name="x")
    with pytest.raises(LookupError, match="monitoring station 7 does not exist"):
        emulator.remove_station(7)
    with pytest.raises(LookupError, match="site 7 does not exist"):
        emulator.edit_site(7, name="x")
    with pytest.raises(LookupError, match="site 7 does not exist"):
        emulator.remove_site(7)
    for call in (emulator.stations, emulator.sites, emulator.withdraw_dealer, emulator.restore_dealer):
        with pytest.raises(LookupError, match="dealer 99 does not exist"):
            call(99)
    with pytest.raises(LookupError, match="dealer 99 does not exist"):
        emulator.add_station(external_monitoring_station_id="a", name="A", dealer_id=99)


def test_an_emulator_needs_a_dealer() -> None:
    """Without one there is no default dealer."""
    with pytest.raises(ValueError, match="at least one dealer"):
        Emulator(dealers=())


def test_reset_goes_back_to_the_start(api: Api, emulator: Emulator) -> None:
    """Nothing of the past is left, except switches, the life of tokens and the port."""
    key = {"Idempotency-Key": "k"}
    emulator.switches = Switches(put="replace")
    emulator.token_life = 99
    emulator.add_dealer(2)
    emulator.withdraw_dealer(2)
    api.post(STATIONS, {"external_monitoring_station_id": "a", "name": "A"}, headers=key)
    emulator.add_site(external_site_id="s", name="S")
    emulator.add_fault(Fault(status=503, times=None))
    emulator.withdraw_dealer()

    emulator.reset()

    assert (emulator.stations(), emulator.sites(), emulator.faults, emulator.requests) == ([], [], [], [])
    assert (emulator.switches.put, emulator.token_life) == ("replace", 99)
    assert api.get(STATIONS).status_code == 401
    api.log_in()
    answer = api.post(STATIONS, {"external_monitoring_station_id": "b", "name": "B"}, headers=key)
    assert (answer.status_code, answer.json()["monitoring_station_id"]) == (201, 1)
    with pytest.raises(LookupError):
        emulator.stations(2)


def test_the_log_and_the_faults_over_http(api: Api) -> None:
    """The same data as in Python."""
    made = api.control("POST", "/faults", {"method": "GET", "status": 503, "times": 2})
    assert (made.status_code, made.json()["status"]) == (201, 503)
    assert api.emulator.faults == [Fault(method="GET", status=503, times=2)]
    api.get(STATIONS)
    assert api.control("GET", "/faults").json()[0]["times"] == 1
    assert api.control("DELETE", "/faults").status_code == 204
    assert api.emulator.faults == []

    seen = api.control("GET", "/requests").json()
    assert [(request["number"], request["path"], request["status"]) for request in seen] == [
        (1, "/oauth/token", 200),
        (2, "/partner/v1/dealers/12345/monitoring-stations", 503),
    ]
    assert api.control("DELETE", "/requests").status_code == 204
    assert api.emulator.requests == []


def test_a_log_with_half_a_character_can_be_read_over_http(api: Api) -> None:
    """JSON can name it by its number; UTF-8 cannot hold it."""
    api.post(STATIONS, {"name": "\ud800"})

    assert api.control("GET", "/requests").json()[-1]["body"] == {"name": "\ud800"}


def test_the_settings_over_http(api: Api) -> None:
    """Switches as a whole, the life of tokens, revocation and reset."""
    assert api.control("GET", "/switches").json()["put"] == "merge"
    assert api.control("PUT", "/switches", {"put": "replace", "page_size": 3}).status_code == 200
    assert api.emulator.switches == Switches(put="replace", page_size=3)
    assert api.control("PUT", "/token-life", {"seconds": 5}).json() == {"seconds": 5}
    assert api.token().json()["expires_in"] == 5
    assert api.control("DELETE", "/tokens").status_code == 204
    assert api.get(STATIONS).status_code == 401
    assert api.control("POST", "/reset").status_code == 204
    assert api.emulator.requests == []


def test_dealers_stations_and_sites_over_http(api: Api) -> None:
    """Any language can do what Python can."""
    assert api.control("PUT", "/dealers/2").status_code == 204
    station = {"external_monitoring_station_id": "a", "name": "A"}
    assert api.control("POST", "/dealers/2/stations", station).json() == {"id": 1}
    assert api.control("PATCH", "/dealers/2/stations/1", {"prefix": "P"}).status_code == 204
    [shown] = api.control("GET", "/dealers/2/stations").json()
    assert (shown["name"], shown["prefix"], shown["linecard"]) == ("A", "P", "")
    site = {"external_site_id": "s", "name": "S", "timezone": "UTC"}
    assert api.control("POST", "/dealers/2/sites", site).json() == {"id": 1}
    assert api.control("PATCH", "/dealers/2/sites/1", {"monitoring_station_id": 1}).status_code == 204
    assert api.control("GET", "/dealers/2/sites").json()[0]["external_monitoring_station_id"] == "a"
    assert api.control("PATCH", "/dealers/2/sites/1", {"is_activated": 1, "name": "T"}).status_code == 204
    [shown] = api.control("GET", "/dealers/2/sites").json()
    assert (shown["is_activated"], shown["name"], shown["monitoring_station_id"]) == (1, "T", 1)
    assert api.control("PATCH", "/dealers/2/sites/1", {"is_activated": 0}).status_code == 204
    assert api.control("GET", "/dealers/2/sites").json()[0]["is_activated"] == 0
    assert api.control("DELETE", "/dealers/2/sites/1").status_code == 204
    assert api.control("GET", "/dealers/2/sites").json() == []
    again = {"external_monitoring_station_id": "b", "name": "B"}
    assert api.control("PUT", "/dealers/2/stations/1", again).status_code == 204
    assert api.control("PUT", "/dealers/2/stations/9", again).status_code == 204
    shown = api.control("GET", "/dealers/2/stations").json()
    assert [(station["monitoring_station_id"], station["name"]) for station in shown] == [(1, "B"), (9, "B")]
    assert api.control("DELETE", "/dealers/2/stations/1").status_code == 204
    assert api.control("PUT", "/dealers/2/withdrawal", {"status": 404}).json() == {"status": 404}
    api.dealer_id = 2
    assert api.get("").status_code == 404
    assert api.control("DELETE", "/dealers/2/withdrawal").status_code == 204
    assert api.get("").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", {"reset": True, "hang": 1}, 422),
        ("POST", "/faults", {"colour": "red"}, 422),
        ("PUT", "/switches", {"put": "patch"}, 422),
        ("PUT", "/token-life", {"seconds": -1}, 422),
        ("GET", "/dealers/99/stations", None, 404),
        ("DELETE", "/dealers/12345/stations/7", None, 404),
        ("DELETE", "/dealers/12345/sites/7", None, 404),
        ("PATCH", "/dealers/12345/sites/7", {"is_activated": 2}, 422),
        ("PATCH", "/dealers/12345/sites/7", {"is_activated": True}, 422),
        ("PUT", f"/dealers/12345/stations/{2**53}", {"external_monitoring_station_id": "a", "name": "A"}, 422),
        ("GET", "/dealers/x/stations", None, 422),
        ("GET", "/nothing", None, 404),
        ("PUT", "/reset", None, 405),
        ("POST", "/faults", None, 415),
    ],
)
def test_a_bad_control_call_is_refused_in_the_api_s_form(
    api: Api, method: str, path: str, body: Any, status: int
) -> None:
    """It has the error envelope, and no effect."""
    answer = api.control(method, path, body)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert api.emulator.faults == []

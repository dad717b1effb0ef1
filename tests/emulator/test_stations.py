"""The routes of monitoring stations, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from chekt_provider.emulator import Emulator

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}


def error(response: Any) -> tuple[int, str, str | None]:
    """Give status, code and field of a refusal, after checking the rest of the envelope."""
    detail = response.json()["error"]
    assert set(detail) == {"code", "message", "request_id", "field"}
    assert detail["message"]
    assert detail["request_id"] == response.headers["x-request-id"]
    return response.status_code, detail["code"], detail["field"]


def test_post_makes_a_station_and_answers_201_with_it(make_api: Callable[..., Api], time: Time) -> None:
    """All six fields come back; the id is the API's, created_at is UTC with milliseconds."""
    api = make_api(clock=time)
    time.now = 1_800_000_000.25

    answer = api.post(STATIONS, EAST | {"prefix": "CH", "linecard": "12"})

    assert answer.status_code == 201
    assert answer.json() == {
        "monitoring_station_id": 1,
        "external_monitoring_station_id": "cs-east",
        "name": "East",
        "prefix": "CH",
        "linecard": "12",
        "created_at": "2027-01-15T08:00:00.250Z",
    }


def test_get_lists_a_bare_array_in_order_of_id(api: Api) -> None:
    """A list is a JSON array, oldest station first, and of this dealer only."""
    api.emulator.add_dealer(2)
    for name in ("b", "a"):
        api.post(STATIONS, {"external_monitoring_station_id": name, "name": name})
    api.emulator.add_station(external_monitoring_station_id="c", name="c", dealer_id=2)

    assert [station["name"] for station in api.get(STATIONS).json()] == ["b", "a"]


def test_get_reads_one_station(api: Api) -> None:
    """The item is what the POST answered."""
    made = api.post(STATIONS, EAST).json()

    assert api.get(f"{STATIONS}/1").json() == made


def test_put_changes_name_prefix_and_linecard_only(api: Api) -> None:
    """The external id cannot change: PUT ignores it, like every field that it does not know."""
    made = api.post(STATIONS, EAST).json()

    answer = api.put(f"{STATIONS}/1", {"external_monitoring_station_id": "x", "name": "New", "prefix": "P", "more": 1})

    assert answer.status_code == 200
    assert answer.json() == made | {"name": "New", "prefix": "P"}
    assert api.get(f"{STATIONS}/1").json() == answer.json()


def test_an_empty_put_changes_nothing(api: Api) -> None:
    """All fields of a PUT are optional."""
    made = api.post(STATIONS, EAST).json()

    assert api.put(f"{STATIONS}/1", {}).json() == made


def test_delete_answers_204_without_a_body_and_the_station_is_gone(api: Api) -> None:
    """A second DELETE and a GET find nothing."""
    api.post(STATIONS, EAST)

    answer = api.delete(f"{STATIONS}/1")

    assert (answer.status_code, answer.content) == (204, b"")
    assert error(api.delete(f"{STATIONS}/1")) == (404, "not_found", "monitoring_station_id")
    assert error(api.get(f"{STATIONS}/1")) == (404, "not_found", "monitoring_station_id")
    assert error(api.put(f"{STATIONS}/1", {"name": "n"})) == (404, "not_found", "monitoring_station_id")


def test_an_id_is_never_given_twice(api: Api) -> None:
    """A deleted station's id stays unused."""
    api.post(STATIONS, EAST)
    api.delete(f"{STATIONS}/1")

    assert api.post(STATIONS, EAST).json()["monitoring_station_id"] == 2


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic ZTpl", "Bearer"])
def test_a_call_without_a_live_token_is_401(api: Api, authorization: str | None) -> None:
    """Whatever the call is, even to unknown paths; the answer names the scheme."""
    for path in (STATIONS, "//partner/v9/nothing"):
        answer = api.get(path, headers={"Authorization": authorization})

        assert error(answer) == (401, "unauthorized", None)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_escaped_path_is_no_way_round_the_token(api: Api) -> None:
    """The guard sees the path as the routes do, however it was written; the log has it as written."""
    path = "/%70artner/v1/dealers/12345/monitoring-stations"
    connection = HTTPConnection(api.emulator.host, api.emulator.port, timeout=20)  # unlike requests, it leaves paths be
    statuses = []

    for headers in ({}, {"Authorization": str(api.session.headers["Authorization"])}):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [401, 200]
    assert api.emulator.requests[-1].path == path


def test_a_dealer_that_does_not_exist_is_404_everywhere(api: Api) -> None:
    """The dealer is checked before the station."""
    api.dealer_id = 99

    for answer in (api.get(""), api.get(STATIONS), api.post(STATIONS, EAST), api.delete(f"{STATIONS}/1")):
        assert error(answer) == (404, "not_found", "dealer_id")


@pytest.mark.parametrize(("status", "code"), [(403, "forbidden"), (404, "not_found")])
def test_a_withdrawn_dealer_is_refused_everywhere_and_keeps_its_stations(api: Api, status: int, code: str) -> None:
    """403 or 404, as asked for, until access is granted again."""
    api.post(STATIONS, EAST)
    api.emulator.withdraw_dealer(12345, status=status)  # type: ignore[arg-type]

    for path in ("", STATIONS, f"{STATIONS}/1", "/sites"):
        assert error(api.get(path)) == (status, code, "dealer_id")

    api.emulator.restore_dealer(12345)
    assert len(api.get(STATIONS).json()) == 1


def test_a_station_of_another_dealer_is_404(api: Api) -> None:
    """An id counts below its own dealer only."""
    api.emulator.add_dealer(2)
    api.emulator.add_station(external_monitoring_station_id="c", name="c", dealer_id=2)

    assert error(api.get(f"{STATIONS}/1")) == (404, "not_found", "monitoring_station_id")
    assert error(api.delete(f"{STATIONS}/1")) == (404, "not_found", "monitoring_station_id")
    assert len(api.emulator.stations(2)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": " \t\u00a0"}, "name"),
        ({"name": 5}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"external_monitoring_station_id": ""}, "external_monitoring_station_id"),
        ({"external_monitoring_station_id": True}, "external_monitoring_station_id"),
        ({"prefix": 7}, "prefix"),
        ({"linecard": ["1"]}, "linecard"),
    ],
)
def test_a_field_with_a_bad_value_is_422_and_named(api: Api, change: dict[str, Any], field: str) -> None:
    """Names must hold more than blanks, and texts must be texts, in POST and PUT."""
    api.emulator.add_station(external_monitoring_station_id="old", name="old")

    assert error(api.post(STATIONS, EAST | change)) == (422, "validation_failed", field)
    if field != "external_monitoring_station_id":
        assert error(api.put(f"{STATIONS}/1", change)) == (422, "validation_failed", field)
    assert [station["name"] for station in api.emulator.stations()] == ["old"]


@pytest.mark.parametrize("field", ["external_monitoring_station_id", "name"])
def test_a_required_field_that_is_missing_is_422_and_named(api: Api, field: str) -> None:
    """POST needs both."""
    body = {name: value for name, value in EAST.items() if name != field}

    assert error(api.post(STATIONS, body)) == (422, "validation_failed", field)


@pytest.mark.parametrize("body", ["", "{", "nonsense", "[" * 100_000, '{"name": NaN'])
def test_a_body_that_is_not_json_is_400(api: Api, body: str) -> None:
    """Broken, empty and bottomless JSON alike."""
    answer = api.post(STATIONS, None, data=body, headers={"Content-Type": "application/json"})

    assert error(answer) == (400, "bad_request", None)


def test_a_body_that_is_no_object_is_422(api: Api) -> None:
    """It is JSON, but not the shape of a station."""
    assert error(api.post(STATIONS, ["east"])) == (422, "validation_failed", None)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_does_not_call_itself_json_is_415(api: Api, content_type: str | None) -> None:
    """The content type counts, not the content."""
    answer = api.post(STATIONS, None, data=b'{"name": "East"}', headers={"Content-Type": content_type})

    assert error(answer) == (415, "unsupported_media_type", None)


def test_a_content_type_with_a_charset_is_json(api: Api) -> None:
    """Parameters of the content type do not matter."""
    answer = api.post(STATIONS, EAST, headers={"Content-Type": "Application/JSON; charset=utf-8"})

    assert answer.status_code == 201


def test_a_body_over_one_mebibyte_is_413(api: Api) -> None:
    """One byte makes the difference, and the connection goes on."""
    fits = b'{"external_monitoring_station_id": "e", "name": "e"}'.ljust(1024 * 1024)
    json = {"Content-Type": "application/json"}

    assert error(api.post(STATIONS, None, data=fits + b" ", headers=json)) == (413, "payload_too_large", None)
    assert api.post(STATIONS, None, data=fits, headers=json).status_code == 201


@pytest.mark.parametrize("text", ["x", "1.0", "-1", "0", "1_0", "%2b1", "%EF%BC%91", "9223372036854775808", "%2e%2e"])
def test_an_id_in_the_path_that_is_no_number_is_422(api: Api, text: str) -> None:
    """Ids are decimal digits, from 1 to 2**63 - 1."""
    assert error(api.get(f"{STATIONS}/{text}")) == (422, "validation_failed", "monitoring_station_id")
    api.dealer_id = text  # type: ignore[assignment]
    assert error(api.get(STATIONS)) == (422, "validation_failed", "dealer_id")


@pytest.mark.parametrize("path", ["/nothing", f"{STATIONS}/", f"{STATIONS}/1/more", "//", "//partner/v1", "//nothing"])
def test_an_unknown_route_is_404(api: Api, path: str) -> None:
    """A trailing slash makes another route; nothing is redirected."""
    assert error(api.get(path)) == (404, "not_found", None)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", STATIONS, "GET, POST"),
        ("POST", f"{STATIONS}/1", "DELETE, GET, PUT"),
        ("DELETE", "", "GET"),
        ("DELETE", "/sites/1", "GET, PUT"),
        ("GET", "//oauth/token", "POST"),
    ],
)
def test_a_wrong_method_is_405_and_the_right_ones_are_named(api: Api, method: str, path: str, allowed: str) -> None:
    """Allow names every method of the path."""
    answer = api.call(method, path)

    assert error(answer) == (405, "method_not_allowed", None)
    assert answer.headers["Allow"] == allowed


def test_two_readers_of_one_emulator_see_the_same_stations(api: Api, emulator: Emulator) -> None:
    """The controls show what the API made, in one form: "" for what is unset."""
    api.post(STATIONS, EAST)

    [station] = emulator.stations()
    assert station["external_monitoring_station_id"] == "cs-east"
    assert (station["prefix"], station["linecard"]) == ("", "")

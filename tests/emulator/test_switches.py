"""Every switch, in each of its positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from chekt_provider.emulator import Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
FULL = EAST | {"prefix": "CH", "linecard": "12"}


def test_the_defaults_are_what_chekt_most_likely_does() -> None:
    """Programs and tests that set nothing rely on these."""
    assert Switches().model_dump() == {
        "put": "merge",
        "unset": "null",
        "clear": "empty",
        "duplicate": "409",
        "external_ids": "exact",
        "values": "exact",
        "cut_at": 10,
        "numbers": "once",
        "created_at": "zoned",
        "database_clock": 0,
        "date_header": "sent",
        "post_answer": "station",
        "delete_answer": "204",
        "delete_delay": 2,
        "delete_with_sites": "orphan",
        "gone": "404",
        "idempotency": "kept",
        "replays": "unmarked",
        "lists": "whole",
        "page_size": 100,
        "list_total": "untold",
        "unknown_query": "ignored",
        "list_lag": 0,
        "item_lag": 0,
        "site_put": "merge",
        "site_activation": "kept",
        "site_put_delay": 0,
        "site_put_answer": "new",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"put": "patch"},
        {"duplicate": 409},
        {"colour": "red"},
        {"page_size": 0},
        {"cut_at": 0},
        {"list_lag": 61},
        {"item_lag": 60.5},
        {"list_lag": True},
        {"delete_delay": -1},
    ],
)
def test_a_switch_that_does_not_exist_is_refused(wrong: dict[str, Any]) -> None:
    """Neither an unknown name nor an unknown position passes."""
    with pytest.raises(ValidationError):
        Switches(**wrong)


def test_switches_can_be_set_while_it_runs(api: Api) -> None:
    """The next answer follows it."""
    api.post(STATIONS, EAST)

    api.emulator.switches = Switches(unset="empty")

    assert api.get(f"{STATIONS}/1").json()["prefix"] == ""


@pytest.mark.parametrize(
    ("put", "linecard", "name"),
    [("merge", "12", "East"), ("replace", None, "East")],
)
def test_put_merges_or_replaces(make_api: Callable[..., Api], put: Any, linecard: str | None, name: str) -> None:
    """With replace, a linecard that is left out becomes unset; the name stays either way."""
    api = make_api(switches=Switches(put=put))
    api.post(STATIONS, FULL)

    answer = api.put(f"{STATIONS}/1", {"prefix": "NEW"}).json()

    assert (answer["prefix"], answer["linecard"], answer["name"]) == ("NEW", linecard, name)


def test_put_of_a_station_says_nothing_of_sites(make_api: Callable[..., Api]) -> None:
    """A site keeps what a body leaves out, unless `site_put` says otherwise."""
    api = make_api(switches=Switches(put="replace"))
    api.emulator.add_site(external_site_id="s", name="S", address1="A")

    assert api.put("/sites/1", {"account_number": "77"}).json()["address1"] == "A"


@pytest.mark.parametrize(
    ("unset", "shown"),
    [("null", {"prefix": None, "linecard": None}), ("empty", {"prefix": "", "linecard": ""}), ("absent", {})],
)
def test_an_unset_field_comes_back_as_null_empty_or_not_at_all(
    make_api: Callable[..., Api], unset: Any, shown: dict[str, Any]
) -> None:
    """POST, GET, list and PUT agree."""
    api = make_api(switches=Switches(unset=unset))

    answers = [api.post(STATIONS, EAST), api.get(f"{STATIONS}/1"), api.put(f"{STATIONS}/1", {})]

    for station in [answer.json() for answer in answers] + api.get(STATIONS).json():
        assert {field: station[field] for field in ("prefix", "linecard") if field in station} == shown


@pytest.mark.parametrize(("clear", "clears", "refused"), [("empty", "", None), ("null", None, "")])
@pytest.mark.parametrize("field", ["prefix", "linecard"])
def test_one_value_clears_and_the_other_is_refused(
    make_api: Callable[..., Api], clear: Any, clears: Any, refused: Any, field: str
) -> None:
    """A 422 names the field, in PUT as in POST, and nothing changes."""
    api = make_api(switches=Switches(clear=clear))
    api.post(STATIONS, FULL)

    for answer in (
        api.put(f"{STATIONS}/1", {"name": "N", field: refused}),
        api.post(STATIONS, {"external_monitoring_station_id": "w", "name": "W", field: refused}),
    ):
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == field
    [unchanged] = api.emulator.stations()
    assert (unchanged["name"], unchanged["prefix"], unchanged["linecard"]) == ("East", "CH", "12")

    assert api.put(f"{STATIONS}/1", {field: clears}).status_code == 200
    assert api.emulator.stations()[0][field] == ""
    new = {"external_monitoring_station_id": "n", "name": "N", field: clears}
    assert api.post(STATIONS, new).status_code == 201


@pytest.mark.parametrize(
    ("duplicate", "status", "code"),
    [("409", 409, "conflict"), ("400", 400, "bad_request"), ("422", 422, "validation_failed")],
)
def test_a_second_station_with_the_same_external_id_is_refused(
    make_api: Callable[..., Api], duplicate: Any, status: int, code: str
) -> None:
    """The refusal names the field; there is one station."""
    api = make_api(switches=Switches(duplicate=duplicate))
    api.post(STATIONS, EAST)

    answer = api.post(STATIONS, EAST | {"name": "Other"})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (status, code, "external_monitoring_station_id")
    assert [station["name"] for station in api.emulator.stations()] == ["East"]


def test_with_twin_a_second_station_is_made(make_api: Callable[..., Api]) -> None:
    """Both have the same external id."""
    api = make_api(switches=Switches(duplicate="twin"))

    assert [api.post(STATIONS, EAST).status_code for _ in range(2)] == [201, 201]
    assert [station["external_monitoring_station_id"] for station in api.emulator.stations()] == ["cs-east"] * 2


def test_two_dealers_may_use_the_same_external_id(api: Api) -> None:
    """An external id counts within its dealer."""
    api.emulator.add_dealer(2)
    api.post(STATIONS, EAST)
    api.dealer_id = 2

    assert api.post(STATIONS, EAST).status_code == 201


def station_with_a_site(api: Api) -> None:
    api.post(STATIONS, EAST)
    api.post("/sites", {"external_site_id": "s", "name": "S", "timezone": "UTC", "monitoring_station_id": 1})


def test_with_orphan_a_station_with_sites_is_deleted_and_they_dangle(api: Api) -> None:
    """The sites stay, without a station."""
    station_with_a_site(api)

    assert api.delete(f"{STATIONS}/1").status_code == 204

    site = api.get("/sites/1").json()
    assert (site["monitoring_station_id"], site["external_monitoring_station_id"]) == (None, None)


def test_with_refuse_a_station_with_sites_stays(make_api: Callable[..., Api]) -> None:
    """409 until the last site has moved."""
    api = make_api(switches=Switches(delete_with_sites="refuse"))
    station_with_a_site(api)

    answer = api.delete(f"{STATIONS}/1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    api.put("/sites/1", {"monitoring_station_id": None})
    assert api.delete(f"{STATIONS}/1").status_code == 204


def five(make_api: Callable[..., Api], lists: Any) -> Api:
    api = make_api(switches=Switches(lists=lists, page_size=2))
    for number in range(1, 6):
        api.emulator.add_station(external_monitoring_station_id=f"s{number}", name=f"S{number}")
        api.emulator.add_site(external_site_id=f"p{number}", name=f"P{number}")
    return api


def ids(api: Api, path: str, **query: Any) -> list[int]:
    answer = api.get(path, params=query)
    assert answer.status_code == 200
    assert "Link" not in answer.headers
    return [row.get("site_id", row.get("monitoring_station_id")) for row in answer.json()]


@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_a_whole_list_ignores_all_parameters(make_api: Callable[..., Api], path: str) -> None:
    """It knows no paging parameters of any style."""
    api = five(make_api, "whole")

    assert ids(api, path, page=2, page_size=1, offset=3, limit="many", cursor="x") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_pages_are_cut_silently(make_api: Callable[..., Api], path: str) -> None:
    """`page` counts from 1, `page_size` says how many, and nothing says that there is more."""
    api = five(make_api, "pages")

    assert ids(api, path) == [1, 2]
    assert ids(api, path, page=3) == [5]
    assert ids(api, path, page=4) == []
    assert ids(api, path, page=2, page_size=3) == [4, 5]
    assert ids(api, path, offset=4, limit=1) == [1, 2]


@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_offset_and_limit_cut_silently(make_api: Callable[..., Api], path: str) -> None:
    """`offset` rows are left out, at most `limit` come."""
    api = five(make_api, "offset")

    assert ids(api, path) == [1, 2]
    assert ids(api, path, offset=4) == [5]
    assert ids(api, path, offset=1, limit=3) == [2, 3, 4]
    assert ids(api, path, page=2) == [1, 2]


@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_pages_may_count_from_0(make_api: Callable[..., Api], path: str) -> None:
    """No `page` is page 0."""
    api = five(make_api, "pages_from_0")

    assert ids(api, path) == [1, 2]
    assert ids(api, path, page=0) == [1, 2]
    assert ids(api, path, page=1) == [3, 4]
    assert ids(api, path, page=1, page_size=3) == [4, 5]
    assert ids(api, path, page=3) == []


@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_skip_and_limit_cut_silently(make_api: Callable[..., Api], path: str) -> None:
    """`skip` rows are left out, at most `limit` come; `offset` is unknown."""
    api = five(make_api, "skip")

    assert ids(api, path) == [1, 2]
    assert ids(api, path, skip=4) == [5]
    assert ids(api, path, skip=1, limit=3) == [2, 3, 4]
    assert ids(api, path, offset=2) == [1, 2]


@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_page_and_offset_may_add_up(make_api: Callable[..., Api], path: str) -> None:
    """A caller that sends both skips rows: its page begins at (page - 1) * page_size + offset."""
    api = five(make_api, "added")

    assert ids(api, path) == [1, 2]
    assert ids(api, path, page=2) == [3, 4]
    assert ids(api, path, offset=3) == [4, 5]
    assert ids(api, path, page=2, offset=2) == [5]
    assert ids(api, path, page=2, page_size=3, offset=1) == [5]


@pytest.mark.parametrize(
    ("lists", "query"),
    [
        ("pages_from_0", "page=-1"),
        ("skip", "skip=x"),
        ("skip", "limit=0"),
        ("added", "page=0"),
        ("added", "offset=-1"),
        ("pages", "page=0"),
        ("pages", "page=x"),
        ("pages", "page_size=0"),
        ("pages", "page=" + "9" * 5000),
        ("offset", "offset=-1"),
        ("offset", "limit=1.5"),
        ("links", "cursor=x"),
        ("links", "cursor=YWZ0ZXI6eA=="),
    ],
)
def test_a_bad_paging_parameter_is_422_and_named(make_api: Callable[..., Api], lists: Any, query: str) -> None:
    """The field is the parameter."""
    answer = five(make_api, lists).get(f"{STATIONS}?{query}")

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, query.partition("=")[0])


@pytest.mark.parametrize(("size", "expected"), [(2, [[1, 2], [3, 4], [5]]), (5, [[1, 2, 3, 4, 5]])])
@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_links_lead_through_the_whole_list(
    make_api: Callable[..., Api], path: str, size: int, expected: list[list[int]]
) -> None:
    """Each page except the last names the next (RFC 8288); nobody can guess the cursor as a number."""
    api = five(make_api, "links")
    api.emulator.switches = Switches(lists="links", page_size=size)
    url, pages = api.get(path).url, []

    while url:
        answer = api.session.get(url, timeout=20)
        pages.append([row.get("site_id", row.get("monitoring_station_id")) for row in answer.json()])
        url = answer.links.get("next", {}).get("url", "")
        assert url == "" or not url.partition("cursor=")[2].isdigit()

    assert pages == expected

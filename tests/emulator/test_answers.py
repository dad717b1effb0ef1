"""The switches for what is kept, and for what the answers about one station or list say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chekt_provider.emulator import Fault, Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

STATIONS = "/monitoring-stations"
EAST = {"external_monitoring_station_id": "cs-east", "name": "East"}
WEST = {"external_monitoring_station_id": "cs-west", "name": "West"}
KEY = {"Idempotency-Key": "k"}


def refusal(answer: Any) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["field"]


# What is kept


@pytest.mark.parametrize(
    ("external_ids", "kept", "twin"),
    [
        ("exact", "  CS  East ", "  CS  East "),
        ("folded", "  cs  east ", "  cs  EAST "),
        ("trimmed", "CS East", "CS \t East"),
    ],
)
def test_an_external_id_is_kept_as_sent_folded_or_trimmed(
    make_api: Callable[..., Api], external_ids: Any, kept: str, twin: str
) -> None:
    """Only what is kept decides what a duplicate is."""
    api = make_api(switches=Switches(external_ids=external_ids))

    made = api.post(STATIONS, EAST | {"external_monitoring_station_id": "  CS  East "})

    assert made.json()["external_monitoring_station_id"] == kept
    assert [s["external_monitoring_station_id"] for s in api.emulator.stations()] == [kept]
    assert api.post(STATIONS, EAST | {"external_monitoring_station_id": twin}).status_code == 409
    assert api.post(STATIONS, EAST | {"external_monitoring_station_id": "CSEast"}).status_code == 201


def test_two_cases_are_two_stations_when_ids_are_kept_as_sent(api: Api) -> None:
    """Case and blanks count."""
    for external_id in ("a b", "A b", "a  b", " a b"):
        assert api.post(STATIONS, EAST | {"external_monitoring_station_id": external_id}).status_code == 201


@pytest.mark.parametrize(
    ("switches", "kept"),
    [
        (Switches(), ("Central Station", "Ch-1", "line 12 a")),
        (Switches(values="capitals"), ("CENTRAL STATION", "CH-1", "LINE 12 A")),
        (Switches(values="cut"), ("Central St", "Ch-1", "line 12 a")),
        (Switches(values="cut", cut_at=3), ("Cen", "Ch-", "lin")),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_values_are_kept_as_sent_in_capitals_or_cut(
    make_api: Callable[..., Api], switches: Switches, kept: tuple[str, str, str], method: str
) -> None:
    """Name, prefix and linecard, in POST as in PUT; never the external id."""
    api = make_api(switches=switches)
    values = {"name": "Central Station", "prefix": "Ch-1", "linecard": "line 12 a"}
    if method == "POST":
        station = api.post(STATIONS, {"external_monitoring_station_id": "central-station-1"} | values).json()
    else:
        api.emulator.add_station(external_monitoring_station_id="central-station-1", name="x")
        station = api.put(f"{STATIONS}/1", values).json()

    assert (station["name"], station["prefix"], station["linecard"]) == kept
    assert station["external_monitoring_station_id"] == "central-station-1"
    assert api.get(f"{STATIONS}/1").json() == station


@pytest.mark.parametrize(("numbers", "given"), [("once", [1, 2, 3, 4, 5]), ("again", [1, 2, 3, 2, 4])])
def test_a_number_is_given_once_or_again(make_api: Callable[..., Api], numbers: Any, given: list[int]) -> None:
    """Again gives the smallest free number, to stations of the API and of the controls alike."""
    api = make_api(switches=Switches(numbers=numbers))
    made = [api.emulator.add_station(external_monitoring_station_id=name, name=name) for name in "abc"]

    api.delete(f"{STATIONS}/2")

    made.append(api.post(STATIONS, EAST).json()["monitoring_station_id"])
    made.append(api.emulator.add_station(external_monitoring_station_id="d", name="d"))
    assert made == given


# Times


@pytest.mark.parametrize(
    ("created_at", "shown"),
    [
        ("zoned", {"created_at": "2027-01-15T08:00:00.000Z"}),
        ("naive", {"created_at": "2027-01-15T08:00:00.000"}),
        ("absent", {}),
    ],
)
@pytest.mark.parametrize("unset", ["null", "empty", "absent"])
def test_created_at_of_a_station_is_zoned_naive_or_absent(
    make_api: Callable[..., Api], time: Time, created_at: Any, shown: dict[str, str], unset: Any
) -> None:
    """POST, GET, PUT and list agree; the controls show it in full."""
    api = make_api(clock=time, switches=Switches(created_at=created_at, unset=unset))

    stations = [api.post(STATIONS, EAST), api.get(f"{STATIONS}/1"), api.put(f"{STATIONS}/1", {"name": "N"})]

    for station in [answer.json() for answer in stations] + api.get(STATIONS).json():
        assert {field: text for field, text in station.items() if field == "created_at"} == shown
    assert api.emulator.stations()[0]["created_at"] == "2027-01-15T08:00:00.000Z"


@pytest.mark.parametrize(
    ("ahead", "created_at"), [(90.5, "2027-01-15T08:01:30.500Z"), (-30, "2027-01-15T07:59:30.000Z")]
)
def test_the_database_s_clock_may_differ_from_that_of_the_date(
    make_api: Callable[..., Api], time: Time, ahead: float, created_at: str
) -> None:
    """It applies to what is made from now on; the Date header keeps the one clock."""
    api = make_api(clock=time, switches=Switches(database_clock=ahead))

    made = api.post(STATIONS, EAST)
    api.emulator.switches = Switches()

    assert made.json()["created_at"] == created_at
    assert made.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert api.get(f"{STATIONS}/1").json()["created_at"] == created_at


def test_answers_may_have_no_date(api: Api) -> None:
    """This includes refusals, and a fault's own answer."""
    assert "Date" in api.get(STATIONS).headers
    api.emulator.switches = Switches(date_header="absent")
    api.emulator.add_fault(Fault(body="[]", skip=3))

    answers = [api.get(STATIONS), api.get(f"{STATIONS}/9"), api.token(), api.get(STATIONS)]

    assert [answer.status_code for answer in answers] == [200, 404, 200, 200]
    assert not any("Date" in answer.headers for answer in answers)


# POST and DELETE


def test_post_may_answer_with_a_location_alone(make_api: Callable[..., Api]) -> None:
    """201, no body, and where the station is; a repeat says the same."""
    api = make_api(switches=Switches(post_answer="location"))

    for _ in range(2):
        made = api.post(STATIONS, EAST, headers=KEY)
        assert (made.status_code, made.content, "Content-Type" in made.headers) == (201, b"", False)
        assert made.headers["Location"] == f"{api.emulator.url}/partner/v1/dealers/12345/monitoring-stations/1"

    assert api.session.get(made.headers["Location"], timeout=20).json()["name"] == "East"


def test_post_may_only_accept(make_api: Callable[..., Api]) -> None:
    """202 and no body, and the station is there."""
    api = make_api(switches=Switches(post_answer="accepted"))

    made = api.post(STATIONS, EAST)

    assert (made.status_code, made.content, "Location" in made.headers) == (202, b"", False)
    assert [station["name"] for station in api.get(STATIONS).json()] == ["East"]
    assert api.post(STATIONS, EAST).status_code == 409


def test_delete_may_answer_with_a_body(make_api: Callable[..., Api]) -> None:
    """200, and the station is gone."""
    api = make_api(switches=Switches(delete_answer="200"))
    api.post(STATIONS, EAST)

    answer = api.delete(f"{STATIONS}/1")

    assert (answer.status_code, answer.json()) == (200, {"deleted": True})
    assert api.emulator.stations() == []


def test_delete_may_be_done_later(make_api: Callable[..., Api], time: Time) -> None:
    """202 and no body; until the delay is over the station is there, and so is its site on it."""
    api = make_api(clock=time, switches=Switches(delete_answer="202"))
    api.post(STATIONS, EAST)
    api.emulator.add_site(external_site_id="s", name="S", monitoring_station_id=1)

    answer = api.delete(f"{STATIONS}/1")
    time.now += 1.9

    assert (answer.status_code, answer.content) == (202, b"")
    assert api.delete(f"{STATIONS}/1").status_code == 202
    assert api.get(f"{STATIONS}/1").status_code == 200
    assert len(api.get(STATIONS).json()) == 1
    assert api.get("/sites/1").json()["monitoring_station_id"] == 1
    time.now += 0.1
    assert api.get("/sites/1").json()["monitoring_station_id"] is None
    assert api.get(f"{STATIONS}/1").status_code == 404
    assert api.get(STATIONS).json() == []
    assert api.delete(f"{STATIONS}/1").status_code == 404


@pytest.mark.parametrize("look", ["controls", "post"])
def test_whatever_comes_next_finds_a_late_deletion_done(make_api: Callable[..., Api], time: Time, look: str) -> None:
    """The controls see it, and its external id is free again, even if the next request itself is refused."""
    api = make_api(clock=time, switches=Switches(delete_answer="202", delete_delay=30))
    api.post(STATIONS, EAST)
    api.post(STATIONS, WEST)
    api.delete(f"{STATIONS}/1")

    time.now += 30

    if look == "post":
        assert api.post(STATIONS, WEST).status_code == 409
        assert api.post(STATIONS, EAST).status_code == 201
    assert [s["monitoring_station_id"] for s in api.emulator.stations()] == ([2] if look == "controls" else [2, 3])


def test_a_late_deletion_spares_whoever_has_its_number_by_then(make_api: Callable[..., Api], time: Time) -> None:
    """The station was removed in between, and its number given again."""
    api = make_api(clock=time, switches=Switches(delete_answer="202", numbers="again"))
    api.post(STATIONS, EAST)
    api.delete(f"{STATIONS}/1")
    api.emulator.remove_station(1)
    assert api.post(STATIONS, WEST).json()["monitoring_station_id"] == 1

    time.now += 60

    assert [station["name"] for station in api.get(STATIONS).json()] == ["West"]


def test_a_late_deletion_spares_the_station_that_was_put_in_its_place(make_api: Callable[..., Api], time: Time) -> None:
    """It is as after a restored backup."""
    api = make_api(clock=time, switches=Switches(delete_answer="202"))
    api.post(STATIONS, EAST)
    api.delete(f"{STATIONS}/1")
    api.emulator.put_station(1, external_monitoring_station_id="w", name="West")

    time.now += 60

    assert [station["name"] for station in api.get(STATIONS).json()] == ["West"]


def test_two_late_deletions_of_a_station_are_one(make_api: Callable[..., Api], time: Time) -> None:
    """The first one counts; the second finds nothing, and does not hit the next station of that number."""
    api = make_api(clock=time, switches=Switches(delete_answer="202", numbers="again"))
    api.post(STATIONS, EAST)
    api.delete(f"{STATIONS}/1")
    time.now += 1
    api.delete(f"{STATIONS}/1")
    time.now += 1
    assert api.post(STATIONS, WEST).json()["monitoring_station_id"] == 1
    time.now += 60
    assert len(api.get(STATIONS).json()) == 1

    for _ in range(2):
        api.delete(f"{STATIONS}/1")
    time.now += 60
    assert api.get(STATIONS).json() == []


def test_a_late_deletion_is_refused_at_once_for_its_sites(make_api: Callable[..., Api], time: Time) -> None:
    """409, and nothing happens later."""
    api = make_api(clock=time, switches=Switches(delete_answer="202", delete_with_sites="refuse"))
    api.post(STATIONS, EAST)
    api.emulator.add_site(external_site_id="s", name="S", monitoring_station_id=1)

    assert api.delete(f"{STATIONS}/1").status_code == 409

    time.now += 60
    assert api.get(f"{STATIONS}/1").status_code == 200


@pytest.mark.parametrize(("gone", "expected"), [("404", (404, "not_found")), ("410", (410, "gone"))])
def test_what_was_deleted_answers_404_or_410(make_api: Callable[..., Api], gone: Any, expected: Any) -> None:
    """What never existed is still 404, as is a station of another dealer."""
    api = make_api(dealers=(12345, 2), switches=Switches(gone=gone))
    api.post(STATIONS, EAST)
    api.emulator.add_station(external_monitoring_station_id="other", name="Other", dealer_id=2)
    api.emulator.add_site(external_site_id="s", name="S")
    api.delete(f"{STATIONS}/1")
    api.emulator.remove_station(2, dealer_id=2)
    api.emulator.remove_site(1)

    for answer in (
        api.get(f"{STATIONS}/1"),
        api.put(f"{STATIONS}/1", {"name": "N"}),
        api.delete(f"{STATIONS}/1"),
    ):
        assert refusal(answer) == (*expected, "monitoring_station_id")
    for answer in (api.get("/sites/1"), api.put("/sites/1", {"name": "N"})):
        assert refusal(answer) == (*expected, "site_id")
    for path in (f"{STATIONS}/2", f"{STATIONS}/3", "/sites/2"):
        assert api.get(path).status_code == 404


def test_a_site_cannot_go_to_a_deleted_station(make_api: Callable[..., Api]) -> None:
    """404, since the path is the site's, not the station's."""
    api = make_api(switches=Switches(gone="410"))
    api.post(STATIONS, EAST)
    api.delete(f"{STATIONS}/1")
    api.emulator.add_site(external_site_id="s", name="S")

    assert refusal(api.put("/sites/1", {"monitoring_station_id": 1})) == (404, "not_found", "monitoring_station_id")


# Lists


@pytest.mark.parametrize("lists", ["whole", "pages", "links"])
@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_a_list_may_tell_how_many_rows_there_are(make_api: Callable[..., Api], path: str, lists: Any) -> None:
    """It is the whole list's count, on every page; without the switch nothing tells it."""
    api = make_api()
    for name in "abc":
        api.emulator.add_station(external_monitoring_station_id=name, name=name)
        api.emulator.add_site(external_site_id=name, name=name)
    assert "X-Total-Count" not in api.get(path).headers

    api.emulator.switches = Switches(lists=lists, page_size=2, list_total="told")

    assert api.get(path).headers["X-Total-Count"] == "3"
    assert api.get(path, params={"page": 2}).headers["X-Total-Count"] == "3"


@pytest.mark.parametrize(
    ("lists", "known", "unknown"),
    [
        ("whole", "", "page=1"),
        ("pages", "page=1&page_size=2", "offset=0"),
        ("pages_from_0", "page=0&page_size=2", "limit=1"),
        ("offset", "offset=0&limit=2", "page=1"),
        ("skip", "skip=0&limit=2", "offset=1"),
        ("added", "page=1&page_size=2&offset=0", "limit=x"),
        ("links", "cursor=YWZ0ZXI6MQ==", "page_size=1"),
    ],
)
@pytest.mark.parametrize("path", [STATIONS, "/sites"])
def test_a_list_may_refuse_a_parameter_that_it_does_not_know(
    make_api: Callable[..., Api], path: str, lists: Any, known: str, unknown: str
) -> None:
    """A 400 names the parameter; it takes what it knows."""
    api = make_api(switches=Switches(lists=lists))
    assert api.get(f"{path}?{unknown}").status_code == 200

    api.emulator.switches = Switches(lists=lists, unknown_query="refused")

    assert api.get(f"{path}?{known}").status_code == 200
    assert refusal(api.get(f"{path}?{known}&{unknown}")) == (400, "bad_request", unknown.partition("=")[0])


# Repeats


@pytest.mark.parametrize(("replays", "mark"), [("unmarked", None), ("marked", "true")])
def test_a_repeated_answer_may_be_marked_as_one(make_api: Callable[..., Api], replays: Any, mark: str | None) -> None:
    """The first answer never has the mark."""
    api = make_api(switches=Switches(replays=replays))

    answers = [api.post(STATIONS, EAST, headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, mark]

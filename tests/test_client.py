"""The rows of the API: what is asked, what is taken from the answer, and lists that are whole or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chekt_provider.api.client import Client, Created, Listing
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import (
    ChektError,
    InvalidInput,
    ListIncomplete,
    NotChekt,
    NotFound,
    PermissionDenied,
    ServerFailed,
)
from chekt_provider.models import Site, Station
from tests.clock import Clock
from tests.helpers import COLLECTION, anonymous, calls
from tests.raw_server import RawServer, http

SITES = "/partner/v1/dealers/12345/sites"
NewServer = Callable[..., RawServer]

BODY = {"external_monitoring_station_id": "central-01", "name": "Central", "prefix": "CH", "linecard": "7"}


def stations(client: Client) -> Listing[Station]:
    """The dealer's stations."""
    return client.list_stations(client.operation("list the stations"), "12345")


def ids(client: Client) -> list[str]:
    """The ids of the dealer's stations, as listed."""
    return [station.monitoring_station_id for station in stations(client).items]


def failed(client: Client) -> ChektError:
    """The error of a list."""
    with pytest.raises(ChektError) as caught:
        stations(client)
    return caught.value


def filled(emulator: Emulator, count: int) -> None:
    """Let the dealer have so many stations."""
    for number in range(1, count + 1):
        emulator.add_station(external_monitoring_station_id=f"s-{number}", name=f"Station {number}")


def asked(emulator: Emulator) -> list[tuple[str, str, object, str | None]]:
    """Method, path below the dealer, body and key of each call, those for a token left out."""
    return [
        (r.method, r.path.removeprefix("/partner/v1/dealers/12345"), r.body, r.idempotency_key)
        for r in emulator.requests
        if r.path != "/oauth/token"
    ]


# rows


def test_creating_posts_the_body_to_the_collection(emulator: Emulator, client: Client) -> None:
    """And gives the station as answered, and CHeKT's clock."""
    emulator.add_fault(Fault(path=COLLECTION, when="after", headers={"Date": "Mon, 02 Nov 2026 12:00:00 GMT"}))

    created = client.create_station(client.operation("create"), "12345", BODY, "k-1")

    assert asked(emulator) == [("POST", "/monitoring-stations", BODY, "k-1")]
    assert created.answered_at is not None
    assert created.answered_at.isoformat() == "2026-11-02T12:00:00+00:00"
    assert created.station == Station(
        monitoring_station_id="1",
        external_monitoring_station_id="central-01",
        name="Central",
        prefix="CH",
        linecard="7",
        created_at=emulator.stations()[0]["created_at"],
    )


@pytest.mark.parametrize("fault", [{"status": 204}, {"status": 201, "body": ""}, {"status": 200, "body": "null"}])
def test_a_creation_that_is_answered_without_a_station_gives_none(
    emulator: Emulator, client: Client, fault: dict[str, Any]
) -> None:
    """That it is made is known; which it is has to be looked for."""
    emulator.add_fault(Fault(path=COLLECTION, when="after", headers={"Date": "soon"}, **fault))

    assert client.create_station(client.operation("create"), "12345", BODY, "k-1") == Created(
        None, None, fault["status"]
    )
    assert calls(emulator) == ["POST /monitoring-stations"]


def test_reading_gets_the_item(emulator: Emulator, client: Client) -> None:
    """One request."""
    filled(emulator, 2)

    station = client.get_station(client.operation("read"), "12345", "2")

    assert asked(emulator) == [("GET", "/monitoring-stations/2", None, None)]
    assert (station.monitoring_station_id, station.name, station.prefix) == ("2", "Station 2", "")


def test_updating_puts_the_item(emulator: Emulator, client: Client) -> None:
    """With the body as given: null stays null."""
    emulator.switches = Switches(clear="null")
    filled(emulator, 1)
    body = {"name": "New", "prefix": "NE", "linecard": None}

    station = client.update_station(client.operation("update"), "12345", "1", body, "k-2", list)

    assert asked(emulator) == [("PUT", "/monitoring-stations/1", body, "k-2")]
    assert station is not None
    assert (station.name, station.prefix, station.linecard) == ("New", "NE", "")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_update_answered_without_a_body_gives_no_station(emulator: Emulator, client: Client, status: int) -> None:
    """What CHeKT holds is not assumed; when to ask for it is decided above."""
    filled(emulator, 1)
    emulator.add_fault(Fault(method="PUT", when="after", status=status, body=None if status == 204 else ""))

    assert client.update_station(client.operation("update"), "12345", "1", {"name": "New"}, "k-2", list) is None
    assert calls(emulator) == ["PUT /monitoring-stations/1"]


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (None, True),
        (Fault(method="DELETE", when="after", status=200, body='{"ok": true}'), False),
        (Fault(method="DELETE", when="after", status=202, body=""), False),
    ],
)
def test_deleting_deletes_the_item(emulator: Emulator, client: Client, fault: Fault | None, done: bool) -> None:
    """204 as documented says that it is done; any other success says that it was accepted."""
    filled(emulator, 2)
    if fault:
        emulator.add_fault(fault)

    assert client.delete_station(client.operation("delete"), "12345", "1", "k-3", lambda: None) is done
    assert asked(emulator) == [("DELETE", "/monitoring-stations/1", None, "k-3")]
    assert [station["monitoring_station_id"] for station in emulator.stations()] == [2]


def test_a_deletion_that_is_not_admitted_does_not_leave(emulator: Emulator, client: Client) -> None:
    """Asked right before it would; the refusal is told as it stands."""
    filled(emulator, 1)

    def admit() -> None:
        raise ListIncomplete("no")

    with pytest.raises(ListIncomplete) as caught:
        client.delete_station(client.operation("delete"), "12345", "1", "k-3", admit)

    assert calls(emulator) == []
    assert str(caught.value) == (
        "Could not delete: no. Nothing was changed. Give the trace id to CHeKT's support, and run again."
    )


def test_a_deletion_is_admitted_anew_each_time_that_it_leaves(emulator: Emulator, client: Client) -> None:
    """What held before the first attempt need not hold before the second."""
    filled(emulator, 1)
    emulator.add_fault(Fault(method="DELETE", status=503, times=2))
    admitted: list[int] = []

    def admit() -> None:
        admitted.append(len(calls(emulator)))

    assert client.delete_station(client.operation("delete"), "12345", "1", "k-3", admit) is True
    assert admitted == [0, 1, 2]
    assert asked(emulator) == [("DELETE", "/monitoring-stations/1", None, "k-3")] * 3


@pytest.mark.parametrize("verb", ["get", "update", "delete"])
def test_a_station_that_is_not_there_is_not_found(client: Client, verb: str) -> None:
    """404 is an error of its own at this level; what it means is decided above."""
    acts: dict[str, Callable[[], object]] = {
        "get": lambda: client.get_station(client.operation("x"), "12345", "77"),
        "update": lambda: client.update_station(client.operation("x"), "12345", "77", {"name": "N"}, "k", list),
        "delete": lambda: client.delete_station(client.operation("x"), "12345", "77", "k", lambda: None),
    }

    with pytest.raises(NotFound):
        acts[verb]()


def test_sites_are_listed_with_their_stations(emulator: Emulator, client: Client) -> None:
    """A site without a station has None."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    emulator.add_site(external_site_id="w-1", name="Warehouse", monitoring_station_id=1)
    emulator.add_site(external_site_id="w-2", name="Shop")

    sites = client.list_sites(client.operation("list the sites"), "12345").items

    assert sites == (
        Site(
            site_id="1",
            external_site_id="w-1",
            name="Warehouse",
            monitoring_station_id="1",
            external_monitoring_station_id="central-01",
        ),
        Site(site_id="2", external_site_id="w-2", name="Shop", monitoring_station_id=None),
    )
    assert {path for _, path, _, _ in asked(emulator)} == {"/sites"}


@pytest.mark.parametrize(
    ("verb", "body", "names"),
    [
        *(
            (verb, body, names)
            for verb in ("create", "get")
            for body, names in [
                ("{}", "monitoring_station_id"),
                ('{"monitoring_station_id": "../5", "name": 7}', "monitoring_station_id, name"),
                ('{"monitoring_station_id": true}', "monitoring_station_id"),
                ("[]", "its shape"),
                ('"ok"', "its shape"),
            ]
        ),
        ("get", "null", "its shape"),
        ("get", "", "its shape"),
    ],
)
def test_an_answer_that_is_no_station_is_an_error(
    emulator: Emulator, client: Client, verb: str, body: str, names: str
) -> None:
    """It names the fields that do not fit, and none of their values."""
    emulator.add_fault(Fault(path="*/monitoring-stations*", body=body))

    operation = client.operation("do it")
    acts: dict[str, Callable[[], object]] = {
        "create": lambda: client.create_station(operation, "12345", BODY, "k-1"),
        "get": lambda: client.get_station(operation, "12345", "1"),
    }
    with pytest.raises(NotChekt) as caught:
        acts[verb]()

    assert str(caught.value).startswith(f"Could not do it: the answer is no station as documented ({names}). ")
    assert caught.value.evidence.status == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_answer_about_another_station_is_an_error(emulator: Emulator, client: Client, method: str) -> None:
    """A cache on the way may mix answers up: what is said of one station is never believed of another."""
    filled(emulator, 2)
    emulator.add_fault(Fault(method=method, when="after", body='{"monitoring_station_id": 2}'))
    operation = client.operation("do it")
    acts: dict[str, Callable[[], object]] = {
        "GET": lambda: client.get_station(operation, "12345", "1"),
        "PUT": lambda: client.update_station(operation, "12345", "1", {"name": "New"}, "k-1", list),
    }

    with pytest.raises(NotChekt) as caught:
        acts[method]()

    assert str(caught.value).startswith("Could not do it: the answer is about station 2. ")


@pytest.mark.parametrize("answer", [{"delay": 0.001}, {"status": 200, "body": '"ok"'}, {"status": 204}])
def test_moving_a_site_puts_it(emulator: Emulator, client: Client, answer: dict[str, Any]) -> None:
    """With the body as given; whatever is answered, it is read to see what became of it."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    emulator.add_site(external_site_id="w-1", name="Warehouse")
    emulator.add_fault(Fault(method="PUT", when="after", **answer))
    body = {"monitoring_station_id": 1}

    client.update_site(client.operation("move"), "12345", "1", body, "k-1", lambda: None)

    assert asked(emulator) == [("PUT", "/sites/1", body, "k-1")]
    assert emulator.sites()[0]["monitoring_station_id"] == 1


def test_a_whole_site_has_what_this_package_does_not_know(emulator: Emulator, client: Client) -> None:
    """The fields as they came, beside those that it knows."""
    body = '{"site_id": 5, "name": "Shop", "address1": null, "colour": {"r": 1}}'
    emulator.add_fault(Fault(path="*/sites/5", body=body))

    site, fields = client.get_whole_site(client.operation("read"), "12345", "5")

    assert (site.site_id, site.name) == ("5", "Shop")
    assert fields == {"site_id": 5, "name": "Shop", "address1": None, "colour": {"r": 1}}


def test_an_answer_about_another_site_is_an_error(emulator: Emulator, client: Client) -> None:
    """As for stations."""
    emulator.add_fault(Fault(path="*/sites/5", body='{"site_id": 6, "name": "Shop"}'))

    with pytest.raises(NotChekt) as caught:
        client.get_site(client.operation("do it"), "12345", "5")

    assert str(caught.value).startswith("Could not do it: the answer is about site 6. ")


# looks


def test_what_must_show_is_looked_for_over_sixteen_seconds(client: Client, clock: Clock) -> None:
    """At once, and after 1, 2, 4 and 9 seconds more."""
    moments = [clock.now - 1000 for _ in client.looks(client.operation("look"))]

    assert moments == [0, 1, 3, 7, 16]


def test_the_waits_between_looks_are_no_part_of_the_deadline(client: Client, clock: Clock) -> None:
    """What is asked at the last look has as much time as what was asked at the first."""
    operation = client.operation("look")

    left = [operation.deadline - clock.now for _ in client.looks(operation)]

    assert left == [120, 120, 120, 120, 120]


# lists: how they are read to their end is in test_lists.py


STYLES = ["whole", "pages", "offset", "links"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_a_list_in_any_style_gives_every_station_once(
    emulator: Emulator, client: Client, style: str, count: int
) -> None:
    """Whole, or in pages of two: by number, by offset, by link."""
    emulator.switches = Switches(lists=style, page_size=2)  # type: ignore[arg-type]
    filled(emulator, count)

    assert ids(client) == [str(number) for number in range(1, count + 1)]


@pytest.mark.parametrize("style", STYLES)
def test_sites_in_pages_are_all_there(emulator: Emulator, client: Client, style: str) -> None:
    """A site on the second page guards its station as well."""
    emulator.switches = Switches(lists=style, page_size=2)  # type: ignore[arg-type]
    for number in range(1, 6):
        emulator.add_site(external_site_id=f"w-{number}", name=f"Site {number}")

    sites = client.list_sites(client.operation("list the sites"), "12345").items

    assert [site.site_id for site in sites] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("style", "count", "requests"),
    [
        ("whole", 0, 2),
        ("whole", 1, 3),
        ("whole", 100, 3),
        ("pages", 0, 2),
        ("pages", 5, 14),
        ("offset", 0, 2),
        ("offset", 5, 7),
        ("links", 0, 2),
        ("links", 2, 3),
        ("links", 5, 6),
    ],
)
def test_a_list_costs_few_requests(emulator: Emulator, client: Client, style: str, count: int, requests: int) -> None:
    """An empty list two, a whole one three: itself, and a question for more in either way of paging.

    Pages without a total are read twice.
    """
    emulator.switches = Switches(lists=style, page_size=2)  # type: ignore[arg-type]
    filled(emulator, count)

    listing = stations(client)

    assert len(calls(emulator)) == requests
    assert listing.requests == requests


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_the_questions_for_more_gave_all(emulator: Emulator, client: Client, status: int) -> None:
    """One that does not know these parameters may say so."""
    filled(emulator, 3)
    emulator.add_fault(Fault(path=COLLECTION, skip=1, status=status, times=None))

    assert ids(client) == ["1", "2", "3"]


def test_a_dealer_that_is_gone_at_the_questions_for_more_fails_the_list(emulator: Emulator, client: Client) -> None:
    """404 may be the end of the list, or its dealer's: the list itself is asked for again to tell."""
    filled(emulator, 3)
    emulator.add_fault(Fault(path=COLLECTION, skip=1, status=404, times=None))

    assert type(failed(client)) is NotFound
    assert len(calls(emulator)) == 3


UNUSABLE: list[tuple[dict[str, Any], type[ChektError]]] = [
    ({"status": 500, "times": 5}, ServerFailed),
    ({"status": 403}, PermissionDenied),
    ({"body": "<html>", "content_type": "text/html"}, NotChekt),
    ({"body": "{}"}, NotChekt),
    ({"body": ""}, NotChekt),
    ({"body": '[{"name": "no id"}]'}, NotChekt),
]


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize(("fault", "kind"), UNUSABLE)
@pytest.mark.parametrize("style", STYLES)
def test_a_request_that_fails_fails_the_list(
    emulator: Emulator, client: Client, style: str, fault: dict[str, Any], kind: type[ChektError], place: int
) -> None:
    """Absence on one page is not absence: half a list is never given for a whole one."""
    emulator.switches = Switches(lists=style, page_size=1)  # type: ignore[arg-type]
    filled(emulator, 5)
    emulator.add_fault(Fault(path=COLLECTION, skip=place - 1, **fault))

    assert type(failed(client)) is kind


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("style", "place"), [("offset", 3), ("pages", 5)])
def test_a_page_that_is_refused_fails_the_list_where_one_was_not(
    emulator: Emulator, client: Client, style: str, place: int, status: int
) -> None:
    """A way of paging that CHeKT took once is one that it knows: a refusal is not the end of the list."""
    emulator.switches = Switches(lists=style, page_size=2)  # type: ignore[arg-type]
    filled(emulator, 5)
    emulator.add_fault(Fault(path=COLLECTION, skip=place - 1, status=status))

    assert type(failed(client)) is InvalidInput


def test_a_link_that_is_refused_fails_the_list(emulator: Emulator, client: Client) -> None:
    """CHeKT named it itself: its refusal is not the end of the list."""
    emulator.switches = Switches(lists="links", page_size=2)
    filled(emulator, 5)
    emulator.add_fault(Fault(path=COLLECTION, skip=1, status=400))

    assert type(failed(client)) is InvalidInput


def test_a_failure_that_passes_does_not_cost_a_page(emulator: Emulator, client: Client) -> None:
    """The page is asked for again."""
    emulator.switches = Switches(lists="offset", page_size=2)
    filled(emulator, 5)
    emulator.add_fault(Fault(path=COLLECTION, skip=1, status=503, times=2))

    assert ids(client) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("body", "content_type", "cause"),
    [
        ("{}", "application/json", "the list is not an array"),
        ('{"data": []}', "application/json", "the list is not an array"),
        ("null", "application/json", "the list is not an array"),
        ('""', "application/json", "the list is not an array"),
        ("", "application/json", "the list is not an array"),
        ("<html>", "text/html", "something that is not CHeKT answered, with text/html"),
        ("[null]", "application/json", "the answer is no station as documented (its shape)"),
        ("[[]]", "application/json", "the answer is no station as documented (its shape)"),
        (
            '[{"monitoring_station_id": 1}, {"monitoring_station_id": -2}]',
            "application/json",
            "the answer is no station as documented (monitoring_station_id)",
        ),
    ],
)
def test_what_is_no_list_is_never_an_empty_one(
    emulator: Emulator, client: Client, body: str, content_type: str, cause: str
) -> None:
    """An empty list makes Pulumi create everything anew: it has to be a list, and each of its items a station."""
    emulator.add_fault(Fault(path=COLLECTION, body=body, content_type=content_type))

    error = failed(client)

    assert type(error) is NotChekt
    assert str(error).startswith(f"Could not list the stations: {cause}. Nothing was changed. ")


# lists that go on by link


def page(*numbers: int, link: str = "") -> bytes:
    body = json.dumps([{"monitoring_station_id": number} for number in numbers]).encode()
    return http(body=body, headers=f"Link: {link}\r\n" if link else "")


def listed_by(
    raw_server: NewServer, new_transport: Callable[..., Transport], *pages: bytes
) -> tuple[list[str], RawServer]:
    """The ids that a list of these pages gives."""
    api = raw_server(*pages)
    return ids(Client(new_transport(base_url=api.url))), api


@pytest.mark.parametrize(
    "link",
    [
        f'<{COLLECTION}?cursor=b>; rel="next"',
        f'<https://other.example{COLLECTION}?cursor=b>; rel="next"',
        f"<{COLLECTION}?cursor=b>; rel=next",
        f'<{COLLECTION}?cursor=a>; rel="prev", <{COLLECTION}?cursor=b>; rel="next"',
        f'<{COLLECTION}?cursor=b>; rel="next"; title="more"',
        f'<{COLLECTION}?cursor=b>; rel="NEXT last"',
        '<?cursor=b>; rel="next"',
    ],
)
def test_a_list_goes_on_where_its_link_says(
    raw_server: NewServer, new_transport: Callable[..., Transport], link: str
) -> None:
    """Absolute or relative; its host is never followed: the token stays with the API's."""
    listed, api = listed_by(raw_server, new_transport, *[page(1, link=link), page(2)] * 2)

    assert listed == ["1", "2"]
    assert [request.split(b" HTTP")[0].decode() for request in api.requests] == [
        f"GET {COLLECTION}",
        f"GET {COLLECTION}?cursor=b",
    ] * 2


def test_an_empty_page_with_a_link_is_not_the_end(
    raw_server: NewServer, new_transport: Callable[..., Transport]
) -> None:
    """Servers that filter may give pages without items."""
    pages = [page(link=f'<{COLLECTION}?c={n}>; rel="next"') for n in (1, 2)]

    listed, _ = listed_by(raw_server, new_transport, *[*pages, page(7)] * 2)

    assert listed == ["7"]


def test_a_page_of_known_items_with_a_link_is_not_the_end(
    raw_server: NewServer, new_transport: Callable[..., Transport]
) -> None:
    """A station that was made meanwhile moves the others to the next page."""
    listed, _ = listed_by(
        raw_server,
        new_transport,
        *[
            page(1, link=f'<{COLLECTION}?c=1>; rel="next"'),
            page(1, link=f'<{COLLECTION}?c=2>; rel="next"'),
            page(2),
        ]
        * 2,
    )

    assert listed == ["1", "2"]


@pytest.mark.parametrize(
    "link",
    [
        '</partner/v1/dealers/99/monitoring-stations?cursor=b>; rel="next"',
        '</partner/v1/dealers/12345/sites?cursor=b>; rel="next"',
        '<https://evil.example/?cursor=b>; rel="next"',
        f'<{COLLECTION}/page/2>; rel="next"',
        '<http://[?cursor=b>; rel="next"',
        '<>; rel="next"',
        '<#x>; rel="next"',
    ],
)
def test_a_link_that_cannot_be_followed_fails_the_list(
    raw_server: NewServer, new_transport: Callable[..., Transport], link: str
) -> None:
    """It says that there is more: what is there so far is not the whole list."""
    api = raw_server(page(1, link=link), page(2))

    error = failed(Client(new_transport(base_url=api.url)))

    assert type(error) is ListIncomplete
    assert error.cause == "a list goes on at another path"
    assert len(api.requests) == 1


def test_a_list_that_goes_in_a_circle_is_an_error(
    raw_server: NewServer, new_transport: Callable[..., Transport]
) -> None:
    """A link that was followed already leads nowhere new."""
    links = [f'<{COLLECTION}?c={n}>; rel="next"' for n in (1, 2, 1)]
    api = raw_server(*(page(1, link=link) for link in links))

    error = failed(Client(new_transport(base_url=api.url)))

    assert type(error) is ListIncomplete
    assert error.cause == "a list goes in a circle"
    assert len(api.requests) == 3


@pytest.mark.parametrize(
    "link", ["", ";;;", "<", 'rel="next"', f'<{COLLECTION}?cursor=b>; rel="last"', f"<{COLLECTION}?c=b>"]
)
def test_other_links_mean_nothing(raw_server: NewServer, new_transport: Callable[..., Transport], link: str) -> None:
    """Only a next page is one."""
    listed, _ = listed_by(raw_server, new_transport, page(1, link=link))

    assert listed == ["1"]


def test_a_list_without_end_is_given_up(
    raw_server: NewServer, new_transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many pages that no dealer has as many stations; the error says of which operation it is."""
    monkeypatch.setattr("chekt_provider.api.lists.MOST_REQUESTS", 5)
    api = raw_server(*(page(number) for number in range(1, 100)))
    client = Client(new_transport(base_url=api.url))

    error = failed(client)

    assert type(error) is ListIncomplete
    assert anonymous(str(error)) == (
        "Could not list the stations: a list did not end after 5 pages. Nothing was changed. "
        "Give the trace id to CHeKT's support, and run again. (trace id T)"
    )
    assert len(api.requests) == 6

"""The rows of the API: what is asked, what is taken from the answer, and lists that are whole or an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
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
from chekt_provider.model.fields import Station
from chekt_provider.model.wire import Site
from tests.another_chekt import AnotherChekt, Row
from tests.another_world import Stack, Stacks
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
    """Give the dealer this many stations."""
    for number in range(1, count + 1):
        emulator.add_station(external_monitoring_station_id=f"s-{number}", name=f"Station {number}")


def asked(emulator: Emulator) -> list[tuple[str, str, object, str | None]]:
    """Method, path below the dealer, body and key of each call, without those for a token."""
    return [
        (r.method, r.path.removeprefix("/partner/v1/dealers/12345"), r.body, r.idempotency_key)
        for r in emulator.requests
        if r.path != "/oauth/token"
    ]


# rows


def test_creating_posts_the_body_to_the_collection(emulator: Emulator, client: Client) -> None:
    """It gives the station as answered, and CHeKT's clock."""
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
    """The station was made; which one it is, a look has to find out."""
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
    """The body goes as given: null stays null."""
    emulator.switches = Switches(clear="null")
    filled(emulator, 1)
    body = {"name": "New", "prefix": "NE", "linecard": None}

    station = client.update_station(client.operation("update"), "12345", "1", body, "k-2", list)

    assert asked(emulator) == [("PUT", "/monitoring-stations/1", body, "k-2")]
    assert station is not None
    assert (station.name, station.prefix, station.linecard) == ("New", "NE", "")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_update_answered_without_a_body_gives_no_station(emulator: Emulator, client: Client, status: int) -> None:
    """Nobody guesses what CHeKT holds; the layer above decides when to ask for it."""
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
    """204 as documented means done; any other success means accepted."""
    filled(emulator, 2)
    if fault:
        emulator.add_fault(fault)

    assert client.delete_station(client.operation("delete"), "12345", "1", "k-3", lambda: None) is done
    assert asked(emulator) == [("DELETE", "/monitoring-stations/1", None, "k-3")]
    assert [station["monitoring_station_id"] for station in emulator.stations()] == [2]


def test_a_deletion_that_is_not_admitted_does_not_leave(emulator: Emulator, client: Client) -> None:
    """Admission is asked right before the DELETE would leave; the error repeats the refusal."""
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
    """What held before the first attempt may not hold before the second."""
    filled(emulator, 1)
    emulator.add_fault(Fault(method="DELETE", status=503, times=2))
    admitted: list[int] = []

    def admit() -> None:
        admitted.append(len(calls(emulator)))

    assert client.delete_station(client.operation("delete"), "12345", "1", "k-3", admit) is True
    assert admitted == [0, 1, 2]
    assert asked(emulator) == [("DELETE", "/monitoring-stations/1", None, "k-3")] * 3


@pytest.mark.parametrize("call", ["get", "update", "delete"])
def test_a_station_that_is_not_there_is_not_found(client: Client, call: str) -> None:
    """404 is an error of its own at this level; the layer above decides what it means."""
    acts: dict[str, Callable[[], object]] = {
        "get": lambda: client.get_station(client.operation("x"), "12345", "77"),
        "update": lambda: client.update_station(client.operation("x"), "12345", "77", {"name": "N"}, "k", list),
        "delete": lambda: client.delete_station(client.operation("x"), "12345", "77", "k", lambda: None),
    }

    with pytest.raises(NotFound):
        acts[call]()


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
    ("call", "body", "names"),
    [
        *(
            (call, body, names)
            for call in ("create", "get")
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
    emulator: Emulator, client: Client, call: str, body: str, names: str
) -> None:
    """It names the fields that do not fit, but none of their values."""
    emulator.add_fault(Fault(path="*/monitoring-stations*", body=body))

    operation = client.operation("do it")
    acts: dict[str, Callable[[], object]] = {
        "create": lambda: client.create_station(operation, "12345", BODY, "k-1"),
        "get": lambda: client.get_station(operation, "12345", "1"),
    }
    with pytest.raises(NotChekt) as caught:
        acts[call]()

    assert str(caught.value).startswith(f"Could not do it: the answer is no station as documented ({names}). ")
    assert caught.value.evidence.status == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_answer_about_another_station_is_an_error(emulator: Emulator, client: Client, method: str) -> None:
    """A cache on the way may mix up answers: what is said of one station is never believed of another."""
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
    """The body goes as given; whatever the answer, the site is read to see what became of it."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    emulator.add_site(external_site_id="w-1", name="Warehouse")
    emulator.add_fault(Fault(method="PUT", when="after", **answer))
    body = {"monitoring_station_id": 1}

    client.update_site(client.operation("move"), "12345", "1", body, "k-1", lambda: None)

    assert asked(emulator) == [("PUT", "/sites/1", body, "k-1")]
    assert emulator.sites()[0]["monitoring_station_id"] == 1


def test_a_whole_site_has_what_this_package_does_not_know(emulator: Emulator, client: Client) -> None:
    """The fields are as they came, beside those that this package knows."""
    body = '{"site_id": 5, "name": "Shop", "address1": null, "colour": {"r": 1}}'
    emulator.add_fault(Fault(path="*/sites/5", body=body))

    site, fields = client.get_whole_site(client.operation("read"), "12345", "5")

    assert (site.site_id, site.name) == ("5", "Shop")
    assert fields == {"site_id": 5, "name": "Shop", "address1": None, "colour": {"r": 1}}


def test_an_answer_about_another_site_is_an_error(emulator: Emulator, client: Client) -> None:
    """The rule is that for stations."""
    emulator.add_fault(Fault(path="*/sites/5", body='{"site_id": 6, "name": "Shop"}'))

    with pytest.raises(NotChekt) as caught:
        client.get_site(client.operation("do it"), "12345", "5")

    assert str(caught.value).startswith("Could not do it: the answer is about site 6. ")


# looks


def test_what_must_show_is_looked_for_over_sixteen_seconds(client: Client, clock: Clock) -> None:
    """Looks come at once, and after 1, 2, 4 and 9 seconds more."""
    moments = [clock.now - 1000 for _ in client.looks(client.operation("look"))]

    assert moments == [0, 1, 3, 7, 16]


def test_the_waits_between_looks_are_no_part_of_the_deadline(client: Client, clock: Clock) -> None:
    """What the last look asks has as much time as what the first look asked."""
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
    """A site on the second page protects its station too."""
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
    """An empty list costs two, a whole one three: itself, and a question for more in either way of paging.

    Pages without a total are read twice.
    """
    emulator.switches = Switches(lists=style, page_size=2)  # type: ignore[arg-type]
    filled(emulator, count)

    listing = stations(client)

    assert len(calls(emulator)) == requests
    assert listing.requests == requests


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_the_questions_for_more_gave_all(emulator: Emulator, client: Client, status: int) -> None:
    """A server that does not know these parameters may say so."""
    filled(emulator, 3)
    emulator.add_fault(Fault(path=COLLECTION, skip=1, status=status, times=None))

    assert ids(client) == ["1", "2", "3"]


def test_a_dealer_that_is_gone_at_the_questions_for_more_fails_the_list(emulator: Emulator, client: Client) -> None:
    """404 may be the end of the list, or its dealer's: the list is asked for again to find out."""
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
    """Absence on one page is not absence: half a list never passes for a whole one."""
    emulator.switches = Switches(lists=style, page_size=1)  # type: ignore[arg-type]
    filled(emulator, 5)
    emulator.add_fault(Fault(path=COLLECTION, skip=place - 1, **fault))

    assert type(failed(client)) is kind


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("style", "place"), [("offset", 3), ("pages", 5)])
def test_a_page_that_is_refused_fails_the_list_where_one_was_not(
    emulator: Emulator, client: Client, style: str, place: int, status: int
) -> None:
    """CHeKT took this way of paging once, so it knows it: a refusal is not the end of the list."""
    emulator.switches = Switches(lists=style, page_size=2)  # type: ignore[arg-type]
    filled(emulator, 5)
    emulator.add_fault(Fault(path=COLLECTION, skip=place - 1, status=status))

    assert type(failed(client)) is InvalidInput


def test_a_link_that_is_refused_fails_the_list(emulator: Emulator, client: Client) -> None:
    """CHeKT gave the link itself: its refusal is not the end of the list."""
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
    """An empty list makes Pulumi create everything again: it must be a list, and each item a station."""
    emulator.add_fault(Fault(path=COLLECTION, body=body, content_type=content_type))

    error = failed(client)

    assert type(error) is NotChekt
    assert str(error).startswith(f"Could not list the stations: {cause}. Nothing was changed. ")


# lists that go on by link


def page(*numbers: int, link: str = "", says: str = "", status: int = 200) -> bytes:
    """A list of these stations; `says` is an extra header, or "" for none."""
    body = [{"monitoring_station_id": number, "external_monitoring_station_id": f"s-{number}"} for number in numbers]
    headers = [f"Link: {link}" if link else "", says]
    return http(status, json.dumps(body).encode(), headers="".join(f"{line}\r\n" for line in headers if line))


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
    """Servers that filter may send pages without items."""
    pages = [page(link=f'<{COLLECTION}?c={n}>; rel="next"') for n in (1, 2)]

    listed, _ = listed_by(raw_server, new_transport, *[*pages, page(7)] * 2)

    assert listed == ["7"]


def test_a_page_of_known_items_with_a_link_is_not_the_end(
    raw_server: NewServer, new_transport: Callable[..., Transport]
) -> None:
    """A station that was made in between moves the others to the next page."""
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
    """A link that was already followed leads nowhere new."""
    links = [f'<{COLLECTION}?c={n}>; rel="next"' for n in (1, 2, 1)]
    api = raw_server(*(page(1, link=link) for link in links))

    error = failed(Client(new_transport(base_url=api.url)))

    assert type(error) is ListIncomplete
    assert error.cause == "a list goes in a circle"
    assert len(api.requests) == 3


@pytest.mark.parametrize(
    "link", ["", ";;;", "<", 'rel="next"', f'<{COLLECTION}?cursor=b>; rel="prev"', f"<{COLLECTION}?c=b>"]
)
def test_other_links_mean_nothing(raw_server: NewServer, new_transport: Callable[..., Transport], link: str) -> None:
    """Only a link to a next page counts."""
    listed, _ = listed_by(raw_server, new_transport, page(1, link=link))

    assert listed == ["1"]


def test_a_list_without_end_is_given_up(
    raw_server: NewServer, new_transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops after more pages than any dealer could have; the error names the operation."""
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


# lists that say that they are partial


def last(query: str, more: str = "") -> str:
    """A Link header that names the last page, and perhaps more."""
    return f'Link: <{COLLECTION}?{query}>; rel="last"{more}'


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (206, ""),
        (206, "Content-Range: items 0-1/*"),
        (206, "Content-Range: items 0-1/3"),
        (206, "Content-Range: items"),
        *(
            (200, says)
            for says in [
                "X-Total-Pages: 2",
                "X-Pages: 2",
                "X-Page-Count: 2",
                "x-wp-totalpages: 2",
                "X-Pagination-Total-Pages: 2",
                "X-Last-Page: 2",
                "X-Pagination-Total-Count: 3",
                "Pagination-Total: 3",
                "X-Total-Records: 3",
                "X-WP-Total: 3",
                "X-Items-Total: 3",
                'X-Pagination: {"totalPages":2,"page":1}',
                'X-Pagination: {"TotalPages": 2}',
                'Pagination: {"page_count": 2}',
                'X-Pagination: {"totalCount":3}',
                'X-Paging: {"total_items": "3"}',
                'X-Pagination: {"hasNext":true}',
                'X-Pagination: {"next_cursor":"abc"}',
                "X-Truncated: true",
                "X-Is-Truncated: 1",
                "X-Truncated: true\r\nX-Count-Total: 3",
                "X-Partial: yes",
                "X-More: true",
                last("page=2"),
                last("page=2&per_page=1"),
                last("page%5Bnumber%5D=2&page%5Bsize%5D=2"),
                last("offset=2&limit=2"),
                last("offset=1&limit=1"),
                last("cursor=b"),
                'Link: <http://[?page=2>; rel="last"',
                last("page=1", f', <{COLLECTION}?page=0>; rel="first"'),
            ]
        ),
    ],
)
def test_a_list_that_says_that_it_is_partial_is_never_a_whole_one(
    raw_server: NewServer, new_transport: Callable[..., Transport], status: int, says: str
) -> None:
    """However it says so: one way of paging reads the rest, and without a rest the list is an error."""
    first = page(1, 2, says=says, status=status)

    listed, _ = listed_by(raw_server, new_transport, first, page(2, 3), page(3), page())
    error = failed(Client(new_transport(base_url=raw_server(first).url)))

    assert listed == ["1", "2", "3"]
    assert type(error) is ListIncomplete


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (206, "Content-Range: items 0-1/2"),
        (206, "X-Total-Count: 2"),
        *(
            (200, says)
            for says in [
                "Content-Range: items 0-1/*",
                "X-Total-Pages: 1",
                "X-Total-Pages: 0",
                "X-Pages: 1",
                "X-Pages: many",
                "X-Page: 2",
                "X-Per-Page: 1",
                "X-Page-Size: 1",
                "X-Total-Time: 5",
                "X-RateLimit-Total: 60",
                "X-Query-Total: 7",
                "X-RateLimit-Next: 1764490000",
                'X-Pagination: {"next":[],"partial":0.0}',
                "X-WP-Total: 2",
                "X-Truncated: false",
                "X-Partial: 0",
                'X-Pagination: {"totalPages":1,"totalCount":2,"hasNext":false,"next":null,"pageSize":1}',
                'X-Pagination: {"totalPages":',
                "X-Pagination: [2]",
                "X-Pagination: " + "[" * 5000,
                'X-RateLimit: {"total": 300, "next": 60}',
                last("page=1"),
                last("page=0"),
                last("page=1&per_page=100&sort=id"),
                last("page%5Bnumber%5D=1&page%5Bsize%5D=30"),
                last("offset=0&limit=30"),
                last("sort=id"),
                last(""),
                last("cursor=a", f', <{COLLECTION}?cursor=a>; rel="first"'),
                last("cursor=a", f', <{COLLECTION}?cursor=a>; rel="self"'),
            ]
        ),
    ],
)
def test_a_header_that_does_not_say_that_there_is_more_means_nothing(
    raw_server: NewServer, new_transport: Callable[..., Transport], status: int, says: str
) -> None:
    """A whole list causes no fuss."""
    listed, _ = listed_by(raw_server, new_transport, page(1, 2, says=says, status=status))

    assert listed == ["1", "2"]


@pytest.mark.parametrize("says", ["X-Truncated: true", last("page=2"), "X-Total-Pages: 2"])
def test_a_total_that_is_reached_does_not_make_a_part_whole(
    raw_server: NewServer, new_transport: Callable[..., Transport], says: str
) -> None:
    """Some servers count what they show under such a name."""
    api = raw_server(page(1, 2, says=f"{says}\r\nX-Total-Count: 2"))

    assert type(failed(Client(new_transport(base_url=api.url)))) is ListIncomplete


@pytest.mark.parametrize("says", ["X-Total: 20000000000", "X-Total-Pages: 20000000000", f"X-Pages: {'9' * 90}"])
def test_more_than_any_list_can_have_is_more(
    raw_server: NewServer, new_transport: Callable[..., Transport], says: str
) -> None:
    """A number is believed, however long it is."""
    api = raw_server(page(1, 2, says=says))

    assert type(failed(Client(new_transport(base_url=api.url)))) is ListIncomplete


@pytest.mark.parametrize("says", ["X-Total-Pages: 0", "X-Total-Pages: 1", "X-Total: 0", last("page=1"), last("page=0")])
def test_an_empty_list_has_one_page_or_none(
    raw_server: NewServer, new_transport: Callable[..., Transport], says: str
) -> None:
    """A server may say either."""
    listed, api = listed_by(raw_server, new_transport, page(says=says))

    assert listed == []
    assert len(api.requests) == 2


# empty lists without a body


def test_an_empty_list_may_come_without_a_body(raw_server: NewServer, new_transport: Callable[..., Transport]) -> None:
    """204 means that there is nothing; it is asked for twice, like every empty list."""
    listed, api = listed_by(raw_server, new_transport, http(204, b""))

    assert listed == []
    assert len(api.requests) == 2


def test_a_list_without_a_body_once_is_read_from_the_second_answer(
    raw_server: NewServer, new_transport: Callable[..., Transport]
) -> None:
    """A list that went wrong looks like an empty one."""
    listed, _ = listed_by(raw_server, new_transport, http(204, b""), page(1, 2))

    assert listed == ["1", "2"]


# lists of summaries


class Summaries(AnotherChekt):
    """Lists stations and sites without some of their fields.

    Attributes:
        left_out: the fields.
        numbers: which stations, or sites.
    """

    left_out: tuple[str, ...] = ()
    numbers: Collection[int] = range(1000)

    def page(self, rows: list[Row], query: str) -> list[Row]:
        """Each item, some as a summary."""
        ids = ("site_id", "monitoring_station_id")
        number = [next(row[name] for name in ids if name in row) for row in rows]
        return [
            {name: value for name, value in row.items() if at not in self.numbers or name not in self.left_out}
            for at, row in zip(number, rows, strict=True)
        ]


def by_id(acme: Stack) -> list[str]:
    """What was asked for by id, below the dealer."""
    return [path for method, path, _ in acme.api.log if method == "GET" and path.count("/") == 2]


EXTERNAL = "external_monitoring_station_id"
STATION_OF_SITE = ("monitoring_station_id", EXTERNAL)


def summaries(stack: Stacks, *left_out: str, numbers: Collection[int] = range(1000)) -> tuple[Stack, Client]:
    """A CHeKT whose lists leave out these fields, and a client of it."""
    acme = stack(Summaries)
    assert isinstance(acme.api, Summaries)
    acme.api.left_out, acme.api.numbers = left_out, numbers
    return acme, acme.process().stations._client


def test_a_station_whose_external_id_the_list_leaves_out_is_asked_for(stack: Stacks) -> None:
    """Such a list is a summary: the station's own answer takes its place, and each question counts."""
    acme, client = summaries(stack, EXTERNAL, "prefix", numbers=(1, 3))
    for number in (1, 2, 3):
        acme.api.add(external_monitoring_station_id=f"s-{number}", prefix="CH")

    listing = stations(client)

    assert [station.external_monitoring_station_id for station in listing.items] == ["s-1", "s-2", "s-3"]
    assert [station.prefix for station in listing.items] == ["CH"] * 3
    assert by_id(acme) == ["/monitoring-stations/1", "/monitoring-stations/3"]
    assert listing.requests == len(acme.api.log) == 5


def test_a_station_without_an_external_id_is_not_asked_for(stack: Stacks) -> None:
    """Null says that it has none; so does the station itself, if it leaves the field out."""
    acme, client = summaries(stack)
    acme.api.add(external_monitoring_station_id="a")[EXTERNAL] = None
    del acme.api.add(external_monitoring_station_id="b")[EXTERNAL]

    assert [station.external_monitoring_station_id for station in stations(client).items] == ["", ""]
    assert by_id(acme) == ["/monitoring-stations/2"]


def test_a_summary_of_what_is_gone_by_then_is_left_out(stack: Stacks) -> None:
    """It answers 404, or is marked as deleted; a station that the list marks as deleted is not asked for."""
    acme, client = summaries(stack, EXTERNAL, "deleted_at")
    for number in (1, 2, 3, 4):
        acme.api.add(external_monitoring_station_id=f"s-{number}")
    acme.api.stations[2]["deleted_at"] = "2020-01-01T00:00:00Z"
    acme.api.stations[4]["deleted"] = True
    acme.api.item_lag = 10
    acme.clock.now += 10
    acme.api._born[3] = acme.clock.now

    listing = stations(client)

    assert [station.external_monitoring_station_id for station in listing.items] == ["s-1"]
    assert by_id(acme) == [f"/monitoring-stations/{number}" for number in (1, 2, 3)]
    assert listing.requests == len(acme.api.log)


def test_summaries_that_all_answer_404_fail_the_list(emulator: Emulator, client: Client) -> None:
    """The list has just shown them: the route by id is missing, and the list is not empty because of that."""
    body = '[{"monitoring_station_id": 1, "name": "Central"}, {"monitoring_station_id": 2, "name": "Backup"}]'
    emulator.add_fault(Fault(path=COLLECTION, body=body, times=None))

    assert failed(client).cause == (
        "what CHeKT lists leaves out external_monitoring_station_id, and no item answers by its id"
    )


def test_a_summary_that_cannot_be_asked_for_fails_the_list(emulator: Emulator, client: Client) -> None:
    """Nobody knows what it leaves out."""
    body = '[{"monitoring_station_id": 1, "name": "Central"}]'
    emulator.add_fault(Fault(path=COLLECTION, body=body, times=None))
    emulator.add_fault(Fault(path=f"{COLLECTION}/1", status=403))

    assert type(failed(client)) is PermissionDenied


def with_sites(acme: Stack, count: int) -> None:
    """Give the dealer this many sites; those with an odd number are on station 1."""
    for number in range(1, count + 1):
        on = 1 if number % 2 else None
        acme.api.sites[number] = {"site_id": number, "name": "Shop", "monitoring_station_id": on}


def stations_of(client: Client) -> tuple[list[str | None], int]:
    """The station of each site, and what it took to list them."""
    listing = client.list_sites(client.operation("list the sites"), "12345")
    return [site.monitoring_station_id for site in listing.items], listing.requests


def test_sites_whose_stations_the_list_leaves_out_are_asked_for(stack: Stacks) -> None:
    """If no site of the list says anything about a station, that does not mean that none has one."""
    acme, client = summaries(stack, *STATION_OF_SITE)
    with_sites(acme, 3)

    assert stations_of(client) == (["1", None, "1"], len(acme.api.log))
    assert by_id(acme) == ["/sites/1", "/sites/2", "/sites/3"]


@pytest.mark.parametrize("name", STATION_OF_SITE)
def test_a_site_of_a_list_that_names_stations_has_none_where_it_leaves_it_out(stack: Stacks, name: str) -> None:
    """Another site has either field: this API leaves out what is not set."""
    acme, client = summaries(stack)
    acme.api.sites |= {1: {"site_id": 1, "name": "Shop"}, 2: {"site_id": 2, "name": "Bank", name: None}}

    assert stations_of(client)[0] == [None, None]
    assert by_id(acme) == []


def test_sites_without_stations_leave_them_out_by_id_too(stack: Stacks) -> None:
    """Of over a hundred, a hundred are asked: CHeKT leaves out what is not set, most likely for the others too."""
    acme, client = summaries(stack)
    acme.api.sites |= {number: {"site_id": number, "name": "Shop"} for number in range(1, 131)}

    listing = client.list_sites(client.operation("list the sites"), "12345")

    assert (len(listing.items), listing.requests, listing.is_sampled) == (130, len(acme.api.log), True)
    assert by_id(acme) == [f"/sites/{number}" for number in range(1, 101)]


def test_a_hundred_summaries_are_asked_for_and_no_more(stack: Stacks) -> None:
    """This holds for sites as for stations: reading a longer list of them would cost too much."""
    acme, client = summaries(stack, *STATION_OF_SITE)
    with_sites(acme, 100)
    assert len(stations_of(client)[0]) == len(by_id(acme)) == 100
    acme.api.log.clear()
    with_sites(acme, 101)

    with pytest.raises(ListIncomplete) as caught:
        stations_of(client)

    assert len(by_id(acme)) == 100
    assert anonymous(str(caught.value)) == (
        "Could not list the sites: what CHeKT lists leaves out monitoring_station_id. Nothing was changed. "
        "Give the trace id to CHeKT's support, and run again. (trace id T)"
    )


def test_more_than_a_hundred_stations_without_external_ids_are_an_error(stack: Stacks) -> None:
    """It names the missing field; the list may be longer if a hundred lack it."""
    acme, client = summaries(stack, EXTERNAL, numbers=range(1, 101))
    for number in range(1, 103):
        acme.api.add(external_monitoring_station_id=f"s-{number}")
    assert len(stations(client).items) == 102
    acme.api.numbers = range(1, 102)  # type: ignore[attr-defined]

    assert failed(client).cause == "what CHeKT lists leaves out external_monitoring_station_id"

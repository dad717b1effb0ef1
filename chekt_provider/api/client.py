"""CHeKT's Partner API, one method per row: paths and shapes, nothing of Pulumi, no repetition of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from chekt_provider.api.answers import Answer
from chekt_provider.api.transport import Operation, Transport
from chekt_provider.errors import ChektError, InvalidInput, NotChekt
from chekt_provider.models import Site, Station

MOST_PAGES = 1000
"""Where following a list ends, should its pages never do."""

Item = TypeVar("Item", Station, Site)


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """A whole list.

    Attributes:
        items: in the order in which CHeKT listed them.
        answered_at: CHeKT's clock when it began to answer, in whole seconds; None where it did not say.
    """

    items: tuple[Item, ...]
    answered_at: datetime | None = None


class Client:
    """The rows of the API that this package needs.

    Every method raises ChektError (errors.py), with the operation's action in its text.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.operation = transport.operation

    def list_stations(self, operation: Operation, dealer_id: str) -> Listing[Station]:
        """GET the collection: every monitoring station of a dealer."""
        return self._list(operation, _stations(dealer_id), Station)

    def get_station(self, operation: Operation, dealer_id: str, station_id: str) -> Station:
        """GET one monitoring station. Raises NotFound where it, or the dealer, does not exist."""
        answer = self._transport.call(operation, "GET", f"{_stations(dealer_id)}/{station_id}")
        return _station(station_id, answer, operation)

    def create_station(self, operation: Operation, dealer_id: str, body: Mapping[str, str], key: str) -> Station:
        """POST a monitoring station: external_monitoring_station_id, name, prefix, linecard."""
        answer = self._transport.call(operation, "POST", _stations(dealer_id), body=body, idempotency_key=key)
        return _parsed(Station, answer.data, answer, operation)

    def update_station(
        self, operation: Operation, dealer_id: str, station_id: str, body: Mapping[str, str | None], key: str
    ) -> Station:
        """PUT name, prefix and linecard of a monitoring station."""
        path = f"{_stations(dealer_id)}/{station_id}"
        answer = self._transport.call(operation, "PUT", path, body=body, idempotency_key=key)
        if answer.data is None:
            return self.get_station(operation, dealer_id, station_id)
        return _station(station_id, answer, operation)

    def delete_station(self, operation: Operation, dealer_id: str, station_id: str, key: str) -> None:
        """DELETE a monitoring station. Raises NotFound where it, or the dealer, does not exist."""
        self._transport.call(operation, "DELETE", f"{_stations(dealer_id)}/{station_id}", idempotency_key=key)

    def list_sites(self, operation: Operation, dealer_id: str) -> Listing[Site]:
        """GET every site of a dealer."""
        return self._list(operation, _sites(dealer_id), Site)

    def get_site(self, operation: Operation, dealer_id: str, site_id: str) -> Site:
        """GET one site. Raises NotFound where it, or the dealer, does not exist."""
        answer = self._transport.call(operation, "GET", f"{_sites(dealer_id)}/{site_id}")
        return _site(site_id, answer, operation)

    def update_site(
        self, operation: Operation, dealer_id: str, site_id: str, body: Mapping[str, str | int], key: str
    ) -> Site:
        """PUT some fields of a site; what the others become is not documented."""
        answer = self._transport.call(
            operation, "PUT", f"{_sites(dealer_id)}/{site_id}", body=body, idempotency_key=key
        )
        if answer.data is None:
            return self.get_site(operation, dealer_id, site_id)
        return _site(site_id, answer, operation)

    def _list(self, operation: Operation, path: str, model: type[Item]) -> Listing[Item]:
        """Read a list to its end.

        CHeKT does not say whether a list comes in pages, nor how to ask for the next one. So: follow the links where
        the answer has one, else ask for what comes after what was seen.
        """
        first = self._transport.call(operation, "GET", path)
        items = _items(first, model, operation)
        to_the_end = self._linked if first.next_page is not None else self._asked
        return Listing(tuple(to_the_end(operation, path, model, first, items).values()), first.answered_at)

    def _linked(
        self, operation: Operation, path: str, model: type[Item], answer: Answer, items: dict[str, Item]
    ) -> dict[str, Item]:
        """Follow each page's link to the next, up to the page that has none."""
        followed: set[str] = set()
        for _ in range(MOST_PAGES):
            if answer.next_page is None:
                return items
            linked_path, _, query = answer.next_page.partition("?")
            if linked_path not in ("", path) or not query:
                raise _not_chekt("a list goes on at another path", answer, operation)
            if query in followed:
                raise _not_chekt("a list goes in a circle", answer, operation)
            followed.add(query)
            answer = self._transport.call(operation, "GET", f"{path}?{query}")
            items = {**items, **_items(answer, model, operation)}
        raise _not_chekt(f"a list did not end after {MOST_PAGES} pages", answer, operation)

    def _asked(
        self, operation: Operation, path: str, model: type[Item], answer: Answer, items: dict[str, Item]
    ) -> dict[str, Item]:
        """Ask for more, in the two usual ways at once, until nothing new comes.

        A list that came whole ignores the question and answers the same again, or refuses it.
        """
        for page in range(2, MOST_PAGES + 2):
            if not items:
                return items
            try:
                answer = self._transport.call(
                    operation, "GET", path, query={"offset": str(len(items)), "page": str(page)}
                )
            except InvalidInput:
                if page > 2:  # it took these parameters before
                    raise
                return items
            fresh = _items(answer, model, operation)
            if fresh.keys() <= items.keys():
                return items
            items = {**items, **fresh}
        raise _not_chekt(f"a list did not end after {MOST_PAGES} pages", answer, operation)


def _stations(dealer_id: str) -> str:
    return f"/partner/v1/dealers/{dealer_id}/monitoring-stations"


def _sites(dealer_id: str) -> str:
    return f"/partner/v1/dealers/{dealer_id}/sites"


def _items(answer: Answer, model: type[Item], operation: Operation) -> dict[str, Item]:
    """The items by id. Anything but an array is not a list, least of all an empty one."""
    if not isinstance(answer.data, list):
        raise _not_chekt("the list is not an array", answer, operation)
    items = [_parsed(model, data, answer, operation) for data in answer.data]
    return {item.site_id if isinstance(item, Site) else item.monitoring_station_id: item for item in items}


def _station(station_id: str, answer: Answer, operation: Operation) -> Station:
    """The station that was asked for, and no other."""
    station = _parsed(Station, answer.data, answer, operation)
    if station.monitoring_station_id != station_id:
        raise _not_chekt(f"the answer is about station {station.monitoring_station_id}", answer, operation)
    return station


def _site(site_id: str, answer: Answer, operation: Operation) -> Site:
    """The site that was asked for, and no other."""
    site = _parsed(Site, answer.data, answer, operation)
    if site.site_id != site_id:
        raise _not_chekt(f"the answer is about site {site.site_id}", answer, operation)
    return site


Model = TypeVar("Model", bound=BaseModel)


def _parsed(model: type[Model], data: Any, answer: Answer, operation: Operation) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) if problem["loc"] else "its shape" for problem in error.errors()})
        kind = model.__name__.lower()
        raise _not_chekt(f"the answer is no {kind} as documented ({', '.join(names)})", answer, operation) from None


def _not_chekt(cause: str, answer: Answer, operation: Operation) -> ChektError:
    return operation.weighed(NotChekt(cause, action=operation.action, evidence=answer.evidence))

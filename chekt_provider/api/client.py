"""CHeKT's Partner API, one method per row: paths and shapes; no Pulumi, no retries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http.client import ACCEPTED, NO_CONTENT
from operator import attrgetter
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from chekt_provider.api.answers import Answer
from chekt_provider.api.array import BadArrayError
from chekt_provider.api.lists import ListReader
from chekt_provider.api.operation import Operation
from chekt_provider.api.transport import Transport
from chekt_provider.errors import ChektError, Evidence, ListIncomplete, NotChekt, NotFound
from chekt_provider.model.fields import Station
from chekt_provider.model.kinds import Value
from chekt_provider.model.wire import Listed, Site

LOOKS = (0, 1, 2, 4, 9)
"""Seconds before each look for a write: CHeKT shows it within 15 s, as far as we know."""

MOST_SUMMARIES = 100
"""How many items to ask for by id when the list leaves out a field of theirs."""

STATION = "monitoring_station_id"
STATION_OF_SITE = {STATION, "external_monitoring_station_id"}

Item = TypeVar("Item", bound=Listed)


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """A whole list.

    Attributes:
        items: in CHeKT's order.
        requests: how many it took.
        is_sampled: whether only some items were asked by id for a field that none of them showed.
    """

    items: tuple[Item, ...]
    requests: int = 1
    is_sampled: bool = False


@dataclass(frozen=True)
class Created:
    """The answer to a POST.

    Attributes:
        station: None where CHeKT says that it made it, and does not show it.
        answered_at: CHeKT's clock, in whole seconds; None where it did not say.
        status: 201 where CHeKT made it; 200 may also show a station that was there.
    """

    station: Station | None
    answered_at: datetime | None
    status: int | None


class Client:
    """The rows of the API that this package needs.

    Every method raises ChektError (errors.py), with the operation's action in its text. PUT and DELETE call `admit`
    each time before they leave: it takes their turn, and may refuse them by an error.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._say = transport.say
        self.operation = transport.operation
        self.clock = transport.clock
        self.sleep = transport.sleep
        self.take_turn = transport.take_turn
        self.reserve = transport.reserve
        self._has_said_that_it_waits = False

    def looks(self, operation: Operation) -> Iterator[None]:
        """Wait before each look for a write until CHeKT must show it; the waits are no part of the deadline."""
        for pause in LOOKS:
            if pause >= 2 and not self._has_said_that_it_waits:
                self._has_said_that_it_waits = True
                self._say(
                    f"Waiting up to {sum(LOOKS)} s to be sure, since CHeKT may show changes late; this is said once."
                )
            if pause:
                self.wait(operation, pause)
            yield

    def wait(self, operation: Operation, seconds: float) -> None:
        """Wait for CHeKT, outside of the operation's deadline."""
        operation.excuse(seconds)
        self.sleep(seconds)

    def list_stations(self, operation: Operation, dealer_id: str) -> Listing[Station]:
        """GET every monitoring station of a dealer; by id those that the list shows without their external id."""
        listing = self._list(operation, _stations(dealer_id), Station)
        listing = replace(listing, items=tuple(station for station in listing.items if not station.is_deleted))
        name = "external_monitoring_station_id"
        summaries = [station for station in listing.items if name not in station.model_fields_set]
        return _completed(operation, listing, summaries, name, partial(self.get_station, operation, dealer_id))

    def get_station(self, operation: Operation, dealer_id: str, station_id: str) -> Station:
        """GET one monitoring station. Raises NotFound where it, or the dealer, does not exist."""
        answer = self._transport.call(operation, "GET", f"{_stations(dealer_id)}/{station_id}")
        station = _asked_for(Station, station_id, answer, operation)
        if station.is_deleted:
            raise operation.error(NotFound, "CHeKT marks it as deleted")
        return station

    def create_station(self, operation: Operation, dealer_id: str, body: Mapping[str, Value], key: str) -> Created:
        """POST a monitoring station by its fields."""
        answer = self._transport.call(operation, "POST", _stations(dealer_id), body=body, idempotency_key=key)
        station = None if answer.data is None else _parsed(Station, answer, operation)
        return Created(station, answer.answered_at, answer.evidence.status)

    def update_station(
        self,
        operation: Operation,
        dealer_id: str,
        station_id: str,
        body: Mapping[str, Value | None],
        key: str,
        admit: Callable[[], object],
    ) -> Station | None:
        """PUT a monitoring station by its fields; None where the answer does not show it, or not yet."""
        path = f"{_stations(dealer_id)}/{station_id}"
        answer = self._transport.call(operation, "PUT", path, body=body, idempotency_key=key, admit=admit)
        if answer.data is None or answer.evidence.status == ACCEPTED:
            return None
        station = _asked_for(Station, station_id, answer, operation)
        is_partial = any(sent and name not in answer.data for name, sent in body.items())
        return None if station.is_deleted or is_partial else station

    def delete_station(
        self, operation: Operation, dealer_id: str, station_id: str, key: str, admit: Callable[[], object]
    ) -> bool:
        """DELETE a monitoring station; whether it is done already. Raises NotFound where it does not exist."""
        path = f"{_stations(dealer_id)}/{station_id}"
        answer = self._transport.call(operation, "DELETE", path, idempotency_key=key, admit=admit)
        return answer.evidence.status == NO_CONTENT

    def list_sites(self, operation: Operation, dealer_id: str) -> Listing[Site]:
        """GET every site of a dealer; where the list says nothing of stations, also a hundred of them by id.

        Where these say nothing either, CHeKT leaves out what is unset, and most likely no site has a station.
        """
        listing = self._list(operation, _sites(dealer_id), Site)
        summaries = () if _tells_stations(listing.items) else listing.items[:MOST_SUMMARIES]
        get = partial(self.get_site, operation, dealer_id)
        completed = _completed(operation, listing, summaries, STATION, get)
        is_sampled = 0 < len(summaries) < len(listing.items)
        if is_sampled and _tells_stations(completed.items):
            raise _leaves_out(operation, STATION)
        return replace(completed, is_sampled=is_sampled)

    def get_site(self, operation: Operation, dealer_id: str, site_id: str) -> Site:
        """GET one site. Raises NotFound where it, or the dealer, does not exist."""
        return self.get_whole_site(operation, dealer_id, site_id)[0]

    def get_whole_site(self, operation: Operation, dealer_id: str, site_id: str) -> tuple[Site, Mapping[str, Any]]:
        """GET one site, and every field that CHeKT has of it. Raises as `get_site`."""
        answer = self._transport.call(operation, "GET", f"{_sites(dealer_id)}/{site_id}")
        return _asked_for(Site, site_id, answer, operation), answer.data

    def update_site(
        self,
        operation: Operation,
        dealer_id: str,
        site_id: str,
        body: Mapping[str, Any],
        key: str,
        admit: Callable[[], object],
    ) -> None:
        """PUT some fields of a site; what the others become, and when it takes effect, is not documented."""
        path = f"{_sites(dealer_id)}/{site_id}"
        self._transport.call(operation, "PUT", path, body=body, idempotency_key=key, admit=admit)

    def _list(self, operation: Operation, path: str, model: type[Item]) -> Listing[Item]:
        """Read a list to its end."""

        def ask(query: Mapping[str, str] | str) -> Answer:
            whole, parameters = (f"{path}?{query}", None) if isinstance(query, str) else (path, query)
            answer = self._transport.call(operation, "GET", whole, query=parameters, item=partial(_item, model))
            if answer.data is None and answer.evidence.status != NO_CONTENT:
                raise _not_chekt("the list is not an array", answer, operation)
            return replace(answer, data=answer.data or [])

        reader = ListReader[Item](ask, attrgetter("number"), path, partial(self.wait, operation))
        try:
            items = reader.read()
        except ListIncomplete as error:
            told = operation.weighed(error)
            raise told.replace(action=operation.action, evidence=Evidence(trace_id=operation.trace_id)) from None
        return Listing(items, reader.requests)


def _stations(dealer_id: str) -> str:
    return f"/partner/v1/dealers/{dealer_id}/monitoring-stations"


def _sites(dealer_id: str) -> str:
    return f"/partner/v1/dealers/{dealer_id}/sites"


def _completed(
    operation: Operation,
    listing: Listing[Item],
    summaries: Collection[Item],
    left_out: str,
    get: Callable[[str], Item],
) -> Listing[Item]:
    """The list with each summary, which leaves out a field, as the item itself answers; without those that are gone."""
    if len(summaries) > MOST_SUMMARIES:
        raise _leaves_out(operation, left_out)
    got: dict[str, Item | None] = {}
    for item in summaries:
        try:
            got[item.number] = get(item.number)
        except NotFound:
            got[item.number] = None
    if got and not any(got.values()):  # none of what it listed just now: asking by id does not work
        raise operation.error(ListIncomplete, f"what CHeKT lists leaves out {left_out}, and no item answers by its id")
    items = [got.get(item.number, item) for item in listing.items]
    whole = tuple(item for item in items if item is not None)
    return Listing(whole, listing.requests + len(summaries))


def _tells_stations(sites: Collection[Site]) -> bool:
    return any(site.model_fields_set & STATION_OF_SITE for site in sites)


def _leaves_out(operation: Operation, name: str) -> ListIncomplete:
    return operation.error(ListIncomplete, f"what CHeKT lists leaves out {name}")


def _item(model: type[Item], data: Any) -> Item:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BadArrayError(_unlike(model, error)) from None


def _asked_for(model: type[Item], number: str, answer: Answer, operation: Operation) -> Item:
    """The item that was asked for, and no other."""
    item = _parsed(model, answer, operation)
    if item.number != number:
        raise _not_chekt(f"the answer is about {model.__name__.lower()} {item.number}", answer, operation)
    return item


def _parsed(model: type[Item], answer: Answer, operation: Operation) -> Item:
    try:
        return model.model_validate(answer.data)
    except ValidationError as error:
        raise _not_chekt(_unlike(model, error), answer, operation) from None


def _unlike(model: type[Listed], error: ValidationError) -> str:
    names = sorted({str(problem["loc"][0]) if problem["loc"] else "its shape" for problem in error.errors()})
    return f"the answer is no {model.__name__.lower()} as documented ({', '.join(names)})"


def _not_chekt(cause: str, answer: Answer, operation: Operation) -> ChektError:
    return operation.weighed(NotChekt(cause, action=operation.action, evidence=answer.evidence))

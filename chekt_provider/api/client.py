"""CHeKT's Partner API, one method per row: paths and shapes, nothing of Pulumi, no repetition of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from chekt_provider.api.answers import Answer
from chekt_provider.api.transport import Operation, Transport
from chekt_provider.errors import InvalidInput, NotChekt
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
        return _parsed(Station, answer.data, answer, operation)

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
        return _parsed(Station, answer.data, answer, operation)

    def delete_station(self, operation: Operation, dealer_id: str, station_id: str, key: str) -> None:
        """DELETE a monitoring station. Raises NotFound where it, or the dealer, does not exist."""
        self._transport.call(operation, "DELETE", f"{_stations(dealer_id)}/{station_id}", idempotency_key=key)

    def list_sites(self, operation: Operation, dealer_id: str) -> Listing[Site]:
        """GET every site of a dealer."""
        return self._list(operation, f"/partner/v1/dealers/{dealer_id}/sites", Site)

    def _list(self, operation: Operation, path: str, model: type[Item]) -> Listing[Item]:
        """Read a list to its end.

        CHeKT does not say whether a list comes in pages, nor how to ask for the next one. So: follow a Link where the
        answer names one, else ask for what comes after what was seen, in the two usual ways at once, until nothing new
        comes. A list that came whole ignores the question and answers the same again.
        """
        answer = self._transport.call(operation, "GET", path)
        answered_at = answer.answered_at
        seen = _items(answer, model, operation)
        for page in range(2, MOST_PAGES + 2):
            following = self._following(operation, path, answer, len(seen), page) if seen else None
            if following is None:
                return Listing(tuple(seen.values()), answered_at)
            answer, fresh = following, _items(following, model, operation)
            if fresh.keys() <= seen.keys():
                return Listing(tuple(seen.values()), answered_at)
            seen = {**seen, **fresh}
        raise NotChekt(
            f"a list did not end after {MOST_PAGES} pages", action=operation.action, evidence=answer.evidence
        )

    def _following(self, operation: Operation, path: str, answer: Answer, seen: int, page: int) -> Answer | None:
        if answer.next_path:
            linked_path, _, query = answer.next_path.partition("?")
            if linked_path != path:
                raise NotChekt("a list goes on at another path", action=operation.action, evidence=answer.evidence)
            return self._transport.call(operation, "GET", f"{path}?{query}")
        try:
            return self._transport.call(operation, "GET", path, query={"offset": str(seen), "page": str(page)})
        except InvalidInput:
            return None  # CHeKT does not know these parameters, so the list has no pages of this kind


def _stations(dealer_id: str) -> str:
    return f"/partner/v1/dealers/{dealer_id}/monitoring-stations"


def _items(answer: Answer, model: type[Item], operation: Operation) -> dict[str, Item]:
    """The items by id. Anything but an array is not a list, least of all an empty one."""
    if not isinstance(answer.data, list):
        raise NotChekt("the list is not an array", action=operation.action, evidence=answer.evidence)
    items = [_parsed(model, data, answer, operation) for data in answer.data]
    return {item.site_id if isinstance(item, Site) else item.monitoring_station_id: item for item in items}


Model = TypeVar("Model", bound=BaseModel)


def _parsed(model: type[Model], data: Any, answer: Answer, operation: Operation) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) if problem["loc"] else "its shape" for problem in error.errors()})
        kind = model.__name__.lower()
        cause = f"the answer is no {kind} as documented ({', '.join(names)})"
        raise NotChekt(cause, action=operation.action, evidence=answer.evidence) from None

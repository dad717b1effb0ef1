"""What CHeKT lists, read once per run for all threads, and kept up to date with our own writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Generic

from chekt_provider.api.client import LOOKS, Client, Item, Listing
from chekt_provider.api.operation import Operation
from chekt_provider.api.shared import Shared
from chekt_provider.errors import ListIncomplete, NotFound
from chekt_provider.model.fields import Station
from chekt_provider.model.forms import common_form, is_cut_anywhere, letters, same_form
from chekt_provider.model.ids import StationId
from chekt_provider.model.records import KEY, Recorded
from chekt_provider.model.wire import Site
from chekt_provider.operations.identity import is_given_again, require_same_station, shows_same
from chekt_provider.operations.items import Items

BEHIND_SECONDS = sum(LOOKS)
"""How old the world may be that a list shows."""

RECENT_SECONDS = 60.0
"""How old a list may be when a change relies on it."""


@dataclass(frozen=True)
class Look(Generic[Item]):
    """One look at a dealer's stations or sites.

    Attributes:
        number: counts the looks at this list, those that failed included.
        items: by id; our own writes since, and those that the list may not show yet, are in it.
        listed: the items as CHeKT listed them, by id.
        trace_id: of the operation that took it.
        begun, ended: monotonic seconds.
        requests: how many it took.
        is_sampled: see Listing.
    """

    number: int
    items: Items[Item]
    listed: Items[Item]
    trace_id: str
    begun: float
    ended: float
    requests: int
    is_sampled: bool


class SharedList(Generic[Item]):
    """A list of one dealer: one thread reads it, those that come meanwhile wait for it and share it, or its failure.

    Args:
        read: reads it whole.
        get: gets one of its items by id.
        clock: monotonic seconds.
        looks: the moments at which to look for what must show by now.
    """

    def __init__(
        self,
        read: Callable[[Operation], Listing[Item]],
        get: Callable[[Operation, str], Item],
        clock: Callable[[], float],
        looks: Callable[[Operation], Iterable[None]],
    ) -> None:
        self._read: Callable[[Operation], Listing[Item]] = read
        self._get: Callable[[Operation, str], Item] = get
        self._clock = clock
        self._looks = looks
        self._shared: Shared[Look[Item]] = Shared()
        self._asking = threading.Lock()
        self._lock = threading.Lock()
        self._writes: dict[str, tuple[float, Item | None]] = {}
        self._deleted: dict[str, Recorded] = {}
        self._known: set[str] = set()
        self._left_out: set[str] = set()
        """Those of the known that the latest look does not show."""
        self._got: dict[tuple[int, str], Item | None] = {}
        self._first: Look[Item] | None = None
        self.latest: Look[Item] | None = None
        """The latest look that was taken; None before the first."""

    def look(self, operation: Operation) -> Look[Item]:
        """The run's look; the first caller takes it."""
        return self._newer_than(0, operation)

    def look_again(self, operation: Operation, after: Look[Item] | None) -> Look[Item]:
        """A look that was taken later than `after`.

        Where the operation may have changed something, the look is one that begins now: of those that others began
        meanwhile, none is sure to show the change.
        """
        begun = self._shared.begun if operation.changing else (after.number if after else 0)
        return self._newer_than(begun, operation)

    def look_now(self, operation: Operation) -> Look[Item]:
        """A look that begins now."""
        return self._newer_than(self._shared.begun, operation)

    def recent_look(self, operation: Operation) -> Look[Item]:
        """The latest look, where it is not older than a minute; else a new one, shared by all that ask for it."""
        look = self.look(operation)
        return look if self.is_recent() else self._newer_than(look.number, operation)

    def is_recent(self) -> bool:
        """Whether the latest look is not older than a minute."""
        return self.latest is not None and self._clock() - self.latest.begun < RECENT_SECONDS

    def expect(self, item_ids: Iterable[str]) -> None:
        """Take note that these should be there: the state has them, or an earlier look."""
        with self._lock:
            ids = set(item_ids)
            self._known |= ids
            if self.latest:
                self._left_out |= {item_id for item_id in ids if item_id not in self.latest.items}

    def complete_look(self, operation: Operation) -> Look[Item]:
        """The run's look, or a later one that shows what should be there: whatever it does not show is asked for by id.

        Raises:
            ListIncomplete: the list leaves out something that is there, for longer than it may be behind.
        """
        look: Look[Item] | None = None
        for _ in self._looks(operation):
            look = self.look_again(operation, look) if look else self.look(operation)
            left_out = self.left_out(operation, look)
            if not left_out:
                return look
        raise operation.error(ListIncomplete, f"what CHeKT lists is not whole: it leaves out {left_out}")

    def left_out(self, operation: Operation, look: Look[Item]) -> str:
        """The id of something that is there, and that a look does not show; "" for none.

        What answers 404 is asked for once in a run, whichever thread comes first.
        """
        with self._asking:
            with self._lock:
                is_latest = self.latest is not None and self.latest.number == look.number
                missing = sorted(self._left_out if is_latest else self._known - look.items.keys(), key=int)
            for item_id in missing:
                if self.get(operation, item_id):
                    return item_id
                with self._lock:
                    self._forget(item_id)
        return ""

    def get(self, operation: Operation, item_id: str) -> Item | None:
        """An item as it answers itself; None where CHeKT says that it does not exist."""
        try:
            return self._get(operation, item_id)
        except NotFound:
            return None

    def get_once(self, operation: Operation, look: Look[Item], item_id: str) -> Item | None:
        """An item as it answers itself, asked for once for each look, whichever thread comes first."""
        with self._asking:
            if (look.number, item_id) not in self._got:
                self._got[look.number, item_id] = self.get(operation, item_id)
            return self._got[look.number, item_id]

    def note_gone(self, recorded: Recorded) -> None:
        """Take note that a station is no longer there."""
        with self._lock:
            self._forget(recorded.id.station_id)
            self._deleted[recorded.id.station_id] = recorded

    def note_deleted(self, recorded: Recorded) -> None:
        """Take over that we deleted a station."""
        self.note_gone(recorded)
        self.note(recorded.id.station_id, None)

    def note(self, item_id: str, item: Item | None) -> None:
        """Take over what CHeKT answered to our own write; None for a deletion."""
        with self._lock:
            self._writes.pop(item_id, None)  # the latest write comes last
            self._writes[item_id] = (self._clock(), item)
            if self.latest:
                self.latest = replace(self.latest, items=self.latest.items.changed(item_id, item))
                self._left_out.discard(item_id)

    def _forget(self, item_id: str) -> None:
        self._known.discard(item_id)
        self._left_out.discard(item_id)

    def deleted(self, item_id: str) -> Recorded | None:
        """What this run deleted, or found gone, under this id; None for nothing."""
        with self._lock:
            return self._deleted.get(item_id)

    def absent_for(self, item_id: str) -> float:
        """How many seconds lie between the run's first look and its latest, where neither shows the item; else 0."""
        with self._lock:
            first, latest = self._first, self.latest
        if first is None or latest is None or item_id in first.listed or item_id in latest.listed:
            return 0
        return latest.begun - first.begun

    def written_since(self, moment: float) -> set[str]:
        """What we wrote since a moment, by id."""
        with self._lock:
            return set(self._written_since(moment))

    def _written_since(self, moment: float) -> dict[str, Item | None]:
        latest_first = reversed(self._writes.items())
        recent = takewhile(lambda write: write[1][0] >= moment, latest_first)
        return {item_id: item for item_id, (_, item) in recent}

    def _is_another(self, item: Item | None, item_id: str) -> bool:
        return isinstance(item, Station) and is_given_again(self._deleted[item_id], item)

    def _newer_than(self, number: int, operation: Operation) -> Look[Item]:
        def known() -> Look[Item] | None:
            return self.latest if self.latest and self.latest.number > number else None

        return self._shared.get(known, lambda: self._take(operation), after=number, told=operation.shared)

    def _take(self, operation: Operation) -> Look[Item]:
        number, begun = self._shared.begun, self._clock()
        listing = self._read(operation)
        listed = items = Items({item.number: item for item in listing.items})
        with self._lock:
            for item_id, item in self._written_since(begun - BEHIND_SECONDS).items():  # the list may not show it yet
                if item is not None or not self._is_another(items.get(item_id), item_id):
                    items = items.changed(item_id, item)
            if self.latest:
                self._known |= self.latest.listed.keys() - self._deleted.keys()
            self._left_out = self._known - items.keys()
            self.latest = Look(
                number,
                items,
                listed,
                operation.trace_id,
                begun,
                self._clock(),
                listing.requests,
                listing.is_sampled,
            )
            self._first = self._first or self.latest
            return self.latest


class Directory:
    """The lists of every dealer. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._stations: dict[str, SharedList[Station]] = {}
        self._sites: dict[str, SharedList[Site]] = {}
        self._recorded: dict[StationId, Recorded] = {}

    def expect(self, recorded: Recorded) -> None:
        """Take note that a recorded station should be there, and which one it is."""
        self.stations(recorded.id.dealer_id).expect([recorded.id.station_id])
        self.remember(recorded)

    def remember(self, recorded: Recorded) -> None:
        """Take note which station has a number."""
        with self._lock:
            self._recorded[recorded.id] = recorded

    def knows(self, station_id: StationId) -> bool:
        """Whether the state has a number, or this run has seen it."""
        with self._lock:
            return station_id in self._recorded

    def require_expected(self, operation: Operation, station_id: StationId, live: Station) -> None:
        """Make sure that a number is that of the station which the state has under it, else which the run saw first.

        Raises:
            OtherStation: it is another's.
        """
        seen = Recorded(station_id, {KEY: live.external_monitoring_station_id}, live.created_at)
        with self._lock:
            recorded = self._recorded.setdefault(station_id, seen)
        require_same_station(operation, recorded, live)

    def stations(self, dealer_id: str) -> SharedList[Station]:
        """A dealer's stations."""
        return self._of(dealer_id, self._stations, self._client.list_stations, self._client.get_station)

    def sites(self, dealer_id: str) -> SharedList[Site]:
        """A dealer's sites."""
        return self._of(dealer_id, self._sites, self._client.list_sites, self._client.get_site)

    def require_same_station(self, operation: Operation, recorded: Recorded) -> Station | None:
        """Make sure, right before a change leaves, that the number is the recorded station's; gives it as it is now.

        A list that is not older than a minute tells it. After an attempt that is in doubt the station itself does: the
        number may have been given again since; and where the list shows another external id, which it may cut short.
        None where CHeKT does not show it.

        Raises:
            OtherStation: it is another's.
        """
        stations, number = self.stations(recorded.id.dealer_id), recorded.id.station_id
        live = None if operation.changed else stations.recent_look(operation).items.get(number)
        if live is None or not shows_same(recorded, live):
            live = stations.get(operation, number)
        if live:
            require_same_station(operation, recorded, live)
        return live

    def require_still_same_station(self, operation: Operation, recorded: Recorded) -> None:
        """Make sure of it once more where the list that told it is older than a minute by now: the station itself does.

        Raises:
            OtherStation: it is another's.
        """
        stations = self.stations(recorded.id.dealer_id)
        if not stations.is_recent() and (live := stations.get(operation, recorded.id.station_id)):
            require_same_station(operation, recorded, live)

    def _of(
        self,
        dealer_id: str,
        lists: dict[str, SharedList[Item]],
        read: Callable[[Operation, str], Listing[Item]],
        get: Callable[[Operation, str, str], Item],
    ) -> SharedList[Item]:
        """A dealer's list; made when it is asked for first."""
        with self._lock:
            if dealer_id not in lists:
                lists[dealer_id] = SharedList(
                    lambda operation: read(operation, dealer_id),
                    lambda operation, item_id: get(operation, dealer_id, item_id),
                    self._client.clock,
                    self._client.looks,
                )
            return lists[dealer_id]


def called(stations: Iterable[Station], external_id: str) -> list[Station]:
    """Every station with this external id, none for a blank one; more than one are twins.

    Where none has it exactly as it is written, those count that have it in another case or with other blanks: CHeKT may
    keep it in a form of its own.
    """
    stations = [station for station in stations if same_form(station.external_monitoring_station_id, external_id)]
    exact = [station for station in stations if station.external_monitoring_station_id == external_id]
    return exact or stations


def called_in(stations: Items[Station], external_id: str) -> list[Station]:
    """The same of listed stations."""
    return called(stations.where(form_of, common_form(external_id)), external_id)


def perhaps_cut(stations: Items[Station], external_id: str) -> list[str]:
    """The numbers of stations that may have this external id whole, where a list cuts it as it cuts every long one."""
    longest = max(stations.said(length_of), default=0)
    return [
        station.number
        for station in beginning(stations, external_id)
        if length_of(station) == longest and is_cut_anywhere(station.external_monitoring_station_id, external_id)
    ]


def beginning(stations: Items[Station], external_id: str) -> list[Station]:
    """The stations whose external ids, as far as their letters and digits go, this one begins with."""
    whole = letters(external_id)
    return [station for end in range(1, len(whole) + 1) for station in stations.where(letters_of, whole[:end])]


def form_of(station: Station) -> str:
    """A station's external id as external ids are compared."""
    return common_form(station.external_monitoring_station_id)


def letters_of(station: Station) -> str:
    """The letters and digits of a station's external id."""
    return letters(station.external_monitoring_station_id)


def length_of(station: Station) -> int:
    """How long a station's external id is."""
    return len(station.external_monitoring_station_id)

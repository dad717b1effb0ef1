"""What CHeKT lists, read once per run for all threads, and kept up to date with our own writes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation
from chekt_provider.errors import ChektError
from chekt_provider.models import Site, Station

DELETIONS_PER_LOOK_AT_SITES = 50
"""How many deletions rely on one list of sites."""


@dataclass(frozen=True)
class Look:
    """One look at a dealer's stations.

    Attributes:
        number: counts the looks of the run, those that failed included.
        stations: by monitoring station id.
        answered_at: CHeKT's clock when it listed them, in whole seconds; None where it did not say.
        trace_id: of the operation that took it.
        first: whether no look before it was answered.
    """

    number: int
    stations: Mapping[str, Station]
    answered_at: datetime | None
    trace_id: str
    first: bool = False

    def with_external_id(self, external_id: str) -> list[Station]:
        """Every station with this external id, none for a blank one; more than one are twins."""
        return [s for s in self.stations.values() if external_id and s.external_monitoring_station_id == external_id]


@dataclass(frozen=True)
class SitesLook:
    """One look at a dealer's sites.

    Attributes:
        number: counts the looks of the run, those that failed included.
        sites: by site id.
    """

    number: int
    sites: Mapping[str, Site]


@dataclass
class _Dealer:
    """What is known of one dealer.

    `listing` is held during a request, so that only one thread asks. `begun` and `ended` count the looks, those that
    failed included; `failure` is how the last one failed. `sites_asked` and `sites_failure` are the same for sites, and
    `sites_good_for` counts the deletions that may still rely on the last list of them.
    """

    listing: threading.Lock = field(default_factory=threading.Lock)
    begun: int = 0
    ended: int = 0
    look: Look | None = None
    failure: ChektError | None = None
    writes: list[tuple[str, Station | None]] = field(default_factory=list)
    sites: SitesLook | None = None
    sites_asked: int = 0
    sites_failure: ChektError | None = None
    moves: list[Site] = field(default_factory=list)
    sites_good_for: int = 0


class Directory:
    """The lists of every dealer. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._dealers: dict[str, _Dealer] = {}

    def look(self, operation: Operation, dealer_id: str) -> Look:
        """The run's look at the dealer's stations; the first caller takes it, the others wait for it and share it."""
        return self._newer_than(0, operation, dealer_id)

    def look_again(self, operation: Operation, dealer_id: str, after: Look | None) -> Look:
        """A look that was taken later than `after`, shared in the same way.

        Where the operation may have changed something, the look is one that begins now: of those that others began
        meanwhile, none is sure to show the change.
        """
        dealer = self._dealer(dealer_id)
        with self._lock:
            latest = dealer.begun if operation.changing else (after.number if after else 0)
        return self._newer_than(latest, operation, dealer_id)

    def latest(self, dealer_id: str) -> Look | None:
        """The latest look that was taken; None before the first."""
        return self._dealer(dealer_id).look

    def note_written(self, dealer_id: str, station: Station) -> None:
        """Take over what CHeKT answered to our own creation or update."""
        self._note(dealer_id, station.monitoring_station_id, station)

    def note_deleted(self, dealer_id: str, station_id: str) -> None:
        """Take over that we deleted a station."""
        self._note(dealer_id, station_id, None)

    def is_deleted(self, dealer_id: str, station_id: str) -> bool:
        """Whether we deleted a station in this run."""
        writes = dict(self._dealer(dealer_id).writes)
        return station_id in writes and writes[station_id] is None

    def sites_before_deletion(self, operation: Operation, dealer_id: str) -> SitesLook:
        """A look at the dealer's sites for one deletion; taken afresh after every 50."""
        dealer = self._dealer(dealer_id)
        asked = dealer.sites_asked
        with dealer.listing:
            look = dealer.sites if dealer.sites_good_for else None
            if look is None:
                look = self._list_sites(dealer, asked, operation, dealer_id)
                dealer.sites_good_for = DELETIONS_PER_LOOK_AT_SITES
            dealer.sites_good_for -= 1
            return look

    def sites(self, operation: Operation, dealer_id: str) -> SitesLook:
        """The run's latest look at the dealer's sites; the first caller takes it, the others share it."""
        return self._sites_newer_than(0, operation, dealer_id)

    def sites_again(self, operation: Operation, dealer_id: str, after: SitesLook) -> SitesLook:
        """A look at the dealer's sites that was taken later than `after`, shared in the same way."""
        return self._sites_newer_than(after.number, operation, dealer_id)

    def note_moved(self, dealer_id: str, site: Site) -> None:
        """Take over what CHeKT answered when we put a site on another station."""
        dealer = self._dealer(dealer_id)
        with self._lock:
            dealer.moves.append(site)
            if dealer.sites:
                dealer.sites = SitesLook(dealer.sites.number, {**dealer.sites.sites, site.site_id: site})

    def _dealer(self, dealer_id: str) -> _Dealer:
        with self._lock:
            return self._dealers.setdefault(dealer_id, _Dealer())

    def _newer_than(self, number: int, operation: Operation, dealer_id: str) -> Look:
        dealer = self._dealer(dealer_id)
        ended = dealer.ended
        with dealer.listing:
            if dealer.look and dealer.look.number > number:
                return dealer.look
            if dealer.failure and dealer.ended > max(ended, number):  # the look that this thread waited for
                raise operation.shared(dealer.failure)
            return self._list(dealer, operation, dealer_id)

    def _list(self, dealer: _Dealer, operation: Operation, dealer_id: str) -> Look:
        with self._lock:
            dealer.begun += 1
            number, written_before = dealer.begun, len(dealer.writes)
        dealer.failure = None
        try:
            listing = self._client.list_stations(operation, dealer_id)
        except ChektError as error:
            dealer.failure = error
            raise
        finally:
            dealer.ended += 1
        stations = {station.monitoring_station_id: station for station in listing.items}
        with self._lock:
            for station_id, station in dealer.writes[written_before:]:
                _apply(stations, station_id, station)
            dealer.look = Look(number, stations, listing.answered_at, operation.trace_id, dealer.look is None)
            return dealer.look

    def _sites_newer_than(self, number: int, operation: Operation, dealer_id: str) -> SitesLook:
        dealer = self._dealer(dealer_id)
        asked = dealer.sites_asked
        with dealer.listing:
            if dealer.sites and dealer.sites.number > number:
                return dealer.sites
            return self._list_sites(dealer, asked, operation, dealer_id)

    def _list_sites(self, dealer: _Dealer, asked: int, operation: Operation, dealer_id: str) -> SitesLook:
        """List the sites, unless that failed since `asked` of the looks had ended, while this thread waited."""
        if dealer.sites_failure and dealer.sites_asked > asked:
            raise operation.shared(dealer.sites_failure)
        moved_before = len(dealer.moves)
        dealer.sites_failure = None
        try:
            listing = self._client.list_sites(operation, dealer_id)
        except ChektError as error:
            dealer.sites_failure = error
            raise
        finally:
            dealer.sites_asked += 1
        sites = {site.site_id: site for site in listing.items}
        with self._lock:
            moved = {site.site_id: site for site in dealer.moves[moved_before:]}
            dealer.sites = SitesLook(dealer.sites_asked, {**sites, **moved})
            return dealer.sites

    def _note(self, dealer_id: str, station_id: str, station: Station | None) -> None:
        dealer = self._dealer(dealer_id)
        with self._lock:
            dealer.writes.append((station_id, station))
            if dealer.look:
                stations = dict(dealer.look.stations)
                _apply(stations, station_id, station)
                dealer.look = replace(dealer.look, stations=stations)


def _apply(stations: dict[str, Station], station_id: str, station: Station | None) -> None:
    """Bring one write into a list that was answered before it."""
    if station is None:
        stations.pop(station_id, None)
    else:
        stations[station_id] = station

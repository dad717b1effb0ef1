"""To which station a site sends its signals, and what that means for a station that is to be deleted.

A deletion leaves right after a list of the dealer's sites that shows none on the station. Where it says so, its sites
are moved to another one first (moving.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.errors import (
    ChektError,
    ListIncomplete,
    NotFound,
    NotTaken,
    PermissionDenied,
    SitesAttached,
    Unclear,
    Unsafe,
)
from chekt_provider.model.forms import common_form
from chekt_provider.model.ids import SiteId, StationId
from chekt_provider.model.records import Recorded
from chekt_provider.model.wire import Site
from chekt_provider.operations.directory import BEHIND_SECONDS, Directory, Look
from chekt_provider.operations.items import Items
from chekt_provider.operations.moving import LIST_SECONDS, Moves, named_site
from chekt_provider.text import listed, shown


class Sites:
    """The sites of every dealer, for all threads of one run.

    Attributes:
        moves: the moves of this run.
    """

    def __init__(self, client: Client, directory: Directory, say: Callable[[str], None]) -> None:
        self._client = client
        self._directory = directory
        self._say = say
        self._lock = threading.Lock()
        self._leaving: dict[str, threading.Lock] = {}
        self.moves = Moves(client, directory, say)

    def find(self, operation: Operation, site_id: SiteId) -> Site | None:
        """The site as the run's list has it, else as it answers itself; None only when a fresh list agrees.

        A 404 is also the answer when the dealer is unknown: then the fresh list fails, loudly.
        """
        sites = self._directory.sites(site_id.dealer_id)
        look = sites.recent_look(operation)
        if site := look.items.get(site_id.site_id):
            return site
        try:
            return self._client.get_site(operation, site_id.dealer_id, site_id.site_id)
        except NotFound:
            return sites.look_again(operation, look).items.get(site_id.site_id)

    def called(self, operation: Operation, dealer_id: str, external_site_id: str) -> list[Site]:
        """Every site of the dealer with this external id."""
        look = self._directory.sites(dealer_id).recent_look(operation)
        return look.items.where(_external_site_id, external_site_id)

    def expect(self, site_id: SiteId) -> None:
        """Take note that the state has a site: a list that leaves it out is not whole."""
        self._directory.sites(site_id.dealer_id).expect([site_id.site_id])

    def told(self, operation: Operation, recorded: Recorded) -> str:
        """Which sites send their signals to a station, as a clause; "" for none."""
        look = self._directory.sites(recorded.id.dealer_id).look(operation)
        attached = _kept_by(look.items, recorded)
        return _who_sends(attached) if attached else ""

    @contextmanager
    def turn(self, operation: Operation, dealer_id: str) -> Iterator[None]:
        """Let one deletion at a time look at what it rests on, once its turn to leave has come.

        So no list is read, and then kept waiting.
        """
        with self._lock:
            leaving = self._leaving.setdefault(dealer_id, threading.Lock())
        came_at = self._client.clock()
        with leaving:
            operation.excuse(self._client.clock() - came_at)
            self._client.take_turn(operation)
            yield

    def require_none(self, operation: Operation, recorded: Recorded) -> None:
        """Make sure, right before a deletion leaves, that no site is left on the station.

        Raises:
            SitesAttached: sites send their signals to it, or whether they do cannot be read.
        """
        attached = {site.site_id: site for site in self._on_it(operation, recorded)}
        attached |= {site.site_id: site for site in self.moves.headed_to(recorded.id)}
        if attached:
            raise operation.error(SitesAttached, _who_sends([*attached.values()]), outcome="Nothing was deleted.")

    def _recent_list(self, operation: Operation, dealer_id: str) -> Look[Site]:
        """A list of the dealer's sites that is less than two seconds old, and later than our own moves.

        Deletions share it, except one that is repeated. A reading that takes longer counts from its end.
        """
        sites = self._directory.sites(dealer_id)
        look = sites.latest
        if look is None or operation.changed or self._is_stale(look) or sites.written_since(look.begun):
            self._client.reserve(operation, look.requests if look else 3)
            look = sites.look_now(operation)
        if left_out := sites.left_out(operation, look):
            raise operation.error(ListIncomplete, f"what CHeKT lists is not whole: it leaves out site {left_out}")
        if look.is_sampled:
            cause = "not one of over 100 listed sites says which station it has"
            remedy = "Put one of the dealer's sites on a station in CHeKT's portal, and run again."
            raise operation.error(ListIncomplete, cause, remedy=remedy)
        return look

    def _is_stale(self, look: Look[Site]) -> bool:
        counts_from = look.ended if look.ended - look.begun >= LIST_SECONDS else look.begun
        return self._client.clock() - counts_from >= LIST_SECONDS

    def _on_it(self, operation: Operation, recorded: Recorded, *, to_move: bool = False) -> list[Site]:
        """The sites that a list shows on a station. Raises SitesAttached where they cannot be read.

        A list that still shows there what we moved just now lags, and is read again until it must show the move. The
        site itself is not asked: it may be behind too.
        """
        try:
            for _ in self._client.looks(operation):
                look = self._recent_list(operation, recorded.id.dealer_id)
                on_it = _kept_by(look.listed, recorded)
                if to_move:
                    on_it = [site for site in on_it if _is_its_own(site, recorded)]
                moved = self._directory.sites(recorded.id.dealer_id).written_since(look.begun - BEHIND_SECONDS)
                if not any(site.site_id in moved for site in on_it):
                    break
        except (PermissionDenied, NotFound, ListIncomplete) as error:
            raise _unreadable(operation, recorded, error) from None
        return on_it

    def reassign(self, operation: Operation, recorded: Recorded) -> str:
        """Move the sites of a station that is about to be deleted, one by one, and those that come to it meanwhile.

        Gives what was done as a sentence; "" for nothing.

        Raises:
            SitesAttached: its sites cannot be read.
            ChektError: a site could not be moved; see errors.py.
        """
        target = StationId(recorded.id.dealer_id, recorded.reassign_sites_to)
        moved: dict[str, Site] = {}
        elsewhere: set[str] = set()
        count = 0
        try:
            while movers := self._on_it(operation, recorded, to_move=True):
                self._require_way(operation, recorded, movers, target, moved)
                count = len(moved) + len(movers)
                for site in movers:
                    # Each move has a deadline of its own: a station may have thousands of sites.
                    action = f"move {named_site(site)} from {recorded} to monitoring station {target}"
                    step = self._client.operation(action)
                    came = self.moves.move(step, site, target, leaving=recorded)
                    if step.changed and came.monitoring_station_id == target.station_id:
                        moved[site.site_id] = site
                    elif site.site_id in elsewhere:  # the list had time to show it there too
                        cause = f"CHeKT lists {named_site(site)} on it, and shows it elsewhere"
                        raise step.error(ListIncomplete, cause)
                    else:
                        elsewhere.add(site.site_id)
        except ChektError as error:
            if count == 0:
                raise
            raise error.replace(outcome=_so_far(len(moved), count, error)) from None
        if not moved:
            return ""
        told = f"{len(moved)} sites" if len(moved) > 1 else named_site(next(iter(moved.values())))
        self._say(f"Moved {told} from {recorded} to monitoring station {target}.")
        return f"{len(moved)} of its sites {'were' if len(moved) > 1 else 'was'} moved to monitoring station {target}."

    def _require_way(
        self,
        operation: Operation,
        recorded: Recorded,
        movers: Collection[Site],
        target: StationId,
        moved: Collection[str],
    ) -> None:
        """Make sure, before the first one moves, that all sites of a station may go where it says."""
        if target == recorded.id:
            raise operation.error(
                Unsafe,
                "reassign_sites_to names the station itself",
                remedy="Name another station of this dealer in reassign_sites_to, and run `pulumi up`.",
            )
        if back := [site for site in movers if site.site_id in moved]:
            raise operation.error(
                NotTaken,
                f"{named_site(back[0])} was moved to monitoring station {target}, and is back on the station",
                outcome="The station was not deleted.",
            )
        try:
            self.moves.require_room(operation, movers, target)
        except NotFound as error:
            raise error.replace(
                remedy="Name a monitoring station of this dealer in reassign_sites_to: "
                "declare the station with it, run `pulumi up`, then delete."
            ) from None


def _kept_by(sites: Items[Site], recorded: Recorded) -> list[Site]:
    """The sites that send their signals to a station, by its number or its external id."""
    found = sites.where(_station_number, recorded.id.station_id)
    for form in {common_form(external_id) for external_id in recorded.external_ids} - {""}:
        found += sites.where(_station_form, form)
    return [*{site.number: site for site in found}.values()]


def _external_site_id(site: Site) -> str:
    return site.external_site_id


def _station_number(site: Site) -> str | None:
    return site.monitoring_station_id


def _station_form(site: Site) -> str:
    return common_form(site.external_monitoring_station_id)


def _is_its_own(site: Site, recorded: Recorded) -> bool:
    """Whether a site is the station's to move; not one of a twin with the same external id."""
    return site.monitoring_station_id in (None, recorded.id.station_id)


def _unreadable(operation: Operation, recorded: Recorded, error: ChektError) -> SitesAttached:
    head = error.remedy if isinstance(error, ListIncomplete) else "Give the app access to the dealer's sites."
    guard = "set chekt:siteGuard (CHEKT_SITE_GUARD) to off to delete without looking."
    way_out = (
        f": reassign_sites_to cannot move what it cannot see. Or take it out, run `pulumi up`, and {guard}"
        if recorded.reassign_sites_to
        else f", or {guard}"
    )
    return SitesAttached(
        f"whether sites send their signals to it cannot be read: {error.cause}",
        action=operation.action,
        evidence=error.evidence,
        remedy=f"{head.rstrip('.')}{way_out}",
    )


def _so_far(done: int, count: int, error: ChektError) -> str:
    """What a reassignment did before it stopped; then what the error says of the site that stopped it."""
    told = f"{done} of {count} sites were moved before, and the station was not deleted; the next run goes on."
    own = {
        ChektError.default_outcome: "",
        "Nothing was deleted.": "",
        "The station was not deleted.": "",
        Unclear.default_outcome: "Whether this one was is not known.",
    }
    return f"{told} {own.get(error.outcome, error.outcome)}".strip()


def _who_sends(sites: list[Site]) -> str:
    names = listed([f"{shown(site.name, 60)!r} ({site.site_id})" for site in sites])
    count = f"{len(sites)} sites send their" if len(sites) > 1 else "1 site sends its"
    activated = sum(site.is_activated for site in sites)
    return f"{count} signals to it ({activated} activated): {names}"

"""To which station a site sends its signals, and moving it safely: for deletions and for SiteAssignment.

A move: the target is a station of the same dealer; no other site there has the same account number; PUT of
`monitoring_station_id` alone; the answer, else the site itself, says that it moved and lost nothing.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Operation
from chekt_provider.directory import Directory
from chekt_provider.errors import (
    AccountTaken,
    ChektError,
    Evidence,
    NotFound,
    NotTaken,
    PermissionDenied,
    SitesAttached,
    Unclear,
    Unsafe,
)
from chekt_provider.models import Site, Station
from chekt_provider.records import Recorded, SiteId, StationId
from chekt_provider.text import listed, shown

NOT_OURS = ("account_number", "address1", "address2")
"""Fields of a site that a move must leave as they are."""


class Sites:
    """The sites of every dealer, for all threads of one run.

    Args:
        client: the API.
        directory: what CHeKT lists; told of every move.
        say: told what a person should know although nothing failed.
    """

    def __init__(self, client: Client, directory: Directory, say: Callable[[str], None]) -> None:
        self._client = client
        self._directory = directory
        self._say = say
        self._lock = threading.Lock()
        self._headed: dict[SiteId, tuple[StationId, Site]] = {}
        self._closing: set[StationId] = set()
        self._put_replaces = False

    def find(self, operation: Operation, site_id: SiteId) -> Site | None:
        """The site as the run's list has it, else as it answers itself; None only when a fresh list agrees.

        A list may be paged, and a 404 is also the answer when the dealer is unknown: then the fresh list fails, loudly.
        """
        look = self._directory.sites(operation, site_id.dealer_id)
        if site := look.sites.get(site_id.site_id):
            return site
        try:
            return self._client.get_site(operation, site_id.dealer_id, site_id.site_id)
        except NotFound:
            again = self._directory.sites_again(operation, site_id.dealer_id, look)
            return again.sites.get(site_id.site_id)

    def called(self, operation: Operation, dealer_id: str, external_site_id: str) -> list[Site]:
        """Every site of the dealer with this external id."""
        look = self._directory.sites(operation, dealer_id)
        return [site for site in look.sites.values() if site.external_site_id == external_site_id]

    def require_room(self, operation: Operation, movers: Collection[Site], station_id: StationId) -> None:
        """Make sure that sites may go to a station, and hold their account numbers there for the rest of this run.

        They stay held when a move fails: it may have been done.

        Raises:
            NotFound: the dealer has no such station; it may be another dealer's.
            AccountTaken: another site has one of the numbers, on the station or on its way to it.
            Unsafe: the station is being deleted.
        """
        station = self._station(operation, station_id)
        with self._lock:
            if station_id in self._closing:
                raise Unsafe(
                    f"monitoring station {station_id} is being deleted by the same run",
                    action=operation.action,
                    evidence=_trace(operation),
                    remedy="Name another monitoring station.",
                )
            seen = self._directory.sites(operation, station_id.dealer_id).sites.values()
            there = [site for site in seen if _sends_to(site, station)]
            headed = self._headed_to(station_id)
            for mover in movers:
                _refuse_second(operation, mover, station_id, there, "is there already")
                _refuse_second(operation, mover, station_id, headed, "is on its way there")
                headed.append(mover)
            for mover in movers:
                self._headed[SiteId(station_id.dealer_id, mover.site_id)] = (station_id, mover)

    def _headed_to(self, station_id: StationId) -> list[Site]:
        return [site for headed_to, site in self._headed.values() if headed_to == station_id]

    def move(self, operation: Operation, site: Site, station_id: StationId) -> Site:
        """Put a site on a station that has room for it, and give it as it is then.

        Raises:
            NotTaken: CHeKT answered that it changed the site, and did not, or changed more.
            AccountTaken: its account number was changed meanwhile, to another site's on the station.
        """
        kept = {name: text for name in NOT_OURS if (text := _text(site, name))}
        body = {"monitoring_station_id": int(station_id.station_id)}
        dealer_id = station_id.dealer_id
        moved = self._put(operation, dealer_id, site, {**body, **kept} if self._put_replaces else body)
        if lost := _lost(site, moved):
            self._put_replaces = True
            had = _listed({name: kept[name] for name in lost})
            self._say(f"CHeKT dropped {had} when it moved {_named(site)}; putting it back.")
            try:
                moved = self._put(operation, dealer_id, site, {**body, **kept})
            except ChektError as error:
                outcome = f"The site was moved, but had {had}, which CHeKT dropped: set it in CHeKT's portal."
                raise error.replace(outcome=outcome) from None
        self._directory.note_moved(dealer_id, moved)
        if moved.monitoring_station_id != station_id.station_id:
            where = f"on {moved.monitoring_station_id}" if moved.monitoring_station_id else "on none"
            raise NotTaken(
                f"CHeKT did not take monitoring_station_id of {_named(site)}, which is still {where}",
                action=operation.action,
                evidence=_trace(operation),
                outcome="",
            )
        if lost := _lost(site, moved):
            raise NotTaken(
                f"CHeKT dropped {_listed({name: kept[name] for name in lost})} of {_named(site)}",
                action=operation.action,
                evidence=_trace(operation),
                outcome="The site was moved.",
                remedy="Set it in CHeKT's portal, and give the trace id to CHeKT's support.",
            )
        if _comparable(moved) != _comparable(site):  # somebody changed it since it was listed
            try:
                self.require_room(operation, [moved], station_id)
            except AccountTaken as error:
                raise error.replace(outcome="The site was moved.") from None
        return moved

    def _station(self, operation: Operation, station_id: StationId) -> Station:
        look = self._directory.look(operation, station_id.dealer_id)
        if station := look.stations.get(station_id.station_id):
            return station
        try:
            return self._client.get_station(operation, station_id.dealer_id, station_id.station_id)
        except NotFound as error:
            raise NotFound(
                f"dealer {station_id.dealer_id} has no monitoring station {station_id.station_id}",
                action=operation.action,
                evidence=error.evidence,
                remedy="Name a monitoring station of this dealer.",
            ) from None

    def _put(self, operation: Operation, dealer_id: str, site: Site, body: Mapping[str, str | int]) -> Site:
        """PUT, and read the site itself where the answer does not show what was wanted: it may leave fields out."""
        key = str(uuid.uuid4())  # random: with a derived key the move from A to B and back to A would be a replay
        answer = self._client.update_site(operation, dealer_id, site.site_id, body, key)
        if answer.monitoring_station_id == str(body["monitoring_station_id"]) and not _lost(site, answer):
            return answer
        return self._client.get_site(operation, dealer_id, site.site_id)

    def told(self, operation: Operation, recorded: Recorded) -> str:
        """Which sites send their signals to a station, as a clause; "" for none."""
        look = self._directory.sites(operation, recorded.id.dealer_id)
        attached = [site for site in look.sites.values() if _keeps(site, recorded)]
        return _who_sends(attached) if attached else ""

    def clear(self, operation: Operation, recorded: Recorded, *, guard: bool) -> None:
        """Make sure that no site sends its signals to a station that is about to be deleted.

        Args:
            operation: the deletion.
            recorded: the station; where it says `reassign_sites_to`, its sites are moved there first.
            guard: whether sites that cannot be read keep the station.

        Raises:
            SitesAttached: sites send their signals to it, or whether they do cannot be read.
            ChektError: its sites could not be moved; see errors.py.
        """
        dealer_id = recorded.id.dealer_id
        with self._lock:
            self._closing.add(recorded.id)
        try:
            look = self._directory.sites_before_deletion(operation, dealer_id)
            if recorded.reassign_sites_to and any(_is_on(site, recorded) for site in look.sites.values()):
                look = self._directory.sites_again(operation, dealer_id, look)
        except (PermissionDenied, NotFound) as error:
            if not guard and not recorded.reassign_sites_to:
                return
            raise _unreadable(operation, recorded, error) from None
        movers = [site for site in look.sites.values() if _is_on(site, recorded)]
        if recorded.reassign_sites_to and movers:
            self._reassign(operation, recorded, movers)
            look = self._directory.sites(operation, dealer_id)
        attached = {site.site_id: site for site in look.sites.values() if _keeps(site, recorded)}
        with self._lock:
            attached |= {site.site_id: site for site in self._headed_to(recorded.id)}
        if attached:
            raise SitesAttached(
                _who_sends([*attached.values()]),
                action=operation.action,
                evidence=_trace(operation),
                outcome="Nothing was deleted.",
            )

    def _reassign(self, operation: Operation, recorded: Recorded, movers: list[Site]) -> None:
        """Move the sites of a station, one by one; those that are moved already are not on it any more."""
        target = StationId(recorded.id.dealer_id, recorded.reassign_sites_to)
        if target == recorded.id:
            raise Unsafe(
                "reassign_sites_to names the station itself",
                action=operation.action,
                evidence=_trace(operation),
                remedy="Name another station of this dealer in reassign_sites_to, and run `pulumi up`.",
            )
        self.require_room(operation, movers, target)
        for done, site in enumerate(movers):
            # Each with a deadline of its own: a station may have thousands of sites.
            step = self._client.operation(f"move {_named(site)} from {recorded} to monitoring station {target}")
            try:
                self.move(step, site, target)
            except ChektError as error:
                raise error.replace(outcome=_so_far(done, len(movers), error)) from None
        count = f"{len(movers)} sites" if len(movers) > 1 else _named(movers[0])
        self._say(f"Moved {count} from {recorded} to monitoring station {target}.")


def _trace(operation: Operation) -> Evidence:
    return Evidence(trace_id=operation.trace_id)


def _text(site: Site, name: str) -> str:
    text: str = getattr(site, name)
    return text


def _lost(before: Site, after: Site) -> list[str]:
    return [name for name in NOT_OURS if _text(before, name) and not _text(after, name)]


def _listed(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {shown(text)!r}" for name, text in fields.items())


def _named(site: Site) -> str:
    return f"site {shown(site.name, 60)!r} ({site.site_id})"


def _sends_to(site: Site, station: Station) -> bool:
    by_external_id = site.external_monitoring_station_id == station.external_monitoring_station_id != ""
    return site.monitoring_station_id == station.monitoring_station_id or by_external_id


def _keeps(site: Site, recorded: Recorded) -> bool:
    by_external_id = site.external_monitoring_station_id == recorded.external_id != ""
    return site.monitoring_station_id == recorded.id.station_id or by_external_id


def _is_on(site: Site, recorded: Recorded) -> bool:
    """Whether a site is the station's to move: one that only shares the external id of its station's twin is not."""
    return site.monitoring_station_id in (None, recorded.id.station_id) and _keeps(site, recorded)


def _refuse_second(
    operation: Operation, mover: Site, station_id: StationId, others: Collection[Site], where: str
) -> None:
    number = _comparable(mover)
    for other in others:
        if number and _comparable(other) == number and other.site_id != mover.site_id:
            raise AccountTaken(
                f"{_named(mover)} cannot be on monitoring station {station_id}: "
                f"{_named(other)} {where}, with the same account number {shown(mover.account_number, 60)!r}",
                action=operation.action,
                evidence=_trace(operation),
            )


def _comparable(site: Site) -> str:
    """Receivers take account numbers in either case."""
    return site.account_number.strip().casefold()


def _unreadable(operation: Operation, recorded: Recorded, error: ChektError) -> SitesAttached:
    ways_out = (
        ": reassign_sites_to cannot move what it cannot see."
        if recorded.reassign_sites_to
        else ", or set chekt:siteGuard (CHEKT_SITE_GUARD) to off to delete without looking."
    )
    return SitesAttached(
        f"whether sites send their signals to it cannot be read: {error.cause}",
        action=operation.action,
        evidence=error.evidence,
        remedy=f"Give the app access to the dealer's sites{ways_out}",
    )


def _so_far(done: int, count: int, error: ChektError) -> str:
    """What a reassignment that stopped has done, in front of what the error says of the site that stopped it."""
    told = f"{done} of {count} sites were moved before, and the station was not deleted; the next run goes on."
    own = {ChektError.default_outcome: "", Unclear.default_outcome: "Whether this one was is not known."}
    return f"{told} {own.get(error.outcome, error.outcome)}".strip()


def _who_sends(sites: list[Site]) -> str:
    names = listed([f"{shown(site.name, 60)!r} ({site.site_id})" for site in sites])
    count = f"{len(sites)} sites send their" if len(sites) > 1 else "1 site sends its"
    activated = sum(site.is_activated for site in sites)
    return f"{count} signals to it ({activated} activated): {names}"

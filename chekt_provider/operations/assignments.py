"""What creating, reading, updating and deleting a site's assignment means. Here live its safety rules.

    create   puts an existing site on the station; sends nothing where it is there already
    read     gone only when two looks agree and the dealer itself still answers
    update   moves the site; names where others moved it before it overwrites that
    delete   leaves the site where it is

moving.py makes the moves, and refuses to give a station two sites with the same account number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.errors import NotFound, TwinSites
from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.model.ids import SiteId, StationId
from chekt_provider.model.records import Assigned
from chekt_provider.model.wire import Site
from chekt_provider.operations.claims import Claims
from chekt_provider.operations.identity import require_same_host
from chekt_provider.operations.moving import require_same_site
from chekt_provider.operations.probe import require_receiver
from chekt_provider.operations.sites import Sites
from chekt_provider.settings import Settings
from chekt_provider.text import shown


class AssignmentOperations:
    """Creates, reads, updates and deletes assignments, for all threads of one process.

    Args:
        sites: the sites as this run knows them.
        say: tells a person what they should know although nothing failed.
    """

    def __init__(self, client: Client, sites: Sites, settings: Settings, say: Callable[[str], None]) -> None:
        self._client = client
        self._sites = sites
        self._settings = settings
        self._say = say
        self._claims = Claims("another resource of this program assigns the same site", "Remove one of the two.")

    def create(self, wanted: AssignmentInputs) -> Assigned:
        """Put a site that exists on a station.

        Raises:
            NotFound: there is no such site, or no such station of the dealer.
            TwinSites: several sites have the external id.
            DeclaredTwice: another resource of this run assigns the site.
            AccountTaken: another site on the station has its account number.
            ReceiverSilent: the probe got no connection.
            ChektError: see errors.py.
        """
        target = StationId(wanted.dealer_id, wanted.monitoring_station_id)
        name = wanted.site_id or repr(shown(wanted.external_site_id))
        action = f"assign site {name} of dealer {wanted.dealer_id} to monitoring station {target}"
        operation = self._client.operation(action)
        site = self._named(operation, wanted)
        with self._claims.hold(SiteId(wanted.dealer_id, site.site_id), operation):
            if site.monitoring_station_id not in (None, target.station_id):
                left = f"{wanted.dealer_id}/{site.monitoring_station_id}"
                moving = self._assigned(wanted.dealer_id, site)
                self._say(f"Moving {moving} from {left} to monitoring station {target}.")
            return self._placed(operation, site, target, wanted, from_elsewhere=False)

    def keep(self, recorded: Assigned, declared_by: str) -> None:
        """Take note that a resource of this run goes on with its site. Sends nothing.

        Raises:
            DeclaredTwice: another resource of this run has put the site on a station, or is about to.
        """
        self._sites.expect(recorded.id)
        operation = self._client.operation(f"keep {recorded}")
        self._claims.keep(recorded.id, (recorded.id, declared_by), operation)

    def read(self, site_id: SiteId, recorded: Assigned) -> Assigned | None:
        """Where the site is now; None when it is gone for certain.

        Raises:
            OtherSite: its number is another site's now: external id differs, and name or account number.
        """
        operation = self._client.operation(f"read {recorded}")
        require_same_host(operation.action, recorded.api_host, self._settings.api_host)
        self._sites.expect(site_id)
        site = self._sites.find(operation, site_id)
        if site is None:
            return None
        if (site.name, site.account_number) != (recorded.name, recorded.account_number):
            require_same_site(operation, site_id, recorded.external_site_id, site)
        self._name_lost(recorded, site)
        self._claims.refreshed((recorded.id, recorded.declared_by))
        return replace(self._assigned(site_id.dealer_id, site), declared_by=recorded.declared_by)

    def update(self, recorded: Assigned, wanted: AssignmentInputs) -> Assigned:
        """Move the site; nothing is sent where the record has it on the station already.

        Raises:
            NotFound: the site is gone, or the dealer has no such station.
            ChektError: as `create`.
        """
        if recorded.monitoring_station_id == wanted.monitoring_station_id:
            return replace(recorded, declared_by=wanted.declared_by)
        target = StationId(wanted.dealer_id, wanted.monitoring_station_id)
        operation = self._client.operation(f"move {recorded} to monitoring station {target}")
        require_same_host(operation.action, recorded.api_host, self._settings.api_host)
        site = self._sites.find(operation, recorded.id)
        if site is None:
            raise operation.error(
                NotFound,
                "it does not exist any more",
                remedy="Take it out of the program, or make it again in CHeKT's portal and run `pulumi up --refresh`.",
            )
        require_same_site(operation, recorded.id, recorded.external_site_id, site)
        if site.monitoring_station_id != recorded.monitoring_station_id:  # by the list, which may be behind
            site, _ = self._sites.moves.read(operation, target.dealer_id, site)
        self._name_lost(recorded, site)
        self._name_overwritten(recorded, site, target)
        return self._placed(operation, site, target, wanted, from_elsewhere=True)

    def delete(self, recorded: Assigned) -> None:
        """Leave the site where it is, and say so. Sends nothing."""
        self._sites.expect(recorded.id)
        where = "without a monitoring station"
        if recorded.monitoring_station_id:
            where = f"on monitoring station {recorded.id.dealer_id}/{recorded.monitoring_station_id}"
        self._say(f"Leaving {recorded} where it is ({where}, as the state has it): without one it is not monitored.")

    def _named(self, operation: Operation, wanted: AssignmentInputs) -> Site:
        """The site that the inputs name."""
        if wanted.site_id:
            site = self._sites.find(operation, SiteId(wanted.dealer_id, wanted.site_id))
            found = [site] if site else []
        else:
            found = self._sites.called(operation, wanted.dealer_id, wanted.external_site_id)
        if not found:
            raise operation.error(
                NotFound,
                "the dealer has no such site",
                remedy="Correct the site's id, or make the site in CHeKT's portal first.",
            )
        if len(found) > 1:
            ids = ", ".join(site.site_id for site in found)
            raise operation.error(TwinSites, f"{len(found)} sites have this external id: {ids}")
        return found[0]

    def _placed(
        self, operation: Operation, site: Site, target: StationId, wanted: AssignmentInputs, *, from_elsewhere: bool
    ) -> Assigned:
        """Move the site to its station, unless the site itself shows it there: a list may be behind."""
        moves = self._sites.moves
        moves.require_room(operation, [site], target)
        if site.monitoring_station_id == target.station_id and not from_elsewhere:
            site, _ = moves.read(operation, target.dealer_id, site)
        if from_elsewhere or site.monitoring_station_id != target.station_id:
            if wanted.probe:
                require_receiver(wanted.probe, wanted.probe_timeout, operation)
            site = moves.move(operation, site, target, in_any_case=from_elsewhere)
        return replace(self._assigned(target.dealer_id, site), declared_by=wanted.declared_by)

    def _name_lost(self, recorded: Assigned, live: Site) -> None:
        """Say which fields a site has lost: a move that was cut off may have cost it them."""
        names = ("external_site_id", "name", "account_number")
        had = [(name, getattr(recorded, name)) for name in names if not getattr(live, name)]
        if lost := ", ".join(f"{name} {shown(text)!r}" for name, text in had if text):
            self._say(
                f"{recorded} had {lost} at the last refresh, and has not any more: set it again in CHeKT's portal."
            )

    def _name_overwritten(self, recorded: Assigned, live: Site, target: StationId) -> None:
        now = live.monitoring_station_id or ""
        if now not in (recorded.monitoring_station_id, target.station_id):
            where = f"put on monitoring station {target.dealer_id}/{now}" if now else "taken off its station"
            self._say(f"Moving {recorded} to monitoring station {target}: it was {where} since the last refresh.")

    def _assigned(self, dealer_id: str, site: Site) -> Assigned:
        return Assigned(
            id=SiteId(dealer_id, site.site_id),
            external_site_id=site.external_site_id,
            name=site.name,
            account_number=site.account_number,
            monitoring_station_id=site.monitoring_station_id or "",
            api_host=self._settings.api_host,
        )

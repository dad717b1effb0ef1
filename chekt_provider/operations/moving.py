"""Moving a site to another station safely: for deletions that reassign, and for SiteAssignment.

The target is a station of the same dealer, and there a moment ago; no other site there has the same account number; the
site is read whole, PUT on its station, and read whole until that shows, whatever the PUT was answered: every other
field is what it was, or is put back, or is named in an error.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from chekt_provider.api.client import Client
from chekt_provider.api.operation import Operation
from chekt_provider.errors import (
    AccountTaken,
    ChektError,
    InvalidInput,
    NotFound,
    NotTaken,
    OtherSite,
    OtherStation,
    Unsafe,
)
from chekt_provider.model.fields import Station
from chekt_provider.model.forms import same_form
from chekt_provider.model.ids import SiteId, StationId
from chekt_provider.model.records import Recorded
from chekt_provider.model.wire import Site
from chekt_provider.operations.directory import BEHIND_SECONDS, Directory
from chekt_provider.text import shown

WRITABLE = ("external_site_id", "name", "timezone", "account_number", "address1", "address2")
"""Fields of a site that PUT takes, beside its station."""

GUARDED = (*WRITABLE, "is_activated", "created_at")
"""Fields of a site that a move must leave as they are. Of those that CHeKT does not document, none may get lost."""

LIST_SECONDS = 2.0
"""How old what was read may be: the list of sites when a deletion leaves, the target when a site is moved."""


class Moves:
    """The moves of sites, for all threads of one run.

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
        self._seen: dict[StationId, float] = {}
        """When stations to which sites go were last asked for by id."""
        self._put_takes_all = False

    def close(self, station_id: StationId) -> None:
        """Take note that a station is being deleted: this run moves no site to it any more."""
        with self._lock:
            self._closing.add(station_id)

    def open(self, station_id: StationId) -> None:
        """Take note that a number is a new station's: sites may go to it."""
        with self._lock:
            self._closing.discard(station_id)

    def read(self, operation: Operation, dealer_id: str, site: Site) -> tuple[Site, Mapping[str, Any]]:
        """A site that was listed, or read before, as it answers itself now, and every field that CHeKT has of it.

        Raises:
            OtherSite: its number is another site's.
        """
        live, fields = self._client.get_whole_site(operation, dealer_id, site.site_id)
        require_same_site(operation, SiteId(dealer_id, site.site_id), site.external_site_id, live)
        return live, fields

    def move(
        self,
        operation: Operation,
        site: Site,
        station_id: StationId,
        *,
        leaving: Recorded | None = None,
        in_any_case: bool = False,
    ) -> Site:
        """Put a site on a station that has room for it, and give it as it is then.

        Args:
            operation: what the move is for; `changed` afterwards where a PUT was sent.
            site: as it was listed.
            station_id: where it goes.
            leaving: the station that it is to leave: a site that has left it stays where somebody put it.
            in_any_case: also where it shows itself there already: the state or a list has it elsewhere, and the site
                may be behind.

        Raises:
            OtherSite: the number belongs to another site than the one that was listed.
            NotFound: the station is gone.
            NotTaken: CHeKT answered that it changed the site, and did not, or changed more.
            AccountTaken: another site on the station has its account number by now.
        """
        dealer_id = station_id.dealer_id
        self._station(operation, station_id)  # what is older than a minute is read before the wait
        self._directory.sites(dealer_id).recent_look(operation)
        self._client.take_turn(operation)
        self.require_there(operation, station_id)
        before, fields = self.read(operation, dealer_id, site)
        moved = before
        elsewhere = leaving is not None and before.monitoring_station_id not in (None, leaving.id.station_id)
        if (in_any_case or before.monitoring_station_id != station_id.station_id) and not elsewhere:
            self.require_room(operation, [before], station_id)
            try:
                moved = self._moved(operation, before, fields, station_id)
            except ChektError:
                if not operation.changed:
                    self._let_go(SiteId(dealer_id, site.site_id))
                raise
            if moved.monitoring_station_id == station_id.station_id:
                self._require_still_there(operation, station_id)
        self._directory.sites(dealer_id).note(site.site_id, moved)
        return moved

    def _require_still_there(self, operation: Operation, station_id: StationId) -> None:
        """Look whether the station is there on which a site is now, unless that was seen two seconds ago.

        Raises:
            NotFound, OtherStation: somebody deleted it meanwhile.
        """
        try:
            self.require_there(operation, station_id)
        except (NotFound, OtherStation) as error:
            raise error.replace(
                outcome="The site was put on it all the same.",
                remedy="Put the site on another one at once: its signals go nowhere.",
            ) from None

    def require_room(self, operation: Operation, movers: Collection[Site], station_id: StationId) -> None:
        """Make sure that sites may go to a station, and hold their account numbers there for the rest of this run.

        They stay held when a move is in doubt: it may have been done.

        Raises:
            NotFound: the dealer has no such station; it may be another dealer's.
            AccountTaken: another site has one of the numbers, on the station or on its way to it.
            Unsafe: the station is being deleted.
        """
        station = self._station(operation, station_id)
        with self._lock:
            if station_id in self._closing:
                raise operation.error(
                    Unsafe,
                    f"monitoring station {station_id} is being deleted by the same run",
                    remedy="Name another monitoring station.",
                )
            there = [site for site in self._numbered(operation, movers, station_id) if _sends_to(site, station)]
            headed = self._headed_to(station_id)
            for mover in movers:
                _refuse_second(operation, mover, station_id, there, "is there already")
                _refuse_second(operation, mover, station_id, headed, "is on its way there")
                headed.append(mover)
            for mover in movers:
                self._headed[SiteId(station_id.dealer_id, mover.site_id)] = (station_id, mover)

    def _numbered(self, operation: Operation, movers: Collection[Site], station_id: StationId) -> list[Site]:
        """The dealer's sites with account numbers and stations, as far as sites that go to a station may meet them.

        What the list leaves out is asked for by id: the numbers of the sites on the station, where it tells none at
        all; the station of a site that has the number of one that goes there, where it tells none at all.
        """
        sites = self._directory.sites(station_id.dealer_id)
        look = sites.recent_look(operation)
        numbers = {_comparable(mover) for mover in movers} - {""}
        tells_numbers = any("account_number" in site.model_fields_set for site in look.listed.values())
        if tells_numbers and not look.is_sampled:
            return [site for number in numbers for site in look.items.where(_comparable, number)]

        def is_summary(site: Site) -> bool:
            if look.is_sampled:
                return not tells_numbers or _comparable(site) in numbers
            return not tells_numbers and site.monitoring_station_id in (None, station_id.station_id)

        whole = [sites.get_once(operation, look, key) if is_summary(it) else it for key, it in look.items.items()]
        return [site for site in whole if site]

    def headed_to(self, station_id: StationId) -> list[Site]:
        """The sites that this run has begun to move to a station, and may have moved."""
        with self._lock:
            return self._headed_to(station_id)

    def _headed_to(self, station_id: StationId) -> list[Site]:
        return [site for headed_to, site in self._headed.values() if headed_to == station_id]

    def _let_go(self, site_id: SiteId) -> None:
        with self._lock:
            self._headed.pop(site_id, None)

    def _moved(self, operation: Operation, before: Site, fields: Mapping[str, Any], station_id: StationId) -> Site:
        """PUT a site on a station, and see that nothing else of it changed, whatever the PUT was answered."""
        own = _writable(fields)
        doubt: ChektError | None = None
        try:
            self._put_on(operation, station_id, before, own)
        except ChektError as error:
            if not operation.changed:
                raise
            doubt = error
        try:
            was_there = before.monitoring_station_id == station_id.station_id
            moved, now = self._shown(operation, before, station_id, (), to_the_end=was_there)
        except ChektError as error:
            raise _may_lack(doubt or error, own) from None
        for _ in range(2):  # a PUT whose answer was lost may be done after what was put back, and drop it again
            if not (lost := [name for name in own if not _set(now.get(name))]):
                break
            moved, now = self._put_back(operation, station_id, before, own, lost)
        self._require_taken(operation, before, moved, station_id, doubt)
        if changed := _changed(fields, now):
            raise operation.error(
                NotTaken,
                f"moving {named_site(before)} changed more than its station: {changed}",
                outcome="The site was moved.",
                remedy="Set it again in CHeKT's portal, and give the trace id to CHeKT's support.",
            )
        return moved

    def _put_on(self, operation: Operation, station_id: StationId, before: Site, own: Mapping[str, Any]) -> None:
        """PUT the station alone; with the site's own values where CHeKT asks for them, or has dropped some before."""
        body = {"monitoring_station_id": int(station_id.station_id)}
        try:
            self._put(operation, station_id, before, {**body, **own} if self._put_takes_all else body)
        except InvalidInput as error:
            if self._put_takes_all or error.evidence.field == "monitoring_station_id":
                raise
            self._put_takes_all = True  # it asks for more than the station
            self._put(operation, station_id, before, {**body, **own})

    def _put_back(
        self, operation: Operation, station_id: StationId, before: Site, own: Mapping[str, Any], lost: list[str]
    ) -> tuple[Site, Mapping[str, Any]]:
        """Give a site the values back that CHeKT dropped when it moved it, and that nobody has set since.

        It stays on the station where it is now, with what else it has now.
        """
        self._put_takes_all = True
        had = _values(own, lost)
        self._say(f"CHeKT dropped {had} when it moved {named_site(before)}; putting it back.")
        try:
            self._client.take_turn(operation)
            now, fields = self._client.get_whole_site(operation, station_id.dealer_id, before.site_id)
            there = StationId(station_id.dealer_id, now.monitoring_station_id or station_id.station_id)
            has = _writable(fields)
            back = {name: own[name] for name in lost if name not in has}
            self._put(operation, there, now, {"monitoring_station_id": int(there.station_id), **has, **back})
        except ChektError as error:
            outcome = f"The site was moved, but had {had}, which CHeKT dropped: set it in CHeKT's portal."
            raise error.replace(outcome=outcome) from None
        try:
            return self._shown(operation, before, there, lost, to_the_end=operation.doubtful)
        except ChektError as error:
            outcome = f"The site was moved, and {had} put back, which CHeKT had dropped: look whether it is there."
            raise error.replace(outcome=outcome) from None

    def _require_taken(
        self, operation: Operation, before: Site, moved: Site, station_id: StationId, doubt: ChektError | None
    ) -> None:
        """Make sure that a site is on the station that it was put on.

        Raises:
            ChektError: `doubt`, of a PUT that may not have been done; it was not, or somebody moved the site since.
            Unsafe: somebody moved it since.
            NotTaken: CHeKT did not.
        """
        if moved.monitoring_station_id == station_id.station_id:
            return
        if doubt:
            raise doubt
        if moved.monitoring_station_id not in (before.monitoring_station_id, None):
            raise _moved_meanwhile(operation, moved)
        where = f"on {moved.monitoring_station_id}" if moved.monitoring_station_id else "on none"
        raise operation.error(
            NotTaken,
            f"CHeKT did not take monitoring_station_id of {named_site(before)}, which is still {where}",
            outcome="",
        )

    def _shown(
        self,
        operation: Operation,
        site: Site,
        station_id: StationId,
        wanted: Collection[str],
        *,
        to_the_end: bool = False,
    ) -> tuple[Site, Mapping[str, Any]]:
        """A site as it answers itself, once it shows a station and the fields that are wanted, or as it is at last.

        To the end: also where it shows them, since it did before the PUT.
        """
        for _ in self._client.looks(operation):
            moved, fields = self._client.get_whole_site(operation, station_id.dealer_id, site.site_id)
            there = moved.monitoring_station_id == station_id.station_id
            if there and not to_the_end and all(_set(fields.get(name)) for name in wanted):
                break
        return moved, fields

    def require_there(self, operation: Operation, station_id: StationId) -> None:
        """Make sure that a station to which sites go was there two seconds ago: somebody may delete it meanwhile.

        Only the station itself tells, since lists may be behind. One that this run has just made need not show yet.

        Raises:
            NotFound: it is gone.
            OtherStation: its number is another's.
        """
        stations, asked_at = self._directory.stations(station_id.dealer_id), self._client.clock()
        number, look = station_id.station_id, stations.latest
        is_new = number in stations.written_since(asked_at - BEHIND_SECONDS) and look and number in look.items
        with self._lock:
            is_seen = asked_at - self._seen.get(station_id, float("-inf")) < LIST_SECONDS
        if is_new or is_seen:
            return
        live = self._live(operation, station_id, f"monitoring station {station_id} does not exist any more")
        self._directory.require_expected(operation, station_id, live)

    def _station(self, operation: Operation, station_id: StationId) -> Station:
        """The station to which sites may go; where the state has its number, it is the one that the state has."""
        look = self._directory.stations(station_id.dealer_id).recent_look(operation)
        missing = f"dealer {station_id.dealer_id} has no monitoring station {station_id.station_id}"
        station = look.items.get(station_id.station_id) or self._live(operation, station_id, missing)
        self._directory.require_expected(operation, station_id, station)
        return station

    def _live(self, operation: Operation, station_id: StationId, missing: str) -> Station:
        """A station as it answers itself. One that is known gets the time in which CHeKT must show it.

        Raises:
            NotFound: `missing`.
        """
        for _ in self._client.looks(operation) if self._directory.knows(station_id) else (None,):
            asked_at = self._client.clock()
            try:
                live = self._client.get_station(operation, station_id.dealer_id, station_id.station_id)
            except NotFound as error:
                failure = error
                continue
            with self._lock:
                self._seen[station_id] = asked_at
            return live
        raise failure.replace(cause=missing, remedy="Name a monitoring station of this dealer.")

    def _put(self, operation: Operation, station_id: StationId, before: Site, body: Mapping[str, Any]) -> None:
        """PUT a site that was read when its turn had come; before it is tried again it is read again."""

        def admit() -> None:
            if not operation.has_turn:
                self._client.take_turn(operation)
                self.require_there(operation, station_id)
                self._require_as_before(operation, before, station_id, body)

        key = str(uuid.uuid4())  # random: with a derived key the move from A to B and back to A would be a replay
        self._client.update_site(operation, station_id.dealer_id, before.site_id, body, key, admit)

    def _require_as_before(
        self, operation: Operation, before: Site, station_id: StationId, body: Mapping[str, Any]
    ) -> None:
        """Make sure that a site is the one that it was, and that nobody put it elsewhere or changed it meanwhile.

        Raises:
            OtherSite, AccountTaken: as `move`.
            Unsafe: it is on a third station, or has other values than are about to be sent.
        """
        now, fields = self.read(operation, station_id.dealer_id, before)
        if now.monitoring_station_id not in (before.monitoring_station_id, station_id.station_id):
            raise _moved_meanwhile(operation, now)
        if edited := [name for name, text in _writable(fields).items() if name in body and body[name] != text]:
            cause = f"somebody changed {', '.join(edited)} of {named_site(now)} meanwhile"
            raise operation.error(Unsafe, cause, remedy="Run again.")
        self.require_room(operation, [now], station_id)


def require_same_site(operation: Operation, site_id: SiteId, recorded: str, live: Site) -> None:
    """Make sure that a number still belongs to the site that it belonged to, by the site's external id.

    Raises:
        OtherSite: it does not.
    """
    if recorded and live.external_site_id and live.external_site_id != recorded:
        now = shown(live.external_site_id)
        raise operation.error(OtherSite, f"{site_id} is site {now!r} now, and was {shown(recorded)!r}")


def _set(value: object) -> bool:
    return value not in (None, "", [], {})


def _writable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a site has of the fields that PUT takes."""
    return {name: fields[name] for name in WRITABLE if _set(fields.get(name))}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What is not as it was, as a clause: of documented fields any difference, of others a loss; "" for nothing."""
    lost = [
        name for name in before if "monitoring_station" not in name and _set(before[name]) and not _set(after.get(name))
    ]
    other = [name for name in GUARDED if name not in lost and (before.get(name) or "") != (after.get(name) or "")]
    was_and_is = [(name, _said(before.get(name)), _said(after.get(name))) for name in lost + other]
    return ", ".join(f"{name} was {was!r} and is {now!r}" for name, was, now in was_and_is)


def _moved_meanwhile(operation: Operation, now: Site) -> Unsafe:
    where = f"on monitoring station {now.monitoring_station_id}" if now.monitoring_station_id else "on none"
    cause = f"{named_site(now)} is {where} now: somebody moved it meanwhile"
    return operation.error(Unsafe, cause, remedy="Look where it belongs, and run again.")


def _values(own: Mapping[str, Any], names: Collection[str]) -> str:
    return ", ".join(f"{name} {shown(str(own[name]))!r}" for name in names)


def _may_lack(error: ChektError, own: Mapping[str, Any]) -> ChektError:
    """An error after a PUT of which nothing can be read: it says what the site had, should it be lost."""
    if not own:
        return error
    had = f"Before, the site had {_values(own, own)}: what CHeKT does not show of it any more, set again in its portal."
    return error.replace(outcome=f"{error.outcome} {had}".strip())


def _said(value: object) -> str:
    return "" if value is None else shown(str(value), 60)


def named_site(site: Site) -> str:
    """A site as sentences name it."""
    return f"site {shown(site.name, 60)!r} ({site.site_id})"


def _sends_to(site: Site, station: Station) -> bool:
    by_external_id = same_form(site.external_monitoring_station_id, station.external_monitoring_station_id)
    return site.monitoring_station_id == station.monitoring_station_id or by_external_id


def _refuse_second(
    operation: Operation, mover: Site, station_id: StationId, others: Collection[Site], where: str
) -> None:
    number = _comparable(mover)
    for other in others:
        if number and _comparable(other) == number and other.site_id != mover.site_id:
            raise operation.error(
                AccountTaken,
                f"{named_site(mover)} cannot be on monitoring station {station_id}: "
                f"{named_site(other)} {where}, with the same account number {shown(mover.account_number, 60)!r}",
            )


def _comparable(site: Site) -> str:
    """Receivers take account numbers in either case."""
    return site.account_number.strip().casefold()

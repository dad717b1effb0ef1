"""Moving a site to another station safely: for deletions that reassign, and for SiteAssignment.

The target is a station of the same dealer, and there a moment ago; no other site there has the same account number.
The site is read whole, PUT on its station, and read whole until that shows, whatever CHeKT answers: every other field
is as it was, or is put back, or an error names it.
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
"""Fields of a site that a move must leave as they are. Those that CHeKT does not document must not get lost."""

LIST_SECONDS = 2.0
"""How old a reading may be: of the sites when a deletion leaves, of the target when a site moves."""


class Moves:
    """The moves of sites, for all threads of one run; the directory takes note of them."""

    def __init__(self, client: Client, directory: Directory, say: Callable[[str], None]) -> None:
        self._client = client
        self._directory = directory
        self._say = say
        self._lock = threading.RLock()
        self._headed: dict[SiteId, tuple[StationId, Site]] = {}
        self._closing: set[StationId] = set()
        self._seen: dict[StationId, float] = {}
        """When a station to which sites go last answered by id."""
        self._put_takes_all = False

    def close(self, station_id: StationId) -> None:
        """Take note that a station is being deleted: this run moves no more sites to it."""
        with self._lock:
            self._closing.add(station_id)

    def open(self, station_id: StationId) -> None:
        """Take note that a number is a new station's: sites may go to it."""
        with self._lock:
            self._closing.discard(station_id)

    def read(self, operation: Operation, dealer_id: str, site: Site) -> tuple[Site, Mapping[str, Any]]:
        """A known site as it answers itself, and every field of it. Raises OtherSite where its number is another's."""
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
            operation: `changed` afterwards where a PUT was sent.
            site: as it was listed.
            station_id: where it goes.
            leaving: the station that it leaves: a site that has left it already stays where somebody put it.
            in_any_case: PUT although the site shows itself there: it may be behind the state or a list.

        Raises:
            OtherSite: the number belongs to another site than the listed one.
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
                    with self._lock:
                        self._headed.pop(SiteId(dealer_id, site.site_id), None)
                raise
            if moved.monitoring_station_id == station_id.station_id:
                self._require_still_there(operation, station_id)
        self._directory.sites(dealer_id).note(site.site_id, moved)
        return moved

    def _require_still_there(self, operation: Operation, station_id: StationId) -> None:
        """Make sure that nobody deleted the station meanwhile to which a site was moved."""
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
            headed = self.headed_to(station_id)
            for mover in movers:
                _refuse_second(operation, mover, station_id, there, "is there already")
                _refuse_second(operation, mover, station_id, headed, "is on its way there")
                headed.append(mover)
            for mover in movers:
                self._headed[SiteId(station_id.dealer_id, mover.site_id)] = (station_id, mover)

    def _numbered(self, operation: Operation, movers: Collection[Site], station_id: StationId) -> list[Site]:
        """The dealer's sites that sites on their way to a station may meet, with account numbers and stations.

        Where a list tells no numbers, asks the sites on the station by id; where it tells no stations, those with the
        number of a mover.
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
            return [site for headed_to, site in self._headed.values() if headed_to == station_id]

    def _moved(self, operation: Operation, before: Site, fields: Mapping[str, Any], station_id: StationId) -> Site:
        """PUT a site on a station; whatever CHeKT answers, look that nothing else of the site changed."""
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
        """PUT the station; with the site's own values where CHeKT asks for them, or has dropped some before."""
        try:
            self._put(operation, station_id, before, own if self._put_takes_all else {})
        except InvalidInput as error:
            if self._put_takes_all or error.evidence.field == "monitoring_station_id":
                raise
            self._put_takes_all = True  # it asks for more than the station
            self._put(operation, station_id, before, own)

    def _put_back(
        self, operation: Operation, station_id: StationId, before: Site, own: Mapping[str, Any], lost: list[str]
    ) -> tuple[Site, Mapping[str, Any]]:
        """Give a site back what CHeKT dropped in the move, and nobody has set since; all else stays as it is now."""
        self._put_takes_all = True
        had = _values(own, lost)
        self._say(f"CHeKT dropped {had} when it moved {named_site(before)}; putting it back.")
        try:
            self._client.take_turn(operation)
            now, fields = self._client.get_whole_site(operation, station_id.dealer_id, before.site_id)
            there = StationId(station_id.dealer_id, now.monitoring_station_id or station_id.station_id)
            has = _writable(fields)
            back = {name: own[name] for name in lost if name not in has}
            self._put(operation, there, now, {**has, **back})
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
        """Make sure that a PUT moved a site. Raises `doubt`, where the PUT ended with an error.

        Else raises Unsafe where somebody moved the site since, or NotTaken.
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
        self, operation: Operation, site: Site, station_id: StationId, wanted: Collection[str], *, to_the_end: bool
    ) -> tuple[Site, Mapping[str, Any]]:
        """A site as it answers itself, once it shows a station and the wanted fields, or at last.

        `to_the_end` never stops early: the site may have shown them before the PUT as well.
        """
        for _ in self._client.looks(operation):
            moved, fields = self._client.get_whole_site(operation, station_id.dealer_id, site.site_id)
            there = moved.monitoring_station_id == station_id.station_id
            if there and not to_the_end and all(_set(fields.get(name)) for name in wanted):
                break
        return moved, fields

    def require_there(self, operation: Operation, station_id: StationId) -> None:
        """Make sure that a station to which sites go was there two seconds ago: somebody may delete it meanwhile.

        Only the station itself tells that, since lists may be behind; one that this run has just made need not show.

        Raises NotFound where it is gone, OtherStation where its number is another's.
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
        """The station to which sites may go: the one in the state, where the state has its number."""
        look = self._directory.stations(station_id.dealer_id).recent_look(operation)
        missing = f"dealer {station_id.dealer_id} has no monitoring station {station_id.station_id}"
        station = look.items.get(station_id.station_id) or self._live(operation, station_id, missing)
        self._directory.require_expected(operation, station_id, station)
        return station

    def _live(self, operation: Operation, station_id: StationId, missing: str) -> Station:
        """A station as it answers itself; a known one gets time to show. Raises NotFound with cause `missing`."""
        for _ in self._client.looks(operation) if self._directory.knows(station_id) else (None,):
            asked_at = self._client.clock()
            try:
                live = self._client.get_station(operation, station_id.dealer_id, station_id.station_id)
            except NotFound as error:
                failure = error
            else:
                with self._lock:
                    self._seen[station_id] = asked_at
                return live
        raise failure.replace(cause=missing, remedy="Name a monitoring station of this dealer.")

    def _put(self, operation: Operation, station_id: StationId, before: Site, values: Mapping[str, Any]) -> None:
        """PUT a station and other values on a site that was read in turn; each further attempt reads it again."""

        def admit() -> None:
            if not operation.has_turn:
                self._client.take_turn(operation)
                self.require_there(operation, station_id)
                self._require_as_before(operation, before, station_id, values)

        body = {"monitoring_station_id": int(station_id.station_id), **values}
        key = str(uuid.uuid4())  # random: with a derived key the move from A to B and back to A would be a replay
        self._client.update_site(operation, station_id.dealer_id, before.site_id, body, key, admit)

    def _require_as_before(
        self, operation: Operation, before: Site, station_id: StationId, values: Mapping[str, Any]
    ) -> None:
        """Make sure that nobody moved a site meanwhile, or changed a value that is about to be sent."""
        now, fields = self.read(operation, station_id.dealer_id, before)
        if now.monitoring_station_id not in (before.monitoring_station_id, station_id.station_id):
            raise _moved_meanwhile(operation, now)
        if edited := [name for name, text in _writable(fields).items() if name in values and values[name] != text]:
            cause = f"somebody changed {', '.join(edited)} of {named_site(now)} meanwhile"
            raise operation.error(Unsafe, cause, remedy="Run again.")
        self.require_room(operation, [now], station_id)


def require_same_site(operation: Operation, site_id: SiteId, recorded: str, live: Site) -> None:
    """Make sure, by its external id, that a site still has its number. Raises OtherSite where another has it."""
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
    """An error after which the site cannot be read: says what it had, in case that is lost."""
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

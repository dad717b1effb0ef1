"""Creating a station once, whatever the network does, and adopting one only where that was asked for.

look             the external id is there: adopt or refuse
POST             three at most, each but the first after looks that do not show the station
    201          is ours; but see replays.py for an answer that CHeKT has given before
    all else     see outcomes.py: whether it may have made the station, and with which key another POST may follow
looks            there now: ours if a POST may have made it, and it is what was sent; else another's
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from http.client import ACCEPTED

from chekt_provider.api.client import Client, Created
from chekt_provider.api.operation import Operation
from chekt_provider.api.retry import LONGEST_RETRY_AFTER_SECONDS
from chekt_provider.errors import (
    ChektError,
    Conflict,
    Evidence,
    Interrupted,
    InvalidInput,
    NotChekt,
    Refused,
    Replayed,
    SettingsError,
    Throttled,
    TokenError,
    TokenRefused,
    TwinStations,
    Unreachable,
)
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.forms import has_same_letters, is_form_of
from chekt_provider.model.moments import seconds_apart
from chekt_provider.model.records import UPDATED_IN_PLACE, Recorded, id_of, named, value
from chekt_provider.operations import adoption
from chekt_provider.operations.claims import StationClaims
from chekt_provider.operations.directory import BEHIND_SECONDS, Directory, Look
from chekt_provider.operations.identity import OTHER_SECONDS, is_alike, is_same_station, not_taken
from chekt_provider.operations.lookalikes import Lookalikes
from chekt_provider.operations.outcomes import Key, Outcome, Unshown, outcome_of
from chekt_provider.operations.replays import is_new, is_old, is_ours, living
from chekt_provider.operations.writes import Writes

POSTS = 3
"""How often one creation sends its POST."""

ACCEPTED_SECONDS = 60.0
"""How long CHeKT may take to do what it has answered by 202, before the next POST."""

KEY_NAMESPACE = uuid.UUID("6f0c1d1e-8f0b-5d5b-9d8e-3f2a7c1b4e90")
"""Of the idempotency keys of POST. Never changes: a newer version must find what an older one began."""

_NAMES_IT = "Run `pulumi up` again: it names the station where it is there."
_UNDER_WAY = "CHeKT lists no such station yet, but an earlier attempt may still make it."
_IN_A_MINUTE = "Run `pulumi up` again in a minute; if it stays so, give the trace id to CHeKT's support."


def creation_key(wanted: StationInputs) -> str:
    """The idempotency key of a POST: the same when a killed run is repeated, and never that of another stack.

    It leaves out the values: with them, a repeated run with other values would make a second station where CHeKT takes
    an external id twice.
    """
    parts = [wanted.declared_by, wanted.dealer_id, wanted.external_monitoring_station_id]
    return str(uuid.uuid5(KEY_NAMESPACE, json.dumps(parts)))


class Creation:
    """One creation of one station.

    Args:
        adopt: whether it may take over a station that has the external id.
        claims: which stations the resources of this run have.
        say: tells a person what they should know although nothing failed.
    """

    def __init__(
        self,
        client: Client,
        directory: Directory,
        writes: Writes,
        operation: Operation,
        wanted: StationInputs,
        *,
        adopt: bool,
        claims: StationClaims,
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._stations = directory.stations(wanted.dealer_id)
        self._writes = writes
        self._operation = operation
        self._wanted = wanted
        self._adopt = adopt
        self._claims = claims
        self._lookalikes = Lookalikes(self._stations, operation, wanted, claims)
        self._say = say
        self._doubt: ChektError | None = None
        """The error of the first POST that may have made the station."""
        self._doubts = 0
        """How many POSTs may have made it."""
        self._accepted_at: float | None = None
        """When CHeKT first answered 202: accepted, and to be done."""
        self._other: Station | None = None
        """What CHeKT answered under an external id that is not ours."""

    def run(self) -> Recorded:
        """Make the station, or take over the one that is there.

        Raises:
            StationExists, TwinStations: the external id is taken.
            ChektError: see errors.py.
        """
        look = self._stations.complete_look(self._operation)
        self._lookalikes.before = look.items
        if existing := self._lookalikes.existing(look):
            return self._take_over(existing, look)
        self._lookalikes.refuse_before(look, adopt=self._adopt)
        key, before = creation_key(self._wanted), None
        for sent in range(1, POSTS + 1):
            try:
                created = self._post(key)
                station = self._living(created)
            except (Unreachable, TokenError, SettingsError, Interrupted):  # nothing was sent
                raise
            except ChektError as error:
                answer = error
            else:
                return self._answered(created, station, sent, look)
            outcome = outcome_of(answer)
            look = self._look_after(answer, outcome, look)
            if found := self._lookalikes.existing(look):
                self._name_doubt(sent, of=self._doubts - 1)
                return self._found_after(found, look)
            self._lookalikes.refuse_to_guess(answer, self._other, look)
            if outcome.key is Key.NONE:
                raise self._given_up(answer, look)
            if outcome.needs_new_key(before):
                key = str(uuid.uuid4())
            before = outcome
        raise self._after_all(answer)

    def _answered(self, created: Created, station: Station, sent: int, look: Look[Station]) -> Recorded:
        """Take the station that answered a POST, where it is ours."""
        if not is_ours(created, station, self._wanted, came_since=self._lookalikes.came_since(station)):
            return self._take_over(station, look)
        if is_old(created):
            self._say(f"Taking {named(self._wanted, station)}, which CHeKT dates before this run.")
        self._name_doubt(sent, of=self._doubts)
        return self._settle(station)

    def _post(self, key: str) -> Created:
        wanted = self._wanted
        values = {name: value(wanted, name) for name in UPDATED_IN_PLACE if value(wanted, name) != ""}
        body = {"external_monitoring_station_id": wanted.external_monitoring_station_id, **values}
        try:
            created = self._client.create_station(self._operation, wanted.dealer_id, body, key)
        except ChektError as error:
            self._note_accepted(error.evidence.status)
            raise
        self._note_accepted(created.status)
        return created

    def _note_accepted(self, status: int | None) -> None:
        if status == ACCEPTED and self._accepted_at is None:
            self._accepted_at = self._client.clock()

    def _living(self, created: Created) -> Station:
        """The station that answered a POST, as it is now. Raises Unshown for none, Replayed for one that was deleted.

        Raises NotChekt where its external id is not ours, in the answer or behind it.
        """
        station, sent = created.station, self._wanted.external_monitoring_station_id
        if station is None:
            raise self._operation.error(Unshown, "CHeKT answered that it created it, and does not show it")
        answered = station.external_monitoring_station_id or sent
        is_rewritten = is_new(created) and has_same_letters(answered, sent)
        if not is_rewritten and not is_form_of(answered, sent):
            raise self._is_other(station)
        live = living(self._client, self._stations, self._operation, created, id_of(self._wanted, station), self._say)
        if live and (live is station or is_same_station(live, answered, station.created_at)):
            return live
        if live and is_alike(live, self._wanted):
            was_born_later = (seconds_apart(live.created_at, station.created_at) or 0) >= OTHER_SECONDS
            if not was_born_later:
                raise self._is_other(live)
        # It is gone, or its number is another's now.
        raise self._operation.error(Replayed, f"CHeKT answers with {id_of(self._wanted, station)}, which was deleted")

    def _is_other(self, station: Station) -> NotChekt:
        self._other = station
        return self._operation.error(NotChekt, f"CHeKT answered with {named(self._wanted, station)}")

    def _name_doubt(self, sent: int, *, of: int) -> None:
        """Say that other POSTs, too, may have made a station that CHeKT has not shown yet."""
        if self._doubt and of > 0:
            self._say(
                f"To {self._operation.action} took {sent} attempts, since {self._doubt.cause}: should an earlier one "
                "have made a station as well, `pulumi preview --refresh` names both."
            )

    def _look_after(self, answer: ChektError, outcome: Outcome, look: Look[Station]) -> Look[Station]:
        """Look again after a POST that gave no station: once after a refusal, else until CHeKT must show it."""
        names_other_field = answer.evidence.field not in ("", "external_monitoring_station_id")
        if isinstance(answer, InvalidInput) and names_other_field and not self._doubt:
            raise answer
        if outcome.may_have_made:
            self._doubt = self._doubt or answer
            self._doubts += 1
            self._operation.changed = True
        once = outcome is Outcome.REPLAYED
        if isinstance(answer, Refused) and outcome.may_have_made:  # most likely it made nothing, and looks cost
            asked = answer.evidence.retry_after or 0
            self._client.sleep(max(BEHIND_SECONDS, asked if asked <= LONGEST_RETRY_AFTER_SECONDS else 0))
            once = True
        try:
            for _ in self._client.looks(self._operation):
                look = self._stations.look_again(self._operation, look)
                if once or self._lookalikes.existing(look):
                    break
            else:
                look = self._look_for_accepted(look)
        except TwinStations:
            raise
        except ChektError as failed:
            raise (self._doubt or answer).replace(
                outcome=f"The station may have been created: looking for it failed too ({failed.cause}).",
                remedy=_NAMES_IT,
            ) from None
        return look

    def _look_for_accepted(self, look: Look[Station]) -> Look[Station]:
        """Look once more where CHeKT has only accepted a POST: it gets a minute before the next POST."""
        if self._accepted_at is None:
            return look
        left = self._accepted_at + ACCEPTED_SECONDS - self._client.clock()
        if left <= 0:
            return look
        self._say(f"Waiting up to {left:.0f} s more, since CHeKT has accepted to {self._operation.action}.")
        self._client.wait(self._operation, left)
        return self._stations.look_again(self._operation, look)

    def _found_after(self, station: Station, look: Look[Station]) -> Recorded:
        """Take what a look shows after a POST: ours where a POST may have made it, and it is what was sent."""
        if self._doubt and not not_taken(station, self._wanted):
            if isinstance(self._doubt, Refused):
                self._say(f"Taking {named(self._wanted, station)}: {self._doubt.cause}, and lists it since.")
            return self._settle(station)
        return self._take_over(station, look)

    def _given_up(self, answer: ChektError, look: Look[Station]) -> ChektError:
        """The error where another POST would change nothing."""
        if isinstance(answer, Conflict | InvalidInput):
            self._lookalikes.refuse_after(answer, look)
        if isinstance(answer, Conflict):  # with what no list shows: an earlier run may still make it
            return answer.replace(outcome=_UNDER_WAY, remedy=_IN_A_MINUTE)
        is_first = self._doubt in (None, answer)
        return answer.replace(outcome="Nothing was created." if is_first else _UNDER_WAY)

    def _after_all(self, answer: ChektError) -> ChektError:
        return answer.replace(
            cause=f"{answer.cause}, after {POSTS} attempts",
            outcome="The dealer's list does not show the station, which may still come."
            if self._doubt
            else "Nothing was created: the dealer's list does not show the station.",
            remedy=answer.remedy if isinstance(answer, TokenRefused | Throttled) else _NAMES_IT,
        )

    def _settle(self, station: Station) -> Recorded:
        """Record a creation; PUT the fields that CHeKT lost once more, then name them.

        Raises nothing after `take`: an error would lose a station that exists.
        """
        self._claims.take(self._wanted, station, self._operation)
        self._stations.note(station.monitoring_station_id, station)
        reason = ""
        if not_taken(station, self._wanted):
            try:
                known = self._writes.record(self._wanted.dealer_id, station, {})
                station = self._writes.put(self._operation, known, self._wanted)
            except ChektError as error:
                reason = f" ({error.cause})"
        recorded = self._writes.record_write(self._wanted, station)
        if lost := ", ".join(not_taken(station, self._wanted)):
            self._say(f"CHeKT created {recorded} but did not take {lost}{reason}; the next preview shows it.")
        return recorded

    def _take_over(self, station: Station, look: Look[Station]) -> Recorded:
        if not self._adopt:
            self._claims.require_not_doomed(self._wanted, station, self._operation)
            self._claims.require_free(self._wanted, station, self._operation)
            error = adoption.exists(self._operation, station, self._wanted)
            if self._lookalikes.came_since(station):
                error = error.replace(outcome="No list showed it before: this run may have made it, or somebody else.")
            raise error.replace(evidence=Evidence(trace_id=look.trace_id))
        self._claims.take_over(self._wanted, station, self._operation)
        try:
            return adoption.adopt(self._client, self._writes, self._operation, station, self._wanted, self._say)
        except ChektError:
            self._claims.give_back(self._wanted, station)
            raise

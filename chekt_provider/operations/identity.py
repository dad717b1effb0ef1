"""Whether a station is the one that the state, or a program, means; and whether a write was taken."""

from __future__ import annotations

from chekt_provider.api.operation import Operation
from chekt_provider.errors import OtherStation, WrongEnvironment
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.forms import is_around, is_form_of, is_like_it, is_rewritten, same_form, splits_number
from chekt_provider.model.moments import may_be_one_moment, seconds_apart
from chekt_provider.model.records import UPDATED_IN_PLACE, Recorded, value
from chekt_provider.text import shown

OTHER_SECONDS = 60.0
"""External ids that differ in case only are two stations if made this far apart: clocks may differ."""


def require_same_host(action: str, recorded: str, configured: str) -> None:
    """Make sure that the host in the state, if it says one, is the configured one."""
    if recorded not in ("", configured):
        raise WrongEnvironment(
            f"the state says that it is on {recorded}, but chekt:baseUrl (CHEKT_BASE_URL) is {configured}",
            action=action,
            outcome="Nothing was sent.",
            remedy="Select the stack that belongs to this environment, or correct chekt:baseUrl.",
        )


def require_same_station(operation: Operation, recorded: Recorded, live: Station) -> None:
    """Make sure that the number of a recorded station still belongs to it: `live` has it now.

    CHeKT never changes an external id. After a database was restored, or a number given again, it is another's.

    Raises:
        OtherStation: it does not.
    """
    now, was = live.external_monitoring_station_id, recorded.external_ids
    if was and not any(is_same_station(live, form, recorded.created_at) for form in was):
        cause = f"{recorded.id} is monitoring station {shown(now)!r} now, and was {shown(recorded.external_id)!r}"
        if any(is_around(now, form) or (is_rewritten(now, form) and not splits_number(now, form)) for form in was):
            remedy = OtherStation.rewritten_remedy.format(name=shown(now))
            raise operation.error(OtherStation, cause, remedy=remedy)
        raise operation.error(OtherStation, cause)


def is_given_again(deleted: Recorded, live: Station) -> bool:
    """Whether the number of a deleted station is a new one's by now, as far as a lagging list tells."""
    if not may_be_one_moment(deleted.created_at, live.created_at):
        return True
    was, now = deleted.external_ids, live.external_monitoring_station_id
    return bool(was) and not any(same_form(now, form) or is_like_it(now, form) for form in was)


def shows_same(recorded: Recorded, live: Station) -> bool:
    """Whether a station has the recorded external id, but for case and the like; true where the state has none."""
    was = recorded.external_ids
    return not was or any(same_form(live.external_monitoring_station_id, form) for form in was)


def is_same_station(live: Station, external_id: str, created_at: str) -> bool:
    """Whether what has a number now had this external id, before CHeKT brought it to its own form.

    CHeKT may answer a POST with what was sent, and keep it rewritten: then the moment of creation is the same. A cut
    external id must be long, and not cut within a number: "s-1" is another station than "s-10", even where a copy of a
    database gave all stations one moment.
    """
    now = live.external_monitoring_station_id
    apart = seconds_apart(live.created_at, created_at)
    if same_form(now, external_id):
        return now == external_id or apart is None or apart < OTHER_SECONDS
    is_it = is_like_it(now, external_id)
    return is_it and apart is not None and apart < 1  # one of the two times may be cut to whole seconds


def differing(station: Station, wanted: StationInputs) -> list[str]:
    """The fields that are not exactly what is wanted."""
    return [name for name in UPDATED_IN_PLACE if value(station, name) != value(wanted, name)]


def not_taken(answer: Station, wanted: StationInputs, before: Station | None = None) -> list[str]:
    """The fields of the answer to a write that are neither as they were wanted, nor CHeKT's own form of it.

    `before` is the station before the write; None for a creation.
    """

    def is_own_form(name: str) -> bool:
        kept, sent = value(answer, name), value(wanted, name)
        if not isinstance(kept, str) or not isinstance(sent, str):  # numbers and flags have no other form
            return False
        return is_form_of(kept, sent, untouched=before is not None and value(before, name) == kept)

    return [name for name in differing(answer, wanted) if not is_own_form(name)]


def is_alike(station: Station, wanted: StationInputs) -> bool:
    """Whether a station may be the wanted one, its name or external id cut, rewritten, or with something around it."""
    keys = (station.external_monitoring_station_id, wanted.external_monitoring_station_id)
    both = [(station.name, wanted.name), keys]
    return any(is_rewritten(kept, sent) or is_around(kept, sent) for kept, sent in both)

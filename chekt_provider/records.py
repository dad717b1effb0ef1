"""A station as state records it, and how a record compares with what is wanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from html import unescape

from chekt_provider.api.transport import Operation
from chekt_provider.errors import OtherStation, Unsafe, WrongEnvironment
from chekt_provider.models import Station, StationInputs, id_digits
from chekt_provider.text import shown

UPDATED_IN_PLACE = ("name", "prefix", "linecard")
REPLACED_ON = ("dealer_id", "external_monitoring_station_id")

KEY = "external_monitoring_station_id"
"""The input that is the caller's own key."""
_SECOND = re.compile(r"\d\d:\d\d:\d\d")

OTHER_SECONDS = 60.0
"""Two stations with external ids that differ in case are two where they were made so far apart: clocks may differ."""

_SHORTEST_WITHIN = 4
"""Letters of a text that is looked for within another: a shorter one is within many."""

SHORTEST_CUT = 16
"""Characters to which CHeKT may cut an external id at most."""


@dataclass(frozen=True)
class StationId:
    """The id that Pulumi keeps: "12345/17", dealer id and monitoring station id."""

    dealer_id: str
    station_id: str

    @classmethod
    def parse(cls, text: str) -> StationId:
        """Read "12345/17". Raises Unsafe for anything else, before it can end up in a path."""
        dealer_id, _, station_id = text.partition("/")
        if not id_digits(dealer_id) or not id_digits(station_id):
            raise Unsafe(
                f"{shown(text, 60)!r} is not the id of a monitoring station",
                outcome="Nothing was sent.",
                remedy="Write dealer id and monitoring station id, such as 12345/17.",
            )
        return cls(dealer_id, station_id)

    def __str__(self) -> str:
        return f"{self.dealer_id}/{self.station_id}"


@dataclass(frozen=True)
class SiteId:
    """A site of a dealer, and the id that Pulumi keeps of its assignment: "12345/site/5", never one of a station."""

    dealer_id: str
    site_id: str

    @classmethod
    def parse(cls, text: str) -> SiteId:
        """Read "12345/site/5". Raises Unsafe for anything else, before it can end up in a path."""
        dealer_id, _, site_id = text.partition("/site/")
        if not id_digits(dealer_id) or not id_digits(site_id):
            raise Unsafe(
                f"{shown(text, 60)!r} is not the id of a site",
                outcome="Nothing was sent.",
                remedy="Write dealer id and site id, such as 12345/site/5.",
            )
        return cls(dealer_id, site_id)

    def __str__(self) -> str:
        return f"{self.dealer_id}/site/{self.site_id}"


@dataclass(frozen=True)
class Recorded:
    """A station as state records it.

    Attributes:
        id: dealer id and monitoring station id.
        fields: what CHeKT holds, by the names of the inputs; "" is unset.
        created_at: ISO 8601, UTC.
        api_host: the host that holds the station; "" where the state does not say.
        asked: what was sent for the fields that CHeKT keeps in a form of its own.
        reassign_sites_to: the station that its sites are moved to before it is deleted; "" for none.
        declared_by: the resource that has it, as organization/project/stack/resource name; "" where the state does not
            say.
    """

    id: StationId
    fields: Mapping[str, str]
    created_at: str = ""
    api_host: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    reassign_sites_to: str = ""
    declared_by: str = ""

    @property
    def external_id(self) -> str:
        """The caller's own key, as CHeKT answered it, else as it was sent; "" where the state does not say."""
        return self.fields.get(KEY) or self.sent_external_id

    @property
    def sent_external_id(self) -> str:
        """The caller's own key as the program has it."""
        return self.asked.get(KEY) or self.fields.get(KEY, "")

    @property
    def external_ids(self) -> set[str]:
        """The external id in each form that the state has; none where the state does not say."""
        return {self.external_id, self.sent_external_id} - {""}

    def shown_as(self, live: Station) -> Recorded:
        """The record with the external id that CHeKT shows now; as it was sent is kept beside it."""
        kept = {KEY: live.external_monitoring_station_id}
        return replace(self, fields={**self.fields, **kept}, asked={**self.asked, KEY: self.sent_external_id})

    def answers(self, name: str, wanted: str) -> bool:
        """Whether this field is what was wanted, or CHeKT's own form of it."""
        return wanted in (self.fields.get(name, ""), self.asked.get(name))

    def __str__(self) -> str:
        return f"monitoring station {shown(self.external_id)!r} ({self.id})"


@dataclass(frozen=True)
class Assigned:
    """A site's assignment as state records it.

    Attributes:
        id: dealer id and site id.
        external_site_id, name, account_number: what CHeKT holds; "" is unset.
        monitoring_station_id: digits; "" for a site that no station monitors.
        api_host: the host that holds the site; "" where the state does not say.
        declared_by: the resource that has it; "" where the state does not say.
    """

    id: SiteId
    external_site_id: str = ""
    name: str = ""
    account_number: str = ""
    monitoring_station_id: str = ""
    api_host: str = ""
    declared_by: str = ""

    def __str__(self) -> str:
        return f"site {shown(self.name)!r} ({self.id})"


def require_same_host(action: str, recorded: str, configured: str) -> None:
    """Make sure that the host in the state, where it says one, is the one that is configured."""
    if recorded not in ("", configured):
        raise WrongEnvironment(
            f"the state says that it is on {recorded}, but chekt:baseUrl (CHEKT_BASE_URL) is {configured}",
            action=action,
            outcome="Nothing was sent.",
            remedy="Select the stack that belongs to this environment, or correct chekt:baseUrl.",
        )


def require_same_station(operation: Operation, recorded: Recorded, live: Station) -> None:
    """Make sure that a number still belongs to the station that it belonged to.

    CHeKT never changes an external id. Where a database was restored, or a number is given again, it is another's.

    Args:
        operation: whose error it would be.
        recorded: what the state, or a list, has.
        live: what has the number now.
    """
    now, was = live.external_monitoring_station_id, recorded.external_ids
    if was and not any(is_same_station(live, form, recorded.created_at) for form in was):
        cause = f"{recorded.id} is monitoring station {shown(now)!r} now, and was {shown(recorded.external_id)!r}"
        if any(_is_around(now, form) or (is_rewritten(now, form) and not _splits_number(now, form)) for form in was):
            remedy = OtherStation.rewritten_remedy.format(name=shown(now))
            raise operation.error(OtherStation, cause, remedy=remedy)
        raise operation.error(OtherStation, cause)


def shows_same(recorded: Recorded, live: Station) -> bool:
    """Whether a station has the recorded external id, but for case and the like; so where the state does not say."""
    was = recorded.external_ids
    return not was or any(same_form(live.external_monitoring_station_id, form) for form in was)


def is_same_station(live: Station, external_id: str, created_at: str) -> bool:
    """Whether what has a number now had another external id before CHeKT brought it to its own form.

    CHeKT may answer a POST with what was sent, and keep it rewritten: then the moment of creation is the same. One that
    is cut must be long, and not within a number: "s-1" is another station than "s-10", also where a copy of a database
    gave all one moment.
    """
    now = live.external_monitoring_station_id
    apart = seconds_apart(live.created_at, created_at)
    if same_form(now, external_id):
        return now == external_id or apart is None or apart < OTHER_SECONDS
    is_it = is_like_it(now, external_id)
    return is_it and apart is not None and apart < 1  # one of the two times may be cut to whole seconds


def named(dealer_id: str, station: Station) -> str:
    """A station as sentences name it."""
    station_id = StationId(dealer_id, station.monitoring_station_id)
    return f"monitoring station {shown(station.external_monitoring_station_id)!r} ({station_id})"


def value(station: Station | StationInputs, name: str) -> str:
    """One text field of a station, by the name of the input."""
    text: str = getattr(station, name)
    return text


def differing(station: Station, wanted: StationInputs) -> list[str]:
    """The fields that are not exactly what is wanted."""
    return [name for name in UPDATED_IN_PLACE if value(station, name) != value(wanted, name)]


def not_taken(answer: Station, wanted: StationInputs, before: Station | None = None) -> list[str]:
    """The fields that a write did not bring to what was wanted, nor to CHeKT's own form of it.

    Args:
        answer: the station after the write.
        wanted: what was sent.
        before: the station before the write; None for a creation.
    """
    return [
        name
        for name in differing(answer, wanted)
        if not is_form_of(
            value(answer, name),
            value(wanted, name),
            untouched=before is not None and value(before, name) == value(answer, name),
        )
    ]


def same_form(kept: str, wanted: str) -> bool:
    """Whether two texts are one but for case, blanks, Unicode form and HTML's escapes; blank ones never are."""
    return bool(kept.strip()) and common_form(kept) == common_form(wanted)


def is_form_of(kept: str, wanted: str, *, untouched: bool = False) -> bool:
    """Whether CHeKT may have made one out of the other: another case or the like, as in `same_form`, or cut short.

    A value that is untouched is not taken for one that was cut.
    """
    return same_form(kept, wanted) or (
        bool(kept) and not untouched and common_form(wanted).startswith(common_form(kept))
    )


def is_rewritten(kept: str, sent: str) -> bool:
    """Whether CHeKT may have made one out of the other if only letters and digits count, and it may cut them short."""
    kept, sent = _letters(kept), _letters(sent)
    return bool(kept) and sent.startswith(kept)


def is_cut(kept: str, sent: str) -> bool:
    """Whether an external id may be another one, cut short, but not within a number."""
    return is_cut_anywhere(kept, sent) and not _splits_number(kept, sent)


def is_cut_anywhere(kept: str, sent: str) -> bool:
    """Whether an external id may be another one, cut short."""
    return len(kept) >= SHORTEST_CUT and is_rewritten(kept, sent)


def is_like_it(kept: str, sent: str) -> bool:
    """Whether an external id may be another one, cut short or with other signs between its letters."""
    return has_same_letters(kept, sent) or is_cut(kept, sent)


def is_like_loosely(kept: str, sent: str) -> bool:
    """Whether it may be another one that was cut anywhere, also within a number, or had something put around it.

    Or was written without accents, or without the zeros in front of its numbers.
    """
    return (
        has_same_letters(kept, sent)
        or is_cut_anywhere(kept, sent)
        or _is_around(kept, sent)
        or _folded(kept) == _folded(sent) != ""
    )


def _folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"0+(?=\d)", "", _letters(plain))


def has_same_letters(kept: str, sent: str) -> bool:
    """Whether two external ids are one if only letters and digits count."""
    return _letters(kept) == _letters(sent) != ""


def is_alike(station: Station, wanted: StationInputs) -> bool:
    """Whether a station may be the wanted one, by what is left of its name or external id, or was put around them."""
    both = [(value(station, name), value(wanted, name)) for name in ("name", KEY)]
    return any(is_rewritten(kept, sent) or _is_around(kept, sent) for kept, sent in both)


def _is_around(kept: str, sent: str) -> bool:
    """Whether something may have been put in front of a text, or after it, but not within a number."""
    if len(_letters(sent)) < _SHORTEST_WITHIN:
        return False
    parts = [form(kept).partition(form(sent)) for form in (common_form, _letters)]
    return any(
        found and not _is_one_number(before, found) and not _is_one_number(found, after)
        for before, found, after in parts
    )


def _is_one_number(text: str, following: str) -> bool:
    """Whether the last character of a text and the first of the following one are digits of one number."""
    return text[-1:].isdigit() and following[:1].isdigit()


def _splits_number(kept: str, sent: str) -> bool:
    """Whether a text is cut between two digits."""
    cut = len(_letters(kept))
    return _letters(sent)[cut - 1 : cut + 1].isdigit() and cut < len(_letters(sent))


@lru_cache(maxsize=100_000)  # each creation holds its external id against those of all stations
def common_form(text: str) -> str:
    """The form in which texts are compared by `same_form`."""
    return " ".join(unicodedata.normalize("NFKC", unescape(text)).casefold().split())


@lru_cache(maxsize=100_000)  # likewise
def _letters(text: str) -> str:
    return "".join(character for character in common_form(text) if character.isalnum())


def seconds_apart(one: str, other: str) -> float | None:
    """Seconds between two times of creation; None where one does not tell the second, or the two not by one clock."""
    try:
        moments = [datetime.fromisoformat(text) for text in (one, other) if _SECOND.search(text)]
        return abs((moments[0] - moments[1]).total_seconds()) if len(moments) > 1 else None
    except (ValueError, TypeError):  # no date, or only one of the two has a time zone
        return None


def may_be_one_moment(one: str, other: str) -> bool:
    """Whether nothing tells two times of creation apart."""
    return (seconds_apart(one, other) or 0) < 1  # one of the two may be cut to whole seconds


def age_of(created_at: str, now: datetime | None) -> float | None:
    """Seconds since a station was created; None where CHeKT does not say, or not by which clock.

    Args:
        created_at: as CHeKT answered it.
        now: CHeKT's clock.
    """
    try:
        return (now - datetime.fromisoformat(created_at)).total_seconds() if now else None
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None

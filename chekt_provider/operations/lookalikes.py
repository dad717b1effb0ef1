"""Stations of a dealer that have, or may have, the external id of a wanted one. Errors name what is not certain.

CHeKT may keep an external id in a form of its own. In another case, or with other blanks, it is the same. With other
signs between the same letters, cut short, or with something put around it, it may be another's: nobody guesses.
"""

from __future__ import annotations

from collections.abc import Mapping

from chekt_provider.api.operation import Operation
from chekt_provider.errors import ChektError, Evidence, StationExists, TwinStations
from chekt_provider.model.fields import Station, StationInputs
from chekt_provider.model.forms import SHORTEST_WITHIN, folded, is_like_it, is_like_loosely, letters
from chekt_provider.model.records import id_of, named
from chekt_provider.operations.claims import StationClaims
from chekt_provider.operations.directory import (
    Look,
    SharedList,
    beginning,
    called,
    called_in,
    letters_of,
    perhaps_cut,
)
from chekt_provider.operations.identity import is_alike, not_taken
from chekt_provider.operations.items import Items
from chekt_provider.text import shown

MAY_BE_THIS = "That may be this station, with an external id that CHeKT changed."


class Lookalikes:
    """What a dealer's lists show of one wanted station.

    Attributes:
        before: the dealer's stations before the first POST, by number.
    """

    def __init__(
        self, stations: SharedList[Station], operation: Operation, wanted: StationInputs, claims: StationClaims
    ) -> None:
        self._stations = stations
        self._operation = operation
        self._wanted = wanted
        self._claims = claims
        self._whole: dict[str, Station] = {}
        """Stations of the latest look whose external id may be ours, cut short: as they answer themselves."""
        self.before: Mapping[str, Station] = {}

    def existing(self, look: Look[Station]) -> Station | None:
        """The station that has the external id. Raises TwinStations where several have it."""
        external_id = self._wanted.external_monitoring_station_id
        found = called_in(look.items, external_id)
        if not found:
            cut = perhaps_cut(look.listed, external_id)
            got = [(number, self._stations.get_once(self._operation, look, number)) for number in cut]
            self._whole = {number: station for number, station in got if station}
            found = called(self._whole.values(), external_id)
        if len(found) > 1:
            ids = ", ".join(str(id_of(self._wanted, twin)) for twin in found)
            outcome = "Nothing was deleted." if self._operation.changing else TwinStations.default_outcome
            cause = f"{len(found)} stations have this external id already: {ids}"
            error = self._operation.error(TwinStations, cause, outcome=outcome)
            raise error.replace(evidence=Evidence(trace_id=look.trace_id))
        return found[0] if found else None

    def came_since(self, station: Station) -> bool:
        """Whether a station appeared after the first POST."""
        return self._operation.changing and station.monitoring_station_id not in self.before

    def refuse_before(self, look: Look[Station], *, adopt: bool) -> None:
        """Stop before the first POST where an earlier run may have made the station, or where adopting was asked for.

        Other values are a sign that it is another's, except where any would be adopted. Equal values are a sign that it
        is ours, even where CHeKT put something around its external id, or cut a number in it.
        """
        for station in self._perhaps_it(look, loosely=not adopt):
            is_equal = not not_taken(station, self._wanted)
            if is_equal or adopt:
                cause = f"CHeKT lists {named(self._wanted, station)}{' with the same values' if is_equal else ''}"
                outcome = f"{StationExists.default_outcome} {MAY_BE_THIS}"
                raise self._operation.error(StationExists, cause, outcome=outcome, remedy=_if_it_is(station))

    def refuse_after(self, refusal: ChektError, look: Look[Station]) -> None:
        """Stop where CHeKT refused an external id that it lists in a form of its own, and name that station."""
        if station := next(iter(self._perhaps_it(look)), None):
            raise refusal.replace(
                cause=f"{refusal.cause}; CHeKT lists {named(self._wanted, station)}",
                outcome=f"Nothing was created. {MAY_BE_THIS}",
                remedy=_if_it_is(station),
            )

    def refuse_to_guess(self, answer: ChektError, other: Station | None, look: Look[Station]) -> None:
        """Stop where a POST may have made the station under a changed external id: the next would make a second.

        Such a station answered a POST (`other`); or it came since, is alike, and no other resource's.
        """
        came = [look.listed[number] for number in sorted(look.listed.keys() - self.before.keys(), key=int)]
        alike = [
            station
            for station in came
            if is_alike(station, self._wanted) and not self._claims.may_be_of_another(self._wanted, station)
        ]
        if maybe := other or next(iter(alike), None):
            since = f"; since then CHeKT lists {named(self._wanted, maybe)}"
            raise answer.replace(
                cause=answer.cause if other else answer.cause + since, outcome=MAY_BE_THIS, remedy=_if_it_is(maybe)
            )

    def _perhaps_it(self, look: Look[Station], *, loosely: bool = False) -> list[Station]:
        """Stations with the same letters, or a cut external id, that are no other resource's.

        Loosely: also with something around the external id, or with a number in it cut.
        """
        external_id = self._wanted.external_monitoring_station_id
        is_like = is_like_loosely if loosely else is_like_it
        near = [*beginning(look.listed, external_id), *(near_loosely(look.listed, external_id) if loosely else ())]
        stations = {station.number: station for station in [*near, *self._whole.values()]}
        like = [it for it in stations.values() if is_like(it.external_monitoring_station_id, external_id)]
        return [station for station in like if not self._claims.may_be_of_another(self._wanted, station)]


def near_loosely(stations: Items[Station], external_id: str) -> list[Station]:
    """The stations whose external ids may hold this one, or be it but for accents and zeros."""
    near = stations.where(_folded_of, folded(external_id))
    is_short = len(letters(external_id)) < SHORTEST_WITHIN
    return near if is_short else near + stations.holding(letters_of, letters(external_id))


def _folded_of(station: Station) -> str:
    return folded(station.external_monitoring_station_id)


def _if_it_is(station: Station) -> str:
    """What to do about a station that may be the wanted one."""
    external_id = shown(station.external_monitoring_station_id)
    return (
        f"If it is, pass external_monitoring_station_id={external_id!r} and adopt_existing=True; if not, choose an "
        "external_monitoring_station_id that has other letters."
    )

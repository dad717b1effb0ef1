"""Stations and assignments as state records them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chekt_provider.model.fields import Change, Station, StationFields, StationInputs, changing, facts
from chekt_provider.model.ids import SiteId, StationId
from chekt_provider.model.kinds import Value
from chekt_provider.text import shown

UPDATED_IN_PLACE = changing(StationInputs, Change.UPDATES)
REPLACED_ON = changing(StationInputs, Change.REPLACES)
STATION_FIELDS = tuple(facts(StationFields))
"""What a program gives a station, and CHeKT answers of it."""

KEY = "external_monitoring_station_id"
"""The input that is the caller's own key."""


@dataclass(frozen=True)
class Recorded:
    """A station as state records it.

    Attributes:
        id: dealer id and monitoring station id.
        fields: what CHeKT holds, by the names of the inputs; "" is unset.
        created_at: ISO 8601, UTC.
        api_host: the host that holds the station; "" where the state does not say.
        declared_as: what the program has for the fields that CHeKT keeps in a form of its own.
        reassign_sites_to: the station that gets its sites before it is deleted; "" for none.
        declared_by: organization/project/stack/resource name of its resource; "" where the state does not say.
    """

    id: StationId
    fields: Mapping[str, Value]
    created_at: str = ""
    api_host: str = ""
    declared_as: Mapping[str, Value] = field(default_factory=dict)
    reassign_sites_to: str = ""
    declared_by: str = ""

    @property
    def external_id(self) -> str:
        """The caller's own key as CHeKT answered it, else as the program has it; "" where the state has none."""
        return str(self.fields.get(KEY) or self.sent_external_id)

    @property
    def sent_external_id(self) -> str:
        """The caller's own key as the program has it."""
        return str(self.declared_as.get(KEY) or self.fields.get(KEY, ""))

    @property
    def external_ids(self) -> set[str]:
        """The external id in each form that the state has; empty where it has none."""
        return {self.external_id, self.sent_external_id} - {""}

    def shown_as(self, live: Station) -> Recorded:
        """The record with the external id that CHeKT shows now; `declared_as` keeps the one that was sent."""
        fields = {**self.fields, KEY: live.external_monitoring_station_id}
        return replace(self, fields=fields, declared_as={**self.declared_as, KEY: self.sent_external_id})

    def answers(self, name: str, wanted: Value) -> bool:
        """Whether this field is the wanted value, or CHeKT's own form of it."""
        return wanted in (self.fields.get(name, ""), self.declared_as.get(name))

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


def id_of(wanted: StationInputs, station: Station) -> StationId:
    """The id of a station that belongs to the dealer of the inputs."""
    return StationId(wanted.dealer_id, station.monitoring_station_id)


def named(wanted: StationInputs, station: Station) -> str:
    """A station of that dealer, as sentences name it."""
    return f"monitoring station {shown(station.external_monitoring_station_id)!r} ({id_of(wanted, station)})"


def value(station: Station | StationInputs, name: str) -> Value:
    """One field of a station, by the name of the input."""
    held: Value = getattr(station, name)
    return held

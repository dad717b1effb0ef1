"""The dynamic providers: what Pulumi calls. A thin shell around operations/.

Pulumi keeps a provider in every resource's state as a pickled reference to this module and class: never rename them,
and give the object no attributes before `configure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown
from pulumi.runtime import rpc

from chekt_provider.model.fields import AssignmentInputs, Blank, Change, Inputs, StationInputs, changing, facts, of_kind
from chekt_provider.model.ids import SiteId, StationId, id_digits
from chekt_provider.model.inputs import input_problems
from chekt_provider.model.kinds import Id
from chekt_provider.model.records import REPLACED_ON, UPDATED_IN_PLACE, Assigned, Recorded

PROVIDER_KEY = "__provider"
_IDENTITY_AND_VALUES = (*REPLACED_ON, *UPDATED_IN_PLACE)
_PROBING = changing(AssignmentInputs, Change.RECORDED)
_RECORDED = (*_PROBING, "site_named_by", "secret_inputs")
"""What state holds of an assignment beside what CHeKT holds; `site_named_by` is the input that names the site."""


class _Provider(ResourceProvider):
    """What the provider classes have in common."""

    serialize_as_secret_always = False  # the pickled reference holds nothing, and a secret is slow at every step
    _model: ClassVar[type[Inputs]]

    def configure(self, req: ConfigureRequest) -> None:
        """Join the run of this process. `check` names what is wrong in the settings."""
        from chekt_provider.plugin.run import run_of  # noqa: PLC0415 - slow to load, and a program needs the class alone

        self._run = run_of(req.config)

    def _hide(self, *properties: Mapping[str, Any]) -> None:
        """Keep the values of secret inputs out of everything that this process says from now on."""
        for given in properties:
            for name in given.get("secret_inputs") or ():
                for holder in (given, given.get("declared_as") or {}):
                    self._run.hidden.add(_known_text(holder.get(name)))

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Name all bad inputs and settings at once; give the inputs in canonical form. Sends nothing."""
        self._hide(_olds, news)
        given = _given(self._model, news)
        if "dealer_id" not in given and self._run.settings.dealer_id:
            given["dealer_id"] = self._run.settings.dealer_id
        known = {name: value for name, value in given.items() if not _is_unknown(value)}
        unknown = set(given.keys() - known.keys())
        if self._run.settings.problems and "dealer_id" not in given:
            unknown.add("dealer_id")  # the setting may be what is wrong
        problems = input_problems(self._model, known, unknown)
        # Naming the property in the failure would print its value as well, a secret one in clear.
        failures = [CheckFailure("", problem) for problem in (*self._run.settings.problems, *problems)]
        ids = {name: id_digits(known[name]) or known[name] for name in of_kind(self._model, Id) & known.keys()}
        return CheckResult({**given, **ids}, failures)


class MonitoringStationProvider(_Provider):
    """Create, read, update and delete of `chekt_provider.MonitoringStation`."""

    _model = StationInputs

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check as any resource; say which station a new one would adopt, where it may adopt one."""
        checked = super().check(_olds, news)
        if checked.failures or any(_is_unknown(value) for value in checked.inputs.values()):
            return checked
        wanted = StationInputs.model_validate(checked.inputs)
        self._run.stations.note_inputs(wanted.declared_by, wanted.dealer_id, wanted.reassign_sites_to)
        if not _olds:
            self._run.stations.preview_creation(wanted)
        return checked

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what state holds with what the program asks for; an unknown value counts as changed.

        Sends nothing, unless it would replace the station: then it looks which sites hang on it.
        """
        self._hide(_olds, _news)
        recorded = _recorded(_id, _olds)
        changed = [name for name in _IDENTITY_AND_VALUES if not _is_answered(recorded, name, _news.get(name))]
        replaces = [name for name in REPLACED_ON if name in changed]
        # By its number, too: the state may have the station under an earlier name or parent of the resource.
        dealer_id, reassign = (_known_text(_news.get(name)) for name in ("dealer_id", "reassign_sites_to"))
        self._run.stations.note_inputs(recorded.id, dealer_id, reassign)
        if replaces:
            self._run.stations.preview_replacement(recorded)
        elif recorded.external_id:
            self._run.stations.keep(recorded, _news.get("declared_by") or "")
        if (_news.get("reassign_sites_to") or "") != recorded.reassign_sites_to:
            changed.append("reassign_sites_to")
        adopted_from_elsewhere = PROVIDER_KEY not in _olds
        return DiffResult(changes=bool(changed) or adopted_from_elsewhere, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the station, or adopt an existing one where that was asked for."""
        self._hide(props)
        wanted = StationInputs.model_validate(_given(StationInputs, props))
        recorded = self._run.stations.create(wanted)
        return CreateResult(str(recorded.id), _outs(recorded, wanted))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Give the live station, or a blank id where it is gone."""
        self._hide(props)
        station_id = StationId.parse(id_)
        state = _recorded(id_, props) if props.get("api_host") else None
        live = self._run.stations.read(station_id, state)
        if live is None:
            return ReadResult("", {})
        kept = ("reassign_sites_to", "declared_by", "secret_inputs")
        outs = _outs(live, None) | {name: props[name] for name in kept if state and props.get(name)}
        names = [*_IDENTITY_AND_VALUES, *(name for name in kept if name in outs)]
        return ReadResult(id_, outs, {name: live.declared_as.get(name, outs[name]) for name in names})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the station to the new inputs."""
        self._hide(_olds, _news)
        before = _recorded(_id, _olds)
        wanted = StationInputs.model_validate(_given(StationInputs, _news))
        return UpdateResult(_outs(self._run.stations.update(before, wanted), wanted))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the station; succeeds where it is gone already."""
        self._hide(_props)
        self._run.stations.delete(_recorded(_id, _props))


class SiteAssignmentProvider(_Provider):
    """Create, read, update and delete of `chekt_provider.SiteAssignment`."""

    _model = AssignmentInputs

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare state with what the program asks for; an unknown value counts as changed. Sends nothing."""
        self._hide(_olds, _news)
        site_id = SiteId.parse(_id)
        held = {**_olds, "dealer_id": site_id.dealer_id, "site_id": site_id.site_id}
        identity = [name for name in changing(AssignmentInputs, Change.REPLACES) if _news.get(name) is not None]
        replaces = [name for name in identity if _news[name] != held.get(name)]
        wanted = {**_news, "site_named_by": _named_by(_news)}
        if not replaces:
            self._run.assignments.keep(_assigned(_id, _olds), _news.get("declared_by") or "")
        updates = [name for name in ("monitoring_station_id", *_RECORDED) if wanted.get(name) != held.get(name)]
        adopted_from_elsewhere = PROVIDER_KEY not in _olds
        return DiffResult(changes=bool(replaces or updates) or adopted_from_elsewhere, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Put the site on its station."""
        self._hide(props)
        wanted = AssignmentInputs.model_validate(_given(AssignmentInputs, props))
        assigned = self._run.assignments.create(wanted)
        return CreateResult(str(assigned.id), _assigned_outs(assigned, {**props, "site_named_by": _named_by(props)}))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Give where the site is now, or a blank id where it is gone."""
        self._hide(props)
        site_id = SiteId.parse(id_)
        live = self._run.assignments.read(site_id, _assigned(id_, props))
        if live is None:
            return ReadResult("", {})
        outs = _assigned_outs(live, props)
        site_named_by = props.get("site_named_by") or "site_id"
        names = ("dealer_id", site_named_by, "monitoring_station_id", "declared_by", "secret_inputs", *_PROBING)
        return ReadResult(id_, outs, {name: outs[name] for name in names if name in outs})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Move the site to its new station."""
        self._hide(_olds, _news)
        before = _assigned(_id, _olds)
        wanted = AssignmentInputs.model_validate(_given(AssignmentInputs, _news))
        assigned = self._run.assignments.update(before, wanted)
        return UpdateResult(_assigned_outs(assigned, {**_news, "site_named_by": _named_by(_news)}))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Leave the site where it is."""
        self._hide(_props)
        self._run.assignments.delete(_assigned(_id, _props))


def _is_unknown(value: object) -> bool:
    """Whether a preview does not know a value yet; SDKs before 3.268 pass a text in its place."""
    return isinstance(value, Unknown) or value == rpc.UNKNOWN


def _known_text(value: object) -> str:
    return "" if _is_unknown(value) else str(value or "")


def _given(model: type[Inputs], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, with "" for an optional text left out: if the state lacked it, its output would be unknown."""
    given = {name: value for name, value in properties.items() if name != PROVIDER_KEY and value is not None}
    blank = {name: fact.blank for name, fact in facts(model).items()}
    kept = {name: "" for name, means in blank.items() if means is Blank.KEPT}
    absent = {name for name, means in blank.items() if means is Blank.ABSENT and given.get(name) == ""}
    return {**kept, **{name: given[name] for name in given if name not in absent}}


def _canonical(value: Any) -> Any:
    """A value, or "" for None; 0 and false say something."""
    return "" if value is None else value


def _is_answered(recorded: Recorded, name: str, wanted: Any) -> bool:
    return not _is_unknown(wanted) and recorded.answers(name, _canonical(wanted))


def _recorded(id_: str, properties: Mapping[str, Any]) -> Recorded:
    """What state holds. `_outs` is the other direction; no third place maps a station to state."""
    fields = {name: _canonical(properties.get(name)) for name in _IDENTITY_AND_VALUES}
    return Recorded(
        id=StationId.parse(id_),
        fields={**fields, "dealer_id": id_digits(fields["dealer_id"]) or ""},
        created_at=properties.get("created_at") or "",
        api_host=properties.get("api_host") or "",
        declared_as=properties.get("declared_as") or {},
        reassign_sites_to=id_digits(properties.get("reassign_sites_to")) or "",
        declared_by=properties.get("declared_by") or "",
    )


def _outs(recorded: Recorded, wanted: StationInputs | None) -> dict[str, Any]:
    """What state holds after a write of inputs; without them, after a read."""
    outs = {**recorded.fields, "created_at": recorded.created_at, "api_host": recorded.api_host}
    only_when_set = {
        "declared_as": dict(recorded.declared_as),
        "reassign_sites_to": wanted and wanted.reassign_sites_to,
        "declared_by": recorded.declared_by,
        "secret_inputs": wanted and list(wanted.secret_inputs),
    }
    return {**outs, **{name: value for name, value in only_when_set.items() if value}}


def _named_by(inputs: Mapping[str, Any]) -> str:
    return "external_site_id" if inputs.get("external_site_id") is not None else "site_id"


def _assigned(id_: str, properties: Mapping[str, Any]) -> Assigned:
    """What state holds. `_assigned_outs` is the other direction."""
    names = ("external_site_id", "name", "account_number", "monitoring_station_id", "api_host", "declared_by")
    return Assigned(SiteId.parse(id_), **{name: properties.get(name) or "" for name in names})


def _assigned_outs(assigned: Assigned, recorded: Mapping[str, Any]) -> dict[str, Any]:
    of_site = asdict(assigned)
    of_site.update(of_site.pop("id"))
    return {**of_site, **{name: recorded[name] for name in _RECORDED if recorded.get(name)}}

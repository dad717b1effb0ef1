"""The dynamic provider: what Pulumi calls. A thin shell around operations.py.

Pulumi keeps the provider in every resource's state as a pickled reference to this module and class: the module's path
and the class's name never change again, and the object has no attributes before `configure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

from chekt_provider.models import StationInputs, id_digits, input_problems
from chekt_provider.records import REPLACED_ON, UPDATED_IN_PLACE, Recorded, StationId
from chekt_provider.run import run_of

PROVIDER_KEY = "__provider"
_IDENTITY_AND_VALUES = (*REPLACED_ON, *UPDATED_IN_PLACE)


class MonitoringStationProvider(ResourceProvider):
    """Create, read, update and delete of `chekt_provider.MonitoringStation`."""

    serialize_as_secret_always = False  # the pickled reference holds nothing, and a secret is slow at every step

    def configure(self, req: ConfigureRequest) -> None:
        """Join the run of this process. What is wrong in the settings is told by `check`."""
        self._run = run_of(req.config)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse bad inputs and settings, all at once; give the inputs in canonical form.

        Sends nothing, unless the resource is new and may adopt a station: then it looks which one that would be.
        """
        given = _inputs(news)
        if "dealer_id" not in given and self._run.settings.dealer_id:
            given["dealer_id"] = self._run.settings.dealer_id
        known = {name: value for name, value in given.items() if not _is_unknown(value)}
        problems = [*self._run.settings.problems, *input_problems(known, given.keys() - known.keys())]
        # Naming the property in the failure would print its value as well, a secret one in clear.
        failures = [CheckFailure("", problem) for problem in problems]
        if "dealer_id" in known:
            given["dealer_id"] = id_digits(known["dealer_id"]) or known["dealer_id"]
        if not failures and not _olds and known.keys() == given.keys():
            self._stations.preview_creation(_wanted(given))
        return CheckResult(given, failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what state holds with what the program asks for. Sends nothing.

        A value that the preview does not know yet counts as changed.
        """
        recorded = _recorded(_id, _olds)
        changed = [name for name in _IDENTITY_AND_VALUES if not _is_answered(recorded, name, _news.get(name))]
        replaces = [name for name in REPLACED_ON if name in changed]
        if not replaces and recorded.external_id:
            self._stations.keep(recorded)
        adopted_from_elsewhere = PROVIDER_KEY not in _olds
        return DiffResult(changes=bool(changed) or adopted_from_elsewhere, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the station, or adopt the one that exists where that was asked for."""
        recorded = self._run.stations.create(_wanted(props))
        return CreateResult(str(recorded.id), _outs(recorded))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Give the live station, or a blank id for one that is gone."""
        station_id = StationId.parse(id_)
        state = _recorded(id_, props) if props.get("api_host") else None
        live = self._run.stations.read(station_id, state)
        if live is None:
            return ReadResult("", {})
        outs = _outs(live)
        inputs = {name: live.asked.get(name, outs[name]) for name in _IDENTITY_AND_VALUES}
        return ReadResult(id_, outs, inputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring the station to the new inputs."""
        recorded = self._run.stations.update(_recorded(_id, _olds), _wanted(_news))
        return UpdateResult(_outs(recorded))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the station; one that is gone already is a success."""
        self._run.stations.delete(_recorded(_id, _props))


def _is_unknown(value: object) -> bool:
    """Whether a preview does not know a value yet; SDKs before 3.268 pass a text that stands for it."""
    return isinstance(value, Unknown) or value == rpc.UNKNOWN


def _inputs(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, with "" for an optional text left out: left out of the state too, its output would be unknown."""
    given = {name: value for name, value in properties.items() if name != PROVIDER_KEY and value is not None}
    return {"prefix": "", "linecard": "", **given}


def _wanted(properties: Mapping[str, Any]) -> StationInputs:
    return StationInputs.model_validate(_inputs(properties))


def _is_answered(recorded: Recorded, name: str, wanted: Any) -> bool:
    return not _is_unknown(wanted) and recorded.answers(name, wanted or "")


def _recorded(id_: str, properties: Mapping[str, Any]) -> Recorded:
    """What state holds. `_outs` is the other direction; there is no third place that maps a station to state."""
    fields = {name: properties.get(name) or "" for name in _IDENTITY_AND_VALUES}
    return Recorded(
        id=StationId.parse(id_),
        fields={**fields, "dealer_id": id_digits(fields["dealer_id"]) or ""},
        created_at=properties.get("created_at") or "",
        api_host=properties.get("api_host") or "",
        asked=properties.get("asked") or {},
    )


def _outs(recorded: Recorded) -> dict[str, Any]:
    outs = {**recorded.fields, "created_at": recorded.created_at, "api_host": recorded.api_host}
    return {**outs, "asked": dict(recorded.asked)} if recorded.asked else outs

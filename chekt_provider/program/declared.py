"""What a program declares: by which resource, no external id twice, and no import, so that it fails in the preview."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi import Input, Output, Resource, ResourceOptions
from pulumi.runtime.settings import get_monitor

from chekt_provider.text import as_it_looks, shown

_Key = tuple[object, object, object, object]

_STACK = "pulumi:pulumi:Stack"
"""The type of a stack, which is no part of the URN of what is in it."""

_lock = threading.Lock()
_of_runs: WeakKeyDictionary[object, dict[_Key, tuple[str, str]]] = WeakKeyDictionary()
"""By a run's connection to the engine, and by how an external id looks: the resource that declared it, and the id."""


def refuse_second(resource_name: str, external_id: object, dealer_id: object, opts: ResourceOptions | None) -> None:
    """Raise pulumi.RunError when another resource of this program has the same external id, or one that looks like it.

    Only what is plain to see is judged: the same provider, parent and dealer, and values that are no outputs. What
    hides behind outputs fails in the run, before anything is created.
    """
    run = get_monitor()
    if run is None or not isinstance(external_id, str) or not isinstance(dealer_id, int | str | None):
        return
    key = (as_it_looks(external_id), str(dealer_id or ""), opts and opts.provider, opts and opts.parent)
    with _lock:
        first, same = _of_runs.setdefault(run, {}).setdefault(key, (resource_name, external_id))
    if first == resource_name:  # the same name twice is Pulumi's to refuse
        return
    if same == external_id:
        raise pulumi.RunError(
            f"Could not declare {resource_name!r}: another resource of this program has the same external id "
            f"{shown(external_id)!r}: {first!r}. Give each resource its own external_monitoring_station_id."
        )
    raise pulumi.RunError(
        f"Could not declare {resource_name!r}: its external id {shown(external_id)!a} looks like "
        f"{shown(same)!a} of {first!r}. Give each resource an external_monitoring_station_id that people can tell "
        "apart."
    )


def refuse_import(resource_name: str, opts: ResourceOptions | None, instead: str) -> None:
    """Raise pulumi.RunError for `import_`, which ends in a traceback of Pulumi's own: it imports without a provider."""
    if opts and opts.import_:
        raise pulumi.RunError(
            f"Could not declare {resource_name!r}: import_ does not work with this resource. {instead}"
        )


def secret_inputs(**inputs: object) -> Input[list[str] | None]:
    """The names of the inputs that are secret, by which the provider keeps their values out of what it says.

    Pulumi hands it the values alone. None where there are none.
    """
    outputs = {name: value for name, value in inputs.items() if isinstance(value, Output)}
    return _secret(outputs) if outputs else None


async def _secret(outputs: dict[str, Output[Any]]) -> list[str] | None:
    return [name for name, output in outputs.items() if await output.is_secret()] or None


def declared_by(resource_name: str, opts: ResourceOptions | None) -> Input[str]:
    """The resource as organization/project/stack/resource name: what tells it from those of other stacks.

    Below a parent the name has the types of the URN in front of it: another resource may have the same one elsewhere.
    """
    organization = pulumi.get_organization() or ""  # Pulumi's mocks have none
    stack = [organization, pulumi.get_project(), pulumi.get_stack()]
    if opts and opts.parent:
        return _below(opts.parent, stack, resource_name)
    return "/".join([*stack, resource_name])


async def _below(parent: Resource, stack: list[str], resource_name: str) -> str:
    types = (await parent.urn.future() or "::::").split("::")[2]
    return "/".join([*stack, *([] if types in ("", _STACK) else [types]), resource_name])

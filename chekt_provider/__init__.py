"""CHeKT monitoring stations as code: a Pulumi provider for CHeKT's Partner API.

Each folder imports only from those below it:

    cli          the `chekt` command
    program      what a Pulumi program uses          rollout      waves of stacks
    provider.py  what Pulumi calls
    plugin       the process in which it calls
    operations   what each operation means: the safety rules
    api          CHeKT's Partner API over HTTP
    files        files that people write             settings.py  of a run
    model        inputs, wire, records               keys.py      that sign in place of a secret
    errors.py, text.py, log.py

    emulator     a CHeKT to try things on: imports none of these
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chekt_provider.program.explicit import Provider
    from chekt_provider.program.fleet import Fleet
    from chekt_provider.program.lookups import (
        get_monitoring_station,
        get_monitoring_station_output,
        list_monitoring_stations,
        list_monitoring_stations_output,
    )
    from chekt_provider.program.resources import MonitoringStation, MonitoringStationResult, SiteAssignment

__all__ = [
    "Fleet",
    "MonitoringStation",
    "MonitoringStationResult",
    "Provider",
    "SiteAssignment",
    "get_monitoring_station",
    "get_monitoring_station_output",
    "list_monitoring_stations",
    "list_monitoring_stations_output",
]

_HOMES = ("resources", "explicit", "fleet", "lookups")
"""Modules of `program` that hold public names; what takes longest to load comes last."""


def __getattr__(name: str) -> Any:
    """Load a public name when it is asked for: they bring all of Pulumi, which the `chekt` command mostly need not."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.program.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

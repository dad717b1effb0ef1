"""CHeKT monitoring stations as code: a Pulumi provider for CHeKT's Partner API."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chekt_provider.explicit import Provider
    from chekt_provider.fleet import Fleet
    from chekt_provider.lookups import (
        MonitoringStationResult,
        get_monitoring_station,
        get_monitoring_station_output,
        list_monitoring_stations,
        list_monitoring_stations_output,
    )
    from chekt_provider.resources import MonitoringStation, SiteAssignment

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

_HOMES = ("explicit", "fleet", "lookups", "resources")


def __getattr__(name: str) -> Any:
    """Load a public name when it is asked for: they bring all of Pulumi, which the `chekt` command mostly need not."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

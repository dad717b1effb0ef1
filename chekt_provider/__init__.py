"""CHeKT monitoring stations as code: a Pulumi provider for CHeKT's Partner API."""

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

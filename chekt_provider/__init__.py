"""CHeKT monitoring stations as code: a Pulumi provider for CHeKT's Partner API."""

from chekt_provider.resources import MonitoringStation

__all__ = ["MonitoringStation"]

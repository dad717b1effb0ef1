"""What the stacks of all environments share."""

from monitoring.stations import ENVIRONMENTS, Station, stations

__all__ = ["ENVIRONMENTS", "Station", "stations"]

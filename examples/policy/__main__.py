"""Two monitoring stations that keep the rules of pack/."""

import pulumi

from chekt_provider import MonitoringStation

opts = pulumi.ResourceOptions(protect=pulumi.get_stack().startswith("prod"))

MonitoringStation(
    "central",
    external_monitoring_station_id="central-01",
    name="Central Station, Springfield",
    prefix="CS",
    linecard="10001",
    opts=opts,
)
MonitoringStation(
    "backup",
    external_monitoring_station_id="backup-01",
    name="Backup Receiving Centre, Shelbyville",
    prefix="CS",
    linecard="20001",
    opts=opts,
)

"""The stations that every dealer has: the stack's settings say which dealer, and what its environment is called."""

import pulumi

from chekt_provider import MonitoringStation

STATIONS = {"central-01": "Central Station", "backup-01": "Backup Receiving Centre"}

config = pulumi.Config()
environment = config.require("environment")
for external_id, name in STATIONS.items():
    MonitoringStation(
        external_id,
        external_monitoring_station_id=external_id,
        name=f"{name} ({environment})",
        dealer_id=config.require("dealer"),
    )

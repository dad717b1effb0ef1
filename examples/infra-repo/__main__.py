"""The monitoring stations of the environment that the stack is named after."""

import pulumi
from chekt_provider import MonitoringStation

from monitoring import stations

config = pulumi.Config()
made = {
    key: MonitoringStation(
        key,
        external_monitoring_station_id=station.external_id,
        name=station.name,
        prefix=station.prefix,
        linecard=station.linecard,
        opts=pulumi.ResourceOptions(protect=config.get_bool("protect")),
    )
    for key, station in stations(pulumi.get_stack(), config.require_object("linecards")).items()
}
pulumi.export("stations", {key: station.monitoring_station_id for key, station in made.items()})

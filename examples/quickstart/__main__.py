"""Three monitoring stations of one dealer, as a monitoring centre would name them."""

import pulumi

from chekt_provider import MonitoringStation

central = MonitoringStation(
    "central",
    external_monitoring_station_id="central-01",
    name="Central Station, Springfield",
    prefix="CS",
    linecard="10001",
)
backup = MonitoringStation(
    "backup",
    external_monitoring_station_id="backup-01",
    name="Backup Receiving Centre, Shelbyville",
    prefix="BK",
    linecard="20001",
)
video = MonitoringStation(
    "video",
    external_monitoring_station_id="video-01",
    name="Video Verification Desk",
)

pulumi.export("api_host", central.api_host)
pulumi.export(
    "stations", {s: r.monitoring_station_id for s, r in {"central": central, "backup": backup, "video": video}.items()}
)

# Pulumi Cloud shows an output of this name on the stack's page.
pulumi.export(
    "readme",
    pulumi.Output.format(
        "| station | id |\n| --- | --- |\n| central | {} |\n| backup | {} |\n| video | {} |",
        central.monitoring_station_id,
        backup.monitoring_station_id,
        video.monitoring_station_id,
    ),
)

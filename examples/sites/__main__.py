"""A monitoring station, and the sites whose signals go to it."""

import pulumi

from chekt_provider import MonitoringStation, SiteAssignment

SITES = ("villa-01", "shop-01")  # their external ids; they exist already

central = MonitoringStation(
    "central",
    external_monitoring_station_id="central-01",
    name="Central Station, Springfield",
    prefix="CS",
    reassign_sites_to=pulumi.Config().get_int("handOverTo"),
)
for site in SITES:
    SiteAssignment(site, external_site_id=site, monitoring_station_id=central.monitoring_station_id)

pulumi.export("central", central.monitoring_station_id)

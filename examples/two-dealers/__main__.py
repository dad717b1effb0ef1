"""The monitoring stations of two dealers, each made by that dealer's own app."""

import pulumi

from chekt_provider import MonitoringStation, Provider

config = pulumi.Config()

for dealer in ("alpha", "bravo"):
    app = Provider(
        dealer,
        client_id=config.require(f"{dealer}ClientId"),
        client_secret=config.require_secret(f"{dealer}ClientSecret"),
        dealer_id=config.require_int(f"{dealer}DealerId"),
    )
    central = MonitoringStation(
        f"{dealer}-central",
        external_monitoring_station_id="central-01",
        name=f"Central Station of {dealer.title()}",
        opts=pulumi.ResourceOptions(provider=app),
    )
    pulumi.export(f"{dealer}_central", central.monitoring_station_id)

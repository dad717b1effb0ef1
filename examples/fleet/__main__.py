"""The monitoring stations of stations.yaml, and a table of them for the stack's page."""

import pulumi

from chekt_provider import Fleet

fleet = Fleet("stations", file="stations.yaml")

COLUMNS = ("external_monitoring_station_id", "name", "prefix", "linecard", "monitoring_station_id")
HEAD = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"
rows = [
    pulumi.Output.all(*(getattr(station, column) for column in COLUMNS)).apply(
        lambda cells: f"| {' | '.join(str(cell).replace('|', '&#124;') for cell in cells)} |"
    )
    for station in fleet.stations.values()
]
pulumi.export("readme", pulumi.Output.all(*rows).apply(lambda lines: "\n".join([HEAD, *sorted(lines)])))

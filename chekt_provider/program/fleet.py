"""Stations as data: a component that declares a MonitoringStation for each entry of a stations file."""

from __future__ import annotations

import os

import pulumi
from pulumi import Alias, ResourceOptions

from chekt_provider.files.stations_file import DeclaredStation, read_stations
from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.program.resources import MonitoringStation
from chekt_provider.program.stack_config import stack_config
from chekt_provider.settings import read_settings


class Fleet(pulumi.ComponentResource):
    """The monitoring stations of a file that people who do not program can keep.

    The file is looked at as a whole before anything is declared. `chekt schema` prints its JSON schema.

    A station's resource name is its external id, and "dealer id/external id" where the file names the dealer, on the
    station or on its group. So the order of the file never matters, and no station's name depends on another. To write
    the dealer that chekt:dealerId names into the file, or to take it out, changes nothing.

    Attributes:
        stations: the stations by their resource names.
    """

    stations: dict[str, MonitoringStation]

    def __init__(
        self, resource_name: str, *, file: str | os.PathLike[str], opts: ResourceOptions | None = None
    ) -> None:
        """Declare the stations of a file.

        Args:
            resource_name: Pulumi's name of the component, unique in the program.
            file: the path of the stations file, from the program's folder.
            opts: Pulumi's resource options. A provider and `protect` hold for the stations too.

        Raises:
            pulumi.RunError: what is wrong with the file, all at once, each in a line of its own; or
                the stack's config holds a secret in plain text or an unknown setting.
        """
        dealer_id = read_settings(stack_config, os.environ).dealer_id
        try:
            declared = read_stations(file, dealer_id)
        except BadFileError as error:
            raise pulumi.RunError(str(error)) from None
        super().__init__("chekt:index:Fleet", resource_name, None, opts)
        self.stations = {_name(station): self._declare(station, dealer_id) for station in declared}
        numbers = {name: station.monitoring_station_id for name, station in self.stations.items()}
        self.register_outputs({"monitoring_station_ids": numbers})

    def _declare(self, station: DeclaredStation, dealer_id: str) -> MonitoringStation:
        aliases = [Alias(name=name) for name in _other_names(station, dealer_id)]
        opts = ResourceOptions(parent=self, aliases=aliases)
        return MonitoringStation(_name(station), **station.inputs, opts=opts)


def _name(station: DeclaredStation) -> str:
    """The resource name: in the state of users for ever."""
    return f"{station.dealer_id}/{station.external_id}" if station.dealer_id else station.external_id


def _other_names(station: DeclaredStation, dealer_id: str) -> list[str]:
    """The name that the station has when its dealer is left to the settings, or written into the file."""
    if not station.dealer_id:
        return [f"{dealer_id}/{station.external_id}"] if dealer_id else []
    return [station.external_id] if station.dealer_id == dealer_id else []

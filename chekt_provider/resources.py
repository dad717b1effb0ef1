"""The resources that a program declares, field by field. No behaviour: that is in provider.py and operations.py."""

from __future__ import annotations

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource

from chekt_provider.provider import MonitoringStationProvider
from chekt_provider.stack_config import refuse_plain_secret


class MonitoringStation(Resource, module="chekt", name="MonitoringStation"):
    """A monitoring station of a dealer: the centre that receives the dealer's alarm signals.

    Attributes:
        external_monitoring_station_id: the caller's own key.
        name: the name that people see.
        prefix: what goes in front of account numbers; "" when unset.
        linecard: the receiver hardware that handles the lines; "" when unset.
        dealer_id: the dealer's id, as digits.
        created_at: when CHeKT created it, ISO 8601, UTC.
        api_host: the host of the API that holds it. Read, update and delete refuse to work on another.
    """

    external_monitoring_station_id: Output[str]
    name: Output[str]
    prefix: Output[str]
    linecard: Output[str]
    dealer_id: Output[str]
    created_at: Output[str]
    api_host: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        external_monitoring_station_id: Input[str],
        name: Input[str],
        prefix: Input[str | None] = None,
        linecard: Input[str | None] = None,
        dealer_id: Input[int | str | None] = None,
        adopt_existing: Input[bool | None] = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare a monitoring station.

        Args:
            resource_name: Pulumi's name of the resource, unique in the program.
            external_monitoring_station_id: your own key for it, up to 200 characters. Changing it replaces the
                station.
            name: the name that people see, up to 200 characters.
            prefix: text in front of the account number, up to 50 characters. Leaving it out means: none.
            linecard: the receiver hardware that handles the lines, up to 50 characters. Leaving it out means: none.
            dealer_id: whose station it is. Default: chekt:dealerId, CHEKT_DEALER_ID. Changing it replaces the station.
            adopt_existing: take over a station that already has this external id, and give it these values. Default:
                the setting chekt:adoptExisting, which is false.
            opts: Pulumi's resource options. `replace_on_changes` and `custom_timeouts` have no effect on dynamic
                resources.

        Raises:
            pulumi.RunError: chekt:clientSecret is set in plain text.
        """
        refuse_plain_secret()
        super().__init__(
            MonitoringStationProvider(),
            resource_name,
            {
                "external_monitoring_station_id": external_monitoring_station_id,
                "name": name,
                "prefix": prefix,
                "linecard": linecard,
                "dealer_id": dealer_id,
                "adopt_existing": adopt_existing,
                **_OUTPUTS,
            },
            opts,
        )

    @property
    def monitoring_station_id(self) -> Output[int]:
        """CHeKT's number of the station. Taken from the id, so that it stays known while an update is previewed."""
        return self.id.apply(lambda id_: int(id_.split("/")[1]))

    @staticmethod
    def get(resource_name: str, id: Input[str], opts: ResourceOptions | None = None) -> MonitoringStation:  # noqa: A002
        """Read a station that is managed elsewhere.

        Args:
            resource_name: Pulumi's name of the resource, unique in the program.
            id: dealer id and monitoring station id, such as "12345/17".
            opts: Pulumi's resource options.
        """
        refuse_plain_secret()
        station = MonitoringStation.__new__(MonitoringStation)
        properties = dict.fromkeys(["external_monitoring_station_id", "name", "prefix", "linecard", "dealer_id"])
        reading = ResourceOptions.merge(opts, ResourceOptions(id=id))
        Resource.__init__(station, MonitoringStationProvider(), resource_name, {**properties, **_OUTPUTS}, reading)
        return station


_OUTPUTS = {"created_at": None, "api_host": None}

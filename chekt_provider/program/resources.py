"""The resources that a program declares, field by field. No behaviour: that is in provider.py and operations/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource

from chekt_provider.model.fields import StationFields
from chekt_provider.model.records import REPLACED_ON, UPDATED_IN_PLACE
from chekt_provider.program.declared import declared_by, refuse_import, refuse_second, secret_inputs
from chekt_provider.program.stack_config import refuse_bad_config
from chekt_provider.provider import MonitoringStationProvider, SiteAssignmentProvider


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

    def __init__(  # noqa: PLR0913 - each is named at the call
        self,
        resource_name: str,
        *,
        external_monitoring_station_id: Input[str],
        name: Input[str],
        prefix: Input[str | None] = None,
        linecard: Input[str | None] = None,
        dealer_id: Input[int | str | None] = None,
        adopt_existing: Input[bool | None] = None,
        reassign_sites_to: Input[int | str | None] = None,
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
            dealer_id: whose station it is. Default: CHEKT_DEALER_ID, else chekt:dealerId. Changing it replaces the
                station.
            adopt_existing: take over a station that already has this external id, and give it these values. Default:
                the setting chekt:adoptExisting, which is false.
            reassign_sites_to: the monitoring_station_id of a station of the same dealer. When this station is deleted,
                its sites are moved there first, one by one. It takes effect once `pulumi up` has recorded it. Default:
                a station with sites is not deleted.
            opts: Pulumi's resource options. `replace_on_changes` and `custom_timeouts` have no effect on dynamic
                resources; `import_` is refused.

        Raises:
            pulumi.RunError: the stack's config holds a secret in plain text or an unknown setting, another resource of
                the program has the same external id, or the options hold import_.
        """
        refuse_bad_config()
        refuse_import(resource_name, opts, "Pass adopt_existing=True in its place: it takes an existing station over.")
        refuse_second(resource_name, external_monitoring_station_id, dealer_id, opts)
        given: dict[str, Any] = {
            "external_monitoring_station_id": external_monitoring_station_id,
            "name": name,
            "prefix": prefix,
            "linecard": linecard,
            "dealer_id": dealer_id,
            "adopt_existing": adopt_existing,
            "reassign_sites_to": reassign_sites_to,
        }
        secret = secret_inputs(**{field: given[field] for field in StationFields.model_fields})
        if secret is not None:  # what CHeKT keeps in another form than was asked for holds their values as well
            opts = ResourceOptions.merge(opts, ResourceOptions(additional_secret_outputs=["declared_as"]))
        super().__init__(
            MonitoringStationProvider(),
            resource_name,
            {**given, "declared_by": declared_by(resource_name, opts), "secret_inputs": secret, **_OUTPUTS},
            opts,
        )

    @property
    def monitoring_station_id(self) -> Output[int]:
        """CHeKT's number of the station. Taken from the id, so that it stays known while an update is previewed.

        0 where the id holds none, as those of Pulumi's mocks.
        """
        return self.id.apply(_number)

    @staticmethod
    def get(resource_name: str, id: Input[str], opts: ResourceOptions | None = None) -> MonitoringStation:  # noqa: A002
        """Read a station that is managed elsewhere.

        Args:
            resource_name: Pulumi's name of the resource, unique in the program.
            id: dealer id and monitoring station id, such as "12345/17".
            opts: Pulumi's resource options.
        """
        refuse_bad_config()
        station = MonitoringStation.__new__(MonitoringStation)
        properties = dict.fromkeys([*REPLACED_ON, *UPDATED_IN_PLACE])
        reading = ResourceOptions.merge(opts, ResourceOptions(id=id))
        Resource.__init__(station, MonitoringStationProvider(), resource_name, {**properties, **_OUTPUTS}, reading)
        return station


class SiteAssignment(Resource, module="chekt", name="SiteAssignment"):
    """Which monitoring station a site's signals go to. The site exists already; this puts it on the station.

    Nothing else of the site is managed: neither its name, account number and address, nor whether it is activated.
    Deleting the assignment leaves the site on its station. A site is never put on a station where another site has the
    same account number, nor on a station of another dealer.

    Attributes:
        dealer_id: the dealer's id, as digits.
        site_id: CHeKT's number of the site, as digits.
        external_site_id: the caller's own key of the site.
        name: the site's name.
        account_number: by which the station knows the site; "" where it has none.
        monitoring_station_id: the station's number, as digits; "" when a refresh found the site without one.
        api_host: the host of the API that holds it. Read and update refuse to work on another.
    """

    dealer_id: Output[str]
    site_id: Output[str]
    external_site_id: Output[str]
    name: Output[str]
    account_number: Output[str]
    monitoring_station_id: Output[str]
    api_host: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        monitoring_station_id: Input[int | str],
        site_id: Input[int | str | None] = None,
        external_site_id: Input[str | None] = None,
        dealer_id: Input[int | str | None] = None,
        probe: Input[str | None] = None,
        probe_timeout: Input[float | None] = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare which station receives the signals of a site that exists. Give `site_id` or `external_site_id`.

        Args:
            resource_name: Pulumi's name of the resource, unique in the program.
            monitoring_station_id: of the station, such as `central.monitoring_station_id`. Changing it moves the site.
            site_id: CHeKT's number of the site. Another site replaces the assignment.
            external_site_id: your own key of the site, up to 200 characters. Another site replaces the assignment.
            dealer_id: whose site and station they are. Default: CHEKT_DEALER_ID, else chekt:dealerId. Changing it
                replaces the assignment.
            probe: "tcp://host:port" of the receiver, which must accept a TCP connection before the site is moved.
                Default: none is tried.
            probe_timeout: how long the receiver has to accept it, 1 to 60 seconds. Default: 5.
            opts: Pulumi's resource options; `import_` is refused.

        Raises:
            pulumi.RunError: the stack's config holds a secret in plain text or an unknown setting, or the options hold
                import_.
        """
        refuse_bad_config()
        refuse_import(resource_name, opts, "Leave it out: an assignment is made for a site that exists already.")
        super().__init__(
            SiteAssignmentProvider(),
            resource_name,
            {
                "monitoring_station_id": monitoring_station_id,
                "site_id": site_id,
                "external_site_id": external_site_id,
                "dealer_id": dealer_id,
                "probe": probe,
                "probe_timeout": probe_timeout,
                "declared_by": declared_by(resource_name, opts),
                "secret_inputs": secret_inputs(external_site_id=external_site_id),
                "name": None,
                "account_number": None,
                "api_host": None,
            },
            opts,
        )


@dataclass(frozen=True)
class MonitoringStationResult:
    """A monitoring station as CHeKT lists it.

    Attributes:
        id: dealer id and monitoring station id, such as "12345/17"; `MonitoringStation.get` takes it.
        monitoring_station_id: CHeKT's number of the station.
        external_monitoring_station_id: the key of whoever made it; "" when unset.
        name: the name that people see.
        prefix: what goes in front of account numbers; "" when unset.
        linecard: the receiver hardware that handles the lines; "" when unset.
        dealer_id: the dealer's id, as digits.
        created_at: when CHeKT created it, ISO 8601, UTC.
    """

    id: str
    monitoring_station_id: int
    external_monitoring_station_id: str
    name: str
    prefix: str
    linecard: str
    dealer_id: str
    created_at: str


def _number(id_: str) -> int:
    number = id_.rpartition("/")[2]
    return int(number) if number.isdecimal() else 0


_OUTPUTS = {"created_at": None, "api_host": None}

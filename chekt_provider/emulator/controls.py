"""The controls: what a test does behind the API's back."""

from typing import Any, Literal

from chekt_provider.emulator import rules
from chekt_provider.emulator.faults import Fault
from chekt_provider.emulator.log import Request
from chekt_provider.emulator.settings import Switches
from chekt_provider.emulator.world import World


class Controls:
    """Looks into the emulator and changes it, past the imitated API: no token, no rate limit, no log entry, no fault.

    Wherever `dealer_id` may be left out, the first of the emulator's dealers is meant. What does not exist raises a
    `LookupError`. All of it may be called from any thread.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def switches(self) -> Switches:
        """The answers to CHeKT's open questions. Assign a new object to change them, with effect at once."""
        return self._world.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._world.switches = switches

    @property
    def token_life(self) -> float:
        """Seconds that a token lives; assigning changes the tokens handed out from now on."""
        return self._world.tokens.life

    @token_life.setter
    def token_life(self, seconds: float) -> None:
        self._world.tokens.life = seconds

    def reset(self) -> None:
        """Go back to the start: no stations, sites, faults, log, tokens or remembered answers, ids from 1.

        The dealers are those of the start, all of them with access. Switches and the life of tokens stay, and
        the numbers in the log go on.
        """
        self._world.reset()

    def revoke_tokens(self) -> None:
        """Let the API refuse every token handed out so far with 401."""
        self._world.tokens.revoke()

    # Faults and the log

    @property
    def faults(self) -> list[Fault]:
        """The faults in force, each with the times and skip that are left."""
        return self._world.faults.live()

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force. Of several that match a request the first one added strikes."""
        self._world.faults.add(fault)

    def clear_faults(self) -> None:
        """Put an end to all faults."""
        self._world.faults.clear()

    @property
    def requests(self) -> list[Request]:
        """The requests to the imitated API so far, oldest first: the last 100,000."""
        return self._world.log.requests()

    def clear_requests(self) -> None:
        """Forget the requests so far; their numbers go on."""
        self._world.log.clear()

    # Dealers

    def add_dealer(self, dealer_id: int) -> None:
        """Add a dealer with made-up particulars; one that exists stays as it is."""
        self._world.store.add_dealer(dealer_id)

    def withdraw_dealer(self, dealer_id: int | None = None, status: Literal[403, 404] = 403) -> None:
        """Let every call for a dealer be refused: 403 no access, 404 as if it did not exist. Its stations stay."""
        self._world.store.withdraw_dealer(self._dealer(dealer_id), status)

    def restore_dealer(self, dealer_id: int | None = None) -> None:
        """Grant access to a dealer again."""
        self._world.store.withdraw_dealer(self._dealer(dealer_id), None)

    # Stations

    def stations(self, dealer_id: int | None = None) -> list[dict[str, Any]]:
        """Give a dealer's stations in order of id, in one form under all switches: prefix and linecard "" if unset."""
        return self._world.store.stations(self._dealer(dealer_id))

    def add_station(
        self,
        *,
        external_monitoring_station_id: str,
        name: str,
        prefix: str = "",
        linecard: str = "",
        dealer_id: int | None = None,
    ) -> int:
        """Add a station, were it a twin, and give its id."""
        fields = {
            "external_monitoring_station_id": external_monitoring_station_id,
            "name": name,
            "prefix": prefix,
            "linecard": linecard,
        }
        return rules.add_station(self._world.store, self._world.switches, self._dealer(dealer_id), fields)

    def put_station(
        self,
        monitoring_station_id: int,
        *,
        external_monitoring_station_id: str,
        name: str,
        prefix: str = "",
        linecard: str = "",
        dealer_id: int | None = None,
    ) -> None:
        """Make the station with this very number, in place of the one that has it, be it another dealer's.

        As after a restored backup, or where a number is given again. Its created_at is now; the sites on the number
        stay on it.
        """
        fields = {
            "external_monitoring_station_id": external_monitoring_station_id,
            "name": name,
            "prefix": prefix,
            "linecard": linecard,
        }
        self._world.store.add_station(self._dealer(dealer_id), fields, monitoring_station_id)

    def edit_station(
        self,
        monitoring_station_id: int,
        *,
        name: str | None = None,
        prefix: str | None = None,
        linecard: str | None = None,
        dealer_id: int | None = None,
    ) -> None:
        """Change a station as somebody in the portal would. None leaves a value as it is, "" unsets it."""
        changes = {"name": name, "prefix": prefix, "linecard": linecard}
        given = {field: value for field, value in changes.items() if value is not None}
        self._world.store.change_station(self._dealer(dealer_id), monitoring_station_id, given)

    def remove_station(self, monitoring_station_id: int, dealer_id: int | None = None) -> None:
        """Remove a station; its sites stay, without one."""
        self._world.store.remove_station(self._dealer(dealer_id), monitoring_station_id)

    # Sites

    def sites(self, dealer_id: int | None = None) -> list[dict[str, Any]]:
        """Give a dealer's sites in order of id."""
        return self._world.store.sites(self._dealer(dealer_id))

    def add_site(
        self,
        *,
        external_site_id: str,
        name: str,
        timezone: str = "UTC",
        monitoring_station_id: int | None = None,
        account_number: str | None = None,
        address1: str | None = None,
        address2: str | None = None,
        dealer_id: int | None = None,
    ) -> int:
        """Add a site and give its id. The station need not exist: sites can dangle."""
        fields = {
            "external_site_id": external_site_id,
            "name": name,
            "timezone": timezone,
            "monitoring_station_id": monitoring_station_id,
            "account_number": account_number,
            "address1": address1,
            "address2": address2,
        }
        return self._world.store.add_site(self._dealer(dealer_id), fields)

    def edit_site(self, site_id: int, *, dealer_id: int | None = None, **changes: Any) -> None:
        """Change fields of a site, each by the API's name of it; None unsets one that may be unset."""
        self._world.store.change_site(self._dealer(dealer_id), site_id, changes)

    def remove_site(self, site_id: int, dealer_id: int | None = None) -> None:
        """Remove a site, which the API itself cannot."""
        self._world.store.remove_site(self._dealer(dealer_id), site_id)

    def _dealer(self, dealer_id: int | None) -> int:
        if dealer_id is None:
            return self._world.dealers[0]
        self._world.store.check_dealer(dealer_id)
        return dealer_id

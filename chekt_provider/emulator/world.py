"""The world behind the imitated API: the routes and the gate share it, and a test changes it behind the API's back."""

import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from chekt_provider.emulator import rules
from chekt_provider.emulator.assertions import Assertions
from chekt_provider.emulator.faults import Fault, Faults
from chekt_provider.emulator.log import Log, Request
from chekt_provider.emulator.rate_limit import RateLimit
from chekt_provider.emulator.settings import Plan, Switches
from chekt_provider.emulator.shapes import STATION_UNSET, SiteCreate, SiteEdit, StationCreate, StationUpdate
from chekt_provider.emulator.store import Store
from chekt_provider.emulator.tables import SITES, STATIONS
from chekt_provider.emulator.tokens import Tokens


class World:
    """Dealers, stations and sites; tokens, limits and switches; faults and the log.

    Its methods bypass the imitated API: no token, no rate limit, no log entry, no fault. Without a `dealer_id` they
    mean the first dealer. They raise a `LookupError` for what does not exist. Any thread may call them.

    Attributes:
        switches: the answers to CHeKT's open questions. Assign a new object to change them, with effect at once.

    Args: those of `Emulator`.
    """

    def __init__(  # noqa: PLR0913 - each is named at the call
        self,
        *,
        dealers: Sequence[int] = (12345,),
        switches: Switches | None = None,
        client_id: str = "emulator-client",
        client_secret: str = "emulator-secret",  # noqa: S107 - it opens nothing but this emulator
        public_key: str | None = None,
        key_id: str | None = None,
        token_life: float = 3600,
        plan: Plan | None = Plan.ENTERPRISE,
        state: Path | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not dealers:
            raise ValueError("an emulator needs at least one dealer")
        if key_id is not None and public_key is None:
            raise ValueError("a key id needs the public key whose id it is")
        assertions = None if public_key is None else Assertions(client_id, public_key, key_id, clock)
        self.dealers = tuple(dealers)
        self.switches = switches or Switches()
        self.store = Store(state, clock, lambda: clock() + self.switches.database_clock)
        self.tokens = Tokens(client_id, client_secret, token_life, clock, assertions)
        self.limit = RateLimit(plan, clock)
        self.in_force = Faults()
        self.log = Log(clock)
        self.clock = clock
        self._port = port
        weakref.finalize(self, self.store.close)
        self._populate()

    def _populate(self) -> None:
        for dealer_id in self.dealers:
            self.store.add_dealer(dealer_id)

    @property
    def token_life(self) -> float:
        """Seconds that a token lives; assigning changes the tokens handed out from now on."""
        return self.tokens.life

    @token_life.setter
    def token_life(self, seconds: float) -> None:
        self.tokens.life = seconds

    def reset(self) -> None:
        """Go back to the start: no stations, sites, faults, log, tokens or remembered answers, ids from 1.

        The dealers are those of the start, with access. Switches, the life of tokens and the log's numbers go on.
        """
        self.store.clear()
        self._populate()
        self.tokens.revoke()
        self.limit.reset()
        self.in_force.clear()
        self.log.clear()

    def revoke_tokens(self) -> None:
        """Refuse every token handed out so far with 401."""
        self.tokens.revoke()

    # Faults and the log

    @property
    def faults(self) -> list[Fault]:
        """The faults in force, each with its remaining times and skip."""
        return self.in_force.live()

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force. The first one added strikes, when several match a request."""
        self.in_force.add(fault)

    def clear_faults(self) -> None:
        """End all faults."""
        self.in_force.clear()

    @property
    def requests(self) -> list[Request]:
        """The requests to the imitated API so far, oldest first: the last 100,000."""
        return self.log.requests()

    def clear_requests(self) -> None:
        """Forget the requests so far; their numbers go on."""
        self.log.clear()

    # Dealers

    def add_dealer(self, dealer_id: int) -> None:
        """Add a dealer with made-up particulars, unless it exists."""
        self.store.add_dealer(dealer_id)

    def withdraw_dealer(self, dealer_id: int | None = None, status: Literal[403, 404] = 403) -> None:
        """Refuse every call for a dealer: 403 no access, 404 as if it did not exist. Its stations stay."""
        self.store.withdraw_dealer(self._dealer(dealer_id), status)

    def restore_dealer(self, dealer_id: int | None = None) -> None:
        """Grant access to a dealer again."""
        self.store.withdraw_dealer(self._dealer(dealer_id), None)

    # Stations

    def stations(self, dealer_id: int | None = None) -> list[dict[str, Any]]:
        """Give a dealer's stations in order of id, whatever the switches: an unset text is ""."""
        return self.store.rows(STATIONS, self._dealer(dealer_id))

    def add_station(
        self, *, external_monitoring_station_id: str, name: str, dealer_id: int | None = None, **options: Any
    ) -> int:
        """Add a station, even a twin, and give its id.

        Options are its other fields, by the API's names; None means unset.
        """
        fields = {"external_monitoring_station_id": external_monitoring_station_id, "name": name, **options}
        return rules.add_station(self.store, self.switches, self._dealer(dealer_id), _kept(fields, StationCreate))

    def put_station(
        self,
        monitoring_station_id: int,
        *,
        external_monitoring_station_id: str,
        name: str,
        dealer_id: int | None = None,
        **options: Any,
    ) -> None:
        """Make the station with this very number, in place of the station that has it, even another dealer's.

        As after a restored backup, or where CHeKT gives a number again. Its created_at is now; the sites stay on it.
        """
        fields = {"external_monitoring_station_id": external_monitoring_station_id, "name": name, **options}
        self.store.add(STATIONS, self._dealer(dealer_id), _kept(fields, StationCreate), monitoring_station_id)

    def edit_station(self, monitoring_station_id: int, *, dealer_id: int | None = None, **changes: Any) -> None:
        """Change a station as somebody in the portal would, by the API's names of fields; None unsets one."""
        changes = _kept(changes, StationUpdate)
        self.store.change(STATIONS, self._dealer(dealer_id), monitoring_station_id, changes)

    def remove_station(self, monitoring_station_id: int, dealer_id: int | None = None) -> None:
        """Remove a station; its sites stay, without one."""
        self.store.remove(STATIONS, self._dealer(dealer_id), monitoring_station_id)

    # Sites

    def sites(self, dealer_id: int | None = None) -> list[dict[str, Any]]:
        """Give a dealer's sites in order of id."""
        return self.store.rows(SITES, self._dealer(dealer_id))

    def add_site(
        self,
        *,
        external_site_id: str,
        name: str,
        timezone: str = "UTC",
        monitoring_station_id: int | None = None,
        dealer_id: int | None = None,
        **options: Any,
    ) -> int:
        """Add a site and give its id. The station need not exist: sites can dangle."""
        fields = {
            "external_site_id": external_site_id,
            "name": name,
            "timezone": timezone,
            "monitoring_station_id": monitoring_station_id,
            **options,
        }
        return self.store.add(SITES, self._dealer(dealer_id), _kept(fields, SiteCreate))

    def edit_site(self, site_id: int, *, dealer_id: int | None = None, **changes: Any) -> None:
        """Change a site, by the API's names of fields; None unsets an optional one."""
        self.store.change(SITES, self._dealer(dealer_id), site_id, _kept(changes, SiteEdit))

    def remove_site(self, site_id: int, dealer_id: int | None = None) -> None:
        """Remove a site, which the API itself cannot."""
        self.store.remove(SITES, self._dealer(dealer_id), site_id)

    def _dealer(self, dealer_id: int | None) -> int:
        if dealer_id is None:
            return self.dealers[0]
        self.store.check_dealer(dealer_id)
        return dealer_id


def _kept(fields: dict[str, Any], shape: type[BaseModel]) -> dict[str, Any]:
    """Give fields as the store keeps them. Raises TypeError for a field that the shape lacks."""
    for name in fields:
        if name not in shape.model_fields:
            raise TypeError(f"{name!r} is no field of a {shape.__name__}")
    return {name: STATION_UNSET.get(name) if value is None else value for name, value in fields.items()}

"""The world behind the imitated API: everything that the routes, the gate and the controls share."""

from collections.abc import Callable
from pathlib import Path

from chekt_provider.emulator.assertions import Assertions
from chekt_provider.emulator.faults import Faults
from chekt_provider.emulator.log import Log
from chekt_provider.emulator.rate_limit import RateLimit
from chekt_provider.emulator.settings import Plan, Switches
from chekt_provider.emulator.store import Store
from chekt_provider.emulator.tokens import Tokens


class World:
    """Dealers, stations and sites; tokens, limits and switches; faults and the log.

    Args:
        dealers: ids of the dealers that exist from the start.
        switches, client_id, client_secret, public_key, key_id, token_life, plan, state, clock: see `Emulator`.
    """

    def __init__(  # noqa: PLR0913 - each is named at the call
        self,
        *,
        dealers: tuple[int, ...],
        switches: Switches,
        client_id: str,
        client_secret: str,
        public_key: str | None,
        key_id: str | None,
        token_life: float,
        plan: Plan | None,
        state: Path | None,
        clock: Callable[[], float],
    ) -> None:
        if not dealers:
            raise ValueError("an emulator needs at least one dealer")
        if key_id is not None and public_key is None:
            raise ValueError("a key id needs the public key whose id it is")
        assertions = None if public_key is None else Assertions(client_id, public_key, key_id, clock)
        self.dealers = dealers
        self.switches = switches
        self.store = Store(state, clock, lambda: clock() + self.switches.database_clock)
        self.tokens = Tokens(client_id, client_secret, token_life, clock, assertions)
        self.limit = RateLimit(plan, clock)
        self.faults = Faults()
        self.log = Log(clock)
        self.clock = clock
        self._populate()

    def _populate(self) -> None:
        for dealer_id in self.dealers:
            self.store.add_dealer(dealer_id)

    def reset(self) -> None:
        """Go back to the start; switches and the life of tokens stay as they are."""
        self.store.clear()
        self._populate()
        self.tokens.revoke()
        self.limit.reset()
        self.faults.clear()
        self.log.clear()

"""A CHeKT, and processes of one stack, on one clock: waits cost nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.model.records import Recorded
from chekt_provider.plugin.run import Run
from chekt_provider.settings import read_settings
from tests.clock import Clock
from tests.helpers import COLLECTION, central, held

STACK = "acme/alarms/dev/central"


@dataclass
class World:
    """A CHeKT and processes on one clock, which only moves when somebody waits."""

    emulator: Emulator
    clock: Clock
    said: list[str] = field(default_factory=list)

    def process(self, **environment: str) -> Run:
        """A new process."""
        settings = read_settings(lambda key: None, {**self.emulator.environment(), **environment})
        transport = Transport(
            settings, say=self.said.append, clock=self.clock, sleep=self.clock.sleep, draw=lambda: 0.5
        )
        return Run(settings, transport, self.said.append)

    def up(self, run: Run | None = None, **changes: Any) -> Recorded:
        """Create the station as a new process of the stack does."""
        return (run or self.process()).stations.create(central(**{"declared_by": STACK, **changes}))

    def fault(self, **what: Any) -> None:
        """Let the next POST of a station meet a fault."""
        self.emulator.add_fault(Fault(method="POST", path=COLLECTION, **what))

    def posts(self) -> list[str | None]:
        """The idempotency key of each POST."""
        return [r.idempotency_key for r in self.emulator.requests if (r.method, r.path) == ("POST", COLLECTION)]

    @property
    def numbers(self) -> list[int]:
        return [station[0] for station in held(self.emulator)]

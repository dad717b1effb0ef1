"""Another CHeKT, and processes of one stack, all on one clock: waits cost nothing."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from chekt_provider.api.transport import Transport
from chekt_provider.errors import ChektError
from chekt_provider.model.records import Recorded
from chekt_provider.plugin.run import Run
from chekt_provider.settings import read_settings
from tests.another_chekt import AnotherChekt
from tests.clock import Clock
from tests.helpers import anonymous, central
from tests.safe_world import STACK

CLOCK = 1_700_000_000.0


class Stack:
    """Processes of one stack, and the CHeKT that they talk to, on one clock."""

    def __init__(self, api: AnotherChekt, clock: Clock) -> None:
        self.api = api
        self.clock = clock
        self.said: list[str] = []

    def process(self, **environment: str) -> Run:
        """A new process, with some extra variables."""
        settings = read_settings(lambda key: None, {**self.api.environment(), **environment})
        transport = Transport(
            settings, say=self.said.append, clock=self.clock, sleep=self.clock.sleep, draw=lambda: 0.5
        )
        return Run(settings, transport, self.said.append)

    def up(self, run: Run | None = None, **changes: Any) -> Recorded:
        return (run or self.process()).stations.create(central(**{"declared_by": STACK, **changes}))

    def fails(self) -> str:
        """The line with which an `up` fails."""
        with pytest.raises(ChektError) as caught:
            self.up()
        return anonymous(str(caught.value))

    def keys(self) -> list[str | None]:
        """The idempotency key of each POST."""
        return [key for method, _, key in self.api.log if method == "POST"]


class Stacks:
    """Starts a CHeKT of a given kind."""

    def __init__(self, exits: ExitStack) -> None:
        self._exits = exits

    def __call__(self, kind: type[AnotherChekt] = AnotherChekt) -> Stack:
        clock = Clock(now=CLOCK)
        return Stack(self._exits.enter_context(kind(clock)), clock)

"""One station and the operation that Pulumi is about to call, and what must be true whatever happens to it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import Config, ConfigureRequest

from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import ChektError, DeclaredTwice, WrongEnvironment
from chekt_provider.plugin.run import Run
from chekt_provider.provider import MonitoringStationProvider
from chekt_provider.settings import VARIABLES
from tests.clock import Clock
from tests.helpers import anonymous, calls, held

ID = "12345/1"
INPUTS = {
    "dealer_id": "12345",
    "external_monitoring_station_id": "central-01",
    "name": "Central",
    "prefix": "CH",
    "linecard": "7",
}
CHANGED = INPUTS | {"name": "Renamed"}
DEALER = "/partner/v1/dealers/12345"
LIST, ITEM, SITES = "/monitoring-stations", "/monitoring-stations/1", "/sites"
TOKEN = "/oauth/token"
METHODS = {"create": "POST", "read": "GET", "update": "PUT", "delete": "DELETE"}
CANARY = "canary"
"""Every secret and every token holds this word, and nothing else does."""


@dataclass
class Moments(Clock):
    """A clock that moves when something sleeps, and by `tick` whenever it is read.

    Attributes:
        meanwhile: happens while something sleeps.
        on_reading: happens whenever it is read.
    """

    tick: float = 0.0
    meanwhile: Callable[[], object] = lambda: None
    on_reading: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        self.on_reading()
        self.now += self.tick
        return self.now

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.meanwhile()


class TimedProvider(MonitoringStationProvider):
    """The provider on a clock that never really waits."""

    def __init__(self, clock: Clock, say: Callable[[str], None], read_seconds: float) -> None:
        self._clock = clock
        self._say = say
        self._read_seconds = read_seconds

    def configure(self, req: ConfigureRequest) -> None:
        super().configure(req)
        clock = self._clock
        transport = Transport(
            self._run.settings,
            say=self._say,
            clock=clock,
            sleep=clock.sleep,
            draw=lambda: 0.5,
            read_seconds=self._read_seconds,
        )
        self._run = Run(self._run.settings, transport, self._say)


@dataclass
class World:
    """A dealer, and the operation that is about to happen to station central-01.

    Attributes:
        emulator: holds the station, unless it is about to be created.
        operation: create, read, update (of the name) or delete.
        state: what Pulumi's state holds; None for nothing. An operation that fails leaves it as it is.
        settings: of later providers, beside those that point at the emulator.
        wanted_instead: the inputs of the program, if they are not the usual ones.
        seen: all that a person or a log could have seen.
        ahead: seconds; their sum is how far CHeKT's clock is ahead of ours.
        read_seconds: how long a provider waits for an answer.
    """

    emulator: Emulator
    operation: str
    clock: Moments
    state: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    wanted_instead: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    ahead: list[float] = field(default_factory=list)
    read_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.operation != "create":
            self.state = self.manage(**INPUTS)

    def manage(self, **inputs: str) -> dict[str, Any]:
        """Put a station into the emulator, and give what the state holds of it."""
        fields = {name: value for name, value in inputs.items() if name != "dealer_id"}
        self.emulator.add_station(**fields, dealer_id=int(inputs["dealer_id"]))
        created_at = self.emulator.stations()[-1]["created_at"]
        return {**inputs, "created_at": created_at, "api_host": "localhost", "__provider": "x"}

    @property
    def wanted(self) -> dict[str, str]:
        """The inputs of the program."""
        return self.wanted_instead or (CHANGED if self.operation == "update" else INPUTS)

    @property
    def method(self) -> str:
        """The HTTP method that does what the operation is for."""
        return METHODS[self.operation]

    @property
    def path(self) -> str:
        """The path of that request, below the dealer."""
        return LIST if self.operation in ("create", "read") else ITEM

    def fault(self, *, method: str = "", path: str = "", **what: Any) -> None:
        """Let the operation's own request, or another named one, meet a fault."""
        whole = path if path == TOKEN else DEALER + (path or self.path)
        if "body" in what:
            what = {"headers": {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, **what}
        self.emulator.add_fault(Fault(method=method or self.method, path=whole, **what))

    def fault_everywhere(self, **what: Any) -> None:
        """Let every request except those for a token meet a fault, until further notice."""
        self.emulator.add_fault(Fault(path="/partner/*", times=None, **what))

    def provider(self, **settings: Any) -> TimedProvider:
        """A provider in a process that has made no call yet; settings by their config keys without `chekt:`."""
        keys = {variable: key for key, variable in VARIABLES.items()}
        config = {keys[name]: value for name, value in self.emulator.environment().items()}
        config |= {f"chekt:{name}": value for name, value in {**self.settings, **settings}.items()}
        provider = TimedProvider(self.clock, self.said.append, self.read_seconds)
        provider.configure(ConfigureRequest(Config(config, "test")))
        self.seen.append(repr(provider) + repr(vars(provider)))
        return provider

    def process(self) -> Run:
        """The run of a process that has made no call yet."""
        return self.provider()._run

    def run(self, provider: MonitoringStationProvider) -> None:
        """Do the operation, and keep in the state what the provider gives back."""
        before = self.state or {}
        if self.operation == "create":
            created = provider.create(self.wanted)
            assert created.id == ID
            self.state = created.outs
        elif self.operation == "read":
            read = provider.read(ID, before)
            self.state = read.outs if read.id else None
        elif self.operation == "update":
            self.state = provider.update(ID, before, self.wanted).outs
        else:
            provider.delete(ID, before)
            self.state = None
        self.seen.append(json.dumps(self.state))

    def works(self, provider: MonitoringStationProvider | None = None) -> None:
        """The operation succeeds, and state and CHeKT are as they should be."""
        self.run(provider or self.provider())
        self._is_done()

    def fails(self, provider: MonitoringStationProvider | None = None) -> str:
        """The operation fails with one line that has a trace id; the state is as before. Gives the line, anonymous."""
        before = self.state
        error = self.error(provider or self.provider())
        assert self.state == before
        line = str(error)
        assert "\n" not in line
        assert line.startswith(f"Could not {self.operation} ")
        assert "trace id" in line or isinstance(error, DeclaredTwice | WrongEnvironment), "these send nothing"
        self._is_single()
        return anonymous(line)

    def error(self, provider: MonitoringStationProvider) -> ChektError:
        """The error with which the operation fails."""
        return self.error_of(lambda: self.run(provider))

    def error_of(self, act: Callable[[], object]) -> ChektError:
        """The error with which anything fails."""
        try:
            act()
        except ChektError as error:
            self.seen.extend([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
            return error
        raise AssertionError("nothing failed")

    def repaired(self) -> None:
        """The next `pulumi up --refresh` or `pulumi destroy`, without the fault, ends as it should."""
        self.emulator.clear_faults()
        self.settings = {}
        provider = self.provider(adoptExisting=True)
        if self.state is not None:
            read = provider.read(ID, self.state)
            self.state = read.outs if read.id else None
        if self.operation == "delete":
            if self.state:
                provider.delete(ID, self.state)
            self.state = None
        elif self.state is None:
            self.state = provider.create(self.wanted).outs
        elif provider.diff(ID, {**self.state, "__provider": "x"}, self.wanted).changes:
            self.state = provider.update(ID, self.state, self.wanted).outs
        self._is_done()

    def fails_and_is_repaired(self, provider: MonitoringStationProvider | None = None) -> str:
        """Both of the above."""
        line = self.fails(provider)
        self.repaired()
        return line

    def calls(self) -> list[str]:
        """Method and path of each request so far, without those for a token."""
        return calls(self.emulator)

    def writes(self) -> int:
        """How many of them could change something."""
        return sum(not call.startswith("GET ") for call in self.calls())

    def keys(self) -> list[str | None]:
        """The idempotency key of each of the operation's own requests so far."""
        own = [r for r in self.emulator.requests if (r.method, r.path) == (self.method, DEALER + self.path)]
        return [r.idempotency_key for r in own]

    def tokens(self) -> int:
        """How many requests for a token there were."""
        return sum(r.path == TOKEN for r in self.emulator.requests)

    def untouched(self) -> None:
        """CHeKT holds what it held before the operation."""
        expected = [] if self.operation == "create" else [as_held(INPUTS)]
        assert held(self.emulator) == expected

    def _is_single(self) -> None:
        assert len(self.emulator.stations()) <= 1

    def _is_done(self) -> None:
        if self.operation == "delete":
            assert held(self.emulator) == []
            assert self.state is None
            return
        assert held(self.emulator) == [as_held(self.wanted)]
        assert self.state is not None
        assert {name: self.state[name] for name in self.wanted} == self.wanted


def as_held(inputs: Mapping[str, str], number: int = 1) -> tuple[int, str, str, str, str]:
    """A station as `tests.helpers.held` gives it."""
    names = ("external_monitoring_station_id", "name", "prefix", "linecard")
    external_id, name, prefix, linecard = (inputs[field] for field in names)
    return (number, external_id, name, prefix, linecard)


def station_json(**changes: Any) -> str:
    """Station 1 as CHeKT answers it; in a fault's answer, made at the moment of the answer."""
    fields = {name: value for name, value in INPUTS.items() if name != "dealer_id"}
    return json.dumps({"monitoring_station_id": 1, **fields, "created_at": "2026-01-01T00:00:00.000Z", **changes})

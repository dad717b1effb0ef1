"""What several tests say in the same words."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pulumi.dynamic import Config, ConfigureRequest

from chekt_provider.emulator import Emulator
from chekt_provider.model.fields import StationInputs
from chekt_provider.plugin.run import _begin
from chekt_provider.provider import MonitoringStationProvider, SiteAssignmentProvider
from chekt_provider.settings import VARIABLES

T = TypeVar("T")

COLLECTION = "/partner/v1/dealers/12345/monitoring-stations"

WAITING = "Waiting up to 16 s to be sure, since CHeKT may show changes late; this is said once."

NO_ACCESS = (
    "Check the dealer id, that this dealer is connected to your app, the app's permissions, and CHeKT's list of "
    "allowed IP addresses."
)
"""What to do about a 403."""

LIST, EMPTY = ["GET /monitoring-stations"] * 3, ["GET /monitoring-stations"] * 2
"""What reading the dealer's stations asks, as `calls` gives it: where there are some, and where there are none."""


def central(**changes: Any) -> StationInputs:
    """Inputs of one station: external id central-01, name Central, prefix CH, linecard 7."""
    inputs = {
        "dealer_id": "12345",
        "external_monitoring_station_id": "central-01",
        "name": "Central",
        "prefix": "CH",
        "linecard": "7",
    }
    return StationInputs.model_validate(inputs | changes)


def held(emulator: Emulator) -> list[tuple[int, str, str, str, str]]:
    """What the API holds: (id, external id, name, prefix, linecard) of each station."""
    return [
        (s["monitoring_station_id"], s["external_monitoring_station_id"], s["name"], s["prefix"], s["linecard"])
        for s in emulator.stations()
    ]


def house(emulator: Emulator, number: str | None = None, *, on: int | None = 1, name: str = "House") -> int:
    """Add a site with an account number and an address, on a station; gives its id."""
    key = f"{name.lower()}-{len(emulator.sites()) + 1}"
    return emulator.add_site(
        external_site_id=key, name=name, account_number=number, address1="1 Road", monitoring_station_id=on
    )


def placed(emulator: Emulator) -> dict[int, int | None]:
    """Each site's monitoring station."""
    return {site["site_id"]: site["monitoring_station_id"] for site in emulator.sites()}


def calls(emulator: Emulator) -> list[str]:
    """Method and path, below the dealer, of each request so far, without those for a token."""
    short = [f"{r.method} {r.path.removeprefix('/partner/v1/dealers/12345')}" for r in emulator.requests]
    return [call for call in short if "/oauth/token" not in call]


def peak_memory(act: Callable[[], T]) -> tuple[T, int]:
    """What a call gives, and the most bytes that Python held for it."""
    tracemalloc.start()
    try:
        return act(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


EXISTS_REMEDY = (
    "To manage this one, pass adopt_existing=True (after a killed run, once: `CHEKT_ADOPT_EXISTING=true pulumi up`; "
    "for a resource with a new name in the program, in its options: aliases=[pulumi.Alias(name=<old name>)]); to make "
    "another one, choose another external_monitoring_station_id."
)
"""What to do where a station exists already."""


def anonymous(line: str) -> str:
    """An error line without its trace id and request id."""
    line = re.sub(r"trace id [0-9a-f-]{36}", "trace id T", line)
    return re.sub(r"request id [\w-]+", "request id R", line)


def config_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A stack's config; `settings` by their config keys, or as an emulator's environment."""
    keys = {variable: key for key, variable in VARIABLES.items()}
    return {keys.get(name, name): value for name, value in settings.items()}


def another_process() -> None:
    """Whatever is configured from here on is in another process."""
    _begin.cache_clear()


def configured(settings: Mapping[str, Any]) -> MonitoringStationProvider:
    """A provider of stations as Pulumi configures it in another process; `settings` as for `config_of`."""
    another_process()
    provider = MonitoringStationProvider()
    provider.configure(ConfigureRequest(Config(config_of(settings), "test")))
    return provider


def assigning(settings: Mapping[str, Any]) -> SiteAssignmentProvider:
    """The same for a provider of assignments."""
    another_process()
    provider = SiteAssignmentProvider()
    provider.configure(ConfigureRequest(Config(config_of(settings), "test")))
    return provider


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language in a page of Markdown, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def steps(console: str) -> list[tuple[str, list[str]]]:
    """Each command of a console block, with the lines that it prints."""
    parts = re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]
    return [(part.splitlines()[0], part.splitlines()[1:]) for part in parts]


def without_numbers(line: str) -> str:
    """A line as it is for any ids and any width of the terminal."""
    return re.sub(r"\s+", " ", re.sub(r"│ \d+ ", "│ N ", line)).strip()


def assert_printed(promised: list[str], printed: str) -> None:
    """Every promised line was printed; between two `…` in order, the rows of a table in any order."""
    lines = [without_numbers(line) for line in printed.splitlines()]
    for line in promised:
        assert line == "…" or without_numbers(line) in lines, f"not printed: {line!r}\n{printed}"

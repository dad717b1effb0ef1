"""The monitoring stations of every environment, in plain Python: what they have in common is here once."""

from collections.abc import Mapping
from dataclasses import dataclass

ENVIRONMENTS = ("dev", "staging", "prod")

_NAMES = {
    "central": ("Central Station, Springfield", "CS"),
    "backup": ("Backup Receiving Centre, Shelbyville", "BK"),
    "video": ("Video Verification Desk", None),
}


@dataclass(frozen=True)
class Station:
    """One station of one environment, with its inputs in CHeKT."""

    external_id: str
    name: str
    prefix: str | None
    linecard: str | None


def stations(environment: str, linecards: Mapping[str, str]) -> dict[str, Station]:
    """Give the environment's stations by their resource names.

    Args:
        environment: dev, staging or prod; external id and name begin with it.
        linecards: the receiver hardware of this environment by station; a station without an entry has none.

    Raises:
        ValueError: the environment is unknown, or a linecard belongs to no station.
    """
    if environment not in ENVIRONMENTS:
        raise ValueError(f"{environment!r} is no environment: the stack is called {', '.join(ENVIRONMENTS)}.")
    if strangers := sorted(set(linecards) - set(_NAMES)):
        raise ValueError(f"linecards has {strangers[0]!r}, which is no station: write {', '.join(_NAMES)}.")
    return {
        key: Station(
            external_id=f"{environment}-{key}-01",
            name=f"{environment.upper()} {name}",
            prefix=prefix,
            linecard=linecards.get(key),
        )
        for key, (name, prefix) in _NAMES.items()
    }

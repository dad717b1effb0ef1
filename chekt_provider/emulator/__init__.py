"""A CHeKT to try things on: CHeKT's Partner API, imitated on this machine, with switches, faults and a log.

    from chekt_provider.emulator import Emulator, Fault

    with Emulator() as emulator:
        emulator.add_fault(Fault(method="POST", path="*/monitoring-stations", status=503))
        run_my_program(emulator.environment())
        assert [station["name"] for station in emulator.stations()] == ["CHeKT Central Station"]

It shares no code with this project's client: two readings of the same documentation that meet over HTTP only.
"""

from typing import TYPE_CHECKING, Any

from chekt_provider.emulator.faults import Fault
from chekt_provider.emulator.log import Request
from chekt_provider.emulator.settings import Plan, Switches

if TYPE_CHECKING:
    from chekt_provider.emulator.emulator import Emulator

__all__ = ["Emulator", "Fault", "Plan", "Request", "Switches"]


def __getattr__(name: str) -> Any:
    """Load the emulator itself when it is asked for: it is an extra and slow, and a help needs the rest alone."""
    if name != "Emulator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from chekt_provider.emulator.emulator import Emulator  # noqa: PLC0415 - see above

    return Emulator

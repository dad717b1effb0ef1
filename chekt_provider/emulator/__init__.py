"""A CHeKT to try things on: CHeKT's Partner API, imitated on this machine, with switches, faults and a log.

    from chekt_provider.emulator import Emulator, Fault

    with Emulator() as emulator:
        emulator.add_fault(Fault(method="POST", path="*/monitoring-stations", status=503))
        run_my_program(emulator.environment())
        assert [station["name"] for station in emulator.stations()] == ["CHeKT Central Station"]

It shares no code with this project's client: two readings of the same documentation that meet over HTTP only.
"""

from chekt_provider.emulator.emulator import Emulator
from chekt_provider.emulator.faults import Fault
from chekt_provider.emulator.log import Request
from chekt_provider.emulator.settings import Plan, Switches

__all__ = ["Emulator", "Fault", "Plan", "Request", "Switches"]

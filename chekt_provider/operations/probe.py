"""Whether a receiver is there: a TCP connection to it, opened and closed again."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

from chekt_provider.api.operation import Operation
from chekt_provider.errors import ReceiverSilent
from chekt_provider.model.kinds import probe_address

Connect = Callable[[tuple[str, int], float], AbstractContextManager[object]]


def require_receiver(
    probe: str, seconds: float, operation: Operation, connect: Connect = socket.create_connection
) -> None:
    """Make sure that a receiver accepts connections.

    Args:
        probe: "tcp://host:port".
        seconds: how long each of the host's addresses may take.
        operation: of the error.
        connect: opens a connection, as `socket.create_connection` does.

    Raises:
        ReceiverSilent: it does not.
    """
    address = probe_address(probe)
    assert address is not None  # noqa: S101 - for the type checker: the inputs were checked
    try:
        with connect(address, seconds):
            return
    except TimeoutError:
        why = f"did not accept a connection within {seconds:g} s"
    except socket.gaierror:
        why = "cannot be reached: its name is not known"
    except ConnectionRefusedError:
        why = "does not accept connections"
    except (OSError, UnicodeError):  # the latter for a name that is too long
        why = "cannot be reached"
    raise operation.error(ReceiverSilent, f"the receiver at {probe} {why}")

"""What we change in the process that Pulumi's SDK runs dynamic providers in.

The SDK answers every exception with a whole Python traceback, and has no other channel for an error of create, read,
update or delete; it works on four operations at once, and does nothing when the engine cancels. Where its module does
not look as expected nothing is changed: then the worst is a traceback, four at once, and a Ctrl-C that takes its time.
Its process would outlive an engine that is killed.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType, FunctionType, ModuleType
from typing import Any

from chekt_provider.errors import ChektError
from chekt_provider.log import SAID
from chekt_provider.settings import DEBUG_VARIABLE

MOST_WORKERS = 64
LAST_SECONDS = 90.0
"""How long this process may outlive its engine: more than an answer may take."""


class _ErrorText:
    """Stands in for the module `traceback` in the servicer's module."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        self._mask = mask

    def format_exc(self, *args: object) -> str:
        """The text of the current exception: one line for our own errors, a traceback for everything else."""
        error = sys.exc_info()[1]
        return self._mask(str(error)) if isinstance(error, ChektError) else traceback.format_exc()


def show_errors_as_text(mask: Callable[[str], str]) -> None:
    """Make the SDK's servicer print our errors without a traceback; CHEKT_DEBUG=1 keeps the tracebacks.

    Args:
        mask: takes out of an error what nobody may read.
    """
    servicer = _servicer()
    if isinstance(servicer.get("traceback"), ModuleType) and os.environ.get(DEBUG_VARIABLE) != "1":
        servicer["traceback"] = _ErrorText(mask)


def _servicer() -> dict[str, object]:
    """What stands in the servicer's module; nothing where this is not the SDK's process."""
    names = vars(sys.modules["__main__"])
    return names if "DynamicResourceProviderServicer" in names else {}


def lift_worker_limit() -> None:
    """Let the SDK's server work on as many operations at once as the engine sends; its own limit is four.

    Called on one of its workers, whose frame leads to the executor that made it; where none does, four it stays.
    """
    frame: FrameType | None = sys._getframe()
    while frame and not (frame.f_code.co_name == "_worker" and "executor_reference" in frame.f_locals):
        frame = frame.f_back
    executor = frame.f_locals["executor_reference"]() if frame else None
    known = {"_max_workers", "_idle_semaphore", "_work_queue"}
    if isinstance(executor, ThreadPoolExecutor) and known <= vars(executor).keys():
        executor._max_workers = max(executor._max_workers, MOST_WORKERS)
        executor._idle_semaphore = _Idle(executor._work_queue)
        for _ in range(executor._work_queue.qsize()):  # what waits by now gets workers, too: each task starts one
            executor.submit(int)


class _Idle(threading.Semaphore):
    """Counts a worker as idle that ends an operation only where no other waits: then it takes that.

    Before Python 3.12 the executor counts every one, and starts too few.
    """

    def __init__(self, waiting: SimpleQueue[Any]) -> None:
        super().__init__(0)
        self._waiting = waiting

    def release(self, n: int = 1) -> None:
        """Count one that has ended an operation."""
        if self._waiting.empty():
            super().release(n)


def on_cancel(act: Callable[[], None]) -> None:
    """Do something when the engine cancels: after a Ctrl-C, and at the end of each run.

    The SDK's server has bound its servicer's methods already: only what they do can still be changed.
    """
    names = _servicer()
    cancel = getattr(names.get("DynamicResourceProviderServicer"), "Cancel", None)
    if isinstance(cancel, FunctionType) and not cancel.__code__.co_freevars and "empty_pb2" in names:
        names["_act_on_cancel"] = act
        cancel.__code__ = _cancel.__code__


def _cancel(_self: object, _request: object, _context: object) -> object:
    """What the servicer does from then on, among the names of its own module."""
    _act_on_cancel()  # type: ignore[name-defined]  # noqa: F821
    return empty_pb2.Empty()  # type: ignore[name-defined]  # noqa: F821


def leave_after_engine(
    interrupt: Callable[[], None], is_over: Callable[[], bool], seconds: float = LAST_SECONDS
) -> None:
    """End this process after the engine has ended: nobody else does where the engine was killed.

    Args:
        interrupt: called then: nothing new is to be begun, since another run may work on the same stack by now.
        is_over: whether what was under way has come to its end.
        seconds: how long that may take.
    """
    host, _, port = sys.argv[-1].rpartition(":")  # the engine's address is the plugin's one argument
    if _servicer() and host and port.isdecimal():
        arguments = ((host, int(port)), interrupt, is_over, seconds)
        threading.Thread(target=_leave_after, args=arguments, daemon=True).start()


def _leave_after(
    engine: tuple[str, int], interrupt: Callable[[], None], is_over: Callable[[], bool], seconds: float
) -> None:
    with suppress(OSError):
        while True:  # it may close a connection on which nobody speaks
            with socket.create_connection(engine) as connection:
                while connection.recv(4096):
                    pass
            time.sleep(1)
    interrupt()
    ends = time.monotonic() + seconds
    while not is_over() and time.monotonic() < ends:
        time.sleep(0.2)
    os._exit(1)


def say(sentence: str) -> None:
    """Show a sentence under the Diagnostics of a `pulumi` command."""
    with suppress(OSError):  # of an engine that was killed: what is under way must still come to its end
        print(f"{SAID}{sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the SDK passes stderr on to the user

"""What we change in the process that Pulumi's SDK runs dynamic providers in.

The SDK answers every exception with a whole Python traceback, and has no other channel for an error of create, read,
update or delete; and it works on four operations at once. Where its module does not look as expected nothing is
changed: then the worst is a traceback, and four at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType, ModuleType

from chekt_provider.errors import ChektError

MOST_WORKERS = 64


class _ErrorText:
    """Stands in for the module `traceback` in the servicer's module."""

    def format_exc(self, *args: object) -> str:
        """The text of the current exception: one line for our own errors, a traceback for everything else."""
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, ChektError) else traceback.format_exc()


def show_errors_as_text() -> None:
    """Make the SDK's servicer print our errors without a traceback; CHEKT_DEBUG=1 keeps the tracebacks."""
    servicer = sys.modules["__main__"]
    known = hasattr(servicer, "DynamicResourceProviderServicer") and isinstance(
        getattr(servicer, "traceback", None), ModuleType
    )
    if known and os.environ.get("CHEKT_DEBUG") != "1":
        vars(servicer)["traceback"] = _ErrorText()


def lift_worker_limit() -> None:
    """Let the SDK's server work on as many operations at once as the engine sends; its own limit is four.

    Called on one of its workers, whose frame leads to the executor that made it; where none does, four it stays.
    """
    frame: FrameType | None = sys._getframe()
    while frame and not (frame.f_code.co_name == "_worker" and "executor_reference" in frame.f_locals):
        frame = frame.f_back
    executor = frame.f_locals["executor_reference"]() if frame else None
    if isinstance(executor, ThreadPoolExecutor) and hasattr(executor, "_max_workers"):
        executor._max_workers = max(executor._max_workers, MOST_WORKERS)


def say(sentence: str) -> None:
    """Show a sentence under the Diagnostics of a `pulumi` command."""
    with suppress(OSError):  # of an engine that was killed: what is under way must still come to its end
        print(f"chekt: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the SDK passes stderr on to the user

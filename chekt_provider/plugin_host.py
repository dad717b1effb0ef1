"""What we change in the process that Pulumi's SDK runs dynamic providers in.

The SDK answers every exception with a whole Python traceback, and has no other channel for an error of create, read,
update or delete. Inside its process the name `traceback` in the servicer's module is replaced by an object that gives
our own errors as their text alone. Where the SDK's module does not look as expected nothing is changed: then the worst
case is a traceback.
"""

from __future__ import annotations

import os
import sys
import traceback
from types import ModuleType

from chekt_provider.errors import ChektError


class _ErrorText:
    """Stands in for the module `traceback` in the servicer."""

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


def say(sentence: str) -> None:
    """Show a sentence under the Diagnostics of a `pulumi` command."""
    print(f"chekt: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the SDK passes stderr on to the user

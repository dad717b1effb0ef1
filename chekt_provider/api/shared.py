"""What several threads of a run want, and one of them fetches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from chekt_provider.errors import ChektError

T = TypeVar("T")


class Shared(Generic[T]):
    """Lets one thread fetch at a time; those that come meanwhile wait, and share what it got, or its failure.

    Attributes:
        begun: how many fetches have begun.
    """

    def __init__(self) -> None:
        self.begun = 0
        self._ended = 0
        self._lock = threading.Lock()
        self._failure: ChektError | None = None

    def get(
        self,
        known: Callable[[], T | None],
        fetch: Callable[[], T],
        *,
        after: int = 0,
        told: Callable[[ChektError], ChektError] = ChektError.replace,
    ) -> T:
        """Give what is known, else fetch it.

        Args:
            known: gives what was fetched before, if that is good enough; None for nothing.
            fetch: gets a new one.
            after: the fetch to share must have begun as a later one than that.
            told: makes the error for this thread of one that another got. A copy: Python adds to the traceback of one
                that is raised again.

        Raises:
            ChektError: the fetch failed, or the one that this thread waited for.
        """
        after = max(after, self._ended)
        with self._lock:
            if (found := known()) is not None:
                return found
            if self._failure and self._ended > after:
                raise told(self._failure)
            self.begun += 1
            self._failure = None
            try:
                return fetch()
            except ChektError as error:
                self._failure = error
                raise
            finally:
                self._ended += 1

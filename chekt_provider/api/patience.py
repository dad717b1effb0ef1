"""A time limit for an answer as a whole.

The limits of requests restart with every byte: a status line, headers, "100 Continue" or the sizes of chunks that come
a byte every few seconds never end. Here every read of an answer, from its first byte to its last, has what is left of
one limit.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_left: ContextVar[Callable[[], float] | None] = ContextVar("seconds left", default=None)


@contextmanager
def at_most(seconds: float, clock: Callable[[], float]) -> Iterator[Callable[[], float]]:
    """Limit the reading of answers to so many seconds altogether; gives a function that tells how many are left."""
    ends = clock() + seconds
    before = _left.set(lambda: ends - clock())
    try:
        yield lambda: ends - clock()
    finally:
        _left.reset(before)


class PatientAdapter(HTTPAdapter):
    """Makes connections that keep to the limit of `at_most`, through a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Use our connections."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if left := _left.get():
            self.fp.close()
            self.fp = io.BufferedReader(_Reads(sock, left))


class _Reads(io.RawIOBase):
    """The reads of one answer."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._left = left
        self._each = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._left()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left if self._each is None else min(self._each, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Connection(HTTPConnection):
    response_class = _Answer


class _TlsConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}

"""The access token: one for all threads, renewed before it expires."""

from __future__ import annotations

import threading
from collections.abc import Callable

from chekt_provider.api.shared import Shared
from chekt_provider.api.token import AccessToken
from chekt_provider.errors import CredentialsRefused


def expiry_margin(life: float) -> float:
    """Seconds before its end at which to renew a token: a minute, or a tenth of a short life."""
    return min(60.0, life / 10)


class TokenSource:
    """Holds the current access token for all threads. `clock` gives monotonic seconds."""

    def __init__(self, fetch: Callable[[], AccessToken], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._shared = Shared[AccessToken]()
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._refusal: CredentialsRefused | None = None

    def token(self, *, to_its_end: bool = False) -> str:
        """The current token, fetched first where there is none, or its end is near.

        With `to_its_end` any token that still lives will do: for a call that rests on what was read a moment ago.

        Raises:
            CredentialsRefused: the endpoint refused the client; this process does not ask again.
            ChektError: the endpoint gave no token.
        """

        def known() -> AccessToken | None:
            if self._refusal:
                raise self._refusal.replace()  # a copy, as in Shared
            token = self._token
            if token is None:
                return None
            margin = 0 if to_its_end else expiry_margin(token.life)
            return token if self._clock() < token.asked_at + token.life - margin else None

        return self._shared.get(known, self._renew).value

    def drop(self, token: str) -> None:
        """Forget a token after a 401, unless another thread has replaced it already."""
        with self._lock:
            if self._token and self._token.value == token:
                self._token = None

    def _renew(self) -> AccessToken:
        try:
            fresh = self._fetch()
        except CredentialsRefused as error:
            self._refusal = error
            raise
        with self._lock:
            self._token = fresh
        return fresh

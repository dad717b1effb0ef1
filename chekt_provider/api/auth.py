"""The access token: one for all threads, renewed before it expires."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from requests import PreparedRequest
from requests.auth import AuthBase

from chekt_provider.api.token import AccessToken
from chekt_provider.errors import ChektError, CredentialsRefused

if TYPE_CHECKING:
    pass


def expiry_margin(life: float) -> float:
    """Seconds before its end at which a token is renewed: a minute, or a tenth of a short life."""
    return min(60.0, life / 10)


class TokenSource:
    """Holds the current access token for all threads; one of them fetches while the others wait.

    Args:
        fetch: asks the token endpoint.
        clock: monotonic seconds.
    """

    def __init__(self, fetch: Callable[[], AccessToken], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = self._ends_at = 0.0
        self._renewals = 0
        self._failure: ChektError | None = None
        self._refusal: CredentialsRefused | None = None

    def token(self, *, to_its_end: bool = False) -> str:
        """The current token, fetched first where there is none or its end is near.

        `to_its_end`: a token that lives is good enough, for a call that rests on what was read a moment ago.

        Raises:
            CredentialsRefused: once the endpoint refused the client, without asking it again in this process.
            ChektError: the endpoint gave no token, to this thread or to the one that it waited for.
        """
        renewals_before = self._renewals
        with self._lock:
            if self._refusal:
                raise self._refusal.replace()  # a copy: Python adds to the traceback of one that is raised again
            if self._token and self._clock() < (self._ends_at if to_its_end else self._renew_at):
                return self._token
            if self._failure and self._renewals > renewals_before:
                raise self._failure.replace()
            return self._renew()

    def drop(self, token: str) -> None:
        """Forget a token that was answered with 401, unless another thread has replaced it already."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _renew(self) -> str:
        self._token, self._failure = "", None
        try:
            fresh = self._fetch()
        except ChektError as error:
            self._failure = error
            self._refusal = error if isinstance(error, CredentialsRefused) else None
            raise
        finally:
            self._renewals += 1
        self._token = fresh.value
        self._ends_at = fresh.asked_at + fresh.life
        self._renew_at = self._ends_at - expiry_margin(fresh.life)
        return self._token


class BearerAuth(AuthBase):
    """Puts one access token on a request.

    An auth object of our own also keeps requests from taking credentials out of a ~/.netrc.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

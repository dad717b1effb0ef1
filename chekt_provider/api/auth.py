"""The access token: fetched once for all threads, renewed before it expires."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from requests import PreparedRequest
from requests.auth import AuthBase

from chekt_provider.api.answers import RawAnswer, evidence_of, judged
from chekt_provider.errors import CredentialsRefused, TokenError
from chekt_provider.text import shown

UNKNOWN_LIFE_SECONDS = 300.0
_SHORTEST_LIFE, _LONGEST_LIFE = 1.0, 24 * 3600.0


@dataclass(frozen=True)
class AccessToken:
    """An access token and its life in seconds, counted from the moment it was asked for."""

    value: str = field(repr=False)
    life: float = UNKNOWN_LIFE_SECONDS


def token_life(expires_in: object) -> float:
    """The life to believe, in seconds: `expires_in` within a second and a day; five minutes where it is no number."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return UNKNOWN_LIFE_SECONDS
    try:
        return min(max(float(expires_in), _SHORTEST_LIFE), _LONGEST_LIFE)
    except (ValueError, OverflowError):
        return UNKNOWN_LIFE_SECONDS


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
        self._renew_at = 0.0
        self._refusal: CredentialsRefused | None = None

    def token(self) -> str:
        """The current token, fetched first where there is none or its end is near.

        Raises:
            CredentialsRefused: once the endpoint refused the client, without asking it again in this process.
        """
        with self._lock:
            if self._refusal:
                raise self._refusal
            if not self._token or self._clock() >= self._renew_at:
                self._renew()
            return self._token

    def drop(self, token: str) -> None:
        """Forget a token that was answered with 401, unless another thread has replaced it already."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _renew(self) -> None:
        asked_at = self._clock()
        try:
            fresh = self._fetch()
        except CredentialsRefused as refusal:
            self._refusal = refusal
            raise
        self._token = fresh.value
        self._renew_at = asked_at + fresh.life - expiry_margin(fresh.life)


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


def no_auth(request: PreparedRequest) -> PreparedRequest:
    """Send a request without credentials in its headers, whatever a ~/.netrc says."""
    return request


def access_token(raw: RawAnswer, trace_id: str) -> AccessToken:
    """The token of a token endpoint's answer, which is never echoed."""
    evidence, _ = evidence_of(raw, trace_id)
    if raw.status in (400, 401):
        code = _oauth_error(raw)
        if code in ("invalid_client", "unauthorized_client") or raw.status == 401:
            raise CredentialsRefused(f"the token endpoint refused the credentials ({code})", evidence=evidence)
        raise TokenError(f"the token endpoint refused ({code})", evidence=evidence)
    answer = judged(raw, trace_id).data
    value = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable() or " " in value:
        raise TokenError("the token endpoint's answer holds no usable access token", evidence=evidence)
    return AccessToken(value, token_life(answer.get("expires_in")))


def _oauth_error(raw: RawAnswer) -> str:
    """The answer's `error` code (RFC 6749, section 5.2)."""
    try:
        parsed = json.loads(raw.body)
    except (ValueError, RecursionError):
        return "no reason given"
    error = parsed.get("error") if isinstance(parsed, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return shown(code, 80) if isinstance(code, str) and code else "no reason given"

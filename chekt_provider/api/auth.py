"""The access token: fetched once for all threads, renewed before it expires."""

from __future__ import annotations

import json
import math
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from requests import PreparedRequest
from requests.auth import AuthBase

from chekt_provider.api.answers import RawAnswer, evidence_of, judged
from chekt_provider.errors import ChektError, CredentialsRefused, TokenError
from chekt_provider.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ASSERTION_LIFE_SECONDS = 60
UNKNOWN_LIFE_SECONDS = 300.0
_SHORTEST_LIFE, _LONGEST_LIFE = 1.0, 24 * 3600.0
_CODE = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class AccessToken:
    """An access token.

    Attributes:
        value: what calls are signed with.
        life: seconds, counted from `asked_at`.
        asked_at: when the request for it was sent, in monotonic seconds.
    """

    value: str = field(repr=False)
    life: float
    asked_at: float


def token_life(expires_in: object) -> float:
    """The life to believe, in seconds: `expires_in` within a second and a day; five minutes where it is no number."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return UNKNOWN_LIFE_SECONDS
    try:
        life = float(expires_in)
    except (ValueError, OverflowError):
        return UNKNOWN_LIFE_SECONDS
    return UNKNOWN_LIFE_SECONDS if math.isnan(life) else min(max(life, _SHORTEST_LIFE), _LONGEST_LIFE)


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


def token_form(settings: Settings, now: float) -> dict[str, str]:
    """The form of one request for a token: with the client secret, or with a client assertion of its own.

    Args:
        settings: the credentials.
        now: Unix time.
    """
    form = {"grant_type": "client_credentials", "client_id": settings.client_id}
    if settings.private_key is None:
        return form | {"client_secret": settings.client_secret}
    return form | {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": _assertion(settings, settings.private_key, now),
    }


def _assertion(settings: Settings, key: RSAPrivateKey, now: float) -> str:
    """A signed JWT that stands for the client for a minute, once (RFC 7523, section 3)."""
    import jwt  # noqa: PLC0415 - an extra

    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": settings.token_audience or settings.token_url,
        "iat": int(now),
        "exp": int(now) + ASSERTION_LIFE_SECONDS,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": settings.key_id} if settings.key_id else None)


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


def access_token(raw: RawAnswer, trace_id: str, asked_at: float) -> AccessToken:
    """The token of a token endpoint's answer.

    Nothing of the answer but a code is repeated in an error: it may hold a token, or repeat the form with the secret.
    """
    code = _oauth_error(raw)
    if raw.status >= 300:
        raw = replace(raw, body=b"")
    evidence, _ = evidence_of(raw, trace_id)
    if raw.status in (400, 401):
        if code in ("invalid_client", "unauthorized_client") or raw.status == 401:
            raise CredentialsRefused(f"the token endpoint refused the credentials ({code})", evidence=evidence)
        raise TokenError(f"the token endpoint refused ({code})", evidence=evidence)
    answer = judged(raw, trace_id).data
    if not isinstance(answer, dict) or not _is_bearer(answer.get("access_token"), answer.get("token_type")):
        raise TokenError("the token endpoint's answer holds no usable access token", evidence=evidence)
    return AccessToken(answer["access_token"], token_life(answer.get("expires_in")), asked_at)


def _is_bearer(value: object, kind: object) -> bool:
    """Whether a token can go into a header, as a bearer token; a type that is not told is taken for that one."""
    fits = isinstance(value, str) and bool(value) and value.isascii() and value.isprintable() and " " not in value
    return fits and (kind is None or (isinstance(kind, str) and kind.lower() == "bearer"))


def _oauth_error(raw: RawAnswer) -> str:
    """The answer's `error` code (RFC 6749, section 5.2)."""
    try:
        parsed = json.loads(raw.body)
    except (ValueError, RecursionError):
        return "no reason given"
    error = parsed.get("error") if isinstance(parsed, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no reason given"

"""The token endpoint: what is sent to it, and what its answer means."""

from __future__ import annotations

import math
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chekt_provider.api.answers import RawAnswer, evidence_of, judged
from chekt_provider.api.attempts import Attempts
from chekt_provider.api.exchange import Exchange
from chekt_provider.api.extent import json_fields
from chekt_provider.api.interruption import Interruption
from chekt_provider.api.operation import Operation
from chekt_provider.api.rate_limit import RateLimit
from chekt_provider.errors import (
    ChektError,
    CredentialsRefused,
    Interrupted,
    KeyRefused,
    NotChekt,
    ServerFailed,
    Throttled,
    TokenError,
    Untrusted,
)
from chekt_provider.settings import Settings
from chekt_provider.text import shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

READ_SECONDS = 15.0
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


class TokenEndpoint:
    """Gets access tokens. `clock` gives monotonic seconds."""

    def __init__(
        self,
        settings: Settings,
        exchange: Exchange,
        attempts: Attempts,
        limit: RateLimit,
        interruption: Interruption,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._attempts = attempts
        self._limit = limit
        self._interruption = interruption
        self._clock = clock

    def fetch(self, operation: Operation) -> AccessToken:
        """Ask for a token, again as long as `retry` says, in an operation of its own: the token serves all of them.

        Raises:
            CredentialsRefused, TokenError: the endpoint gave none.
            Interrupted: the run was interrupted.
        """
        try:
            return self._attempts.make(operation, "TOKEN", lambda number: self._ask(operation, number))
        except CredentialsRefused as error:
            raise self._refused(error) from None
        except TokenError as error:
            raise error.replace(remedy=self._check_its_url()) from None
        except Interrupted:
            raise
        except ChektError as error:
            raise self._gave_none(error) from None

    def _ask(self, operation: Operation, number: int) -> AccessToken:
        operation.excuse(self._limit.take())
        self._interruption.require(beginning=False)
        asked_at = self._clock()
        form = token_form(self._settings, time.time())
        headers = {"x-partner-trace-id": operation.trace_id}
        url = self._settings.token_url
        raw = self._exchange.send(number, "POST", url, READ_SECONDS, headers=headers, data=form)
        return access_token(raw, operation.trace_id, asked_at)

    def _gave_none(self, error: ChektError) -> TokenError:
        """What any other failure means for whoever wants a token."""
        host = urlsplit(self._settings.token_url).hostname
        cause = f"the token endpoint at {host} gave no token: {error.cause}"
        if isinstance(error, Untrusted):
            remedy = error.remedy
        elif isinstance(error, ServerFailed | Throttled):
            remedy = "Run again later."
        elif isinstance(error, NotChekt):
            remedy = self._check_its_url()
        else:
            remedy = self._check_its_url().replace("Check", "Check the network and", 1)
        return TokenError(cause, evidence=error.evidence, remedy=remedy)

    def _check_its_url(self) -> str:
        """The remedy that names the setting from which the token endpoint's URL comes."""
        is_set = self._settings.token_url != f"{self._settings.base_url}/oauth/token"
        return TokenError.default_remedy if is_set else TokenError.api_remedy

    def _refused(self, error: CredentialsRefused) -> CredentialsRefused:
        """The refusal with the remedy for this kind of credentials, and for where they were given."""
        if self._settings.provider:
            name = shown(self._settings.provider)
            return error.replace(remedy=CredentialsRefused.provider_remedy.format(name=name))
        if self._settings.private_key is None:
            return error
        return KeyRefused(error.cause, evidence=error.evidence)


def token_life(expires_in: object) -> float:
    """Seconds to believe: `expires_in`, kept between a second and a day; five minutes where it is no number."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return UNKNOWN_LIFE_SECONDS
    try:
        life = float(expires_in)
    except (ValueError, OverflowError):
        return UNKNOWN_LIFE_SECONDS
    return UNKNOWN_LIFE_SECONDS if math.isnan(life) else min(max(life, _SHORTEST_LIFE), _LONGEST_LIFE)


def token_form(settings: Settings, now: float) -> dict[str, str]:
    """The form of one request for a token, at a Unix time: with the client secret, or with a fresh client assertion."""
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


def access_token(raw: RawAnswer, trace_id: str, asked_at: float) -> AccessToken:
    """The token of a token endpoint's answer.

    Errors repeat nothing of it but a code: it may hold a token, or the form with the secret.
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
    """Whether a token can go into a header, as a bearer token; without a type it counts as one."""
    fits = isinstance(value, str) and bool(value) and value.isascii() and value.isprintable() and " " not in value
    return fits and (kind is None or (isinstance(kind, str) and kind.lower() == "bearer"))


def _oauth_error(raw: RawAnswer) -> str:
    """The answer's `error` code (RFC 6749, section 5.2)."""
    error = json_fields(raw.body).get("error")
    code = error.get("code") if isinstance(error, dict) else error
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no reason given"

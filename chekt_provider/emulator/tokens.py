"""Access tokens: the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4)."""

import secrets
import threading
from collections.abc import Callable, Collection
from urllib.parse import parse_qs

from chekt_provider.emulator.assertions import JWT_BEARER, Assertions, BadAssertion


class OAuthRefusal(Exception):
    """The token endpoint refuses. Becomes `{"error", "error_description"}` (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


class Tokens:
    """Hands out access tokens of the one registered app, each for `life` seconds. Any thread may use it."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        life: float,
        clock: Callable[[], float],
        assertions: Assertions | None = None,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.life = life
        self._clock = clock
        self._assertions = assertions
        self._lock = threading.Lock()
        self._live: dict[str, float] = {}  # token: when it expires

    def grant(self, form: str, audiences: Collection[str]) -> str:
        """Give a new access token for a form body. The audiences are those of this endpoint in client assertions.

        Raises:
            OAuthRefusal: 400 for a malformed or unsupported request, 401 for a client that fails to authenticate.
        """
        fields = parse_qs(form, keep_blank_values=True)
        if any(len(values) > 1 for values in fields.values()):
            raise OAuthRefusal(400, "invalid_request", "a field is given more than once")
        if "grant_type" not in fields:
            raise OAuthRefusal(400, "invalid_request", "grant_type is missing")
        if fields["grant_type"] != ["client_credentials"]:
            raise OAuthRefusal(400, "unsupported_grant_type", "grant_type must be client_credentials")
        if "client_assertion" in fields:
            self._check_assertion(fields, audiences)
        else:
            self._check_secret(fields)
        return self._issue()

    def _check_assertion(self, fields: dict[str, list[str]], audiences: Collection[str]) -> None:
        try:
            if self._assertions is None:
                raise BadAssertion("no public key is registered")
            if fields.get("client_assertion_type") != [JWT_BEARER]:
                raise BadAssertion(f"client_assertion_type must be {JWT_BEARER}")
            if "client_secret" in fields:
                raise BadAssertion("client_secret is given as well")
            if fields.get("client_id", [self.client_id]) != [self.client_id]:
                raise BadAssertion("client_id is another one")
            self._assertions.spend(fields["client_assertion"][0], audiences)
        except BadAssertion as error:
            raise OAuthRefusal(401, "invalid_client", f"client assertion refused: {error}") from None

    def _check_secret(self, fields: dict[str, list[str]]) -> None:
        for field in ("client_id", "client_secret"):
            if field not in fields:
                raise OAuthRefusal(400, "invalid_request", f"{field} is missing")
        if fields["client_id"] != [self.client_id] or fields["client_secret"] != [self.client_secret]:
            raise OAuthRefusal(401, "invalid_client", "client authentication failed")

    def _issue(self) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._live = {old: expires for old, expires in self._live.items() if expires > now}
            self._live[token] = now + self.life
        return token

    def client(self, authorization: str) -> str | None:
        """Give the client id behind an Authorization header, or None without a live bearer token."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            expires = self._live.get(token, 0.0)
        return self.client_id if scheme.lower() == "bearer" and expires > self._clock() else None

    def revoke(self) -> None:
        """Refuse every token handed out so far."""
        with self._lock:
            self._live.clear()

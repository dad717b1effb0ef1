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
    """Hands out access tokens and knows whose they are. May be used from any thread.

    Args:
        client_id, client_secret: the one app that is registered.
        life: seconds that a token lives from its issue.
        clock: seconds since 1970.
        assertions: checks what the app signs with its private key; None where no public key is registered.
    """

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
        self._live: dict[str, tuple[str, float]] = {}

    def grant(self, form: str, audiences: Collection[str]) -> str:
        """Give a new access token for a form body.

        Args:
            form: the body.
            audiences: the values of `aud` by which a client assertion may name this token endpoint.

        Raises:
            OAuthRefusal: 400 for a malformed or unsupported request, 401 for a client that does not authenticate.
        """
        fields = parse_qs(form, keep_blank_values=True)
        if any(len(values) > 1 for values in fields.values()):
            raise OAuthRefusal(400, "invalid_request", "a field is given more than once")
        if "grant_type" not in fields:
            raise OAuthRefusal(400, "invalid_request", "grant_type is missing")
        if fields["grant_type"] != ["client_credentials"]:
            raise OAuthRefusal(400, "unsupported_grant_type", "grant_type must be client_credentials")
        if "client_assertion" in fields:
            return self._issue(self._asserted(fields, audiences))
        return self._issue(self._authenticate(fields))

    def _asserted(self, fields: dict[str, list[str]], audiences: Collection[str]) -> str:
        """Give the id of the client that a form proves with a client assertion."""
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
        return self.client_id

    def _authenticate(self, fields: dict[str, list[str]]) -> str:
        """Give the id of the client that a form proves with the client secret."""
        for field in ("client_id", "client_secret"):
            if field not in fields:
                raise OAuthRefusal(400, "invalid_request", f"{field} is missing")
        if fields["client_id"] != [self.client_id] or fields["client_secret"] != [self.client_secret]:
            raise OAuthRefusal(401, "invalid_client", "client authentication failed")
        return self.client_id

    def _issue(self, client_id: str) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._live = {old: entry for old, entry in self._live.items() if entry[1] > now}
            self._live[token] = (client_id, now + self.life)
        return token

    def client(self, authorization: str) -> str | None:
        """Give the client id behind an Authorization header, or None when it holds no live bearer token."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            client_id, expires = self._live.get(token, ("", 0.0))
        if scheme.lower() != "bearer" or expires <= self._clock():
            return None
        return client_id

    def revoke(self) -> None:
        """Let every token that was ever handed out be refused."""
        with self._lock:
            self._live.clear()

"""Client assertions: a client proves itself with a JWT of its own, in place of its secret (RFC 7523)."""

import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE = 300  # seconds that an assertion may live from now
FEWEST_BITS = 2048  # of a key for RS256 (RFC 7518, section 3.3)


class BadAssertion(Exception):
    """An assertion fails a check; its text says which."""


class Assertions:
    """Checks client assertions with the app's public key. Any thread may use it. For its arguments see `Emulator`.

    Raises:
        ModuleNotFoundError: the libraries for it are not installed; it says how to.
        ValueError: the key is no RSA public key in PEM form, or too short.
    """

    def __init__(self, client_id: str, public_key: str, key_id: str | None, clock: Callable[[], float]) -> None:
        self._client_id = client_id
        self._key = _load(public_key)
        self._key_id = key_id
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: dict[str, float] = {}

    def spend(self, assertion: str, audiences: Collection[str]) -> None:
        """Accept an assertion, once, if its `aud` is one of the audiences. Raises BadAssertion when it is refused."""
        import jwt  # noqa: PLC0415 - an extra

        # PyJWT knows the machine's clock only, and ours may be a test's: _check looks at the times.
        try:
            decoded = jwt.decode_complete(
                assertion,
                self._key,
                algorithms=["RS256"],
                audience=audiences,
                issuer=self._client_id,
                options={
                    "require": ["iss", "sub", "aud", "exp", "jti"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise BadAssertion(str(error)) from None
        if self._key_id is not None and decoded["header"].get("kid") != self._key_id:
            raise BadAssertion("kid is not the id of the registered key")
        self._check(decoded["payload"])

    def _check(self, claims: dict[str, Any]) -> None:
        """Check what PyJWT does not, and mark the assertion as spent."""
        jti, exp, now = claims["jti"], claims["exp"], self._clock()
        if claims["sub"] != self._client_id:
            raise BadAssertion("sub is not the client id")
        if not isinstance(exp, int | float) or not exp > now:
            raise BadAssertion("exp is not in the future")
        if exp > now + LONGEST_LIFE:
            raise BadAssertion(f"exp is more than {LONGEST_LIFE} seconds ahead")
        if not isinstance(jti, str) or not jti:
            raise BadAssertion("jti is not a text")
        with self._lock:
            self._spent = {old: end for old, end in self._spent.items() if end > now}
            if jti in self._spent:
                raise BadAssertion("jti came before: an assertion is good for one request")
            self._spent[jti] = exp


def _load(public_key: str) -> "RSAPublicKey":
    try:
        import jwt  # noqa: F401, PLC0415 - an extra
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "it needs two more libraries: pip install 'chekt-provider[jwt]'", name=error.name
        ) from None
    try:
        key = load_pem_public_key(public_key.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("it is no RSA public key in PEM form: it begins with -----BEGIN PUBLIC KEY-----")
    if key.key_size < FEWEST_BITS:
        raise ValueError(f"it has {key.key_size} bits: RS256 takes at least {FEWEST_BITS}")
    return key

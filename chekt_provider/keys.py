"""The RSA key that signs client assertions, in place of a client secret (RFC 7523).

The extra `jwt` brings the libraries for it; they load when a key is set, and not before.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

FEWEST_BITS = 2048


class BadKeyError(ValueError):
    """A key that cannot sign; its text is a sentence without subject, such as "is encrypted: …"."""


def load_key(setting: str) -> RSAPrivateKey:
    """Load the key from a setting: PEM text, or the path of a file that holds it.

    Raises:
        BadKeyError: says what is wrong, and repeats nothing of the key.
    """
    if importlib.util.find_spec("jwt") is None or importlib.util.find_spec("cryptography") is None:
        raise BadKeyError("needs two more libraries: pip install 'chekt-provider[jwt]'.")
    pem = setting if "-----" in setting else _read(setting)
    if "-----" in pem and "\\n" in pem:
        raise BadKeyError(
            "holds the two characters \\n where line breaks belong: keep the key in a file and set its path."
        )
    return _parse(pem)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8", errors="replace")  # _parse refuses what is no PEM
    except (OSError, ValueError, RuntimeError):  # RuntimeError: ~ of an unknown user
        raise BadKeyError("is neither a PEM text nor the path of a file that can be read.") from None


def _parse(pem: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise BadKeyError("is encrypted: take the password off, and keep the key as a secret instead.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyError("is no private key in PEM form: it begins with -----BEGIN PRIVATE KEY-----.") from None
    if not isinstance(key, RSAPrivateKey):
        raise BadKeyError("is not an RSA key: CHeKT takes RSA keys only.")
    if key.key_size < FEWEST_BITS:
        raise BadKeyError(f"has {key.key_size} bits: make one of at least {FEWEST_BITS}.")
    return key

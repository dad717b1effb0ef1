"""Secrets that somebody wrote into rollout.yaml in clear, by what their keys are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_SECRET = re.compile(r"secret|password|passphrase|credential|private_?key|api_?key|tokens?$", re.IGNORECASE)
_NAMES = frozenset({"accessTokenSecret", "envSecrets", "secrets", "secretsProvider"})
"""Fields that name where a secret is."""

_REFERENCES = ("Env", "FS", "Secret")
"""What the operator may be told to read a value from."""

_ASSIGNED = re.compile(
    r"\b\w*(?:secret|password|passphrase|credential|private_?key|api_?key|token)=(?!['\"]?\$)\S", re.IGNORECASE
)
"""A command that gives a variable a secret which is no variable itself."""


def secrets_in_clear(path: str, value: object, *, all_secret: bool = False) -> Iterator[str]:
    """The paths of secrets that are in clear, at any depth below a field.

    Args:
        path: of the field, such as "operator.envRefs".
        value: what stands there.
        all_secret: whether everything below it is a secret, whatever it is called.
    """
    if isinstance(value, Mapping):
        if value.keys() == {"ciphertext"} or value.get("type") in _REFERENCES:
            return
        holds_text = any(not isinstance(inner, Mapping | list) for inner in value.values())
        if (all_secret and holds_text) or isinstance(value.get("secret"), str):
            yield path
            return
        for name, inner in value.items():
            named_so = bool(_SECRET.search(str(name))) and name not in _NAMES
            yield from secrets_in_clear(f"{path}.{name}", inner, all_secret=all_secret or named_so)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            yield from secrets_in_clear(f"{path}[{index}]", inner, all_secret=all_secret)
    elif value is not None and (all_secret or _ASSIGNED.search(str(value))):
        yield path


def is_name(text: object) -> bool:
    """Whether a text may be the name of an organization, which becomes part of paths."""
    return isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text) is not None

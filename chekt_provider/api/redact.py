"""Keeping the access token out of what people and logs see: a page for debugging may repeat the request."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from urllib.parse import unquote

from requests.structures import CaseInsensitiveDict

from chekt_provider.api.answers import RawAnswer

HIDDEN = "***"

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_SPELLINGS = 3
"""How deep spellings may be nested, such as HTML in JSON."""


def without_token(raw: RawAnswer, token: str) -> RawAnswer:
    """The answer without the access token, also as JSON, HTML or a URL spells it.

    A body that repeats the token in such a spelling is dropped whole, and so is a header's value.
    """
    headers = {name: HIDDEN if _repeats(value, token) else value for name, value in raw.headers.items()}
    body = raw.body.replace(token.encode(), HIDDEN.encode())
    repeats = _repeats(body.decode("utf-8", "replace"), token)
    return replace(raw, headers=CaseInsensitiveDict(headers), body=b"" if repeats else body)


def _repeats(text: str, token: str) -> bool:
    for _ in range(_SPELLINGS):
        if token in text:
            return True
        plainer = _unescaped(html.unescape(unquote(text)))
        if plainer == text:
            return False
        text = plainer
    return token in text


def _unescaped(text: str) -> str:
    """Text without the backslashes of JSON."""
    return _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)) if found[1] or found[2] else found[3], text)

"""What an answer means: checks it before anybody believes it, and cleans it before anybody sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from chekt_provider.api.array import BROKEN, refuse_constant
from chekt_provider.api.extent import NOTHING_SAID, Extent, extent_of, json_fields
from chekt_provider.api.retry import LONGEST_RETRY_AFTER_SECONDS, asked_wait
from chekt_provider.errors import (
    ChektError,
    Conflict,
    Evidence,
    InvalidInput,
    NotChekt,
    NotFound,
    PermissionDenied,
    Refused,
    ServerFailed,
    Throttled,
    TokenRefused,
    Unclear,
)
from chekt_provider.text import shown

_REFUSALS: dict[int, type[ChektError]] = {
    400: InvalidInput,
    401: TokenRefused,
    403: PermissionDenied,
    404: NotFound,
    408: Unclear,  # it may have been done before the time was up
    409: Conflict,
    410: NotFound,
    416: NotFound,  # nothing is there, beyond the end of a list
    422: InvalidInput,
    425: Unclear,
    429: Throttled,
}


@dataclass(frozen=True)
class Answer:
    """A 2xx answer.

    Attributes:
        data: the parsed JSON; None without a body; the converted items of a list.
        answered_at: CHeKT's clock, in whole seconds; None where it did not say.
        extent: what it says of the list that it shows.
        size: bytes of a list's body.
    """

    data: Any
    evidence: Evidence
    answered_at: datetime | None = None
    extent: Extent = NOTHING_SAID
    size: int = 0


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came.

    Attributes:
        body: whole; empty for a list.
        items: of a list, converted; None for any other answer.
        broken: why a list could not be read; "" where it could.
        size: bytes of a list's body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    items: list[Any] | None = field(default=None, repr=False)
    broken: str = ""
    size: int = 0


def judged(raw: RawAnswer, trace_id: str) -> Answer:
    """The answer, if it is a success in CHeKT's shape; else raises the error that it means."""
    evidence, envelope = evidence_of(raw, trace_id)
    if 200 <= raw.status < 300:
        return _success(raw, evidence)
    if 300 <= raw.status < 400:
        raise NotChekt(
            f"a redirect to {_host(raw.headers.get('Location', ''))} was answered, which is not followed",
            evidence=evidence,
            outcome="Nothing was changed." if raw.status > HTTPStatus.SEE_OTHER else NotChekt.default_outcome,
        )
    if raw.status >= 500:
        raise ServerFailed(f"CHeKT failed: {_said(raw, envelope, evidence)}", evidence=evidence)
    if raw.status == 404 and raw.body and not is_json(raw.headers):
        raise NotChekt(f"something that is not CHeKT answered: {_said(raw, envelope, evidence)}", evidence=evidence)
    if raw.status == 407:
        raise NotChekt("a proxy asks for credentials", evidence=evidence, outcome="Nothing was changed.")
    kind = _REFUSALS.get(raw.status, Refused)
    raise kind(f"CHeKT refused: {_said(raw, envelope, evidence)}{_asked(evidence)}", evidence=evidence)


def _success(raw: RawAnswer, evidence: Evidence) -> Answer:
    if raw.broken:
        raise NotChekt(raw.broken, evidence=evidence)
    data = _json(raw, evidence) if raw.items is None else raw.items
    may_be_list = raw.items is not None or raw.status == HTTPStatus.NO_CONTENT
    extent = extent_of(raw.status, raw.headers) if may_be_list else NOTHING_SAID
    return Answer(data, evidence, _answered_at(raw.headers), extent, raw.size)


def require_no_error(answer: Answer, raw: RawAnswer) -> Answer:
    """The answer, unless its body says that it is no success."""
    data = answer.data
    if isinstance(data, dict) and (data.get("error") or data.get("errors") or data.get("success") is False):
        told = shown(raw.body[:1000].decode("utf-8", "replace"))
        raise Unclear(f'CHeKT answered success with an error in it: "{told}"', evidence=answer.evidence)
    return answer


def evidence_of(raw: RawAnswer, trace_id: str) -> tuple[Evidence, Mapping[str, Any]]:
    """Where the answer can be found again, and its error envelope: empty where it has none."""
    envelope: Mapping[str, Any] = {}
    if raw.status >= 400 and is_json(raw.headers):
        error = json_fields(raw.body).get("error")
        envelope = error if isinstance(error, dict) else {}

    def text(name: str) -> str:
        value = envelope.get(name)
        return shown(value) if isinstance(value, str) else ""

    evidence = Evidence(
        status=raw.status,
        trace_id=trace_id,
        request_id=text("request_id") or shown(raw.headers.get("X-Request-Id", "")),
        code=text("code"),
        field=text("field").replace("/", ".").rpartition(".")[2],
        retry_after=asked_wait(raw.headers, time.time()) if raw.status == 429 else None,
    )
    return evidence, envelope


def _asked(evidence: Evidence) -> str:
    """The figure, where CHeKT asks for a longer wait than we wait."""
    seconds = min(evidence.retry_after or 0, 999_999_999)  # a header can hold more digits than a line
    return f", and asks to wait {seconds:,.0f} s" if seconds > LONGEST_RETRY_AFTER_SECONDS else ""


def _said(raw: RawAnswer, envelope: Mapping[str, Any], evidence: Evidence) -> str:
    """The answer's own reason, on one clean line; a field by the name of our input."""
    told = {name: shown(text) for name, text in envelope.items() if isinstance(text, str) and text}
    parts = [
        told.get("code"),
        f'"{told["message"]}"' if "message" in told else None,
        f"field {evidence.field}" if evidence.field else None,
    ]
    said = ", ".join(part for part in parts if part)
    excerpt = shown(raw.body[:1000].decode("utf-8", "replace"))
    return said or (f'"{excerpt}"' if excerpt else "without a reason")


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that its body is JSON."""
    kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _json(raw: RawAnswer, evidence: Evidence) -> Any:
    if raw.status == 204 or not raw.body.strip():
        return None
    if not is_json(raw.headers):
        kind = shown(raw.headers.get("Content-Type", "no content type"), 80)
        raise NotChekt(f"something that is not CHeKT answered, with {kind}", evidence=evidence)
    try:
        return json.loads(raw.body, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise NotChekt(BROKEN, evidence=evidence) from None


def _host(url: str) -> str:
    try:
        return shown(urlsplit(url).hostname or "nowhere")
    except ValueError:
        return "nowhere"


def _answered_at(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None

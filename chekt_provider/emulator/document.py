"""The OpenAPI document: exact for the switches as they stand."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from chekt_provider.emulator.assertions import JWT_BEARER
from chekt_provider.emulator.gate import TOKEN_PATH, TRACE_HEADER
from chekt_provider.emulator.lists import PAGING
from chekt_provider.emulator.rules import REQUIRED_OF_SITE
from chekt_provider.emulator.settings import Switches
from chekt_provider.emulator.shapes import STATION_TEXTS

_ABOUT = """\
An imitation of CHeKT's Partner API for tests and trials. Every answer of the imitated API carries `x-request-id`, and
with a plan `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`. Where CHeKT's documentation is
silent, a switch decides."""


def _header(name: str, description: str, schema: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


_TRACE = _header(
    TRACE_HEADER,
    "Follows a request through the logs; comes back in the answer.",
    {"type": "string", "format": "uuid"},
)
_KEY = _header(
    "Idempotency-Key",
    "Same key and same body within 24 hours: the first answer again. Another body: 409.",
    {"type": "string"},
)
_TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "anyOf": [
        {"required": ["client_id", "client_secret"]},
        {"required": ["client_assertion_type", "client_assertion"]},
    ],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
        "client_assertion_type": {"type": "string", "enum": [JWT_BEARER]},
        "client_assertion": {
            "type": "string",
            "description": "A JWT in place of the secret, where a public key is registered: RS256; iss and sub the "
            "client id, aud the token URL, exp at most 5 minutes ahead, jti never seen before.",
        },
    },
}
_TOKEN_BODY = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _TOKEN_FORM}}}

_DELETED_BODY = {"type": "object", "required": ["deleted"], "properties": {"deleted": {"type": "boolean"}}}

_MADE: dict[str, dict[str, Any]] = {
    "location": {"201": {"description": "Made; the Location header says where"}},
    "accepted": {"202": {"description": "Accepted"}},
}
_DELETED: dict[str, dict[str, Any]] = {
    "200": {"200": {"description": "Deleted", "content": {"application/json": {"schema": _DELETED_BODY}}}},
    "202": {"202": {"description": "Accepted; it is deleted later"}},
}
"""What replaces 201 and 204 under the values of `post_answer` and `delete_answer`."""


def document(app: FastAPI, switches: Switches) -> dict[str, Any]:
    """Describe the application."""
    whole = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            if path == TOKEN_PATH:
                operation["requestBody"] = _TOKEN_BODY
            if path.startswith("/partner/"):
                _describe_partner_call(path, method, operation, switches)
            if not path.startswith("/_emulator"):
                operation.setdefault("parameters", []).append(_TRACE)
    _describe_shapes(whole["components"]["schemas"], switches)
    whole["components"]["securitySchemes"] = {
        "token": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": {}}}}
    }
    return whole


def _describe_partner_call(path: str, method: str, operation: dict[str, Any], switches: Switches) -> None:
    operation["security"] = [{"token": []}]
    parameters = operation.setdefault("parameters", [])
    if method in ("post", "put", "delete"):
        parameters.append(_KEY)
    if operation["operationId"].startswith("list_"):
        for name, least in PAGING[switches.lists].items():
            schema = {"type": "integer", "minimum": least, "maximum": 10**15 - 1}
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    answers = operation["responses"]
    if operation["operationId"] == "create_station" and switches.post_answer in _MADE:
        del answers["201"]
        answers |= _MADE[switches.post_answer]
    if operation["operationId"] == "delete_station" and switches.delete_answer in _DELETED:
        del answers["204"]
        answers |= _DELETED[switches.delete_answer]
    if path.endswith(("_station_id}", "/{site_id}")) and switches.gone == "410":
        answers["410"] = answers["404"] | {"description": "The station or the site was deleted"}


def _describe_shapes(schemas: dict[str, Any], switches: Switches) -> None:
    """Say what a PUT of a site requires, whether a station tells when it was made, and which value clears a field."""
    if switches.site_put == "required":
        schemas["SiteUpdate"]["required"] = list(REQUIRED_OF_SITE)
    if switches.created_at == "absent":
        schemas["Station"]["required"].remove("created_at")
    allowed: dict[str, dict[str, Any]] = {
        "empty": {"type": "string"},
        "null": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]},
    }
    for shape in ("StationCreate", "StationUpdate"):
        for field in STATION_TEXTS:
            old = schemas[shape]["properties"][field]
            kept = {key: old[key] for key in ("title", "description") if key in old}
            schemas[shape]["properties"][field] = kept | allowed[switches.clear]

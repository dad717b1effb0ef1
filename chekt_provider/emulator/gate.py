"""The gate: every request to the imitated API passes it on its way in, every answer on its way out.

It refuses pages of other sites. The rest passes, in this order: the log, faults, the trace id, the size, the token,
the rate limit, the idempotency key; then the routes.
"""

import asyncio
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chekt_provider.emulator.faults import BODILESS, Fault
from chekt_provider.emulator.log import Request, masked_body, masked_query
from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.wire import Answer, Wire, send_whole, swollen
from chekt_provider.emulator.world import World

TRACE_HEADER = "x-partner-trace-id"
REQUEST_HEADER = "x-request-id"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
LARGEST_BODY = 1024 * 1024  # bytes

_KEPT = ("content-type", "location")
"""Headers of the body: a repeat has them again, and a fault's status has none of them."""

_OURS = ("/_emulator", "/docs", "/openapi.json")
"""The emulator's own paths, with everything below them."""

_JSON = {"Content-Type": "application/json"}
_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":[0-9]+$")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Call:
    """A whole request, its connection, and its entry in the log. `path` is decoded, as the routes see it."""

    scope: Scope
    receive: Receive
    wire: Wire
    path: str
    headers: dict[str, str]
    body: bytes
    noted: Request

    @property
    def identity(self) -> tuple[str, str, str] | None:
        """App, endpoint and idempotency key of a call that changes something; None for other calls."""
        key = self.headers.get("idempotency-key")
        if not key or not self.path.startswith("/partner/") or self.noted.method not in ("POST", "PUT", "DELETE"):
            return None
        return self.noted.client_id or "", f"{self.noted.method} {self.path}", key


class Gate:
    """An ASGI application around the routes. The emulator's own paths pass untouched and unlogged."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world
        self._keyed = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if stranger := _stranger(dict(scope["headers"])):
            refusal = Refusal(403, f"the emulator serves nobody who comes by {stranger}")
            await send_whole(Answer(403, _JSON, json.dumps(refusal.envelope("")).encode()), send)
            return
        scope["state"]["world"] = self._world
        if any(scope["path"] == ours or scope["path"].startswith(f"{ours}/") for ours in _OURS):
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        if body is None:
            return
        call = self._noted(scope, receive, body)
        fault = self._world.in_force.strike(call.noted.method, call.path)
        if fault:
            await self._strike(call, fault, send)
            return
        answer = await self._answer(call)
        self._world.log.note(call.noted.number, status=answer.status, outcome="answered")
        await send_whole(answer, send)

    def _noted(self, scope: Scope, receive: Receive, body: bytes) -> Call:
        """Write a request into the log."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = self._world.log.add(
            method=scope["method"],
            path=scope["raw_path"].decode("ascii"),
            query=masked_query(scope["query_string"].decode("ascii")),
            trace_id=headers.get(TRACE_HEADER),
            idempotency_key=headers.get("idempotency-key"),
            request_id=f"req_{secrets.token_hex(8)}",
            client_id=self._world.tokens.client(headers.get("authorization", "")),
            body=masked_body(media_type(headers), body),
        )
        scope["state"]["request_id"] = request.request_id
        return Call(scope, receive, scope["state"]["wire"], scope["path"], headers, body, request)

    async def _strike(self, call: Call, fault: Fault, send: Send) -> None:
        """Serve a request as a fault has it."""
        answer = Answer(200, self._headers(call), b"")
        if fault.when == "before":
            await call.wire.pause(fault.delay)
        if fault.when == "after" or not fault.answers:
            answer = await self._answer(call)
        if fault.when == "after":
            await call.wire.pause(fault.delay)
        if fault.reset:
            self._world.log.note(call.noted.number, outcome="reset")
            await call.wire.reset(call.receive)
        elif fault.hang is not None:
            self._world.log.note(call.noted.number, outcome="hang")
            await call.wire.pause(fault.hang)
            await call.wire.close(call.receive)
        else:
            answer = swollen(self._altered(call, fault, answer), fault)
            cut = fault.cut is not None and fault.cut < len(answer.body)
            self._world.log.note(call.noted.number, status=answer.status, outcome="cut" if cut else "answered")
            await call.wire.send(answer, fault, call.receive, send)

    def _altered(self, call: Call, fault: Fault, answer: Answer) -> Answer:
        """Give an answer as a fault changes it."""
        if fault.body is not None:
            headers = self._date() | {"Content-Type": fault.content_type}
            answer = Answer(fault.status or answer.status, headers, fault.body.encode())
        elif fault.status is not None:
            refusal = Refusal(fault.status, "a fault of the emulator")
            told = {name: text for name, text in answer.headers.items() if name.lower() not in _KEPT}
            answer = self._refused(call, refusal).with_headers(told)
        answer = answer.with_headers(fault.headers)
        if fault.remember:
            self._remember(call, answer)
        return answer

    async def _answer(self, call: Call) -> Answer:
        """Give the API's own answer."""
        headers = self._headers(call)
        try:
            headers |= self._admit(call)
            answer = await self._once(call)
        except Refusal as refusal:
            answer = self._refused(call, refusal)
        return answer.with_headers(headers)

    def _admit(self, call: Call) -> dict[str, str]:
        """Check what does not depend on the route, and give the headers that tell the rate limit.

        Raises:
            Refusal: 400 for a bad trace id, 401 without a live token, 413 for a large body, 429 over the limit.
        """
        trace_id = call.headers.get(TRACE_HEADER)
        if trace_id is not None and not _UUID.fullmatch(trace_id):
            raise Refusal(400, f"{TRACE_HEADER} must be a UUID", TRACE_HEADER)
        if len(call.body) > LARGEST_BODY:
            raise Refusal(413, f"the body is longer than {LARGEST_BODY} bytes", code="payload_too_large")
        if not call.path.startswith("/partner/"):
            return {}
        if call.noted.client_id is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise Refusal(401, "the access token is missing, invalid or expired", headers=challenge)
        return self._world.limit.take(call.noted.client_id)

    async def _once(self, call: Call) -> Answer:
        """Ask the routes, or repeat their earlier answer to the same idempotency key."""
        if not call.identity or self._world.switches.idempotency == "ignored":
            return await self._ask(call)
        async with self._keyed:  # a twin must find the first answer
            known = self._world.store.remembered(*call.identity)
            if known is None:
                answer = await self._ask(call)
                self._remember(call, answer)
                return answer
        if known["digest"] != hashlib.sha256(call.body).hexdigest():
            raise Refusal(409, "this Idempotency-Key came before with another body", code="idempotency_conflict")
        self._world.log.note(call.noted.number, replayed=True)
        mark = {"Idempotent-Replayed": "true"} if self._world.switches.replays == "marked" else {}
        return Answer(known["status"], known["headers"] | mark, known["body"])

    def _remember(self, call: Call, answer: Answer) -> None:
        if call.identity:
            row = {
                "digest": hashlib.sha256(call.body).hexdigest(),
                "status": answer.status,
                "headers": {name: answer.header(name) for name in _KEPT if answer.header(name)},
                "body": answer.body,
            }
            self._world.store.remember(*call.identity, row)

    async def _ask(self, call: Call) -> Answer:
        """Ask the routes."""
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": call.body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(call.scope, receive, send)
        start, *parts = messages
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in start["headers"]
            if name != b"content-length"
        }
        return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in parts))

    def _headers(self, call: Call) -> dict[str, str]:
        """Give the headers of every answer: date, the API's id of the request, the caller's trace id."""
        headers = self._date() | {REQUEST_HEADER: call.noted.request_id}
        trace_id = call.headers.get(TRACE_HEADER, "")
        return headers | ({TRACE_HEADER: trace_id} if _UUID.fullmatch(trace_id) else {})

    def _date(self) -> dict[str, str]:
        sent = self._world.switches.date_header == "sent"
        return {"Date": formatdate(self._world.clock(), usegmt=True)} if sent else {}

    def _refused(self, call: Call, refusal: Refusal) -> Answer:
        """Give a refusal in its form: OAuth's at the token endpoint, the envelope elsewhere."""
        body: object = refusal.envelope(call.noted.request_id)
        if call.path == TOKEN_PATH:
            body = {"error": _oauth_error(refusal.status), "error_description": refusal.message}
        if refusal.status in BODILESS:
            return Answer(refusal.status, refusal.headers, b"")
        headers = refusal.headers | _JSON
        return Answer(refusal.status, headers, json.dumps(body).encode())


def _stranger(headers: dict[bytes, bytes]) -> str:
    """The name or page behind a request that no program of this machine sent; "" for other requests.

    A page of another site cannot change its Origin. Its name may lead here (DNS rebinding), but Host still says it.
    """
    host = headers.get(b"host", b"localhost").decode("latin-1").lower()
    name = host.rpartition(":")[0] if _PORT.search(host) else host
    if name not in _OWN_NAMES and not name.endswith(".localhost"):
        return f"the name {host!a}"
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    return f"the page {origin!a}" if origin not in ("", f"http://{host}") else ""


def _oauth_error(status: int) -> str:
    if status == 401:
        return "invalid_client"
    return "server_error" if status >= 500 else "invalid_request"


def media_type(headers: dict[str, str]) -> str:
    """Give the type of a body without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def _whole_body(receive: Receive) -> bytes | None:
    """Read a body to its end, and keep enough to see that it is too large. None when the caller went away."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        body = (body + chunk)[: LARGEST_BODY + 1]
        if not message.get("more_body", False):
            return body

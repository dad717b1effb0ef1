"""A second CHeKT, written without looking at the emulator: it may do what the emulator's author did not think of.

It knows no faults and no switches: a test that needs another behaviour overrides the method that has it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Row = dict[str, Any]
Reply = tuple[int, Any]
"""Status and body; a status of 0 closes the connection without an answer."""


class AnotherChekt(ThreadingHTTPServer):
    """The stations and sites of one dealer, whichever dealer is asked for.

    Attributes:
        stations: what there is, by number.
        sites: the same for sites.
        log: method and path of each request, with its idempotency key; requests for a token are left out.
    """

    daemon_threads = True
    list_lag = 0.0
    item_lag = 0.0

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.clock = clock
        self.stations: dict[int, Row] = {}
        self.sites: dict[int, Row] = {}
        self.log: list[tuple[str, str, str | None]] = []
        self.lock = threading.RLock()
        self._born: dict[int, float] = {}
        self._replays: dict[str, Reply] = {}
        self._last = 0
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def environment(self) -> dict[str, str]:
        """The settings that point here."""
        url = f"http://127.0.0.1:{self.server_address[1]}"
        return {"CHEKT_BASE_URL": url, "CHEKT_CLIENT_ID": "a", "CHEKT_CLIENT_SECRET": "b", "CHEKT_DEALER_ID": "12345"}

    # What a test may override

    def external_id(self, sent: str) -> str:
        """The external id as CHeKT keeps it."""
        return sent

    def created_at(self) -> str:
        """What a new station says about its age."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def token(self) -> Row:
        """The answer to a request for a token."""
        return {"access_token": "another-token", "expires_in": 3600, "token_type": "Bearer"}

    def page(self, rows: list[Row], query: str) -> list[Row]:
        """The part of a list that answers a query."""
        return rows

    def post(self, body: Row, key: str) -> Reply:
        """Create a station; the same answer again for the same key."""
        if key not in self._replays:
            self._replays[key] = (201, dict(self.add(**body)))
        return self._replays[key]

    def put(self, number: int, body: Row) -> Reply:
        """Change a station."""
        self.stations[number] |= body
        return (200, dict(self.stations[number]))

    def put_site(self, number: int, body: Row) -> Reply:
        """Change a site."""
        self.sites[number] |= body
        return (200, dict(self.sites[number]))

    def delete(self, number: int) -> Reply:
        """Delete a station."""
        del self.stations[number]
        return (204, None)

    # What it is

    def add(self, **fields: Any) -> Row:
        """Make a station, whoever asks."""
        self._last += 1
        kept = self.external_id(fields["external_monitoring_station_id"])
        blank = {"name": "", "prefix": "", "linecard": ""}
        row = {"monitoring_station_id": self._last, **blank, **fields, "created_at": self.created_at()}
        self.stations[self._last] = row | {"external_monitoring_station_id": kept}
        self._born[self._last] = self.clock()
        return self.stations[self._last]

    def answer(self, method: str, path: str, query: str, body: Row, key: str) -> Reply:
        """Answer one request."""
        _, _, kind, *number = path.removeprefix("/partner/v1/").split("/")
        rows = self.sites if kind == "sites" else self.stations
        if not number and method == "POST":
            return self.post(body, key)
        if not number:
            return (200, self.page([row for at, row in sorted(rows.items()) if self._shows(at, self.list_lag)], query))
        at = int(number[0])
        if at not in rows or (method == "GET" and not self._shows(at, self.item_lag)):
            return (404, {"error": {"code": "not_found", "message": "no such thing"}})
        if method == "GET":
            return (200, rows[at])
        if method == "PUT":
            return self.put_site(at, body) if kind == "sites" else self.put(at, body)
        return self.delete(at)

    def _shows(self, number: int, lag: float) -> bool:
        return self.clock() - self._born.get(number, 0.0) >= lag


class ForgetsKeys(AnotherChekt):
    """Treats each POST as a new one, and answers with what it keeps."""

    def post(self, body: Row, key: str) -> Reply:
        """Create a station."""
        return (201, self.add(**body))


class _Handler(BaseHTTPRequestHandler):
    server: AnotherChekt
    protocol_version = "HTTP/1.1"
    wbufsize = 2**16  # head and body leave together

    def _serve(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        if path == "/oauth/token":
            self._send(200, self.server.token())
            return
        key = self.headers.get("Idempotency-Key")
        with self.server.lock:
            self.server.log.append((self.command, path.removeprefix("/partner/v1/dealers/12345"), key))
            status, body = self.server.answer(self.command, path, query, json.loads(text or b"{}"), key or "")
        self._send(status, body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - as http.server calls them

    def _send(self, status: int, body: Any) -> None:
        if status == 0:
            self.close_connection = True
            return
        payload = b"" if body is None else json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Date", datetime.fromtimestamp(self.server.clock(), UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        return

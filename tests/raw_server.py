"""A server that answers what no HTTP server would."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import socket
from typing import Any, Self

Answer = bytes | Callable[[socket], None]


class RawServer(socketserver.ThreadingTCPServer):
    """A server on this machine whose answers are bytes, or functions that write to the connection.

    The n-th request gets the n-th answer, and all later ones the last; then the connection is closed.

    Attributes:
        requests: what came, head and body, request by request.
        connections: how many there were, including those that never sent a request.
    """

    daemon_threads = True

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._answers = list(answers)
        self.tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.port: int = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)

    def next_answer(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: RawServer

    def handle(self) -> None:
        self.server.connections += 1
        if self.server.tls is None:
            self._serve(self.request)
            return
        try:
            # On a duplicate, so that an answer can write past the encryption.
            with self.server.tls.wrap_socket(self.request.dup(), server_side=True) as encrypted:
                self._serve(encrypted)
        except (ssl.SSLError, ConnectionError):
            return  # the client does not trust us

    def _serve(self, connection: Any) -> None:
        with connection.makefile("rb") as received:
            head = b"".join(iter(received.readline, b"\r\n"))
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            body = received.read(int(length[1])) if length else b""
        self.server.requests.append(head + b"\r\n" + body)
        answer = self.server.next_answer()
        if callable(answer):
            answer(self.request)
        else:
            connection.sendall(answer)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def dripping(before: bytes, drop: bytes, pause: Callable[[], None]) -> Iterator[Callable[[socket], None]]:
    """An answer that begins with some bytes and goes on in drops, until its context ends.

    Args:
        before: what comes at once.
        drop: what comes after that, again and again.
        pause: called after each drop.
    """
    gone = threading.Event()

    def drip(connection: socket) -> None:
        connection.sendall(before)
        with suppress(OSError):  # the client has hung up
            while not gone.wait(0.005):
                connection.sendall(drop)
                pause()

    yield drip
    gone.set()


def http(status: int = 200, body: bytes = b"[]", content_type: str = "application/json", headers: str = "") -> bytes:
    """The bytes of an HTTP answer; extra headers as lines, each with its line break."""
    lines = [
        f"HTTP/1.1 {status} X",
        "Connection: close",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    ]
    return "".join([*(f"{line}\r\n" for line in lines), headers, "\r\n"]).encode("latin-1") + body


def header(request: bytes, name: str) -> str | None:
    """A header of a request; None if it was not sent."""
    found = re.search(
        rf"\r\n{name}: (.*)\r\n", request.partition(b"\r\n\r\n")[0].decode("latin-1") + "\r\n", re.IGNORECASE
    )
    return found[1] if found else None

"""How an answer leaves: at once, late, in drops, in part, or not at all."""

import asyncio
import gzip
import socket
import struct
from dataclasses import dataclass

from starlette.types import Message, Receive, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from chekt_provider.emulator.faults import BODILESS, Fault

_CHUNK = 64 * 1024  # bytes


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Header names are as the client gets them."""

    status: int
    headers: dict[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Give a header's value, whatever its case; "" when there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def with_headers(self, headers: dict[str, str]) -> "Answer":
        """Give the same answer with further headers, in place of those with the same names."""
        new = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in new}
        return Answer(self.status, kept | headers, self.body)


@dataclass(frozen=True)
class Wire:
    """One connection, and the event that the emulator stops."""

    transport: asyncio.Transport
    stopping: asyncio.Event

    async def pause(self, seconds: float) -> None:
        """Wait, but not when the emulator stops."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def close(self, receive: Receive) -> None:
        """Close the connection when everything has left, and wait for that."""
        self.transport.close()
        await _closed(receive)

    async def reset(self, receive: Receive) -> None:
        """Reset the connection: without linger time the kernel sends RST in place of FIN."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await _closed(receive)

    async def send(self, answer: Answer, fault: Fault, receive: Receive, send: Send) -> None:
        """Send an answer as a fault damages it: in drops, or cut short."""
        body = answer.body
        await send(_start(answer))
        step = 1 if fault.drip else _CHUNK
        end = len(body) if fault.cut is None else min(fault.cut, len(body))
        for place in range(0, end, step):
            if fault.drip and place:
                await self.pause(fault.drip)
            await send(_part(body[place : min(place + step, end)], more=True))
        if end < len(body):
            await self.close(receive)
        else:
            await send(_part(b"", more=False))


def swollen(answer: Answer, fault: Fault) -> Answer:
    """Give an answer padded and compressed as a fault says."""
    if answer.status in BODILESS:
        return answer
    body = answer.body + b" " * fault.pad
    if not fault.gzip:
        return Answer(answer.status, answer.headers, body)
    headers = answer.with_headers({"Content-Encoding": "gzip"}).headers
    return Answer(answer.status, headers, gzip.compress(body))


async def send_whole(answer: Answer, send: Send) -> None:
    """Send an answer as it is."""
    await send(_start(answer))
    await send(_part(answer.body, more=False))


class WireProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, with the connection within a handler's reach as `scope["state"]["wire"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection."""
        super().connection_made(transport)
        self.app_state = {"wire": Wire(transport, self.app_state["stopping"])}


def _start(answer: Answer) -> Message:
    length = {} if answer.status in BODILESS else {"Content-Length": str(len(answer.body))}
    headers = answer.headers | length
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
    }


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _closed(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

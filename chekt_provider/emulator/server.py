"""The server: an application on a port of this machine, in a thread."""

import asyncio
import socket
import threading

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from chekt_provider.emulator.wire import WireProtocol

HOST = "127.0.0.1"
_KEEP_ALIVE = 75  # seconds until an idle connection is closed


class Server:
    """Serves an application from `start` to `stop`, on loopback only.

    It runs uvicorn's protocol in its own loop: uvicorn's loop checks ten times a second whether to stop. This one stops
    at once and takes open connections with it.

    Args:
        port: 0 picks a free one.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        # asyncio turns Nagle's algorithm off for IPPROTO_TCP; it would delay answers by 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.SelectorEventLoop()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chekt-emulator", daemon=True)

    def start(self) -> None:
        """Start the thread, and return when it takes connections."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Close every connection, and return when the thread has ended."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        config = Config(
            self._app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_keep_alive=_KEEP_ALIVE
        )
        state = ServerState()
        shared = {"stopping": self._stopping}
        listener = await self._loop.create_server(
            lambda: WireProtocol(config, state, shared), sock=self._socket, backlog=1024
        )
        self._ready.set()
        await self._stopping.wait()
        await self._hang_up(state)
        listener.close()  # last: asyncio would lose a connection that it is just taking, and leave it open

    async def _hang_up(self, state: ServerState) -> None:
        """End every connection, and wait until nothing serves one."""
        self._loop.remove_reader(self._socket)  # take no more: callers that retry at once would keep it going
        me = asyncio.current_task()
        while state.connections or asyncio.all_tasks() != {me}:
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)

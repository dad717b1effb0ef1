"""The emulator: a CHeKT Partner API on this machine."""

from typing import Self

from chekt_provider.emulator.app import APP
from chekt_provider.emulator.gate import TOKEN_PATH, Gate
from chekt_provider.emulator.server import HOST, Server
from chekt_provider.emulator.world import World


class Emulator(World):
    """CHeKT's Partner API on a port of this machine, during a `with` block or from `start` to `stop`.

    A second start gives the same port, stations and log. Only requests need it to run; its methods always work.

    Args:
        dealers: ids of the dealers that exist; at least one.
        switches: how the API behaves where CHeKT's documentation is silent.
        client_id, client_secret: the app that may ask for tokens.
        public_key: PEM text of an RSA key, for client assertions (RFC 7523) in place of the secret; needs the extra
            `jwt`. None allows none.
        key_id: the `kid` that those assertions must name; None leaves it unchecked.
        token_life: seconds that an access token lives.
        plan: the rate limit; None for no limit and no headers about it.
        state: a file that keeps dealers, stations, sites, ids and remembered answers between runs; None keeps them in
            memory.
        port: 0 picks a free one.
        clock: seconds since 1970, for every date, life and limit of the API.

    Raises:
        ValueError: there is no dealer, or the public key is wrong.
        ModuleNotFoundError: there is a public key, and the extra `jwt` is not installed.
        sqlite3.Error: the state file does not open, or is something else.
        OSError: from `start`: the port is taken.
    """

    host = HOST
    """The address that it listens on."""

    _server: Server | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if not self._port:
            raise RuntimeError("the emulator has no port before it is started")
        return self._port

    @property
    def url(self) -> str:
        """The base URL of the API, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return self.url + TOKEN_PATH

    def environment(self) -> dict[str, str]:
        """Give the environment variables that point a program at this emulator and its first dealer."""
        return {
            "CHEKT_BASE_URL": self.url,
            "CHEKT_TOKEN_URL": self.token_url,
            "CHEKT_CLIENT_ID": self.tokens.client_id,
            "CHEKT_CLIENT_SECRET": self.tokens.client_secret,
            "CHEKT_DEALER_ID": str(self.dealers[0]),
        }

    def start(self) -> None:
        """Start to serve; return when it takes connections."""
        if self._server is not None:
            raise RuntimeError("the emulator is started already")
        self._server = Server(Gate(APP, self), self._port)
        self._server.start()
        self._port = self._server.port

    def stop(self) -> None:
        """End all connections, and return when the thread has ended."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

"""The emulator: a CHeKT Partner API on this machine."""

from typing import Self

from chekt_provider.emulator.app import APP
from chekt_provider.emulator.gate import TOKEN_PATH, Gate
from chekt_provider.emulator.server import HOST, Server
from chekt_provider.emulator.world import World


class Emulator(World):
    """CHeKT's Partner API on a port of this machine, for as long as a `with` block or from `start` to `stop`.

    Stopped and started again it is the same: same port, same stations, same log. Only requests need it to run; its
    methods work before, between and after.

    Args:
        dealers: ids of the dealers that exist; at least one.
        switches: how the API behaves where CHeKT's documentation is silent.
        client_id, client_secret: the app that may ask for tokens.
        public_key: PEM text of an RSA key, with which the app may prove itself by client assertions (RFC 7523) in place
            of its secret; needs the extra `jwt`. None registers none.
        key_id: the `kid` that those assertions must name; None leaves it unchecked.
        token_life: seconds that an access token lives.
        plan: the rate limit; None for no limit and no headers that tell it.
        state: a file that keeps dealers, stations, sites, ids and remembered answers from one run to the next;
            None keeps them in memory.
        port: 0 picks a free one.
        clock: seconds since 1970, for every date, life and limit of the API.

    Raises:
        ValueError: there is no dealer; or the public key is none.
        ModuleNotFoundError: the extra `jwt` is not installed, and there is a public key.
        sqlite3.Error: the state file cannot be opened, or is something else.
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
        """Start to serve; return when connections are taken."""
        if self._server is not None:
            raise RuntimeError("the emulator is started already")
        self._server = Server(Gate(APP, self), self._port)
        self._server.start()
        self._port = self._server.port

    def stop(self) -> None:
        """End all connections, whatever they wait for, and return when the thread has ended."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

"""One exchange with a server: a request, and its whole answer, within limits of time and size."""

from __future__ import annotations

import platform
import ssl
from collections.abc import Callable, Iterator, Mapping
from http.client import NO_CONTENT
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from chekt_provider.api.answers import RawAnswer, is_json
from chekt_provider.api.array import BadArrayError, array_items
from chekt_provider.api.interruption import Interruption
from chekt_provider.api.lists import require_bounded
from chekt_provider.api.patience import PatientAdapter, at_most
from chekt_provider.errors import ChektError, NotChekt, Unclear, Unreachable, Untrusted
from chekt_provider.log import log
from chekt_provider.settings import is_loopback

CONNECT_SECONDS, READ_SECONDS, WHOLE_ANSWER_SECONDS = 5.0, 30.0, 60.0
LARGEST_ANSWER_BYTES = 5 * 1024 * 1024


class Exchange:
    """Sends requests one at a time for each thread; repeats nothing. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], interruption: Interruption) -> None:
        self._clock = clock
        self._interruption = interruption
        self._session = _session()

    def send(
        self,
        attempt: int,
        method: str,
        url: str,
        read_seconds: float,
        *,
        headers: Mapping[str, str],
        item: Callable[[Any], object] | None = None,
        **content: Any,
    ) -> RawAnswer:
        """Send once, read the whole answer, and log how it ended.

        Args:
            attempt: its number, for the log.
            method: the HTTP method.
            url: whole.
            read_seconds: how long the server may send nothing.
            headers: with x-partner-trace-id, and the access token where one is needed.
            item: converts each item of an array; None for any other answer.
            content: what else requests takes.

        Raises:
            Unreachable, Unclear, Untrusted: no whole answer came.
            NotChekt, ListIncomplete: it is too large.
        """
        began, outcome = self._clock(), "failed"
        host = urlsplit(url).hostname or ""
        with self._interruption.call(), at_most(WHOLE_ANSWER_SECONDS, self._clock) as left:
            try:
                with self._session.request(
                    method,
                    url,
                    headers=headers,
                    auth=_as_it_is,
                    timeout=(CONNECT_SECONDS, read_seconds),
                    allow_redirects=False,
                    stream=True,
                    proxies={"no_proxy": host} if is_loopback(host) else None,
                    **content,
                ) as response:
                    raw = self._answer(response, item)
                outcome = str(raw.status)
                return raw
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                if left() <= 0:
                    raise Unclear(f"the answer was not complete after {WHOLE_ANSWER_SECONDS:.0f} s") from None
                raise _failure(error, url, read_seconds) from None
            except OSError:  # not from the wire, whose errors requests wraps
                raise Untrusted(
                    f"the certificate of {host} cannot be checked: REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names no file"
                ) from None
            finally:
                log.debug(
                    "%s %s %s %.0f ms attempt %d trace id %s",
                    method,
                    urlsplit(url).path,
                    outcome,
                    (self._clock() - began) * 1000,
                    attempt,
                    headers["x-partner-trace-id"],
                )

    def _answer(self, response: requests.Response, item: Callable[[Any], object] | None) -> RawAnswer:
        if item and response.ok and response.status_code != NO_CONTENT and is_json(response.headers):
            return self._list(response, item)
        body = bytearray()
        for piece in self._pieces(response):
            body += piece
            if len(body) > LARGEST_ANSWER_BYTES:
                raise NotChekt(f"the answer is larger than {LARGEST_ANSWER_BYTES // 1024**2} MiB")
        return RawAnswer(response.status_code, response.headers, bytes(body))

    def _list(self, response: requests.Response, item: Callable[[Any], object]) -> RawAnswer:
        """Read an array, item by item."""
        items: list[object] = []
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for piece in self._pieces(response):
                size += len(piece)
                require_bounded(len(items), size)
                yield piece

        broken = ""
        try:
            for value in array_items(counted()):
                items.append(item(value))
                require_bounded(len(items), size)
        except BadArrayError as error:
            broken = str(error)
        return RawAnswer(response.status_code, response.headers, b"", items, broken, size)

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        while piece := response.raw.read1(65536, decode_content=True):
            yield piece


class _Session(requests.Session):
    """Follows no redirect, and does not look for one: requests would read the whole answer for that."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding the credentials of a ~/.netrc."""
    return request


def _session() -> requests.Session:
    session = _Session()
    adapter = PatientAdapter(pool_maxsize=64, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    versions = f"chekt-provider/{metadata.version('chekt-provider')} pulumi/{metadata.version('pulumi')}"
    session.headers["User-Agent"] = f"{versions} python/{platform.python_version()}"
    session.headers["Accept"] = "application/json"
    session.headers["Accept-Encoding"] = "identity"
    return session


def _failure(error: Exception, url: str, read_seconds: float) -> ChektError:
    """The error for an answer that did not come whole; without the exception's own text, which can hold headers."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Unreachable(f"{host} did not accept a connection within {CONNECT_SECONDS:.0f} s")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.SSLError):
        if _is_of_trust(reason):
            return Untrusted(f"the certificate of {host} does not check out")
        return Unclear(f"the encryption of the connection to {host} failed")
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return Unreachable(f"the name {host} is not known")
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return Unreachable(f"{host} does not accept connections on port {port}")
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(f"the proxy for {host} cannot be used")
    if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError):
        return Unclear(f"{host} did not answer within {read_seconds:g} s")
    return Unclear(f"the connection to {host} broke before the answer was complete")


def _is_of_trust(error: urllib3.exceptions.SSLError) -> bool:
    """Whether it is about the certificate or the bundle that checks it; all else can also happen on the way."""
    cause = error.args[0] if error.args else None
    of_bundle = isinstance(cause, ssl.SSLError) and cause.library in ("X509", "PEM")
    return of_bundle or isinstance(cause, ssl.SSLCertVerificationError)

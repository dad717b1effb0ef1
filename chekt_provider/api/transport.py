"""One call to CHeKT: token, pace, time limits, repetition, and an answer that was looked at before it is believed."""

from __future__ import annotations

import platform
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from http.client import NO_CONTENT
from http.cookiejar import DefaultCookiePolicy
from importlib import metadata
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_exception

from chekt_provider.api import retry
from chekt_provider.api.answers import Answer, RawAnswer, is_json, judged, require_no_error
from chekt_provider.api.array import BadArrayError, array_items
from chekt_provider.api.auth import AccessToken, BearerAuth, TokenSource, access_token, no_auth, token_form
from chekt_provider.api.interruption import Interruption
from chekt_provider.api.lists import MOST_BYTES, MOST_ITEMS
from chekt_provider.api.operation import Operation
from chekt_provider.api.patience import PatientAdapter, at_most
from chekt_provider.api.rate_limit import RateLimit
from chekt_provider.api.redact import without_token
from chekt_provider.errors import (
    ChektError,
    CredentialsRefused,
    Evidence,
    Interrupted,
    KeyRefused,
    ListIncomplete,
    NotChekt,
    ServerFailed,
    Throttled,
    TokenError,
    TokenRefused,
    Unclear,
    Unreachable,
    Untrusted,
)
from chekt_provider.log import log
from chekt_provider.model.ids import id_digits
from chekt_provider.settings import Settings, is_loopback
from chekt_provider.text import shown

CONNECT_SECONDS, READ_SECONDS, WHOLE_ANSWER_SECONDS = 5.0, 30.0, 60.0
TOKEN_READ_SECONDS = 15.0
LARGEST_ANSWER_BYTES = 5 * 1024 * 1024

T = TypeVar("T")


class Transport:
    """Makes calls on behalf of one app.

    Args:
        settings: base URL, token URL, credentials and pace.
        say: told what a person should know while waiting.
        clock: monotonic seconds.
        sleep: waits so many seconds.
        draw: gives a float in [0, 1), for the jitter.
        read_seconds: how long an answer may keep us waiting.
        interruption: after which no call is made any more; None for a run that nobody interrupts.

    Attributes:
        say, clock, sleep: as given, for whoever waits between calls.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
        read_seconds: float = READ_SECONDS,
        interruption: Interruption | None = None,
    ) -> None:
        self._settings = settings
        self.say = say
        self.clock = clock
        self.sleep = sleep
        self._draw = draw
        self._read_seconds = read_seconds
        self._interruption = interruption or Interruption()
        self._session = _session()
        self._limit = RateLimit(settings.requests_per_minute, clock=clock, sleep=sleep, say=say)
        self._budget = retry.RetryBudget()
        self._tokens = TokenSource(self._fetch_token, clock)

    def operation(self, action: str, seconds: float = retry.DEADLINE_SECONDS) -> Operation:
        """Begin an operation: from now on it may take so many seconds."""
        trace_id = self._settings.trace_id or str(uuid.uuid4())
        return Operation(action, trace_id, self.clock() + seconds)

    def call(
        self,
        operation: Operation,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, str | int | None] | None = None,
        idempotency_key: str = "",
        item: Callable[[Any], object] | None = None,
        admit: Callable[[], object] | None = None,
    ) -> Answer:
        """Make one call, repeated as `retry` says, and give its answer.

        Args:
            operation: what the call is for.
            verb: the HTTP method.
            path: below the base URL.
            query: parameters.
            body: sent as JSON.
            idempotency_key: sent where it is not "".
            item: the answer is an array, of which each item becomes what this makes of it. Raises BadArrayError for one
                that is none.
            admit: called each time before the call leaves, to take its turn and to refuse it by an error.

        Raises:
            ChektError: with the operation's action and trace id; see errors.py for which means what.
        """
        self._settings.require_credentials(operation.action)
        headers = {"x-partner-trace-id": operation.trace_id, "Accept": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key

        def attempt(number: int) -> Answer:
            return self._attempt(
                operation, number, verb, path, admit, headers=headers, params=query, json=body, item=item
            )

        try:
            return self._repeated(operation, verb, attempt)
        except _NotAdmitted as refused:
            outcome = Unclear.default_outcome if operation.changed else refused.error.outcome
            raise refused.error.replace(action=operation.action, outcome=outcome) from None

    def take_turn(self, operation: Operation) -> None:
        """Wait until an operation's next change can leave at once, with a token. Read after that what it rests on."""
        operation.excuse(self._limit.take())
        self._tokens.token()
        operation.has_turn = True

    def reserve(self, operation: Operation, requests: int) -> None:
        """Wait until so many reads of an operation can leave at once, or as many as the plan's burst allows."""
        requests = min(requests, self._limit.burst)
        operation.excuse(self._limit.take(requests))
        operation.paid += requests

    def _repeated(self, operation: Operation, verb: str, attempt: Callable[[int], T]) -> T:
        """Make attempts, numbered from 1, as long as `retry` says."""
        changes = verb in ("POST", "PUT", "DELETE")

        def counted() -> T:
            try:
                result = attempt(attempts.statistics["attempt_number"])
            except ChektError as error:
                self._budget.note(error, operation)
                operation.changed |= changes and _is_in_doubt(error)
                raise
            self._budget.note(None, operation, of_token=verb == "TOKEN")
            operation.changed |= changes
            return result

        def enough(state: RetryCallState) -> bool:
            out_of_time = self.clock() + state.upcoming_sleep > operation.deadline
            if state.attempt_number >= retry.ATTEMPTS or out_of_time:
                return True
            return not self._budget.pay_for_retry(retry.error_of(state))

        attempts = Retrying(
            retry=retry_if_exception(lambda error: retry.worth_repeating(error, verb=verb)),
            wait=lambda state: retry.wait_seconds(state, self._draw),
            stop=enough,
            before_sleep=lambda state: log.info(
                "Could not %s: %s; again in %.1f s (trace id %s)",
                operation.action,
                getattr(retry.error_of(state), "cause", ""),
                state.upcoming_sleep,
                operation.trace_id,
            ),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return attempts(counted)
        except ChektError as error:
            tried = attempts.statistics["attempt_number"]
            is_of_all = tried > 1 and not isinstance(error, Interrupted)
            cause = f"{error.cause}, {tried} times" if is_of_all else error.cause
            if isinstance(error, Unclear) and self._budget.is_outage:
                cause = f"{cause}; no call gets through, this is an outage"
            evidence = error.evidence if error.evidence.trace_id else Evidence(trace_id=operation.trace_id)
            raise operation.weighed(error).replace(cause=cause, action=operation.action, evidence=evidence) from None

    def _attempt(
        self,
        operation: Operation,
        number: int,
        verb: str,
        path: str,
        admit: Callable[[], object] | None,
        **content: Any,
    ) -> Answer:
        raw, token = self._admitted(operation, number, verb, path, admit, **content)
        if raw.status == 401:
            self._tokens.drop(token)
            operation.changed |= verb != "GET"  # it may have been done all the same
            if verb != "POST":  # whoever sends it looks first
                raw, _ = self._admitted(operation, number, verb, path, admit, **content)
        return require_no_error(judged(raw, operation.trace_id), raw)

    def _admitted(
        self,
        operation: Operation,
        number: int,
        verb: str,
        path: str,
        admit: Callable[[], object] | None,
        **content: Any,
    ) -> tuple[RawAnswer, str]:
        """Send once, when the call's turn has come; gives the token that it carried as well."""
        if admit:
            try:
                admit()
            except ChektError as error:
                raise _NotAdmitted(error) from None
        operation.changing |= verb != "GET"
        self._wait(operation, verb)
        self._require_not_interrupted(beginning=verb != "GET" and not operation.changed)
        # After the wait, during which it could have expired. What was admitted waits for no other, but after a refusal.
        token = self._tokens.token(to_its_end=admit is not None and not operation.changed)
        return self._authorised(number, verb, path, token, **content), token

    def _require_not_interrupted(self, *, beginning: bool) -> None:
        """Make no call that an interrupted run makes no more; as `forbids` says."""
        if self._interruption.forbids(beginning=beginning):
            raise Interrupted("the run was interrupted")

    def _wait(self, operation: Operation, verb: str) -> None:
        """Wait for a place in the queue, unless the operation has one."""
        if verb != "GET" and operation.has_turn:
            operation.has_turn = False
        elif verb == "GET" and operation.paid:
            operation.paid -= 1
        else:
            operation.excuse(self._limit.take())

    def _authorised(self, number: int, verb: str, path: str, token: str, **content: Any) -> RawAnswer:
        url = self._settings.base_url + path
        raw = self._exchange(number, verb, url, self._read_seconds, auth=BearerAuth(token), **content)
        if limit := id_digits(raw.headers.get("X-RateLimit-Limit")):
            self._limit.follow(int(limit))
        remaining = raw.headers.get("X-RateLimit-Remaining", "")
        if raw.status == 429 or remaining == "0":
            self._limit.cap(0)
        elif remaining_count := id_digits(remaining):
            self._limit.cap(int(remaining_count))
        return without_token(raw, token)

    def _fetch_token(self) -> AccessToken:
        """Ask the token endpoint, repeated as `retry` says; its own trace id, since it serves all operations."""
        operation = self.operation("get an access token")

        def attempt(number: int) -> AccessToken:
            operation.excuse(self._limit.take())
            self._require_not_interrupted(beginning=False)
            asked_at = self.clock()
            form = token_form(self._settings, time.time())
            headers = {"x-partner-trace-id": operation.trace_id, "Accept": "application/json"}
            url = self._settings.token_url
            raw = self._exchange(number, "POST", url, TOKEN_READ_SECONDS, auth=no_auth, data=form, headers=headers)
            return access_token(raw, operation.trace_id, asked_at)

        try:
            return self._repeated(operation, "TOKEN", attempt)
        except CredentialsRefused as error:
            raise self._refused(error) from None
        except TokenError as error:
            raise self._about_its_url(error) from None
        except Interrupted:
            raise
        except ChektError as error:
            host = urlsplit(self._settings.token_url).hostname
            told = TokenError(f"the token endpoint at {host} gave no token: {error.cause}", evidence=error.evidence)
            if isinstance(error, Untrusted):
                raise told.replace(remedy=error.remedy) from None
            if isinstance(error, ServerFailed | Throttled):
                raise told.replace(remedy="Run again later.") from None
            told = self._about_its_url(told)
            if not isinstance(error, NotChekt):
                told = told.replace(remedy=told.remedy.replace("Check", "Check the network and", 1))
            raise told from None

    def _about_its_url(self, error: TokenError) -> TokenError:
        """The error with a remedy that names the setting from which the token endpoint comes."""
        given = self._settings.token_url != f"{self._settings.base_url}/oauth/token"
        return error if given else error.replace(remedy=TokenError.api_remedy)

    def _refused(self, error: CredentialsRefused) -> CredentialsRefused:
        """The refusal with the remedy that fits the kind of credentials, and where they were given."""
        if self._settings.provider:
            name = shown(self._settings.provider)
            return error.replace(remedy=CredentialsRefused.provider_remedy.format(name=name))
        if self._settings.private_key is None:
            return error
        return KeyRefused(error.cause, evidence=error.evidence)

    def _exchange(self, number: int, verb: str, url: str, read_seconds: float, **content: Any) -> RawAnswer:
        """Send once, and log how it ended."""
        began = self.clock()
        outcome = "failed"
        try:
            with self._interruption.call():
                raw = self._send(verb, url, read_seconds, **content)
            outcome = str(raw.status)
            return raw
        finally:
            log.debug(
                "%s %s %s %.0f ms attempt %d trace id %s",
                verb,
                urlsplit(url).path,
                outcome,
                (self.clock() - began) * 1000,
                number,
                content["headers"]["x-partner-trace-id"],
            )

    def _send(
        self,
        verb: str,
        url: str,
        read_seconds: float,
        auth: AuthBase | Callable[..., Any],
        item: Callable[[Any], object] | None = None,
        **content: Any,
    ) -> RawAnswer:
        """Send once and read the whole answer, within limits of time and size."""
        host = urlsplit(url).hostname or ""
        with at_most(WHOLE_ANSWER_SECONDS, self.clock) as left:
            try:
                with self._session.request(
                    verb,
                    url,
                    auth=auth,
                    timeout=(CONNECT_SECONDS, read_seconds),
                    allow_redirects=False,
                    stream=True,
                    proxies={"no_proxy": host} if is_loopback(host) else None,
                    **content,
                ) as response:
                    if item and response.ok and response.status_code != NO_CONTENT and is_json(response.headers):
                        return self._list(response, item)
                    return RawAnswer(response.status_code, response.headers, self._body(response))
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                if left() <= 0:
                    raise Unclear(f"the answer was not complete after {WHOLE_ANSWER_SECONDS:.0f} s") from None
                raise _failure(error, url, read_seconds) from None
            except OSError:  # not from the wire, whose errors requests wraps
                raise Untrusted(
                    f"the certificate of {host} cannot be checked: REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names no file"
                ) from None

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for piece in self._pieces(response):
            body += piece
            if len(body) > LARGEST_ANSWER_BYTES:
                raise NotChekt(f"the answer is larger than {LARGEST_ANSWER_BYTES // 1024**2} MiB")
        return bytes(body)

    def _list(self, response: requests.Response, item: Callable[[Any], object]) -> RawAnswer:
        """Read an array, item by item."""
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for piece in self._pieces(response):
                size += len(piece)
                if size > MOST_BYTES:
                    raise ListIncomplete(f"a list has more than {MOST_BYTES // 1024**2} MiB")
                yield piece

        items: list[object] = []
        broken = ""
        try:
            for value in array_items(counted()):
                items.append(item(value))
                if len(items) > MOST_ITEMS:
                    raise ListIncomplete(f"a list has more than {MOST_ITEMS:,} items")
        except BadArrayError as error:
            broken = str(error)
        return RawAnswer(response.status_code, response.headers, b"", items, broken, size)

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        while piece := response.raw.read1(65536, decode_content=True):
            yield piece


def _is_in_doubt(error: ChektError) -> bool:
    """Whether a change that was answered so may have been made: some gateways judge after the fact."""
    is_unclear = isinstance(error, Unclear) and error.outcome == Unclear.default_outcome
    return is_unclear or isinstance(error, TokenRefused | Throttled)


class _NotAdmitted(Exception):
    """A call that was about to leave was refused, which is final: no other attempt would be made by this error."""

    def __init__(self, error: ChektError) -> None:
        super().__init__(str(error))
        self.error = error


class _Session(requests.Session):
    """A session that follows no redirect, and does not prepare to: requests would read the whole answer for that."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _session() -> requests.Session:
    session = _Session()
    adapter = PatientAdapter(pool_maxsize=64, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    versions = f"chekt-provider/{metadata.version('chekt-provider')} pulumi/{metadata.version('pulumi')}"
    session.headers["User-Agent"] = f"{versions} python/{platform.python_version()}"
    session.headers["Accept-Encoding"] = "identity"
    return session


def _failure(error: Exception, url: str, read_seconds: float) -> ChektError:
    """What it means that no whole answer came; nothing of the exception's own text, which can hold headers."""
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
    """Whether it is about the certificate, or the bundle to check it with; all else can also happen on the way."""
    cause = error.args[0] if error.args else None
    of_bundle = isinstance(cause, ssl.SSLError) and cause.library in ("X509", "PEM")
    return of_bundle or isinstance(cause, ssl.SSLCertVerificationError)

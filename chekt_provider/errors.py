"""What can go wrong. Every error is one line that says the next step.

Each class, and the classes below it:

    ChektError          SettingsError, TokenError, Unreachable, Interrupted, Unclear, Refused, Unsafe
    TokenError          CredentialsRefused
    CredentialsRefused  KeyRefused
    Unreachable         Untrusted
    Unclear             ServerFailed, Replayed, NotChekt
    Refused             InvalidInput, TokenRefused, PermissionDenied, NotFound, Conflict, Throttled
    Unsafe              StationExists, TwinStations, TwinSites, DeclaredTwice, ListIncomplete, NotTaken,
                        SitesAttached, AccountTaken, ReceiverSilent, OtherStation, OtherSite, WrongEnvironment

A line reads: could not do what to which station, why, what was and was not done, what to do next, and in brackets
the HTTP status, our trace id and CHeKT's request id, by which their support finds the call.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, Self

from chekt_provider.text import shown


@dataclass(frozen=True)
class Evidence:
    """Where an answer can be found again.

    Attributes:
        status: the HTTP status; None when no answer came.
        trace_id: ours, sent as x-partner-trace-id.
        request_id: CHeKT's, from the error envelope or a header.
        code: the envelope's `error.code`.
        field: the envelope's `error.field`.
        retry_after: seconds CHeKT asked to wait.
    """

    status: int | None = None
    trace_id: str = ""
    request_id: str = ""
    code: str = ""
    field: str = ""
    retry_after: float | None = None

    def __str__(self) -> str:
        parts = [
            f"HTTP {self.status}" if self.status else "",
            f"trace id {self.trace_id}" if self.trace_id else "",
            f"request id {shown(self.request_id, 80)}" if self.request_id else "",
        ]
        return ", ".join(part for part in parts if part)


class ChektError(Exception):
    """Any error of this package.

    Args:
        cause: what happened, without a full stop.
        action: what was being done, in the infinitive: "create monitoring station 'central-01' of dealer 12345".
        evidence: where the answer can be found again.
        outcome: a sentence on what was and was not done; each class has its own default.
        remedy: a sentence on what to do next; each class has its own default.
    """

    default_outcome: ClassVar[str] = "Nothing was changed."
    default_remedy: ClassVar[str] = ""

    def __init__(
        self,
        cause: str,
        *,
        action: str = "",
        evidence: Evidence | None = None,
        outcome: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.cause = cause
        self.action = action
        self.evidence = evidence or Evidence()
        self.outcome = self.default_outcome if outcome is None else outcome
        self.remedy = self.default_remedy if remedy is None else remedy
        super().__init__(cause)

    def replace(self, **changes: str | Evidence) -> Self:
        """A copy with another cause, action, outcome or remedy."""
        fresh = copy.copy(self)
        fresh.__dict__.update(changes)
        return fresh

    def __str__(self) -> str:
        head = f"Could not {self.action}: {self.cause}." if self.action else f"{self.cause}."
        line = " ".join(part for part in (head, self.outcome, self.remedy) if part)
        return f"{line} ({self.evidence})" if str(self.evidence) else line


class SettingsError(ChektError):
    """A setting is missing or wrong; nothing was sent."""


class TokenError(ChektError):
    """The token endpoint gave no token."""

    default_outcome = "No other call was made."
    default_remedy = "Check chekt:tokenUrl (CHEKT_TOKEN_URL), then run again."
    api_remedy: ClassVar[str] = (
        "Check chekt:baseUrl (CHEKT_BASE_URL), which gives the token endpoint while chekt:tokenUrl (CHEKT_TOKEN_URL) "
        "is not set, then run again."
    )


class CredentialsRefused(TokenError):
    """The token endpoint does not accept the client."""

    default_remedy = (
        "Correct chekt:clientId and chekt:clientSecret (CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET); refresh and destroy "
        "use the stack's settings of the last `pulumi up`, so after a rotation set the environment variables."
    )
    provider_remedy: ClassVar[str] = (
        "Correct client_id and client_secret, or private_key, of Provider {name!r}; refresh and destroy use those of "
        "the last `pulumi up`, so after a rotation run `pulumi up` first."
    )


class KeyRefused(CredentialsRefused):
    """The token endpoint does not accept the client's assertion."""

    default_remedy = (
        "Check that the public half of chekt:privateKey (CHEKT_PRIVATE_KEY) is registered with CHeKT for "
        "chekt:clientId, under chekt:keyId, and that this machine's clock is right."
    )


class Unreachable(ChektError):
    """No connection; nothing was sent."""

    default_remedy = "Check the network and chekt:baseUrl (CHEKT_BASE_URL), then run again."


class Untrusted(Unreachable):
    """The host's certificate does not check out. Repeating never helps, and no switch turns the check off."""

    default_remedy = (
        "If your network uses a certificate authority of its own, name its bundle in REQUESTS_CA_BUNDLE; "
        "otherwise do not go on: something else answers under this name."
    )


class Interrupted(ChektError):
    """Somebody stopped the run, and it made no further call."""

    default_remedy = "Run again."


class Unclear(ChektError):
    """The request was sent, but no usable answer came: whether it was done is not known."""

    default_outcome = "Whether the change was made is not known."
    default_remedy = "Run `pulumi up --refresh`: it looks at what is there before it changes anything."


class ServerFailed(Unclear):
    """CHeKT answered 5xx."""


class Replayed(Unclear):
    """CHeKT answered a creation with a station that was deleted since."""


class NotChekt(Unclear):
    """What answered is not CHeKT, or does not have the shape that CHeKT documents."""

    default_remedy = "Check chekt:baseUrl (CHEKT_BASE_URL) and any proxy in between, then run again."


class Refused(ChektError):
    """CHeKT answered by a refusal. Most likely nothing was done; some gateways refuse after the fact."""

    default_remedy = "Give the trace id to CHeKT's support."


class InvalidInput(Refused):
    """400 or 422: the request's content was refused."""

    default_remedy = "Correct the input and run again."


class TokenRefused(Refused):
    """401, also with a token fetched afresh."""

    default_remedy = (
        "Check that chekt:baseUrl and chekt:tokenUrl (CHEKT_BASE_URL and CHEKT_TOKEN_URL) belong to the same "
        "environment, and that the app was not revoked."
    )


class PermissionDenied(Refused):
    """403: the credentials are valid but do not reach this. Repeating never helps."""

    default_remedy = (
        "Check the dealer id, that this dealer is connected to your app, "
        "the app's permissions, and CHeKT's list of allowed IP addresses."
    )


class NotFound(Refused):
    """404, 410: the station, the site or the dealer does not exist. 416: a list has no such page."""

    default_remedy = "Check the dealer id and chekt:baseUrl (CHEKT_BASE_URL), then run again."


class Conflict(Refused):
    """409: contradicts what is there."""


class Throttled(Refused):
    """429: more requests than the plan allows."""

    default_remedy = (
        "Run again later, or set chekt:requestsPerMinute (CHEKT_REQUESTS_PER_MINUTE) to your share of the plan."
    )


class Unsafe(ChektError):
    """We refused, because going on could harm."""


class StationExists(Unsafe):
    """The external id is taken, and adopting the station was not asked for."""


class TwinStations(Unsafe):
    """Several stations of the dealer share one external id."""

    default_remedy = "Delete all but one of them in CHeKT's portal, then run again."


class TwinSites(Unsafe):
    """Several sites of the dealer share one external id."""

    default_remedy = "Name the site by its site_id."


class DeclaredTwice(Unsafe):
    """Two resources of one run want the same external id, or the same site."""

    default_remedy = "Give each resource its own external_monitoring_station_id."


class ListIncomplete(Unsafe):
    """What CHeKT listed contradicts what it answered, so the list cannot be relied on."""

    default_remedy = "Give the trace id to CHeKT's support, and run again."


class NotTaken(Unsafe):
    """CHeKT accepted a value and kept another."""

    default_outcome = "The rest of the change was made."
    default_remedy = "Run `pulumi up --refresh` to see what CHeKT holds, and give the trace id to CHeKT's support."


class SitesAttached(Unsafe):
    """Sites still send their signals to the station."""

    default_remedy = (
        "Move them to another monitoring station first: each with SiteAssignment, "
        "or all with reassign_sites_to (declare the station with it, run `pulumi up`, then delete)."
    )


class AccountTaken(Unsafe):
    """Another site on the station has the same account number: the station cannot tell their signals apart."""

    default_remedy = "Give one of the two another account number in CHeKT's portal, then run again."


class ReceiverSilent(Unsafe):
    """The receiver that a probe names does not accept a connection."""

    default_outcome = "Nothing was moved."
    default_remedy = "Start the receiver or correct probe, then run again."


class OtherStation(Unsafe):
    """The number in the state belongs to another station now: CHeKT restored a database, or gave the number again."""

    default_remedy = (
        "Take the resource out of the state with `pulumi state delete` and its URN (and --target-dependents, where "
        "others need it), then run `pulumi up`: it creates the station, or adopts the one that has its external id "
        "where adopt_existing is set."
    )
    rewritten_remedy: ClassVar[str] = (
        "If it is the same station, with an external id that CHeKT changed: pass "
        "external_monitoring_station_id={name!r} and adopt_existing=True, take the resource out of the state with "
        "`pulumi state delete` and its URN, and run `pulumi up`."
    )


class OtherSite(Unsafe):
    """The number in the state belongs to another site now."""

    default_remedy = (
        "Take the resource out of the state with `pulumi state delete` and its URN, correct the site's id in the "
        "program, and run `pulumi up`."
    )


class WrongEnvironment(Unsafe):
    """The state belongs to another API host than the one configured."""

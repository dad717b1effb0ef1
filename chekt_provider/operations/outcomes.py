"""What came of a POST that gave no station of ours, and what follows for the next POST."""

from __future__ import annotations

from enum import Enum
from http.client import INTERNAL_SERVER_ERROR

from chekt_provider.api.retry import LONGEST_RETRY_AFTER_SECONDS
from chekt_provider.errors import (
    ChektError,
    Conflict,
    InvalidInput,
    Refused,
    Replayed,
    ServerFailed,
    Throttled,
    TokenRefused,
    Unclear,
)


class Unshown(Unclear):
    """CHeKT answered a success, and shows no station."""


class Key(Enum):
    """The idempotency key of the next POST. Under a used-up key CHeKT would only repeat its answer."""

    SAME = "the same"
    NEW = "a new one"
    NEW_AFTER_TWO_UNSHOWN = "a new one after two successes that show nothing, else the same"
    NEW_AFTER_TWO_STORED = "a new one after two answers that CHeKT may only repeat, else the same"
    NONE = "there is no next POST"


class Outcome(Enum):
    """What came of a POST, whether it may have made the station, and the key of the next POST."""

    REPLAYED = ("CHeKT repeats an answer of an earlier POST, whose station was deleted", False, Key.NEW)
    UNSHOWN = ("a success that shows no station", True, Key.NEW_AFTER_TWO_UNSHOWN)
    KEY_USED = ("409: the key came before with another body", False, Key.NEW)
    UNDER_WAY = ("409: CHeKT is still at work on an earlier POST with the same key", False, Key.SAME)
    UNEXPLAINED = ("409 without a code", False, Key.NEW_AFTER_TWO_STORED)
    NOT_TAKEN = ("400, 409 or 422 for what the POST asks", False, Key.NONE)
    REFUSED = ("403, 404 and the like", True, Key.NONE)
    PUT_OFF = ("a wait is asked for that is longer than we wait", True, Key.NONE)
    FAILED = ("500; a gateway's 502, 503 and 504 are none of CHeKT's", True, Key.NEW_AFTER_TWO_STORED)
    UNKNOWN = ("anything else", True, Key.SAME)

    def __init__(self, _meaning: str, may_have_made: bool, key: Key) -> None:
        self.may_have_made = may_have_made
        self.key = key

    def needs_new_key(self, before: Outcome | None) -> bool:
        """Whether the next POST needs a new key, after this outcome and the one before."""
        is_second = before is not None and before.key is self.key
        return self.key is Key.NEW or (is_second and self.key in (Key.NEW_AFTER_TWO_UNSHOWN, Key.NEW_AFTER_TWO_STORED))


def outcome_of(answer: ChektError) -> Outcome:
    """What came of a POST that ended with an error."""
    if isinstance(answer, Conflict):
        return _outcome_of_conflict(answer.evidence.code)
    if isinstance(answer, InvalidInput):
        return Outcome.NOT_TAKEN
    if isinstance(answer, Refused) and not isinstance(answer, TokenRefused | Throttled):
        return Outcome.REFUSED
    if (answer.evidence.retry_after or 0) > LONGEST_RETRY_AFTER_SECONDS:
        return Outcome.PUT_OFF
    if isinstance(answer, ServerFailed) and answer.evidence.status == INTERNAL_SERVER_ERROR:
        return Outcome.FAILED
    if isinstance(answer, Replayed):
        return Outcome.REPLAYED
    return Outcome.UNSHOWN if isinstance(answer, Unshown) else Outcome.UNKNOWN


def _outcome_of_conflict(code: str) -> Outcome:
    if code == "idempotency_conflict":
        return Outcome.KEY_USED
    if "progress" in code:
        return Outcome.UNDER_WAY
    return Outcome.NOT_TAKEN if code else Outcome.UNEXPLAINED

"""What a person would call one step, and its errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from chekt_provider.errors import ChektError, Evidence, Unclear

LONGEST_QUEUE_SECONDS = 480.0
"""How much waiting for the rate limit does not count against an operation's deadline."""

Error = TypeVar("Error", bound=ChektError)


@dataclass
class Operation:
    """One step to a person: it may take several calls, under one trace id and one deadline.

    Attributes:
        action: in the infinitive, for errors: "create monitoring station 'central-01' of dealer 12345".
        trace_id: sent as x-partner-trace-id with each of its calls.
        deadline: monotonic seconds after which no further attempt leaves.
        changing: whether any of its calls so far could have changed something.
        changed: whether one may have done so: it succeeded, or is in doubt.
        doubtful: whether one is in doubt, and may take effect after those that follow.
        paid: how many of its next reads have a place in the queue already.
        has_turn: whether its next change has one.
    """

    action: str
    trace_id: str
    deadline: float
    changing: bool = False
    changed: bool = False
    doubtful: bool = False
    paid: int = 0
    has_turn: bool = False
    _excused: float = 0.0

    def excuse(self, seconds: float) -> None:
        """Leave time spent in our own queue out of the deadline."""
        seconds = min(seconds, LONGEST_QUEUE_SECONDS - self._excused)
        self._excused += seconds
        self.deadline += seconds

    def error(self, kind: type[Error], cause: str, *, sent: bool = True, **texts: str) -> Error:
        """An error that is our own judgement.

        Args:
            kind: its class.
            cause: what happened, without a full stop.
            sent: whether there are calls to find by the trace id.
            texts: outcome and remedy, where the defaults of the class do not fit.
        """
        evidence = Evidence(trace_id=self.trace_id if sent else "")
        if self.changed and kind.default_outcome == ChektError.default_outcome:
            texts.setdefault("outcome", Unclear.default_outcome)
        return kind(cause, action=self.action, evidence=evidence, **texts)

    def weighed(self, error: ChektError) -> ChektError:
        """The error with the outcome that fits the operation's earlier calls.

        While they only read, no change is in doubt; once one may have been made, a refusal proves nothing.
        """
        if self.changed:
            return error.replace(outcome=Unclear.default_outcome)
        if not isinstance(error, Unclear) or self.changing:
            return error
        remedy = "Run again." if error.remedy == Unclear.default_remedy else error.remedy
        return error.replace(outcome="Nothing was changed.", remedy=remedy)

    def shared(self, error: ChektError) -> ChektError:
        """Another operation's failure to read what both wanted, as this one's."""
        return self.weighed(error.replace(action=self.action, outcome=error.default_outcome))

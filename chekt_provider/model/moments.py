"""Times of creation. CHeKT's clocks may differ, and cut off what is less than a second."""

from __future__ import annotations

import re
from datetime import datetime

_SECOND = re.compile(r"\d\d:\d\d:\d\d")


def seconds_apart(one: str, other: str) -> float | None:
    """Seconds between two times of creation; None where one has no seconds, or only one has a time zone."""
    try:
        moments = [datetime.fromisoformat(text) for text in (one, other) if _SECOND.search(text)]
        return abs((moments[0] - moments[1]).total_seconds()) if len(moments) > 1 else None
    except (ValueError, TypeError):  # no date, or only one of the two has a time zone
        return None


def may_be_one_moment(one: str, other: str) -> bool:
    """Whether nothing tells two times of creation apart."""
    return (seconds_apart(one, other) or 0) < 1  # one of the two may be cut to whole seconds


def age_of(created_at: str, now: datetime | None) -> float | None:
    """Seconds on CHeKT's clock since it created a station; None where it does not say, or not by which clock."""
    try:
        return (now - datetime.fromisoformat(created_at)).total_seconds() if now else None
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None

"""A clock that no test waits for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Clock:
    """A clock that moves only when something sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

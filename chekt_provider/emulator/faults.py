"""Faults: what goes wrong, as data."""

import threading
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

BODILESS = (204, 304)
"""HTTP statuses whose answers have no body."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]


class Fault(BaseModel):
    """Something that goes wrong with matching requests, and then stops by itself.

    `Fault(status=503)` answers the next request with 503 and stores nothing. `Fault(method="POST", reset=True,
    when="after")` stores what the next POST asked for and resets the connection instead of answering.

    Three kinds of fault, which may be combined:

    - instead of the API's answer: `status`, `body`, `hang`, `reset`. Nothing is stored, unless `when` is "after".
      A fault with neither status nor body stays at the API's own answer; one with a body alone answers 200, or
      with the API's status when `when` is "after".
    - to the answer on its way, whoever gave it: `headers`, `cut`, `drip`, `pad`, `gzip`.
    - `delay`: before the request is looked at, or with `when` = "after" between storing and answering.

    Delay, hang and drip end at once when the emulator stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str | None = Field(default=None, description="Which requests: the HTTP method, in capitals. None: any.")
    path: str = Field(
        default="*",
        description="Which requests: a glob over the path without its query; * also spans slashes."
        " Example: */monitoring-stations/*",
    )
    times: int | None = Field(
        default=1, ge=1, description="How many requests it strikes before it is gone. None: until cleared."
    )
    skip: int = Field(default=0, ge=0, description="How many matching requests pass unharmed first.")
    when: Literal["before", "after"] = Field(
        default="before", description="Whether it strikes before or after the API did what was asked."
    )

    status: int | None = Field(
        default=None, ge=200, le=599, description="Answer with this HTTP status. Without a body: an error envelope."
    )
    body: str | None = Field(default=None, description="Answer with this body, as it stands.")
    content_type: HeaderValue = Field(default="application/json", description="Content-Type of `body`.")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Further headers of the answer; one that is there already is replaced."
    )
    remember: bool = Field(
        default=False,
        description="Keep the fault's answer for the request's idempotency key, as the API keeps its own:"
        " a repeat gets it again.",
    )

    delay: float = Field(default=0, ge=0, description="Seconds to wait; then all goes on.")
    hang: float | None = Field(
        default=None, ge=0, description="Seconds to wait; then the connection is closed without an answer."
    )
    reset: bool = Field(default=False, description="Reset the connection (TCP RST) without an answer.")
    cut: int | None = Field(
        default=None,
        ge=0,
        description="Send this many bytes of the body, then close the connection, although Content-Length says more.",
    )
    drip: float = Field(default=0, ge=0, description="Seconds between the bytes of the body.")
    pad: int = Field(default=0, ge=0, description="Bytes of blanks to add to the body; JSON stays valid JSON.")
    gzip: bool = Field(default=False, description="Compress the body, padding included.")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        replaced = self.status is not None or self.body is not None
        if self.hang is not None and self.reset:
            raise ValueError("a fault cannot both hang and reset")
        if (self.hang is not None or self.reset) and (replaced or self.headers or self.cut is not None):
            raise ValueError("a fault that hangs or resets gives no answer: leave out status, body, headers and cut")
        if self.status in BODILESS and self.body is not None:
            raise ValueError(f"an answer with status {self.status} has no body")
        if {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}:
            raise ValueError("the length of an answer is not a header to set: see cut and pad")
        if self.remember and not replaced:
            raise ValueError("remember needs a status or a body")
        if self == Fault.model_construct(**{name: getattr(self, name) for name in _WHICH}):
            raise ValueError("a fault must say what goes wrong, such as status=503 or reset=True")
        return self

    @property
    def answers(self) -> bool:
        """Whether it replaces the API's answer, if only by silence."""
        return self.status is not None or self.body is not None or self.hang is not None or self.reset

    def matches(self, method: str, path: str) -> bool:
        """Whether it strikes a request."""
        return self.method in (None, method) and fnmatchcase(path, self.path)


_WHICH = ("method", "path", "times", "skip", "when", "content_type")
"""Fields that make no fault by themselves."""


class Faults:
    """The faults in force, in the order of their addition. Any thread may use them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._live.append(fault)

    def clear(self) -> None:
        """Put an end to all of them."""
        with self._lock:
            self._live.clear()

    def live(self) -> list[Fault]:
        """Give the faults still in force, each with the times and skip that are left."""
        with self._lock:
            return list(self._live)

    def strike(self, method: str, path: str) -> Fault | None:
        """Give the fault that strikes a request, and count it: the first that matches and has nothing to skip."""
        with self._lock:
            for place, fault in enumerate(self._live):
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    self._live[place] = fault.model_copy(update={"skip": fault.skip - 1})
                    continue
                if fault.times == 1:
                    del self._live[place]
                elif fault.times:
                    self._live[place] = fault.model_copy(update={"times": fault.times - 1})
                return fault
            return None

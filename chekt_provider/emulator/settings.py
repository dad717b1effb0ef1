"""What can be set: the answers to open questions about CHeKT's API, and its plans."""

from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Switches(BaseModel):
    """One answer to each question that CHeKT's documentation leaves open.

    A program is safe when it behaves well under all of them. The values are fixed once made; to change one on a
    running emulator, assign a whole new object: `emulator.switches = Switches(put="replace")`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    put: Literal["merge", "replace"] = Field(
        default="merge",
        description="What PUT does with a field that the body leaves out: merge keeps it, replace unsets it."
        " A required field (name) is kept either way, and so is an external id.",
    )
    unset: Literal["null", "empty", "absent"] = Field(
        default="null", description='How an unset prefix or linecard comes back: null, "", or not at all.'
    )
    clear: Literal["empty", "null"] = Field(
        default="empty",
        description='The one value that clears prefix or linecard: "" or null. The other is refused with 422,'
        " in POST as in PUT.",
    )
    duplicate: Literal["409", "400", "422", "twin"] = Field(
        default="409",
        description="What a second POST with the same external id gets: a refusal with this status,"
        " or twin: a second station.",
    )
    idempotency: Literal["kept", "ignored"] = Field(
        default="kept",
        description="What an Idempotency-Key does: kept answers the same key with its first answer for a day, ignored"
        " carries every request out.",
    )
    delete_with_sites: Literal["orphan", "refuse"] = Field(
        default="orphan",
        description="What DELETE does with a station that has sites: orphan deletes it and leaves the sites without"
        " a station, refuse answers 409.",
    )
    lists: Literal["whole", "pages", "offset", "links"] = Field(
        default="whole",
        description="How lists of stations and sites are cut: whole is not at all; pages takes `page` (from 1) and"
        " `page_size`; offset takes `offset` and `limit`; links names the next page in a Link header (RFC 8288)."
        " Only links says that there is more.",
    )
    page_size: int = Field(
        default=100, ge=1, description="Rows on one page, unless the query says otherwise. Of no meaning for whole."
    )


class Plan(Enum):
    """CHeKT's plans: (requests a minute sustained, requests at once)."""

    FREE = (60, 5)
    PRO = (600, 30)
    ENTERPRISE = (3000, 200)

    @property
    def per_minute(self) -> int:
        """Requests a minute that can go on for ever."""
        return self.value[0]

    @property
    def burst(self) -> int:
        """Requests that may come at once after a rest."""
        return self.value[1]

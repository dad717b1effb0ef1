"""What can be set: the answers to open questions about CHeKT's API, and its plans."""

from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

DAY = 24 * 60 * 60  # seconds
LONGEST_LAG = 60  # seconds

Seconds = Annotated[float, Field(strict=True)]  # else `true` would be 1.0


class Switches(BaseModel):
    """One answer to each question that CHeKT's documentation leaves open.

    A program is safe when it behaves well under all of them. The values are fixed once made; to change one on a
    running emulator, assign a whole new object: `emulator.switches = Switches(put="replace")`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    put: Literal["merge", "replace"] = Field(
        default="merge",
        description="What PUT of a station does with a field that the body leaves out: merge keeps it, replace unsets"
        " it. The name and the external id are kept either way.",
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
    external_ids: Literal["exact", "folded", "trimmed"] = Field(
        default="exact",
        description="How a station's external id is kept: as sent, in lower case, or with outer blanks cut and inner"
        " runs of blanks made one. A duplicate is judged by what is kept.",
    )
    values: Literal["exact", "capitals", "cut"] = Field(
        default="exact",
        description="How a station's name, prefix and linecard are kept: as sent, in capitals, or cut to `cut_at`.",
    )
    cut_at: int = Field(default=10, ge=1, description="Characters that are kept of a value. Of meaning for cut only.")
    numbers: Literal["once", "again"] = Field(
        default="once",
        description="The number of a new station: one that no station ever had, or again: the smallest that is free.",
    )
    created_at: Literal["zoned", "naive", "absent"] = Field(
        default="zoned",
        description="The created_at of stations: in UTC with a Z, naive: the same without the Z, or not at all.",
    )
    database_clock: Seconds = Field(
        default=0,
        ge=-DAY,
        le=DAY,
        description="Seconds that created_at is ahead of the clock of the Date header; negative: behind it.",
    )
    date_header: Literal["sent", "absent"] = Field(default="sent", description="Whether answers have a Date header.")
    post_answer: Literal["station", "location", "accepted"] = Field(
        default="station",
        description="What POST of a station answers: 201 with the station, 201 with a Location header and no body, or"
        " 202 with no body. The station is there at once in all cases.",
    )
    delete_answer: Literal["204", "200", "202"] = Field(
        default="204",
        description='What DELETE answers: 204; 200 with {"deleted": true}; or 202, and the station is there until it'
        " is deleted `delete_delay` later. Meanwhile a second DELETE gets 202 again.",
    )
    delete_delay: Seconds = Field(
        default=2, ge=0, description="Seconds from a DELETE to its effect. Of meaning for 202 only."
    )
    delete_with_sites: Literal["orphan", "refuse"] = Field(
        default="orphan",
        description="What DELETE does with a station that has sites: orphan deletes it and leaves the sites without"
        " a station, refuse answers 409.",
    )
    gone: Literal["404", "410"] = Field(
        default="404", description="What a station or site answers that existed and was deleted."
    )
    idempotency: Literal["kept", "ignored"] = Field(
        default="kept",
        description="What an Idempotency-Key does: kept answers the same key with its first answer for a day, ignored"
        " carries every request out.",
    )
    replays: Literal["unmarked", "marked"] = Field(
        default="unmarked",
        description="Whether an answer repeated for its Idempotency-Key says so: marked sends"
        " Idempotent-Replayed: true.",
    )
    lists: Literal["whole", "pages", "pages_from_0", "offset", "skip", "added", "links"] = Field(
        default="whole",
        description="How lists of stations and sites are cut: whole is not at all; pages takes `page` (from 1) and"
        " `page_size`; pages_from_0 counts `page` from 0; offset takes `offset` and `limit`; skip takes `skip` and"
        " `limit`; added takes `page` (from 1), `page_size` and `offset`, and begins at their sum; links names the next"
        " page in a Link header (RFC 8288). Of these only links says that there is more.",
    )
    page_size: int = Field(
        default=100, ge=1, description="Rows on one page, unless the query says otherwise. Of no meaning for whole."
    )
    list_total: Literal["untold", "told"] = Field(
        default="untold", description="Whether lists say in X-Total-Count how many rows the whole list has."
    )
    unknown_query: Literal["ignored", "refused"] = Field(
        default="ignored", description="What a list does with a query parameter it does not know: refused answers 400."
    )
    list_lag: Seconds = Field(
        default=0, ge=0, le=LONGEST_LAG, description="Lists show what was there this many seconds ago, 0 to 60."
    )
    item_lag: Seconds = Field(
        default=0,
        ge=0,
        le=LONGEST_LAG,
        description="GET of one station or site shows what was there this many seconds ago, 0 to 60.",
    )
    site_put: Literal["merge", "replace", "required"] = Field(
        default="merge",
        description="What PUT of a site does with a field that the body leaves out: merge keeps it; replace unsets it,"
        ' be it the station, or external_site_id, name or timezone, which become ""; required answers 422 when one of'
        " these three is left out, and keeps the others.",
    )
    site_activation: Literal["kept", "off"] = Field(
        default="kept", description="What PUT of a site does to is_activated: nothing, or off: it becomes 0."
    )
    site_put_delay: Seconds = Field(
        default=0, ge=0, description="Seconds from the answer to PUT of a site to its effect."
    )
    site_put_answer: Literal["new", "old"] = Field(
        default="new", description="The values that the answer to PUT of a site shows: those after it or before it."
    )


class Plan(Enum):
    """CHeKT's plans: requests a minute for ever, and requests at once after a rest."""

    FREE = (60, 5)
    PRO = (600, 30)
    ENTERPRISE = (3000, 200)

    def __init__(self, per_minute: int, burst: int) -> None:
        self.per_minute = per_minute
        self.burst = burst

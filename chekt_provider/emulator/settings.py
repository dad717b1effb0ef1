"""What can be set: the answers to open questions about CHeKT's API, and its plans."""

from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(strict=True, ge=0, le=60)]


class Switches(BaseModel):
    """One answer to each question that CHeKT's documentation leaves open.

    A program is safe when it behaves well under all of them. The values are fixed once made; to change one on a
    running emulator, assign a whole new object: `emulator.switches = Switches(put="replace")`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    put: Literal["merge", "replace"] = Field(
        default="merge",
        description="What PUT on a station does with a field that the body leaves out: merge keeps it, replace unsets"
        " it. The name is kept either way, and so is the external id.",
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
    lists: Literal["whole", "pages", "pages_from_0", "offset", "added", "skip", "links"] = Field(
        default="whole",
        description="How lists of stations and sites are cut: whole is not at all; pages takes `page` (from 1) and"
        " `page_size`; pages_from_0 counts pages from 0; offset takes `offset` and `limit`; added takes `page`,"
        " `page_size` and `offset`, and adds them up; skip takes `skip` and `limit`; links names the next page in a"
        " Link header (RFC 8288). Only links says that there is more.",
    )
    page_size: int = Field(
        default=100, ge=1, description="Rows on one page, unless the query says otherwise. Of no meaning for whole."
    )
    list_total: Literal["untold", "told"] = Field(
        default="untold", description="Whether lists name the number of all rows, in X-Total-Count."
    )
    unknown_query: Literal["ignored", "refused"] = Field(
        default="ignored", description="What a list does with a query parameter it does not know: refused is 400."
    )
    list_lag: Seconds = Field(
        default=0, description="Seconds that lists of stations and sites are behind what was written."
    )
    item_lag: Seconds = Field(default=0, description="The same for GET of one station and one site, in seconds.")
    created_at: Literal["zoned", "naive", "absent"] = Field(
        default="zoned", description="The form of a station's created_at: with its zone, without, or left out."
    )
    database_clock: float = Field(
        default=0,
        strict=True,
        description="Seconds that created_at is ahead of the clock of the Date header; negative: behind.",
    )
    date_header: Literal["sent", "absent"] = Field(default="sent", description="Whether answers have a Date header.")
    external_ids: Literal["exact", "folded", "trimmed"] = Field(
        default="exact",
        description="How a station's external id is kept: as sent, in lower case, or with outer blanks cut and inner"
        " ones made one. Duplicates are judged by what is kept.",
    )
    values: Literal["exact", "capitals", "cut"] = Field(
        default="exact",
        description="How a station's name, prefix and linecard are kept: as sent, in upper case, or 10 characters.",
    )
    post_answer: Literal["station", "location", "accepted"] = Field(
        default="station",
        description="What POST of a station answers: 201 with it, 201 with a Location alone, or 202 with nothing.",
    )
    delete_answer: Literal["204", "200", "202"] = Field(
        default="204",
        description="What DELETE of a station answers: 204; 200 with a body; 202, and it is done two seconds later.",
    )
    gone: Literal["404", "410"] = Field(
        default="404", description="What a station answers that existed and was deleted."
    )
    site_put: Literal["merge", "replace", "required"] = Field(
        default="merge",
        description="What PUT on a site does with a field that the body leaves out: merge keeps it; replace unsets it,"
        " external_site_id, name and timezone as well; required refuses a body without one of those three, with 422.",
    )
    site_activation: Literal["kept", "off"] = Field(
        default="kept", description="What PUT on a site does to is_activated: off sets it to 0."
    )
    site_put_delay: Seconds = Field(default=0, description="Seconds after its answer that PUT on a site takes effect.")
    site_put_answer: Literal["new", "old"] = Field(
        default="new", description="Whether PUT on a site answers with the new values or the old ones."
    )
    replays: Literal["unmarked", "marked"] = Field(
        default="unmarked",
        description="Whether an answer that is repeated for an Idempotency-Key has the header Idempotent-Replayed.",
    )
    numbers: Literal["once", "again"] = Field(
        default="once", description="Whether a new station gets a number never given before, or the smallest free one."
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

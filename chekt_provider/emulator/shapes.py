"""The shapes of bodies, by hand after CHeKT's reference. No client shares them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _digits(value: Any) -> Any:
    """Refuse what Python reads as a number and no URL should hold: +1, 1_000, 1.0, full-width digits."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("must be a whole number")
    return value


def whole(value: Any) -> Any:
    """Take 1.0 as 1: JSON has one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def drop_default(schema: dict[str, Any]) -> None:
    """Hide a default that only marks a field as left out."""
    schema.pop("default", None)


Id = Annotated[int, Field(ge=1, le=2**53 - 1), BeforeValidator(whole)]  # the largest that every JSON reader keeps
PathId = Annotated[int, Field(ge=1, le=2**63 - 1), BeforeValidator(_digits)]  # the largest that the store keeps
NewId = Annotated[int, Field(ge=1, le=2**53 - 1), BeforeValidator(_digits)]  # leaves the store higher numbers
Text = Annotated[str, Field(pattern=r"\S")]
Timezone = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", examples=["Europe/London"])]


class Body(BaseModel):
    """What a caller sends: types are taken strictly, unknown fields are ignored."""

    # The other engine knows fewer blanks than readers of the schema do
    model_config = ConfigDict(strict=True, regex_engine="python-re")

    def given(self) -> dict[str, Any]:
        """Give the fields that were sent."""
        return self.model_dump(exclude_unset=True)


class StationOptions(BaseModel):
    """What a station may have. An unset text is null, "" or absent in answers: the switch `unset` says which."""

    prefix: str | None = Field(default=None, description="Goes in front of the account number.")
    linecard: str | None = Field(default=None, description="The hardware module that handles given lines.")


STATION_UNSET: dict[str, Any] = {
    name: "" if field.annotation == (str | None) else None for name, field in StationOptions.model_fields.items()
}
"""The options of a station that has none: texts are ""."""

STATION_TEXTS = [name for name, unset in STATION_UNSET.items() if unset == ""]
"""Those of the options that are texts."""


class StationCreate(Body, StationOptions):
    """Body of a POST that makes a station."""

    external_monitoring_station_id: Text = Field(description="Your own key of the station; cannot be changed.")
    name: Text


class StationUpdate(Body, StationOptions):
    """Body of a PUT that changes a station."""

    name: Text = Field(default="", json_schema_extra=drop_default)


class Station(StationOptions):
    """A monitoring station."""

    monitoring_station_id: int
    external_monitoring_station_id: str
    name: str
    created_at: str = Field(description="ISO 8601, UTC, milliseconds.")


class SiteOptions(BaseModel):
    """What a site may have, besides a station."""

    account_number: str | None = None
    address1: str | None = None
    address2: str | None = None


class SiteCreate(Body, SiteOptions):
    """Body of a POST that makes a site."""

    external_site_id: Text
    name: Text
    timezone: Timezone = Field(description="IANA name.")
    monitoring_station_id: Id | None = None


class SiteUpdate(Body, SiteOptions):
    """Body of a PUT that changes a site."""

    external_site_id: Text = Field(default="", json_schema_extra=drop_default)
    name: Text = Field(default="", json_schema_extra=drop_default)
    timezone: Timezone = Field(default="", json_schema_extra=drop_default)
    monitoring_station_id: Id | None = None


class SiteEdit(SiteUpdate):
    """What somebody in the portal changes of a site; what is left out stays."""

    is_activated: Annotated[int, Field(ge=0, le=1), BeforeValidator(whole)] = Field(
        default=0, json_schema_extra=drop_default
    )


class Site(SiteOptions):
    """A site: protected premises, and the station that receives its signals."""

    site_id: int
    external_site_id: str
    name: str
    monitoring_station_id: int | None
    external_monitoring_station_id: str | None
    timezone: str
    is_activated: Literal[0, 1]
    created_at: str


class Dealer(BaseModel):
    """A dealer: the installer company."""

    dealer_id: int
    external_dealer_id: str
    company_name: str
    company_address1: str
    company_address2: str | None
    company_email: str
    company_phone_number: str
    created_at: str


class Token(BaseModel):
    """An access token."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")


class OAuthError(BaseModel):
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""

    error: str
    error_description: str


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str
    message: str
    request_id: str
    field: str | None


class ErrorEnvelope(BaseModel):
    """A refusal of the API."""

    error: ErrorDetail

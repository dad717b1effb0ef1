"""The controls over HTTP, under /_emulator: so that a test in any language can prepare the world."""

import json
from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from chekt_provider.emulator.faults import Fault
from chekt_provider.emulator.log import Request
from chekt_provider.emulator.routes import HAS_JSON, TheWorld
from chekt_provider.emulator.settings import Switches
from chekt_provider.emulator.shapes import (
    Body,
    ErrorEnvelope,
    NewId,
    PathId,
    Site,
    SiteCreate,
    SiteEdit,
    Station,
    StationCreate,
    StationUpdate,
)

_DEALER = "/dealers/{dealer_id}"
_STATION = _DEALER + "/stations/{monitoring_station_id}"
_SITE = _DEALER + "/sites/{site_id}"

_NO_BODY: dict[int | str, dict[str, Any]] = {422: {"model": ErrorEnvelope}}
_NOT_THERE: dict[int | str, dict[str, Any]] = _NO_BODY | {404: {"model": ErrorEnvelope}}
_BAD_BODY: dict[int | str, dict[str, Any]] = _NO_BODY | {status: {"model": ErrorEnvelope} for status in (400, 415)}


class Withdrawal(Body):
    """How calls for a dealer are refused."""

    status: Literal[403, 404] = 403


class TokenLife(Body):
    """How long tokens live that are handed out from now on."""

    seconds: float = Field(ge=0)


class NewStation(StationCreate):
    """A station to add, even a twin."""


class StationEdit(StationUpdate):
    """What to change of a station; null and "" unset prefix and linecard, what is left out stays."""


class Made(BaseModel):
    """The id of what was added."""

    id: int


control = APIRouter(prefix="/_emulator", tags=["Controls of the emulator"])


@control.get("/requests", response_model=list[Request])
async def list_requests(world: TheWorld) -> Response:
    """List the requests to the imitated API, oldest first."""
    rows = [asdict(request) for request in world.requests]
    # Escaped to ASCII: a body may hold half a character pair, which UTF-8 cannot
    return Response(json.dumps(rows), media_type="application/json")


@control.delete("/requests", status_code=204)
async def clear_requests(world: TheWorld) -> None:
    """Forget the requests so far; their numbers go on."""
    world.clear_requests()


@control.get("/faults")
async def list_faults(world: TheWorld) -> list[Fault]:
    """List the faults in force, each with the times and skip that are left."""
    return world.faults


@control.post("/faults", status_code=201, responses=_BAD_BODY, dependencies=HAS_JSON)
async def add_fault(world: TheWorld, fault: Fault) -> Fault:
    """Put a fault in force."""
    world.add_fault(fault)
    return fault


@control.delete("/faults", status_code=204)
async def clear_faults(world: TheWorld) -> None:
    """Put an end to all faults."""
    world.clear_faults()


@control.get("/switches")
async def get_switches(world: TheWorld) -> Switches:
    """Read the switches."""
    return world.switches


@control.put("/switches", responses=_BAD_BODY, dependencies=HAS_JSON)
async def set_switches(world: TheWorld, switches: Switches) -> Switches:
    """Set all switches; one that is left out goes back to its default."""
    world.switches = switches
    return switches


@control.put("/token-life", responses=_BAD_BODY, dependencies=HAS_JSON)
async def set_token_life(world: TheWorld, life: TokenLife) -> TokenLife:
    """Set how long tokens live that are handed out from now on."""
    world.token_life = life.seconds
    return life


@control.delete("/tokens", status_code=204)
async def revoke_tokens(world: TheWorld) -> None:
    """Let the API refuse every token handed out so far."""
    world.revoke_tokens()


@control.post("/reset", status_code=204)
async def reset(world: TheWorld) -> None:
    """Go back to the start; switches and the life of tokens stay."""
    world.reset()


@control.put(_DEALER, status_code=204, responses=_NO_BODY)
async def add_dealer(world: TheWorld, dealer_id: PathId) -> None:
    """Add a dealer with made-up particulars; one that exists stays as it is."""
    world.add_dealer(dealer_id)


@control.put(f"{_DEALER}/withdrawal", responses=_NOT_THERE | _BAD_BODY, dependencies=HAS_JSON)
async def withdraw_dealer(world: TheWorld, dealer_id: PathId, withdrawal: Withdrawal) -> Withdrawal:
    """Let every call for a dealer be refused."""
    world.withdraw_dealer(dealer_id, withdrawal.status)
    return withdrawal


@control.delete(f"{_DEALER}/withdrawal", status_code=204, responses=_NOT_THERE)
async def restore_dealer(world: TheWorld, dealer_id: PathId) -> None:
    """Grant access to a dealer again."""
    world.restore_dealer(dealer_id)


@control.get(f"{_DEALER}/stations", response_model=list[Station], responses=_NOT_THERE)
async def see_stations(world: TheWorld, dealer_id: PathId) -> list[dict[str, Any]]:
    """List a dealer's stations; an unset prefix or linecard is "", whatever the switches say."""
    return world.stations(dealer_id)


@control.post(f"{_DEALER}/stations", status_code=201, responses=_NOT_THERE | _BAD_BODY, dependencies=HAS_JSON)
async def add_station(world: TheWorld, dealer_id: PathId, station: NewStation) -> Made:
    """Add a station behind the API's back."""
    return Made(id=world.add_station(**station.given(), dealer_id=dealer_id))


@control.patch(_STATION, status_code=204, responses=_NOT_THERE | _BAD_BODY, dependencies=HAS_JSON)
async def edit_station(world: TheWorld, dealer_id: PathId, monitoring_station_id: PathId, edit: StationEdit) -> None:
    """Change a station as somebody in the portal would."""
    world.edit_station(monitoring_station_id, dealer_id=dealer_id, **edit.given())


@control.put(_STATION, status_code=204, responses=_NOT_THERE | _BAD_BODY, dependencies=HAS_JSON)
async def put_station(world: TheWorld, dealer_id: PathId, monitoring_station_id: NewId, station: NewStation) -> None:
    """Make the station with this very number, in place of the one that has it."""
    world.put_station(monitoring_station_id, **station.given(), dealer_id=dealer_id)


@control.delete(_STATION, status_code=204, responses=_NOT_THERE)
async def remove_station(world: TheWorld, dealer_id: PathId, monitoring_station_id: PathId) -> None:
    """Remove a station; its sites stay, without one."""
    world.remove_station(monitoring_station_id, dealer_id)


@control.get(f"{_DEALER}/sites", response_model=list[Site], responses=_NOT_THERE)
async def see_sites(world: TheWorld, dealer_id: PathId) -> list[dict[str, Any]]:
    """List a dealer's sites."""
    return world.sites(dealer_id)


@control.post(f"{_DEALER}/sites", status_code=201, responses=_NOT_THERE | _BAD_BODY, dependencies=HAS_JSON)
async def add_site(world: TheWorld, dealer_id: PathId, site: SiteCreate) -> Made:
    """Add a site behind the API's back."""
    return Made(id=world.add_site(**site.given(), dealer_id=dealer_id))


@control.patch(_SITE, status_code=204, responses=_NOT_THERE | _BAD_BODY, dependencies=HAS_JSON)
async def edit_site(world: TheWorld, dealer_id: PathId, site_id: PathId, edit: SiteEdit) -> None:
    """Change a site as somebody in the portal would; what is left out stays."""
    world.edit_site(site_id, dealer_id=dealer_id, **edit.given())


@control.delete(_SITE, status_code=204, responses=_NOT_THERE)
async def remove_site(world: TheWorld, dealer_id: PathId, site_id: PathId) -> None:
    """Remove a site, which the API itself cannot."""
    world.remove_site(site_id, dealer_id)

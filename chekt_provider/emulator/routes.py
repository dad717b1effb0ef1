"""The imitated API. Each route parses, asks the rules, and answers."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from chekt_provider.emulator import rules
from chekt_provider.emulator.gate import TOKEN_PATH, media_type
from chekt_provider.emulator.lists import cut
from chekt_provider.emulator.refusals import NotThere, Refusal
from chekt_provider.emulator.shapes import (
    Dealer,
    ErrorEnvelope,
    OAuthError,
    PathId,
    Site,
    SiteCreate,
    SiteUpdate,
    Station,
    StationCreate,
    StationUpdate,
    Token,
)
from chekt_provider.emulator.tables import SITES, STATIONS, Row, Table
from chekt_provider.emulator.tokens import OAuthRefusal
from chekt_provider.emulator.world import World

_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope, "description": text}
    for status, text in {
        400: "Bad input",
        401: "The token is missing, invalid or expired",
        403: "No access to this dealer",
        404: "The dealer, the station or the site does not exist",
        422: "Validation failed; error.field names the field",
        429: "Rate limited; Retry-After says how long",
    }.items()
}
_NO_TOKEN: dict[int | str, dict[str, Any]] = {status: {"model": OAuthError} for status in (400, 401, 413)}
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorEnvelope, "description": "The external id is in use, or an Idempotency-Key came back"},
}
_BODY: dict[int | str, dict[str, Any]] = _CONFLICT | {
    413: {"model": ErrorEnvelope, "description": "The body is longer than 1 MiB"},
    415: {"model": ErrorEnvelope, "description": "The body is not JSON"},
}


async def _world(request: Request) -> Any:
    return request.state.world


async def json_body(request: Request) -> None:
    """Refuse a body that does not call itself JSON."""
    kind = media_type(dict(request.headers))
    if kind != "application/json":
        raise Refusal(415, "the body must be application/json", code="unsupported_media_type")


TheWorld = Annotated[World, Depends(_world)]
HAS_JSON = [Depends(json_body)]


async def _gone(request: Request, world: TheWorld) -> AsyncIterator[None]:
    """Turn 404 into 410, where the switch says so, when the path names what somebody deleted."""
    try:
        yield
    except NotThere as refusal:
        if refusal.gone and refusal.field in request.path_params and world.switches.gone == "410":
            raise Refusal(410, refusal.message, refusal.field, code="gone") from None
        raise


token = APIRouter(tags=["Token"])


def _partner(tag: str, path: str) -> APIRouter:
    """Make the router of a path below a dealer."""
    prefix = f"/partner/v1/dealers/{{dealer_id}}{path}"
    return APIRouter(prefix=prefix, tags=[tag], responses=_REFUSED, dependencies=[Depends(_gone)])


dealers = _partner("Dealers", "")
stations = _partner("Monitoring stations", "/monitoring-stations")
sites = _partner("Sites", "/sites")


@token.post(TOKEN_PATH, response_model=Token, responses=_NO_TOKEN)
async def grant_token(request: Request, world: TheWorld) -> Response:
    """Get an access token: OAuth 2.0, client credentials."""
    try:
        if media_type(dict(request.headers)) != "application/x-www-form-urlencoded":
            raise OAuthRefusal(400, "invalid_request", "the body must be application/x-www-form-urlencoded")
        own = str(request.base_url).rstrip("/")
        form = (await request.body()).decode("utf-8", "replace")
        access_token = world.tokens.grant(form, audiences=(own + TOKEN_PATH, own))
    except OAuthRefusal as refusal:
        return JSONResponse({"error": refusal.error, "error_description": refusal.description}, refusal.status)
    granted = {"access_token": access_token, "token_type": "Bearer", "expires_in": int(world.tokens.life)}
    return JSONResponse(granted, headers={"Cache-Control": "no-store"})


@dealers.get("", response_model=Dealer)
async def get_dealer(world: TheWorld, dealer_id: PathId) -> Response:
    """Read one dealer."""
    return JSONResponse(world.store.dealer(dealer_id))


def _shown(world: World, row: Row, status: int = 200) -> Response:
    return JSONResponse(rules.shown_station(row, world.switches), status)


@stations.post("", status_code=201, response_model=Station, responses=_BODY, dependencies=HAS_JSON)
async def create_station(world: TheWorld, dealer_id: PathId, body: StationCreate, request: Request) -> Response:
    """Make a station."""
    world.store.dealer(dealer_id)
    row = rules.create_station(world.store, world.switches, dealer_id, body.given())
    if world.switches.post_answer == "accepted":
        return Response(status_code=202)
    if world.switches.post_answer == "location":
        return Response(status_code=201, headers={"Location": f"{_url(request)}/{row['monitoring_station_id']}"})
    return _shown(world, row, 201)


@stations.get("", response_model=list[Station])
async def list_stations(world: TheWorld, dealer_id: PathId, request: Request) -> Response:
    """List a dealer's stations."""
    rows, headers = _page(STATIONS, world, dealer_id, request)
    return JSONResponse([rules.shown_station(row, world.switches) for row in rows], headers=headers)


@stations.get("/{monitoring_station_id}", response_model=Station)
async def get_station(world: TheWorld, dealer_id: PathId, monitoring_station_id: PathId) -> Response:
    """Read one station."""
    return _shown(world, _item(STATIONS, world, dealer_id, monitoring_station_id))


@stations.put("/{monitoring_station_id}", response_model=Station, responses=_BODY, dependencies=HAS_JSON)
async def update_station(
    world: TheWorld, dealer_id: PathId, monitoring_station_id: PathId, body: StationUpdate
) -> Response:
    """Change a station's name or options."""
    world.store.dealer(dealer_id)
    row = rules.update_station(world.store, world.switches, dealer_id, monitoring_station_id, body.given())
    return _shown(world, row)


@stations.delete("/{monitoring_station_id}", status_code=204, responses=_CONFLICT)
async def delete_station(world: TheWorld, dealer_id: PathId, monitoring_station_id: PathId) -> Response:
    """Delete a station."""
    world.store.dealer(dealer_id)
    rules.delete_station(world.store, world.switches, dealer_id, monitoring_station_id)
    if world.switches.delete_answer == "200":
        return JSONResponse({"deleted": True})
    return Response(status_code=int(world.switches.delete_answer))


@sites.post("", status_code=201, response_model=Site, responses=_BODY, dependencies=HAS_JSON)
async def create_site(world: TheWorld, dealer_id: PathId, body: SiteCreate) -> Response:
    """Make a site."""
    world.store.dealer(dealer_id)
    return JSONResponse(rules.create_site(world.store, dealer_id, body.given()), 201)


@sites.get("", response_model=list[Site])
async def list_sites(world: TheWorld, dealer_id: PathId, request: Request) -> Response:
    """List a dealer's sites."""
    rows, headers = _page(SITES, world, dealer_id, request)
    return JSONResponse(rows, headers=headers)


@sites.get("/{site_id}", response_model=Site)
async def get_site(world: TheWorld, dealer_id: PathId, site_id: PathId) -> Response:
    """Read one site."""
    return JSONResponse(_item(SITES, world, dealer_id, site_id))


@sites.put("/{site_id}", response_model=Site, responses=_BODY, dependencies=HAS_JSON)
async def update_site(world: TheWorld, dealer_id: PathId, site_id: PathId, body: SiteUpdate) -> Response:
    """Change a site, its monitoring station included."""
    world.store.dealer(dealer_id)
    return JSONResponse(rules.update_site(world.store, world.switches, dealer_id, site_id, body.given()))


def _page(table: Table, world: World, dealer_id: int, request: Request) -> tuple[list[Row], dict[str, str]]:
    """Give the rows of the page that a request asks for, and its headers."""
    world.store.dealer(dealer_id)
    with world.store.glimpse(world.switches.list_lag):
        rows = world.store.rows(table, dealer_id)
    return cut(rows, world.switches, request.query_params, _url(request))


def _item(table: Table, world: World, dealer_id: int, number: int) -> Row:
    """Give one row as GET sees it."""
    world.store.dealer(dealer_id)
    with world.store.glimpse(world.switches.item_lag):
        return world.store.row(table, dealer_id, number)


def _url(request: Request) -> str:
    """Give a request's address without its query."""
    return str(request.url.replace(query=""))

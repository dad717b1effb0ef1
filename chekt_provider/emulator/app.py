"""The application: routes, and one form for everything that they refuse."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from chekt_provider.emulator.control_routes import control
from chekt_provider.emulator.document import document
from chekt_provider.emulator.page import page
from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.routes import TheWorld, dealers, sites, stations, token


async def _refused(request: Request, refusal: Refusal) -> Response:
    request_id = getattr(request.state, "request_id", "")
    return JSONResponse(refusal.envelope(request_id), refusal.status, refusal.headers)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    """Refuse input that does not fit its shape: 400 when it is not JSON at all, else 422 that names the field."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    if first["type"] == "json_invalid" or (first["type"] == "missing" and not where):
        return await _refused(request, Refusal(400, "the body is not JSON"))
    field = where[0] if where else None
    return await _refused(request, Refusal(422, f"{field or 'body'}: {first['msg']}", field))


async def _no_route(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        refusal = Refusal(
            405, f"{request.method} does not work here", code="method_not_allowed", headers=_allowed(request)
        )
    elif error.status_code == 404:
        refusal = Refusal(404, "there is nothing here")
    else:
        refusal = Refusal(400, "the body cannot be read")
    return await _refused(request, refusal)


def _allowed(request: Request) -> dict[str, str]:
    """Name the methods of every route with this path, not only of the first."""
    asked = {method: {**request.scope, "method": method} for method in ("DELETE", "GET", "PATCH", "POST", "PUT")}
    routes = request.app.routes
    works = [name for name, scope in asked.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)]
    return {"Allow": ", ".join(works)}


APP = FastAPI(
    title="CHeKT Partner API, emulated",
    openapi_url=None,
    redirect_slashes=False,
    generate_unique_id_function=lambda route: route.name,
    exception_handlers={Refusal: _refused, RequestValidationError: _invalid, HTTPException: _no_route},
)
"""One application for all emulators: the gate tells it which world a request belongs to."""

for routes in (token, dealers, stations, sites, control):
    APP.include_router(routes)


@APP.get("/openapi.json", include_in_schema=False)
async def openapi(world: TheWorld) -> Response:
    """Give the OpenAPI document."""
    return JSONResponse(document(APP, world.switches))


@APP.get("/docs", include_in_schema=False)
async def docs(world: TheWorld) -> Response:
    """Give the page."""
    return HTMLResponse(page(document(APP, world.switches), world.switches))

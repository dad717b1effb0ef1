"""The application: routes, and one form for everything that they refuse."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from chekt_provider.emulator.gate import Gate
from chekt_provider.emulator.refusals import Refusal
from chekt_provider.emulator.routes import partner_routes, token_routes
from chekt_provider.emulator.world import World

_METHOD_NOT_ALLOWED = 405


def make_app(world: World) -> ASGIApp:
    """Make the application that serves a world."""
    app = FastAPI(title="CHeKT Partner API, emulated", openapi_url=None, redirect_slashes=False)
    app.include_router(token_routes(world))
    app.include_router(partner_routes(world))
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)
    return Gate(app, world)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)  # noqa: S101: what it is registered for
    request_id = getattr(request.state, "request_id", "")
    return JSONResponse(refusal.envelope(request_id), refusal.status, refusal.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Refuse input that does not fit its shape: 400 when it is not JSON at all, else 422 that names the field."""
    assert isinstance(error, RequestValidationError)  # noqa: S101: what it is registered for
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    if first["type"] == "json_invalid" or (first["type"] == "missing" and not where):
        return await _refused(request, Refusal(400, "bad_request", "the body is not JSON"))
    field = where[0] if where else None
    return await _refused(request, Refusal(422, "validation_failed", f"{field or 'body'}: {first['msg']}", field))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101: what it is registered for
    if error.status_code == _METHOD_NOT_ALLOWED:
        refusal = Refusal(405, "method_not_allowed", f"{request.method} does not work here", headers=_allowed(request))
    elif error.status_code == 404:  # noqa: PLR2004: an HTTP status
        refusal = Refusal(404, "not_found", "there is nothing here")
    else:
        refusal = Refusal(400, "bad_request", "the body cannot be read")
    return await _refused(request, refusal)


def _allowed(request: Request) -> dict[str, str]:
    """Name the methods of every route with this path, not only of the first."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = [route for route in routes if route.path_regex.match(request.url.path)]
    return {"Allow": ", ".join(sorted({method for route in here for method in route.methods or ()}))}

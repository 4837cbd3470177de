"""The gateway as an application of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from metier import __version__
from metier.gateway.bounds import Limits
from metier.gateway.errors import GatewayError, error_response, refusal
from metier.gateway.local import LocalCatalogue
from metier.gateway.routes import gateway_router


def create_app(catalogue: LocalCatalogue, limits: Limits | None = None) -> FastAPI:
    """The application over a catalogue, which it closes with itself."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with catalogue.tended():
            yield

    app = FastAPI(
        title="Métier", version=__version__, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None
    )
    app.include_router(gateway_router(catalogue, limits))
    app.add_api_route("/healthz", _healthy, methods=["GET"])

    async def on_error(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            key = "gateway.no_route" if error.status_code == 404 else "gateway.no_method"
            return error_response(GatewayError(key, status=error.status_code, path=request.url.path[:200]), "")
        return error_response(refusal(error), "")

    for kind in (HTTPException, Exception):
        app.add_exception_handler(kind, on_error)
    return app


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})

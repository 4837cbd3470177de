"""The application of the API. Pages are put beside it by `metier.web`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI

from metier import __version__
from metier.api import health, problems, routes
from metier.api.guard import Guard
from metier.api.texts import whole_texts
from metier.gateway.routes import gateway_router
from metier.workbench.workbench import Workbench

_THREADS = 40


def create_app(workbench: Workbench) -> FastAPI:
    """The API over a workbench, which it starts and closes with itself."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        workbench.start()
        yield
        workbench.close()

    app = FastAPI(
        title="Métier",
        version=__version__,
        lifespan=lifespan,
        dependencies=[Depends(whole_texts)],
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.workbench = workbench
    versioned = APIRouter(prefix="/api/v1")
    for router in routes.routers():
        versioned.include_router(router)
    app.include_router(versioned)
    app.include_router(health.router)
    app.include_router(gateway_router(workbench.gateway), include_in_schema=False)
    problems.register(app)
    app.add_middleware(Guard, settings=workbench.settings, reachable=lambda: not workbench.draining)
    return app

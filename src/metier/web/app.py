"""The workbench in a browser: the API, the pages, and what they are made of."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from metier.api import problems
from metier.api.access import maybe_person
from metier.api.app import create_app
from metier.api.guard import mark
from metier.core.errors import MetierError
from metier.web import pages
from metier.web.render import FOLDER, page, warm
from metier.web.visit import ElsewhereError, elsewhere
from metier.workbench.workbench import Workbench


def build(workbench: Workbench) -> FastAPI:
    """The whole application over a workbench."""
    app = create_app(workbench)
    app.mount("/static", _Static(directory=FOLDER / "static"), name="static")
    for router in pages.routers():
        app.include_router(router, include_in_schema=False)
    _answer_errors(app)
    _settle_routes(app)
    warm()
    return app


def _settle_routes(app: FastAPI) -> None:
    """Has FastAPI work out its routes now: at the first request it would hold up everybody for half a second."""
    scope = {"type": "http", "path": "/", "method": "GET", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(dict(scope))


class _Static(StaticFiles):
    """Files whose addresses change with their content, so that a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _answer_errors(app: FastAPI) -> None:
    """Errors as a page for who asked for a page, as a problem for everybody else."""

    async def on_error(request: Request, error: Exception) -> Response:
        if isinstance(error, ElsewhereError):
            return elsewhere(request, error)
        if not _wants_page(request):
            return await problems.on_error(request, error)
        status = 422 if isinstance(error, RequestValidationError) else problems.status_of(error)
        if status >= 500:
            problems.log_error(request, error)
        text = problems.text_of(error) if not isinstance(error, RequestValidationError) else problems.say_invalid()
        try:
            person = maybe_person(request)
        except (MetierError, SQLAlchemyError):
            person = None
        answer = page(request, "error.html", person, status=status, code=status, message=text)
        answer.headers.update(dict(getattr(error, "headers", None) or {}))
        if status >= 500:
            mark(answer.headers, request.url.path)
        return answer

    kinds = (MetierError, HTTPException, SQLAlchemyError, OSError, RequestValidationError, ElsewhereError, Exception)
    for kind in kinds:
        app.add_exception_handler(kind, on_error)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")

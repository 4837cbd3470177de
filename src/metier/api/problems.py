"""Errors as `application/problem+json` (RFC 9457), in the reader's language."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException

from metier.api.guard import mark
from metier.core.errors import ConfigError, MetierError, UserError
from metier.core.i18n import translate

_log = logging.getLogger("metier.api")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
TYPE = "application/problem+json"


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """An error answer. more: further members, such as `errors`."""
    title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, media_type=TYPE, headers=headers)


def status_of(error: BaseException) -> int:
    """The status for an error of ours."""
    if isinstance(error, HTTPException):
        return error.status_code
    if _is_full(error):
        return 507
    if isinstance(error, DataError):  # such as a NUL in a text, which PostgreSQL does not take
        return 422
    if isinstance(error, SQLAlchemyError) or _is_closed(error):
        return 503
    if isinstance(error, MetierError):
        return int(getattr(error, "status", 422 if isinstance(error, UserError) else 500))
    return 500


def text_of(error: BaseException) -> str:
    """What to tell about an error, in the reader's language."""
    if isinstance(error, MetierError):
        return error.text()
    if _is_full(error):
        return translate("workbench.disk_full")
    if _is_closed(error):
        return translate("workbench.cannot_write")
    if isinstance(error, DataError):
        return translate("api.invalid")
    if isinstance(error, SQLAlchemyError):
        return translate("workbench.store_away")
    if isinstance(error, HTTPException):
        return translate("workbench.not_found") if error.status_code == 404 else str(error.detail)
    return translate("api.unexpected")


def _is_full(error: BaseException) -> bool:
    """Whether there is no space: as the system says it, or as SQLite does."""
    if isinstance(error, SQLAlchemyError):
        return "disk is full" in str(getattr(error, "orig", ""))
    return isinstance(error, OSError) and error.errno in _FULL


def _is_closed(error: BaseException) -> bool:
    """Whether the data folder may not be written any more."""
    if isinstance(error, SQLAlchemyError):
        return "readonly database" in str(getattr(error, "orig", ""))
    return isinstance(error, OSError) and error.errno in _CLOSED


def answer(error: BaseException) -> Response:
    """The answer to an error."""
    headers = dict(getattr(error, "headers", None) or {})
    more: dict[str, Any] = {}
    if isinstance(error, MetierError):
        more["code"] = error.key
        wait = error.fields.get("retry_after_seconds")
        if wait is not None:
            headers["Retry-After"] = str(wait)
        if isinstance(error, ConfigError) and "key" in error.fields:
            # Beside its field, what is wrong says it all; the detail tells where, too.
            message = str(error.fields.get("problem") or error.text())
            more["errors"] = [{"field": str(error.fields["key"]), "message": message}]
    status = status_of(error)
    if status == 503:
        headers.setdefault("Retry-After", "2")
    return problem(status, text_of(error), headers=headers, **more)


def invalid(error: RequestValidationError) -> Response:
    """The answer to a body or query that is not as described: every wrong field, without repeating secrets."""
    errors = [
        {"field": ".".join(str(part) for part in one["loc"] if part not in ("body", "query", "path")),
         "message": str(one["msg"])}
        for one in error.errors()
    ]  # fmt: skip
    return problem(422, translate("api.invalid"), errors=errors)


def log_error(request: Request, error: Exception) -> None:
    """Writes an error of ours into the server's log."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)


def say_invalid() -> str:
    """That some fields are wrong, in the reader's language."""
    return translate("api.invalid")


async def on_error(request: Request, error: Exception) -> Response:
    """Answers any error as a problem; one of ours goes into the log."""
    if isinstance(error, RequestValidationError):
        return invalid(error)
    answered = answer(error)
    if answered.status_code >= 500:
        log_error(request, error)
        mark(answered.headers, request.url.path)  # what nobody expected is answered outside of the guard
    return answered


def register(app: FastAPI) -> None:
    """Lets every error of the API be answered as a problem."""
    for kind in (MetierError, HTTPException, SQLAlchemyError, OSError, RequestValidationError, Exception):
        app.add_exception_handler(kind, on_error)

"""Refusals in OpenAI's shape: what was wrong, with which parameter. Never a trace, a path, a key."""

from __future__ import annotations

import logging
from typing import Any

from starlette.responses import JSONResponse

from metier.core.errors import ConfigError, MetierError, ModelError, UserError
from metier.core.i18n import translate

_log = logging.getLogger("metier.gateway")
_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "server_error",
    502: "server_error",
    503: "server_error",
}
# The body may not have been read to its end, and is not going to be.
_UNREAD = (401, 408, 413, 415)
# What an engine behind us says of itself is for its owner's log; whoever asks learns that it failed, and how to go on.
_ENGINE = {
    "engines.server_busy": (503, "gateway.engine_busy"),
    "engines.server_unreachable": (503, "gateway.engine_away"),
    "engines.server_broke_off": (502, "gateway.engine_broke_off"),
    "engines.model_closed": (503, "gateway.engine_away"),
}

_TOO_LONG = ("engines.prompt_too_long", "rendering.budget", "rendering.budget_pictures")
# Said of a picture that came along, which is named by its size alone, or of messages that the template does not take.
_OF_MESSAGES = ("data.picture_", "rendering.refused")


class GatewayError(UserError):
    """A request that is refused. status: of HTTP; code, param: as OpenAI's errors have them."""

    def __init__(self, key: str, /, *, status: int = 400, code: str | None = None, param: str | None = None,
                 **fields: Any) -> None:  # fmt: skip
        super().__init__(key, **fields)
        self.status = status
        self.code = code
        self.param = param

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.key, {"status": self.status, "code": self.code, "param": self.param, **self.fields})


def _rebuilt(key: str, more: dict[str, Any]) -> GatewayError:
    return GatewayError(key, **more)


def refusal(error: BaseException) -> GatewayError:
    """Any error as one that may be told to who asked; what nobody expected goes into the log."""
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, ModelError):
        _log.warning("an engine failed: %s", error.text("en"))
        status, key = _ENGINE.get(error.key, (502, "gateway.engine_failed"))
        if error.key == "engines.server_refused" and "context" in str(error.fields.get("problem")).lower():
            return GatewayError("gateway.too_long", code="context_length_exceeded", param="messages")
        return GatewayError(key, status=status, code="engine_error")
    if isinstance(error, ConfigError) and error.key in ("engines.no_tools", "engines.no_schema"):
        param = "tools" if error.key == "engines.no_tools" else "response_format"
        return GatewayError(error.key, code="unsupported_parameter", param=param, **error.fields)
    # A model in a process of its own tells what was raised there by its key alone.
    if isinstance(error, UserError) and error.key in _TOO_LONG:
        return GatewayError("gateway.too_long", code="context_length_exceeded", param="messages")
    if isinstance(error, UserError) and error.key.startswith(_OF_MESSAGES):
        return GatewayError(error.key, code="cannot_answer", param="messages", **error.fields)
    status = int(getattr(error, "status", 0))
    if isinstance(error, MetierError) and status in (401, 403, 404, 409, 413, 429, 503):
        return GatewayError(error.key, status=status, **error.fields)
    if isinstance(error, UserError):
        _log.warning("a request could not be answered: %s", error.text("en"))
        return GatewayError("gateway.cannot_answer", status=400, code="cannot_answer")
    _log.error("a request failed", exc_info=error)
    return GatewayError("gateway.unexpected", status=500)


def error_body(error: GatewayError) -> dict[str, Any]:
    """The body that OpenAI's clients read."""
    kind = _KINDS.get(error.status, "invalid_request_error")
    return {"error": {"message": error.text(), "type": kind, "param": error.param, "code": error.code}}


def error_response(error: GatewayError, request_id: str) -> JSONResponse:
    """The answer to a request that is refused."""
    headers = {"x-request-id": request_id, "cache-control": "no-store"}
    if error.status in (429, 503):
        headers["retry-after"] = str(error.fields.get("retry_after_seconds", 2))
    if error.status in _UNREAD:
        headers["connection"] = "close"
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error_body(error), error.status, headers=headers)


def unknown_model(name: str) -> GatewayError:
    """There is none of that name, or it is another's: the same words."""
    known = translate("gateway.see_models")
    return GatewayError("gateway.no_model", status=404, code="model_not_found", param="model", model=name, known=known)

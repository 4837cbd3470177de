"""What stands before every request: whose name it calls, where it comes from, how large it is, and what its answer
may do in a browser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from metier.core.i18n import translate, use_language
from metier.workbench.settings import LOOPBACK, WorkbenchSettings

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'self'; "
    "manifest-src 'self'"
)
COOKIE = "metier"
LANGUAGE_COOKIE = "metier_language"
_SAFE = ("GET", "HEAD", "OPTIONS")
_BODY_BYTES = 2_000_000  # of a request that is not an upload
GATEWAY = "/v1/"  # bounds its bodies itself, and says so in its own shape
_UPLOADS = re.compile(r"/api/v1/(?:uploads.*|pictures|findings/uploads|knowledge/[^/]+/documents)")


class Guard:
    """ASGI middleware. reachable: whether the workbench still takes requests."""

    def __init__(self, app: ASGIApp, settings: WorkbenchSettings, reachable: Callable[[], bool]) -> None:
        self.app = app
        self.settings = settings
        self.reachable = reachable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        use_language(_language(headers))
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        limit = None if is_upload(scope["path"]) or scope["path"].startswith(GATEWAY) else _BODY_BYTES
        started = False

        async def counted() -> Message:
            nonlocal limit
            message = await receive()
            if limit is not None and message["type"] == "http.request":
                limit -= len(message.get("body", b""))
                if limit < 0:
                    raise _TooLargeError
            return message

        async def marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                mark(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            await self.app(scope, counted, marked)
        except _TooLargeError:
            if not started:
                await _refuse(send, 413, "workbench.body_too_large", {"most": _BODY_BYTES})

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, dict[str, Any]] | None:
        host = headers.get("host", "")
        if not self._knows(host):
            return 400, "workbench.bad_host", {}
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return 404, "workbench.not_found", {}  # no name has it, and PostgreSQL takes no text with it
        if not self.reachable() and scope["path"] not in ("/healthz", "/metrics"):
            return 503, "workbench.draining", {}
        if headers.get("content-encoding", "identity") != "identity":
            return 415, "workbench.wrong_content_type", {}
        length = headers.get("content-length", "")
        if length.isdigit() and not scope["path"].startswith(GATEWAY):
            most = self.settings.upload_bytes if is_upload(scope["path"]) else _BODY_BYTES
            if int(length) > most:
                return 413, "workbench.body_too_large", {"most": most}
        origin = headers.get("origin")
        # A key in the header cannot be sent by a foreign page; a cookie can.
        by_key = headers.get("authorization", "").startswith("Bearer ")
        if origin is not None and not by_key and urlsplit(origin).netloc != host:
            unsafe = scope["method"] not in _SAFE or headers.get("accept", "").startswith("text/event-stream")
            if unsafe:
                return 403, "workbench.foreign_origin", {}
        site = headers.get("sec-fetch-site", "same-origin")
        if scope["method"] not in _SAFE and not by_key and site not in ("same-origin", "none"):
            return 403, "workbench.foreign_origin", {}
        return None

    def _knows(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if not name or any(mark in host for mark in "/?#@\\ "):
            return False
        known = {*LOOPBACK, self.settings.host, *(one.lower() for one in self.settings.hosts)}
        return name in known


def mark(headers: MutableHeaders, path: str) -> None:
    """Headers of every answer. A route that has set its own policy keeps it."""
    headers.setdefault("content-security-policy", CONTENT_POLICY)
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "same-origin")
    headers.setdefault("cross-origin-opener-policy", "same-origin")
    headers.setdefault("cross-origin-resource-policy", "same-origin")
    headers.setdefault("permissions-policy", "camera=(), geolocation=(), microphone=()")
    if not path.startswith("/static/"):
        headers.setdefault("cache-control", "no-store")


def is_upload(path: str) -> bool:
    """Whether a request's body is a file, which is taken in piece by piece."""
    return _UPLOADS.fullmatch(path) is not None


class _TooLargeError(Exception):
    pass


def _language(headers: Headers) -> Any:
    """The language of the cookie, else the first of the browser's that we have."""
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == LANGUAGE_COOKIE and value in ("en", "zh"):
            return value
    for part in headers.get("accept-language", "").split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag[:2] in ("en", "zh"):
            return tag[:2]
    return "en"


async def _refuse(send: Send, status: int, key: str, fields: dict[str, Any]) -> None:
    body = {"type": "about:blank", "title": "RefusedError", "status": status, "detail": translate(key, **fields)}
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", CONTENT_POLICY.encode()),
        (b"referrer-policy", b"same-origin"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"2"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})

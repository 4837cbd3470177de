"""One answer on its way to a client: begun, sent as it grows or as a whole, and stopped when the client hangs up."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from metier.gateway.catalogue import Piece
from metier.gateway.errors import GatewayError, error_body, error_response, refusal
from metier.gateway.writing import Writer

_log = logging.getLogger("metier.gateway")
_CHECK_SECONDS = 20.0  # how often it is made sure that who asked still may
_UNREAD_SECONDS = 60.0  # how long a client may leave what it was sent unread: it holds a model's time meanwhile

# Opens what answers, and gives its pieces: everything that has to be closed again stands inside.
Pieces = AbstractAsyncContextManager[AsyncGenerator[Sequence[Piece], None]]


class Reply(Response):
    """Answers with what `begin` gives.

    Nothing is sent before the first piece, so that what goes wrong until then is an error with a status of its own;
    what goes wrong later ends the stream with an error event. When the client hangs up or reads no more, or `may_go_on`
    raises a GatewayError as its key is no more, all of it is cancelled, which stops generation.
    """

    def __init__(
        self,
        begin: Callable[[], Pieces],
        writer: Writer,
        may_go_on: Callable[[], Awaitable[object]],
        *,
        stream: bool,
        request_id: str,
    ) -> None:
        super().__init__()
        self._begin = begin
        self._may_go_on = may_go_on
        self._writer = writer
        self._stream = stream
        self._request_id = request_id
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.ensure_future(self._work(scope, receive, send))
        watch = asyncio.ensure_future(_hung_up(receive))
        check = asyncio.ensure_future(self._forbidden())
        try:
            await asyncio.wait((work, watch, check), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            check.cancel()
            if not work.done():
                work.cancel()
            await asyncio.wait((work,))
        if work.cancelled() and check.done() and not check.cancelled():
            await self._end_with(check.result(), scope, receive, send)
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._begin() as pieces, aclosing(pieces):
                await (self._send_events(pieces, send) if self._stream else self._send_whole(pieces, scope, send))
        except _UnreadError:
            _log.info("an answer was not read for %d s: given up", _UNREAD_SECONDS)  # there is nobody to tell
        except Exception as error:  # the boundary of an answer: what went wrong in it becomes its end
            await self._end_with(refusal(error), scope, receive, send)

    async def _end_with(self, told: GatewayError, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._started:
            await error_response(told, self._request_id)(scope, receive, send)
            return
        event = b"data: " + json.dumps(error_body(told)).encode() + b"\n\n"
        await send({"type": "http.response.body", "body": event})

    async def _forbidden(self) -> GatewayError:
        """Returns once the answer may not go on."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            try:
                await self._may_go_on()
            except GatewayError as error:
                return error
            except Exception:
                _log.warning("a key could not be looked up again", exc_info=True)  # that is no reason to break off

    async def _send_events(self, pieces: AsyncGenerator[Sequence[Piece], None], send: Send) -> None:
        writer = self._writer
        async for some in pieces:
            body = writer.events(some)
            if not self._started:
                await self._start(send, b"text/event-stream; charset=utf-8")
                body = writer.opening() + body
            if body:
                await _hand_over(body, send)
        await send({"type": "http.response.body", "body": b""})

    async def _send_whole(self, pieces: AsyncGenerator[Sequence[Piece], None], scope: Scope, send: Send) -> None:
        async for some in pieces:
            self._writer.gather(some)
        body = json.dumps(self._writer.whole(), ensure_ascii=False).encode("utf-8", "replace")
        await self._start(send, b"application/json", (b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.body", "body": body})

    async def _start(self, send: Send, kind: bytes, *more: tuple[bytes, bytes]) -> None:
        self._started = True
        headers = [
            (b"content-type", kind),
            (b"cache-control", b"no-store"),
            (b"x-request-id", self._request_id.encode()),
            (b"x-accel-buffering", b"no"),
            *more,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class _UnreadError(Exception):
    """The client is there, and reads nothing."""


async def _hand_over(body: bytes, send: Send) -> None:
    """More of an answer. Waits while the client has much to read still. Raises _UnreadError in the end."""
    try:
        async with asyncio.timeout(_UNREAD_SECONDS):
            await send({"type": "http.response.body", "body": body, "more_body": True})
    except TimeoutError:
        raise _UnreadError from None


async def _hung_up(receive: Receive) -> None:
    """Returns when the client has gone."""
    message: Any = None
    while message is None or message["type"] != "http.disconnect":
        message = await receive()

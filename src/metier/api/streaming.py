"""Answers that stay open: as many at once as one account may have, counted until the last byte or the reader's end."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from metier.workbench.accounts import Person
from metier.workbench.streams import Streams


class CountedStream(StreamingResponse):
    """Server-Sent Events of somebody. Raises TooManyError where they have too many open."""

    def __init__(self, streams: Streams, owner: Person, content: AsyncIterator[str]) -> None:
        streams.check(owner)
        super().__init__(
            content,
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )
        self.streams = streams
        self.owner = owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.streams.open(self.owner):
            await super().__call__(scope, receive, send)

"""Models that are loaded when they are asked, shared by all that ask, and let go of when nobody does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from metier.engines.chatmodel import ChatModel

_log = logging.getLogger("metier.gateway")
Opener = Callable[[], ChatModel]


@dataclass(eq=False)
class _Place:
    """One model. loading: while it is; users: answers that hold it now; since: when the last one ended."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    model: ChatModel | None = None
    loading: asyncio.Task[ChatModel] | None = None
    users: int = 0
    since: float = field(default_factory=time.monotonic)


class ModelShelf:
    """Models by key. idle_seconds: how long one stays loaded that nobody asks."""

    def __init__(self, idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        self._places: dict[str, _Place] = {}

    @property
    def loaded(self) -> list[str]:
        """Keys of what is loaded."""
        return [key for key, place in self._places.items() if place.model is not None]

    @asynccontextmanager
    async def held(self, key: str, opener: Opener) -> AsyncIterator[ChatModel]:
        """A model, loaded if it is not (in a thread; others wait for the same loading) and kept while it is held."""
        place = self._places.setdefault(key, _Place())
        place.users += 1
        try:
            model = place.model
            if model is None:
                # Loading goes on to its end when who asked leaves: whoever asks next finds it.
                place.loading = place.loading or asyncio.create_task(_load(place, opener))
                model = await asyncio.shield(place.loading)
            yield model
        finally:
            place.users -= 1
            place.since = time.monotonic()

    def peek(self, key: str) -> ChatModel | None:
        """A model, if it is loaded."""
        place = self._places.get(key)
        return place.model if place is not None else None

    async def tend(self) -> None:
        """Lets go of what is idle, for ever."""
        while True:
            await asyncio.sleep(min(5.0, max(0.05, self.idle_seconds / 4)))
            await self.let_go_idle()

    async def let_go_idle(self) -> None:
        """Closes what nobody has asked for long enough."""
        for key, place in list(self._places.items()):
            if place.model is None or place.users or time.monotonic() - place.since < self.idle_seconds:
                continue
            async with place.lock:
                if not place.users:
                    model, place.model = place.model, None
                    await model.close()
                    _log.info("unloaded %s", key)

    async def close(self) -> None:
        """Closes everything."""
        for place in self._places.values():
            if place.loading is not None:
                await asyncio.wait([place.loading])
            model, place.model = place.model, None
            if model is not None:
                await model.close()


async def _load(place: _Place, opener: Opener) -> ChatModel:
    try:
        async with place.lock:
            place.model = await asyncio.to_thread(opener)
            return place.model
    finally:
        place.loading = None
        place.since = time.monotonic()

"""Vectors from an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from metier.core.errors import ModelError
from metier.knowledge.index import Vectors

if TYPE_CHECKING:
    from metier.engines.server import ServerChatModel

T = TypeVar("T")

_BATCH = 64  # texts a request
_SECONDS = 120.0  # of a request, however slowly its answer comes
_QUERY_SECONDS = 15.0  # the same while somebody waits for what a search finds


class ServerEmbedder:
    """address: of the server, behind `#` the model's name; key: sent to it, or what tells that each time; local:
    whether it may be of here."""

    def __init__(self, address: str, key: str | Callable[[], str] = "", *, local: bool = False) -> None:
        self.name = address
        self._key = key
        self._local = local
        self._width = 0
        self._server()  # a bad address is told at once

    @property
    def width(self) -> int:
        return self._width or len(self.embed_query("?"))

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._embedded(list(texts), _SECONDS)
        return vectors

    def embed_query(self, text: str) -> Sequence[float]:
        vector: Sequence[float] = self._embedded([text], _QUERY_SECONDS)[0]
        return vector

    def _embedded(self, texts: list[str], seconds: float) -> Any:
        import numpy as np

        async def ask() -> list[list[float]]:
            server = self._server()
            try:
                found: list[list[float]] = []
                for start in range(0, len(texts), _BATCH):
                    async with asyncio.timeout(seconds):
                        found += (await server.embed(texts[start : start + _BATCH]))[0]
                return found
            except TimeoutError as error:
                raise ModelError("knowledge.embeddings_slow", address=server.base, seconds=round(seconds)) from error
            finally:
                await server.close()

        vectors = _array(_finished(ask()), self.name)
        self._width = vectors.shape[1]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def _server(self) -> ServerChatModel:
        from metier.engines.server import ServerChatModel

        address, _, model = self.name.partition("#")
        key = self._key if isinstance(self._key, str) else self._key()
        return ServerChatModel(address, key, model, local=self._local)


def _array(rows: list[list[float]], address: str) -> Any:
    """Rows as an array. Raises ModelError where they are no vectors of one width."""
    import numpy as np

    if len({len(row) for row in rows}) > 1 or (rows and not rows[0]):
        raise ModelError("engines.server_not_understood", address=address)
    vectors = np.asarray(rows, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise ModelError("engines.server_not_understood", address=address)
    return vectors


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end in a thread of its own: the caller may be inside of an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()

"""Vectors from an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from metier.knowledge.index import Vectors

if TYPE_CHECKING:
    from metier.engines.server import ServerChatModel

T = TypeVar("T")

_BATCH = 64  # texts a request


class ServerEmbedder:
    """address: of the server, behind `#` the model's name; key: sent to it; local: whether it may be of here."""

    def __init__(self, address: str, key: str = "", *, local: bool = False) -> None:
        self.name = address
        self._key = key
        self._local = local
        self._width = 0
        self._server()  # a bad address is told at once

    @property
    def width(self) -> int:
        return self._width or len(self.embed_query("?"))

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._embedded(list(texts))
        return vectors

    def embed_query(self, text: str) -> Sequence[float]:
        vector: Sequence[float] = self._embedded([text])[0]
        return vector

    def _embedded(self, texts: list[str]) -> Any:
        import numpy as np

        async def ask() -> list[list[float]]:
            server = self._server()
            try:
                found: list[list[float]] = []
                for start in range(0, len(texts), _BATCH):
                    found += (await server.embed(texts[start : start + _BATCH]))[0]
                return found
            finally:
                await server.close()

        vectors = np.asarray(_finished(ask()), dtype=np.float32).reshape(len(texts), -1)
        self._width = vectors.shape[1]
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def _server(self) -> ServerChatModel:
        from metier.engines.server import ServerChatModel

        address, _, model = self.name.partition("#")
        return ServerChatModel(address, self._key, model, local=self._local)


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end in a thread of its own: the caller may be inside of an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()

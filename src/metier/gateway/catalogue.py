"""Who may ask, and what is behind a name: the seam between the protocol and what serves it.

`metier serve` has a catalogue of what its command line names, the workbench one of what an owner has.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from metier.engines.chatmodel import Delta, Request
from metier.engines.sampling import Sampling

# Where nothing else is said: lively, but not wild.
PLAIN_SAMPLING = Sampling(temperature=0.7, top_p=0.95, top_k=0, max_new_tokens=1024)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A name that can be asked. created: seconds since 1970; context_length: None where it is not known yet."""

    id: str
    created: int
    owned_by: str = "metier"
    kind: str = "chat"
    title: str = ""
    context_length: int | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """What an answer rests on. annotations: as OpenAI's messages have them; details: version, notices, steps, …"""

    annotations: tuple[dict[str, Any], ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


Piece = Delta | Cited


class Served(Protocol):
    """What answers for a name."""

    @property
    def sampling(self) -> Sampling:
        """How it answers where the request does not say."""

    @property
    def context_length(self) -> int | None:
        """Tokens of prompt and answer together, None where it is not known."""

    def stream(self, request: Request) -> AsyncGenerator[Sequence[Piece], None]:
        """The answer: pieces as they come, several where they came at once, the last one a delta of kind `end`.
        Closing it stops generation."""


@runtime_checkable
class Embeds(Protocol):
    """What turns texts into vectors for a name."""

    async def embed(self, texts: Sequence[str]) -> tuple[Sequence[Sequence[float]], int]:
        """A vector a text, and how many tokens that took."""


class Catalogue(Protocol):
    """What can be asked, by whom."""

    async def caller(self, key: str) -> str:
        """The id of whose key this is. Raises an error with status 401 for an unknown one."""

    async def cards(self, caller: str) -> Sequence[ModelCard]:
        """What a caller may ask, and nothing of others."""

    def open(self, caller: str, name: str) -> AbstractAsyncContextManager[Served]:
        """What answers for a name, loaded while it is held. Raises GatewayError 404 (`unknown_model`) for what is not
        there, or not the caller's."""

    def embedder(self, caller: str, name: str) -> AbstractAsyncContextManager[Embeds]:
        """What embeds for a name. Raises as `open` does."""

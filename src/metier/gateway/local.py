"""What `metier serve` serves: specialists of this machine's user, and plain models, behind one key."""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metier.core.i18n import current_language
from metier.engines.chatmodel import ChatModel
from metier.engines.sharing import SharedBase
from metier.gateway.catalogue import Embeds, ModelCard, Served
from metier.gateway.errors import GatewayError, unknown_model
from metier.gateway.serving import ServedEmbedder, ServedModel, ServedSpecialist
from metier.gateway.shelf import ModelShelf
from metier.specialists.opening import open_knowledge
from metier.specialists.spec import Specialist

if TYPE_CHECKING:
    from metier.knowledge.library import Library

CALLER = "local"  # one key, one caller


@dataclass(frozen=True, slots=True)
class Offer:
    """A name that is served. plain: the model of `specialist` by itself, without prompt, knowledge and rules."""

    specialist: Specialist
    version: str = ""
    plain: bool = False


class LocalCatalogue:
    """Offers by name, behind one key. library, owner: where the specialists' knowledge is; keys: by name, for servers
    that models are behind; embedders: names that embed, as `open_embedder` takes them."""

    def __init__(
        self,
        offers: Mapping[str, Offer],
        key: str,
        *,
        library: Library,
        owner: str = CALLER,
        idle_seconds: float = 900.0,
        keys: Mapping[str, str] | None = None,
        embedders: Sequence[str] = (),
    ) -> None:
        self.offers = dict(offers)
        self.shelf = ModelShelf(idle_seconds)
        self.key = key
        self._library = library
        self._embedders = {name: ServedEmbedder(name) for name in embedders}
        self._owner = owner
        self._keys = os.environ if keys is None else keys
        self._created = int(time.time())
        self._bases = {name: SharedBase(name) for name in _shared_bases(self.offers.values())}

    async def caller(self, key: str) -> str:
        if not hmac.compare_digest(key.encode("utf-8", "replace"), self.key.encode()):
            said = "gateway.wrong_key" if key else "gateway.needs_key"
            raise GatewayError(said, status=401, code="invalid_api_key")
        return CALLER

    async def cards(self, caller: str) -> Sequence[ModelCard]:
        embedding = [ModelCard(name, self._created, kind="embedding") for name in self._embedders]
        return [self._card(name, offer) for name, offer in self.offers.items()] + embedding

    @asynccontextmanager
    async def open(self, caller: str, name: str) -> AsyncIterator[Served]:
        offer = self._offer(name)
        async with self.shelf.held(_key_of(offer.specialist), lambda: self._load(offer.specialist)) as model:
            if offer.plain:
                yield ServedModel(model)
                return
            opened = await asyncio.to_thread(open_knowledge, offer.specialist, self._library, self._owner)
            yield ServedSpecialist(offer.specialist, offer.version, model, opened.bases)

    @asynccontextmanager
    async def embedder(self, caller: str, name: str) -> AsyncIterator[Embeds]:
        if name in self._embedders:
            yield self._embedders[name]
            return
        offer = self._offer(name)
        async with self.shelf.held(_key_of(offer.specialist), lambda: self._load(offer.specialist)) as model:
            if not (offer.plain and isinstance(model, Embeds)):
                raise GatewayError("gateway.no_embeddings", param="model", model=name)
            yield model

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        """Lets go of idle models meanwhile, and of all at the end."""
        tending = asyncio.create_task(self.shelf.tend())
        try:
            yield
        finally:
            tending.cancel()
            with suppress(asyncio.CancelledError):
                await tending
            await self.shelf.close()

    def _offer(self, name: str) -> Offer:
        if name not in self.offers:
            raise unknown_model(name)
        return self.offers[name]

    def _load(self, specialist: Specialist) -> ChatModel:
        from metier.engines.opening import open_chat_model

        if specialist.server is None and specialist.model_name_or_path in self._bases:
            return self._bases[specialist.model_name_or_path].open(specialist.adapter_name_or_path)
        return open_chat_model(specialist, keys=self._keys, local=True)

    def _card(self, name: str, offer: Offer) -> ModelCard:
        title = offer.specialist.title
        shown = getattr(title, current_language()) or title.en or title.zh
        model = self.shelf.peek(_key_of(offer.specialist))
        kind = "model" if offer.plain else "specialist"
        length = model.context_length if model is not None else None
        return ModelCard(name, self._created, kind=kind, title=shown, context_length=length)


def _shared_bases(offers: Iterable[Offer]) -> set[str]:
    """Bases that several adapters, or an adapter and the base itself, are served over."""
    over: dict[str, set[str]] = {}
    for offer in offers:
        one = offer.specialist
        if one.server is None:
            over.setdefault(one.model_name_or_path, set()).add(one.adapter_name_or_path or "")
    return {name for name, adapters in over.items() if len(adapters) > 1}


def _key_of(specialist: Specialist) -> str:
    """What specialists with the same model have in common."""
    if specialist.server is not None:
        server = specialist.server
        return f"{server.address} {server.model} {server.api_key} {server.context_length}"
    return f"{specialist.model_name_or_path} {specialist.adapter_name_or_path or ''}"

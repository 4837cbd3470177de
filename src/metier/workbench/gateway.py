"""What an account's programs may ask over OpenAI's protocol: its specialists, and the models that it may chat with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from metier.core.errors import UserError
from metier.core.i18n import current_language
from metier.gateway.catalogue import Embeds, ModelCard, Served
from metier.gateway.errors import GatewayError, unknown_model
from metier.gateway.serving import ServedModel, ServedSpecialist
from metier.specialists.evidence import Evidence
from metier.workbench.accounts import Accounts, Person
from metier.workbench.assistants import Assistants
from metier.workbench.chatmodels import ChatModels
from metier.workbench.embedders import Embedders, HostedEmbedder
from metier.workbench.errors import NotFoundError
from metier.workbench.hostmodel import HostChatModel

if TYPE_CHECKING:
    from metier.specialists.store import StoredSpecialist


class _Embeds:
    """An embedder of the workbench as the protocol asks it."""

    def __init__(self, embedder: HostedEmbedder) -> None:
        self._embedder = embedder

    async def embed(self, texts: Sequence[str]) -> tuple[Sequence[Sequence[float]], int]:
        return await asyncio.to_thread(self._embedder.embed_counted, texts)


class WorkbenchCatalogue:
    """Everything is its owner's: a name of somebody else's is as unknown as one that nobody has. site: where the
    addresses of citations begin."""

    def __init__(
        self, accounts: Accounts, assistants: Assistants, models: ChatModels, site: str, embedders: Embedders
    ) -> None:
        self.accounts = accounts
        self.embedders = embedders
        self.assistants = assistants
        self.models = models
        self.hosts = assistants.writers.hosts
        self.site = site
        self._people: dict[str, Person] = {}  # whose key was seen

    async def caller(self, key: str) -> str:
        person = await asyncio.to_thread(self.accounts.person_of_key, key) if key else None
        if person is None:
            raise GatewayError("gateway.wrong_key" if key else "gateway.needs_key", status=401, code="invalid_api_key")
        self._people[person.id] = person
        return person.id

    async def cards(self, caller: str) -> Sequence[ModelCard]:
        return await asyncio.to_thread(self._cards, self._people[caller])

    @asynccontextmanager
    async def open(self, caller: str, name: str) -> AsyncIterator[Served]:
        """A specialist by its name, or by `name@version`; a model by the name that chats have for it.

        A specialist's model is loaded if a device is free; else it answers in quotations, where its rules allow that.
        """
        person = self._people[caller]
        stored = await asyncio.to_thread(self._specialist, person, name)
        if stored is None:
            yield ServedModel(await self._plain(person, name))
            return
        specialist = stored.specialist
        knowledge = await asyncio.to_thread(self.assistants.bases, person, specialist.knowledge)
        async with self.assistants.writers.opened(person, specialist, load=True) as model:
            absent = None
            if model is None:
                absent = await asyncio.to_thread(self.assistants.specialists.missing, person, specialist)
            yield ServedSpecialist(specialist, stored.version, model, knowledge, self._address, absent)

    @asynccontextmanager
    async def embedder(self, caller: str, name: str) -> AsyncIterator[Embeds]:
        """A model that makes vectors, in the process beside the server. Those that write do not."""
        if name in self.embedders.here():
            yield _Embeds(self.embedders.served(name))
            return
        if name not in {card.id for card in await self.cards(caller)}:
            raise unknown_model(name)
        raise GatewayError("gateway.no_embeddings", param="model", model=name)

    def _cards(self, person: Person) -> list[ModelCard]:
        language = current_language()
        cards = []
        for stored in self.assistants.specialists.list(person):
            title = getattr(stored.specialist.title, language) or stored.specialist.title.en
            created = int(stored.created.timestamp()) if stored.created else 0
            cards.append(ModelCard(stored.specialist.name, created, kind="specialist", title=title))
        taken = {card.id for card in cards}
        for one in self.models.choices(person):
            if one.here and one.reference not in taken:
                cards.append(ModelCard(one.reference, 0, kind="model", title=one.title))
        return cards + [ModelCard(name, 0, kind="embedding") for name in self.embedders.here() if name not in taken]

    def _specialist(self, person: Person, name: str) -> StoredSpecialist | None:
        name, _, version = name.partition("@")
        if name.startswith("run:"):
            return None
        try:
            return self.assistants.specialists.get(person, name, version or None)
        except NotFoundError:
            return None

    async def _plain(self, person: Person, name: str) -> HostChatModel:
        """A model by itself, loaded in place of what the account had loaded."""
        try:
            weights = await asyncio.to_thread(self.models.weights, person, name)
        except UserError as error:
            raise unknown_model(name) from error
        host = self.hosts.of(person)
        if host is None or not host.is_live or name not in host.references:
            host = await asyncio.to_thread(self.hosts.load, person, {"left": weights})
        side = next(side for side, one in host.weights.items() if one.reference == name)
        model = HostChatModel(host, side)
        await model.ready()
        return model

    def _address(self, evidence: Evidence) -> str:
        """The page on which a cited passage stands, its words marked."""
        passage = evidence.passage
        if passage is None:
            return f"metier:{evidence.kind}/{evidence.number}"
        place = urlencode({"start": passage.start, "end": passage.end})
        return f"{self.site}/knowledge/{quote(evidence.base, safe='')}/{quote(passage.document, safe='')}?{place}"

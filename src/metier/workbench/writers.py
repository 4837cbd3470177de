"""What writes a specialist's answers: a model loaded for its owner, one behind a server, or nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from metier.core.errors import MetierError, UserError
from metier.engines.chatmodel import ChatModel
from metier.specialists.spec import Specialist
from metier.workbench.accounts import Person
from metier.workbench.chathosts import ChatHosts
from metier.workbench.chatprocess import ChatHost
from metier.workbench.errors import ConflictError
from metier.workbench.hostmodel import HostChatModel
from metier.workbench.secrets import Secrets
from metier.workbench.specialists import OwnSpecialists, reference_of


class Writers:
    """Opens models. local: whether servers may stand on this machine and in its network."""

    def __init__(self, specialists: OwnSpecialists, hosts: ChatHosts, secrets: Secrets, *, local: bool) -> None:
        self.specialists = specialists
        self.hosts = hosts
        self.secrets = secrets
        self.local = local

    @asynccontextmanager
    async def opened(
        self, owner: Person, specialist: Specialist, *, bare: bool = False, load: bool = False
    ) -> AsyncIterator[ChatModel | None]:
        """The model while it is used, ready to answer; None where there is none and the answer must do without.

        bare: the base model, without what a run has taught; load: load it where a device is free.
        """
        if specialist.server is not None:
            model = await asyncio.to_thread(self._behind_server, owner, specialist)
            try:
                yield model
            finally:
                await model.close()
            return
        found = await asyncio.to_thread(self._loaded, owner, specialist, bare, load)
        if found is not None:
            try:
                await found.ready()
            except MetierError:
                if specialist.rules.quote == "never":
                    raise
                found = None  # it cannot be loaded here: the answer is made of quotations
        yield found

    def load(self, owner: Person, specialist: Specialist, *, bare: bool = False, wait: bool = False) -> ChatHost:
        """Loads a specialist's model, in place of what the owner had loaded. bare: its base model too."""
        return self.hosts.load(owner, self.specialists.weights(owner, specialist, bare=bare), wait=wait)

    def _behind_server(self, owner: Person, specialist: Specialist) -> ChatModel:
        from metier.engines.opening import open_chat_model

        return open_chat_model(specialist, keys=self.secrets.for_servers(owner), local=self.local)

    def _loaded(self, owner: Person, specialist: Specialist, bare: bool, load: bool) -> HostChatModel | None:
        host = self.hosts.of(owner)
        live = host is not None and host.is_live
        if not live and not load:
            return None
        try:
            reference = self._reference(owner, specialist, bare)
            found = _side(host, reference) if host is not None and live else None
            if found is None and load:
                host = self.load(owner, specialist)
                found = _side(host, reference)
        except UserError as error:
            # Its run has been removed, or the device is taken: the answer does without, where that is allowed.
            if specialist.rules.quote == "never" and isinstance(error, ConflictError):
                raise
            return None
        return found

    def _reference(self, owner: Person, specialist: Specialist, bare: bool) -> str:
        if not bare:
            return reference_of(specialist)
        return list(self.specialists.weights(owner, specialist, bare=True).values())[-1].reference


def _side(host: ChatHost, reference: str) -> HostChatModel | None:
    """The side of a host that has a model."""
    side = next((side for side, one in host.weights.items() if one.reference == reference), None)
    return HostChatModel(host, side) if side is not None else None

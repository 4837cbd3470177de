"""The specialists of an account: shipped ones and its own, each version kept, checked before it is stored."""

from __future__ import annotations

import re
from dataclasses import replace

from metier.core.errors import ConfigError, MetierError
from metier.specialists.spec import Specialist
from metier.specialists.store import Specialists, StoredSpecialist
from metier.workbench.accounts import Person
from metier.workbench.chatmodels import ChatModels, Weights
from metier.workbench.errors import NotFoundError

_RUN = re.compile(r"run:([0-9a-f]{16})")
_ABSENT = ("specialists.unknown", "specialists.unknown_version")


class OwnSpecialists:
    """Specialists for their owner. store: where they are kept; models: what they may be made of."""

    def __init__(self, store: Specialists, models: ChatModels) -> None:
        self.store = store
        self.models = models

    def list(self, owner: Person) -> tuple[StoredSpecialist, ...]:
        """The newest version of each, the shipped ones included, by name."""
        return self.store.list(owner.id)

    def get(self, owner: Person, name: str, version: str | None = None) -> StoredSpecialist:
        """A specialist, the newest version where none is named. Raises NotFoundError."""
        try:
            return self.store.get(owner.id, name, version)
        except ConfigError as error:
            raise _absent(error) from error

    def versions(self, owner: Person, name: str) -> tuple[StoredSpecialist, ...]:
        """All versions, the newest first. Raises NotFoundError."""
        self.get(owner, name)
        return self.store.versions(owner.id, name)

    def create(self, owner: Person, specialist: Specialist) -> StoredSpecialist:
        """A new specialist. Raises what is wrong with its model or tools, or that its name is taken."""
        self._check(owner, specialist)
        return self.store.create(owner.id, specialist)

    def edit(self, owner: Person, specialist: Specialist) -> StoredSpecialist:
        """A new version; of a shipped one it makes one's own. The same as the newest makes none."""
        self.get(owner, specialist.name)
        self._check(owner, specialist)
        return self.store.edit(owner.id, specialist)

    def restore(self, owner: Person, name: str, version: str | None) -> StoredSpecialist:
        """An earlier version again, as the newest one. Raises NotFoundError, or what is wrong with its model now."""
        stored = self.get(owner, name, version)
        self._check(owner, stored.specialist)
        # What a run has trained stays what that run has trained.
        origin = replace(stored.origin, version=stored.version)
        return self.store.edit(owner.id, stored.specialist, origin)

    def remove(self, owner: Person, name: str) -> None:
        """Forgets all of one's own versions. Raises NotFoundError, or ConfigError for a shipped one."""
        try:
            self.store.remove(owner.id, name)
        except ConfigError as error:
            raise _absent(error) from error

    def made_of(self, owner: Person) -> dict[str, tuple[StoredSpecialist, ...]]:
        """Which specialists answer with what a run has trained: its id → them, in their newest versions."""
        found: dict[str, tuple[StoredSpecialist, ...]] = {}
        for stored in self.list(owner):
            specialist = stored.specialist
            run = _RUN.match(reference_of(specialist))
            if run is not None and specialist.server is None:
                found[run[1]] = (*found.get(run[1], ()), stored)
        return found

    def missing(self, owner: Person, specialist: Specialist) -> MetierError | None:
        """Why the model of a specialist is not there any more: the run that trained it has been removed."""
        reference = reference_of(specialist)
        if specialist.server is not None or not _RUN.match(reference):
            return None
        try:
            self.models.weights(owner, reference, verify=False)
        except NotFoundError:
            return NotFoundError("workbench.specialist_lost_run", name=specialist.name, run=reference)
        return None

    def weights(self, owner: Person, specialist: Specialist, *, bare: bool = False) -> dict[str, Weights]:
        """What is loaded for a specialist, side → weights. bare: its base model too, as it is without it."""
        if (missing := self.missing(owner, specialist)) is not None:
            raise missing
        left = self.models.weights(owner, reference_of(specialist), verify=False)
        if not bare:
            return {"left": left}
        base = left if left.adapter is None else self.models.weights(owner, left.model, verify=False)
        return {"left": left, "right": base}

    def _check(self, owner: Person, specialist: Specialist) -> None:
        from metier.specialists.tools import TOOLS

        for tool in specialist.tools:
            TOOLS.get(tool)
        if specialist.server is None:
            self.models.weights(owner, reference_of(specialist), verify=False)


def reference_of(specialist: Specialist) -> str:
    """How the model of a specialist is named to `ChatModels`."""
    return specialist.adapter_name_or_path or specialist.model_name_or_path


def _absent(error: ConfigError) -> Exception:
    return NotFoundError("workbench.not_found") if error.key in _ABSENT else error

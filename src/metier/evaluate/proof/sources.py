"""Where a proof has its specialist, documents and models from. The workbench has its own: those of an owner."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from metier.core.errors import DataError
from metier.core.settings import settings
from metier.engines.chatmodel import ChatModel
from metier.evaluate.proof.spec import ProofSpec
from metier.knowledge.library import LOCAL, Library
from metier.specialists.spec import ServerModel, Specialist

if TYPE_CHECKING:
    from metier.specialists.tools import Searchable


class Sources(Protocol):
    """What a proof asks for."""

    def specialist(self, name: str) -> tuple[Specialist, str]:
        """A specialist and its version."""

    def knowledge(self, names: Sequence[str]) -> Mapping[str, Searchable]:
        """Knowledge bases by name."""

    def contents(self, names: Sequence[str]) -> dict[str, Any]:
        """What is in them, so that a proof of other documents is another proof."""

    def model(self, specialist: Specialist) -> ChatModel:
        """The model that answers for a specialist."""


class LocalSources:
    """Specialists and knowledge of this machine's one user. folder: the data folder, else the settings' `home`."""

    def __init__(self, folder: Path | None = None, owner: str = LOCAL) -> None:
        self.folder = folder or settings().home
        self.owner = owner

    def specialist(self, name: str) -> tuple[Specialist, str]:
        from metier.core.files import sha256_file
        from metier.specialists.store import Specialists, read_specialist

        if name.endswith((".yaml", ".yml")):
            return read_specialist(Path(name)), f"file-{sha256_file(Path(name))[:8]}"
        stored = Specialists(self.folder / "specialists").get(self.owner, name)
        return stored.specialist, stored.version

    def knowledge(self, names: Sequence[str]) -> Mapping[str, Searchable]:
        """Those that there are: a base may be yours to make. Raises DataError where there is none of them."""
        library = Library(self.folder / "knowledge")
        found: dict[str, Searchable] = {}
        for name in names:
            try:
                found[name] = library.open(self.owner, name)
            except DataError:
                if name == names[-1] and not found:
                    raise
        return found

    def contents(self, names: Sequence[str]) -> dict[str, Any]:
        bases: Mapping[str, Any] = self.knowledge(names)
        return {name: sorted(entry.sha256 for entry in base.documents()) for name, base in bases.items()}

    def model(self, specialist: Specialist) -> ChatModel:
        from metier.engines.opening import open_chat_model

        return open_chat_model(specialist, keys=os.environ, local=True)


def judge_specialist(spec: ProofSpec) -> Specialist:
    """The judge's model in the words that open any other."""
    server = None
    if spec.judge_address:
        server = ServerModel(
            address=spec.judge_address, model=spec.judge_model, api_key=spec.judge_api_key, context_length=32_768
        )
    changes: dict[str, Any] = {"model_name_or_path": spec.judge_model_name_or_path} if server is None else {}
    return Specialist(name="judge", server=server, **changes)

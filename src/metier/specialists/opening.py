"""The knowledge bases that a specialist names, opened for their owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metier.core.errors import DataError

if TYPE_CHECKING:
    from metier.knowledge.base import KnowledgeBase
    from metier.knowledge.library import Library
    from metier.specialists.spec import Specialist


@dataclass(frozen=True, slots=True)
class OpenedKnowledge:
    """bases: by the name that the specialist uses; missing: names of which the owner has no base."""

    bases: dict[str, KnowledgeBase]
    missing: tuple[str, ...]


def open_knowledge(specialist: Specialist, library: Library, owner: str) -> OpenedKnowledge:
    """Opens what a specialist may search. Only the owner's own bases are ever looked at, whatever a name says."""
    bases: dict[str, KnowledgeBase] = {}
    missing: list[str] = []
    for name in specialist.knowledge:
        try:
            bases[name] = library.open(owner, name)
        except DataError:
            missing.append(name)
    return OpenedKnowledge(bases, tuple(missing))

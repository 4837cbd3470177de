"""Documents that come with the product, so that a specialist can be tried before one's own are there.

Written for this project in its own words; each says of itself that it is a sample.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from metier.core.errors import ConfigError
from metier.core.events import EventLog
from metier.core.registry import nearest

if TYPE_CHECKING:
    from metier.knowledge.base import KnowledgeBase
    from metier.knowledge.entries import Outcome
    from metier.knowledge.library import Library

# Knowledge base → folder beside this file.
SAMPLE_BASES: dict[str, str] = {"labour-law": "legal"}


def sample_documents(base: str) -> list[tuple[str, bytes]]:
    """The sample documents of a knowledge base, by name. Raises ConfigError where none come for it."""
    if base not in SAMPLE_BASES:
        known = ", ".join(SAMPLE_BASES)
        raise ConfigError("specialists.no_samples", name=base, known=known, hint=nearest(base, list(SAMPLE_BASES)))
    with as_file(files("metier.specialists.samples").joinpath(SAMPLE_BASES[base])) as folder:
        return [(path.name, path.read_bytes()) for path in sorted(Path(folder).rglob("*.md"))]


def add_samples(
    library: Library, owner: str, base: str, *, embedder: str = "", events: EventLog | None = None
) -> tuple[KnowledgeBase, list[Outcome]]:
    """Puts the sample documents into the owner's base of that name, made where it is not there. The same bytes again do
    nothing, and one's own documents in it stay."""
    documents = sample_documents(base)
    there = next((one for one in library.list(owner) if one.name == base), None)
    opened = there or library.create(owner, base, title="", embedder=embedder)
    return opened, opened.add(documents, ocr=False, events=events)

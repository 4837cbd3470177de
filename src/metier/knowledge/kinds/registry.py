"""The kinds by name. The first that recognises a document splits it; `plain` takes what is left."""

from __future__ import annotations

from metier.core.registry import Registry
from metier.knowledge.document import Document
from metier.knowledge.kinds.kind import Kind

KINDS: Registry[Kind] = Registry(
    "kind of document",
    {
        "contract": "metier.knowledge.kinds.contract:CONTRACT",
        "case": "metier.knowledge.kinds.case:CASE",
        "statute": "metier.knowledge.kinds.statute:STATUTE",
        "plain": "metier.knowledge.kinds.plain:PLAIN",
    },
)


def recognise(document: Document) -> str:
    """The name of the document's kind."""
    return next(name for name in KINDS if KINDS.get(name).recognise(document))

"""Making an index anew that another version of the product wrote, from the documents on the shelf.

Until the new one is whole the old one is named as what it is, and a search says so: no half of the documents answers
for all of them. Killed at any place, the same call begins again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from metier.core.errors import CorruptionError, DataError
from metier.knowledge.adding import passages_of
from metier.knowledge.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metier.knowledge.base import KnowledgeBase
    from metier.knowledge.index import Vectors
    from metier.knowledge.passage import Passage

    Made = tuple[Entry, Sequence[Passage], Vectors | None]

_AT_ONCE = 50  # documents a version of the index


def renew(base: KnowledgeBase) -> bool:
    """Makes the index anew where it is of another format; whether it was. A document that cannot be opened any more
    is left out: `check` names it."""
    if not base.index.is_of_other_format():
        return False
    with base.shelf.exclusive():
        if not base.index.is_of_other_format():  # another process was quicker
            return False
        with base.index.renewed() as index:
            left = _made(base)
            while made := list(islice(left, _AT_ONCE)):
                vectors = {entry.id: vectors for entry, _, vectors in made if vectors is not None}
                index.replace_many({entry.id: passages for entry, passages, _ in made}, vectors or None)
                for entry, passages, _ in made:
                    base.shelf.enter(replace(entry, passages=len(passages)))
            index.tidy()
    return True


def _made(base: KnowledgeBase) -> Iterator[Made]:
    for entry in base.documents():
        try:
            document = base.document(entry.id)
        except (CorruptionError, DataError):
            continue
        yield entry, *passages_of(base, document, entry.id)

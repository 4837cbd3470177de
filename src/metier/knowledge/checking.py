"""Whether a knowledge base is what it says: files as written, passages in step with the index, nothing half done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metier.core.errors import CorruptionError
from metier.knowledge import adding
from metier.knowledge.document import Notice
from metier.knowledge.entries import Entry

if TYPE_CHECKING:
    from metier.knowledge.base import KnowledgeBase


def check(base: KnowledgeBase) -> list[Notice]:
    """Everything that is not as it should be, as told to whoever looks."""
    return [
        *(Notice("knowledge.unfinished", {"document": one}) for one in base.shelf.unfinished()),
        *(Notice("knowledge.unforgotten", {"document": one}) for one in base.shelf.struck()),
        *_changed(base),
        *(Notice("knowledge.stray", {"document": one}) for one in _stray(base)),
        *(Notice("knowledge.out_of_step", {"file": entry.name}) for entry in _out_of_step(base)),
    ]


def repair(base: KnowledgeBase) -> list[Notice]:
    """Puts right what `check` found and returns what that was. Only changed originals stay as they are."""
    found = [Notice("knowledge.index_format")] if base.renew_index() else []
    found += check(base)
    adding.finish(base)
    with base.shelf.exclusive():
        stray, out_of_step = _stray(base), _out_of_step(base)
        if stray:
            base.index.remove(stray)
        for entry in out_of_step:
            adding.index(base, base.document(entry.id), entry.id, added=entry.added)
        if stray or out_of_step:
            base.index.tidy(forget=bool(stray))
    return found


def _changed(base: KnowledgeBase) -> Iterator[Notice]:
    for entry in base.documents():
        try:
            base.shelf.verify(entry.id)
        except CorruptionError:
            yield Notice("knowledge.changed", {"file": entry.name})


def _stray(base: KnowledgeBase) -> list[str]:
    """Documents that the index knows and the shelf does not."""
    known = {entry.id for entry in base.documents()} | set(base.shelf.unfinished())
    return sorted(set(base.index.documents()) - known)


def _out_of_step(base: KnowledgeBase) -> list[Entry]:
    """Documents of which the index has another number of passages than were made."""
    counts = base.index.documents()
    return [entry for entry in base.documents() if counts.get(entry.id, 0) != entry.passages]

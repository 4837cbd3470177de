"""A knowledge base: documents that are read, split into passages, found, and forgotten.

How files come in stands in `adding`, what is verified in `checking`, how documents lie on disk in `shelf`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from metier.core.errors import DataError, MetierError
from metier.core.events import EventLog
from metier.core.files import read_json
from metier.core.registry import nearest
from metier.knowledge import adding, checking, renewing
from metier.knowledge.copies import fold
from metier.knowledge.document import Document, Notice
from metier.knowledge.entries import Entry, Outcome, Source
from metier.knowledge.passage import Filters, Hit, Passage
from metier.knowledge.shelf import Shelf

if TYPE_CHECKING:
    from metier.knowledge.embedding import Embedder
    from metier.knowledge.index import PassageIndex, SearchMode

BASE = "base.json"
_DEEPER = 4  # times as many passages are looked at as are wanted, for copies among them
LOCAL = "local"  # the owner where there are no accounts: the person at this machine
_log = logging.getLogger("metier.knowledge")

# An embedder's name and whose base it is for → the embedder.
Opener = Callable[[str, str], "Embedder"]


def open_own(name: str, owner: str) -> Embedder:
    """What makes vectors, in this process; see `metier.knowledge.embedding.open_embedder`."""
    from metier.knowledge.embedding import open_embedder

    return open_embedder(name, local=owner == LOCAL)


class Wanted(TypedDict, total=False):
    """What a search may be told besides its words; see `KnowledgeBase.look`."""

    limit: int
    documents: Sequence[str]
    titles: Sequence[str]
    article: str
    in_force_on: date | None
    mode: SearchMode
    vector: Sequence[float] | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a search brought. away: why it was made by words alone, although the base has vectors."""

    hits: list[Hit]
    away: MetierError | None = None


class KnowledgeBase:
    """One knowledge base of an owner, in a folder of its own.

    owner: whose it is, part of every query; name: as the owner calls it; title: a line about it; embedder_name: where
    its vectors come from, empty for text search alone; opener: what opens that. Cheap to make, safe to use from several
    threads and processes.
    """

    def __init__(self, folder: Path, owner: str, opener: Opener = open_own) -> None:
        said = read_json(folder / BASE)
        self.folder = folder
        self.owner = owner
        self.id: str = said["id"]
        self.name: str = said["name"]
        self.title: str = said["title"]
        self.embedder_name: str = said["embedder"]
        self.created: str = said["created"]
        self.shelf = Shelf(folder / "documents")
        self._opener = opener

    @cached_property
    def index(self) -> PassageIndex:
        """Where its passages are found."""
        from metier.knowledge.index import PassageIndex

        return PassageIndex.open(self.folder / "index", owner=self.owner)

    @cached_property
    def embedder(self) -> Embedder | None:
        """What makes its vectors, loaded on first use."""
        return self._opener(self.embedder_name, self.owner) if self.embedder_name else None

    # Bringing and taking away

    def add(self, sources: Iterable[Source], *, ocr: bool = True, events: EventLog | None = None) -> list[Outcome]:
        """Takes files in, one after the other; one that cannot be read fails alone.

        sources: paths, or names with bytes or with a path; events: gets `file` (name, number, total), the reader's
        progress over pages, `indexing`, and `outcome`. The same bytes again do nothing; new bytes under a known name
        take its place in one step. Killed at any place, the same call again goes on.
        """
        return adding.add(self, sources, ocr=ocr, events=events or EventLog(None))

    def finish(self) -> int:
        """Goes on with what a kill broke off, and returns how many documents that were. Nothing else is done twice."""
        return adding.finish(self)

    def renew_index(self) -> bool:
        """Makes an index of another version anew, in one step; whether it was one."""
        return renewing.renew(self)

    def remove(self, documents: Sequence[str]) -> list[Entry]:
        """Removes documents by id or name: found no more from now on, and no fragment is left on the disk."""
        entries = [self.entry(one) for one in documents]
        with self.shelf.exclusive():
            for entry in entries:
                self.shelf.strike(entry.id)
            adding.forget_struck(self)
        return entries

    def check(self) -> list[Notice]:
        """What is not as it should be: changed files, broken-off imports, passages missing in the index or too many."""
        return checking.check(self)

    def repair(self) -> list[Notice]:
        """Puts right what `check` found, as far as it can, and returns what that was."""
        return checking.repair(self)

    # What is there

    def documents(self) -> list[Entry]:
        """Its documents, by name."""
        return self.shelf.entries()

    def entry(self, document: str) -> Entry:
        """A document by id or name. Raises DataError with the nearest known name."""
        known = self.documents()
        for entry in known:
            if document in (entry.id, entry.name):
                return entry
        hint = nearest(document, [entry.name for entry in known])
        raise DataError("knowledge.no_document_named", document=document[:200], base=self.name, hint=hint)

    def document(self, document_id: str) -> Document:
        """What was read of a document."""
        return self.shelf.document(document_id)

    def original(self, document_id: str) -> Path:
        """A document's file as it came."""
        return self.shelf.original(document_id)

    def passages(self, document_id: str) -> list[Passage]:
        """A document's passages, in order."""
        return self.index.passages(document_id)

    def passage(self, passage_id: str) -> Passage | None:
        """One passage, None where it is not there (any more)."""
        found = self.index.passage(passage_id)
        return found if found is not None and self.shelf.has(found.document) else None

    # Finding

    def search(self, text: str, **wanted: Unpack[Wanted]) -> list[Hit]:
        """The hits of `look`, for callers with nobody to tell: that the embedder is away goes to the log."""
        looked = self.look(text, **wanted)
        if looked.away is not None:
            _log.warning("%s: %s", self.name, looked.away.text("en"))
        return looked.hits

    def look(
        self,
        text: str,
        *,
        limit: int = 6,
        documents: Sequence[str] = (),
        titles: Sequence[str] = (),
        article: str = "",
        in_force_on: date | None = None,
        mode: SearchMode = "auto",
        vector: Sequence[float] | None = None,
    ) -> Looked:
        """The passages that fit best, the best first; copies of a passage are one hit (`metier.knowledge.copies`).

        documents: ids or names; titles: laws or cases by name; article: as written; in_force_on: leaves out what was
        not in force that day; mode: `text`, `dense`, or `auto`: whatever the base has; vector: the question's, where
        the caller has it already. The owner is always part of the query. Where the embedder is away, words find.
        """
        if not text.strip():
            return Looked([])
        filters = Filters(
            owner=self.owner,
            documents=tuple(self.entry(one).id for one in documents),
            titles=tuple(titles),
            article=article,
            in_force_on=in_force_on,
        )
        away: MetierError | None = None
        if vector is None and mode != "text":
            try:
                vector = self.embedder.embed_query(text) if self.embedder is not None else None
            except MetierError as error:
                away, mode = error, "text"
        depth = limit * _DEEPER
        while True:
            found = self.index.search(text, filters, limit=depth, vector=vector, mode=mode)
            hits = fold(replace(hit, base=self.name) for hit in found if self.shelf.has(hit.passage.document))
            if len(hits) >= limit or len(found) < depth:
                return Looked(hits[:limit], away)
            depth *= _DEEPER

"""Knowledge bases of an installation's owners: files come in, are imported in a process of their own, and found."""

from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Unpack

from metier.core.errors import DataError, MetierError
from metier.knowledge.adding import shown_name
from metier.knowledge.base import KnowledgeBase, Looked, Wanted
from metier.knowledge.document import Box, Document
from metier.knowledge.embedding import is_endpoint
from metier.knowledge.entries import Entry
from metier.knowledge.library import Library
from metier.knowledge.passage import Passage
from metier.workbench import arrivals
from metier.workbench.accounts import Person
from metier.workbench.arrivals import Arrival
from metier.workbench.embedders import Embedders
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.importer import Importer
from metier.workbench.quota import Quota
from metier.workbench.secrets import EMBEDDINGS_KEY

PICTURED = ("pdf", "image")  # kinds whose pages have a picture


@dataclass(frozen=True)
class Counted:
    """A base with what is in it."""

    base: KnowledgeBase
    documents: int
    passages: int
    size: int
    coming: int


class Knowledge:
    """The library of a workbench. What is not the asker's does not exist: NotFoundError."""

    def __init__(self, folder: Path, quota: Quota, embedders: Embedders) -> None:
        self.library = Library(folder, embedders.open)
        self.quota = quota
        self.embedders = embedders
        self.importer = Importer(self.library, self._brief)
        quota.counted.append(self.used_bytes)

    def start(self) -> None:
        """Clears away what a kill left, and goes on with the imports that it broke off."""
        self.library.clear_away()
        self.importer.start()
        if self.importer.has_bases():
            threading.Thread(target=self._warm, name="knowledge", daemon=True).start()

    def stop(self) -> None:
        """Ends the importer; what waits is imported after the next start."""
        self.importer.stop()

    # Bases

    def bases(self, owner: Person) -> list[Counted]:
        """An owner's bases, by name."""
        found = []
        for base in self.library.list(owner.id):
            entries = base.documents()
            coming = sum(1 for one in arrivals.arrivals(base.folder) if one.outcome is None)
            size = sum(entry.size for entry in entries)
            found.append(Counted(base, len(entries), sum(entry.passages for entry in entries), size, coming))
        return found

    def create(self, owner: Person, name: str, *, title: str = "", embedder: str = "") -> KnowledgeBase:
        """A new base. embedder: where its vectors come from, empty for search by words alone.

        Raises ConflictError for a name that is taken, DataError for one that cannot be, ConfigError for an embedder
        that cannot be."""
        embedder = self.embedders.check(embedder)
        try:
            return self.library.create(owner.id, name, title=title, embedder=embedder)
        except DataError as error:
            if error.key == "knowledge.base_taken":
                raise ConflictError(error.key, **error.fields) from error
            raise

    def get(self, owner: Person, name: str) -> KnowledgeBase:
        """A base by name or id."""
        try:
            return self.library.open(owner.id, name)
        except DataError as error:
            raise NotFoundError("workbench.no_knowledge", name=name[:80]) from error

    def opened(self, owner: Person, names: Sequence[str]) -> dict[str, KnowledgeBase]:
        """Those of an owner's bases that are called so, to be searched."""
        return self.library.named(owner.id, names)

    def remove(self, owner: Person, name: str) -> None:
        """Removes a base with everything in it."""
        self.library.remove(owner.id, self.get(owner, name).id)

    def used_bytes(self, owner: Person) -> int:
        """Bytes of an owner's documents and of what waits."""
        waiting = sum(one.size for base in self.library.list(owner.id) for one in arrivals.arrivals(base.folder)
                      if one.outcome is None)  # fmt: skip
        return self.library.used_bytes(owner.id) + waiting

    # Files that come in

    async def receive(self, owner: Person, name: str, file_name: str, parts: AsyncIterator[bytes]) -> Arrival:
        """Takes a file in, counting what really comes; once this returns, it will be imported, whatever happens.

        Raises TooLargeError, and DataError for nothing at all.
        """
        base = self.get(owner, name)
        self.importer.brief()
        folder = arrivals.new_folder(base.folder)
        try:
            size = await self.quota.write(owner, folder.name, parts, folder / f"{arrivals.FILE}.part")
            if not size:
                raise DataError("knowledge.empty_file", file=shown_name(file_name))
            arrived = arrivals.accept(folder, shown_name(file_name), size)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self.quota.end(folder.name)
        self.importer.wake()
        return arrived

    def arrivals(self, owner: Person, name: str) -> list[Arrival]:
        """What came into a base and what became of it, the oldest first."""
        return arrivals.arrivals(self.get(owner, name).folder)

    def dismiss(self, owner: Person, name: str, arrival_id: str) -> None:
        """Forgets one file that came in; one that waits is not imported. Raises ConflictError while it is read."""
        one = arrivals.arrival(self.get(owner, name).folder, arrival_id)
        if one is None:
            raise NotFoundError("workbench.no_upload")
        if one.state == "reading":
            raise ConflictError("workbench.import_reading", file=one.file_name)
        arrivals.dismiss(one)

    def dismiss_ended(self, owner: Person, name: str) -> int:
        """Forgets what has been imported or has failed; the documents stay."""
        ended = [one for one in self.arrivals(owner, name) if one.outcome is not None]
        for one in ended:
            arrivals.dismiss(one)
        return len(ended)

    # Documents

    def entry(self, owner: Person, name: str, document_id: str) -> tuple[KnowledgeBase, Entry]:
        """A document of a base, by its id."""
        base = self.get(owner, name)
        try:
            return base, base.shelf.entry(document_id)
        except DataError as error:
            raise NotFoundError("workbench.no_document") from error

    def document(self, owner: Person, name: str, document_id: str) -> Document:
        """What was read of it."""
        base, entry = self.entry(owner, name, document_id)
        return base.document(entry.id)

    def passages(self, owner: Person, name: str, document_id: str) -> list[Passage]:
        """Its passages, in order."""
        base, entry = self.entry(owner, name, document_id)
        return base.passages(entry.id)

    def original(self, owner: Person, name: str, document_id: str) -> Path:
        """The file as it came."""
        base, entry = self.entry(owner, name, document_id)
        return base.original(entry.id)

    def picture(self, owner: Person, name: str, document_id: str, page: int, *, width: int) -> bytes:
        """A page's picture as PNG, drawn in the reader's limited process. width: pixels."""
        base, entry = self.entry(owner, name, document_id)
        if entry.kind not in PICTURED or not 1 <= page <= entry.pages:
            raise NotFoundError("workbench.not_found")
        from metier.knowledge.pagepictures import page_picture

        picture: bytes = page_picture(base.original(entry.id), page, width=width)
        return picture

    def boxes(self, owner: Person, name: str, document_id: str, start: int, end: int) -> list[Box]:
        """Where characters of a document's text stand in the pictures of its pages."""
        base, entry = self.entry(owner, name, document_id)
        if entry.kind not in PICTURED or end <= start:
            return []
        from metier.knowledge.pagepictures import find_boxes

        boxes: list[Box] = find_boxes(base.original(entry.id), base.document(entry.id), start, end)
        return boxes

    def remove_document(self, owner: Person, name: str, document_id: str) -> Entry:
        """Removes a document: found no more, and no fragment is left."""
        base, entry = self.entry(owner, name, document_id)
        base.remove([entry.id])
        return entry

    # Finding

    def look(self, owner: Person, name: str, text: str, **wanted: Unpack[Wanted]) -> Looked:
        """The passages that fit best; see `KnowledgeBase.look`."""
        base = self.get(owner, name)
        for document_id in wanted.get("documents", ()):
            self.entry(owner, name, document_id)
        return base.look(text, **wanted)

    def expect(self, base: KnowledgeBase) -> None:
        """Somebody is about to search: its model is loaded meanwhile."""
        if base.embedder_name and not is_endpoint(base.embedder_name):
            threading.Thread(target=self._load, args=(base.embedder_name,), daemon=True).start()

    def _brief(self) -> dict[str, Any]:
        """What the importer must know of embedders: the keys of the owners whose bases need one, and what may be."""
        needing = {base.owner for base in self.library.everyone() if is_endpoint(base.embedder_name)}
        keys = {owner_id: self.embedders.secrets.value(owner_id, EMBEDDINGS_KEY) for owner_id in needing}
        return {"local": self.embedders.local, "keys": keys}

    def _warm(self) -> None:
        """Loads what a search needs, some seconds' worth: the first who searches need not wait for it."""
        import_module("metier.knowledge.lance")
        import_module("lancedb")
        names = (base.embedder_name for base in self.library.everyone())
        if model := next((name for name in names if name and not is_endpoint(name)), ""):
            self._load(model)

    def _load(self, model: str) -> None:
        with suppress(MetierError):  # it is told to who searches
            self.embedders.served(model).embed_query("?")

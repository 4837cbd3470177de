"""The documents of one knowledge base on disk.

documents/<id>/
  original.pdf     the bytes as they came
  document.json    what was read of them
  manifest.json    the sha256 of both
  entry.json       written last, once the index has its passages
documents/.gone-<id>/   a document that was removed and is being forgotten

The folder appears whole, the entry after the index: whatever a kill leaves is finished or cleared by the next import.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter

from metier.core.errors import CorruptionError, DataError
from metier.core.files import fsync_folder, read_json, verify_manifest, whole_folder, write_json
from metier.knowledge.document import Document
from metier.knowledge.entries import Entry

ENTRY, DOCUMENT = "entry.json", "document.json"
_GONE = ".gone-"
_DOCUMENTS: TypeAdapter[Document] = TypeAdapter(Document)


class Shelf:
    """Keeps documents in a folder. One process writes at a time (`exclusive`), any number read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Waits until no other process or thread writes. The kernel frees it when the process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def entries(self) -> list[Entry]:
        """Every document, by name."""
        found = []
        for path in self.folder.glob(f"*/{ENTRY}"):
            if not path.parent.name.startswith("."):
                found.append(_read(path))
        return sorted(found, key=lambda entry: (entry.name, entry.id))

    def entry(self, document_id: str) -> Entry:
        """One of them. Raises DataError."""
        path = self._folder(document_id) / ENTRY
        if not path.is_file():
            raise DataError("knowledge.no_document", document=document_id[:80])
        return _read(path)

    def has(self, document_id: str) -> bool:
        """Whether the document can be opened; during an import that is so a moment before it has an entry."""
        return (self._folder(document_id) / DOCUMENT).is_file()

    def document(self, document_id: str) -> Document:
        """What was read of it. Raises DataError, CorruptionError."""
        path = self._folder(document_id) / DOCUMENT
        try:
            return _DOCUMENTS.validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise DataError("knowledge.no_document", document=document_id[:80]) from error
        except ValueError as error:
            raise CorruptionError("core.file_changed", file=path) from error

    def original(self, document_id: str) -> Path:
        """The file as it came. Raises DataError."""
        for path in self._folder(document_id).glob("original*"):
            return path
        raise DataError("knowledge.no_document", document=document_id[:80])

    def put(self, document_id: str, file: Path, document: Document, suffix: str) -> None:
        """Stores a file and what was read of it; without an entry it is no document yet."""
        with whole_folder(self._folder(document_id)) as folder:
            shutil.copyfile(file, folder / f"original{suffix}")
            (folder / DOCUMENT).write_bytes(_DOCUMENTS.dump_json(document))

    def enter(self, entry: Entry) -> None:
        """Makes a stored file a document."""
        write_json(self._folder(entry.id) / ENTRY, entry.to_json())

    def unfinished(self) -> list[str]:
        """Ids of stored files that never became documents, because their import was broken off."""
        if not self.folder.is_dir():
            return []
        folders = [path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return sorted(path.name for path in folders if not (path / ENTRY).is_file())

    def strike(self, document_id: str) -> None:
        """Takes a document off the shelf at once and for good; its bytes wait to be forgotten."""
        folder = self._folder(document_id)
        if folder.is_dir():
            folder.rename(self.folder / f"{_GONE}{document_id}")
            fsync_folder(self.folder)

    def struck(self) -> list[str]:
        """Ids of documents that wait to be forgotten."""
        return sorted(path.name.removeprefix(_GONE) for path in self.folder.glob(f"{_GONE}*"))

    def forget(self, document_id: str) -> None:
        """Deletes the bytes of a document that was taken off."""
        shutil.rmtree(self.folder / f"{_GONE}{document_id}", ignore_errors=True)

    def clear_away(self) -> None:
        """Deletes what half-written folders a kill left. Only in `exclusive`."""
        for path in [*self.folder.glob(".*.tmp"), *self.folder.glob(".*.old")]:
            shutil.rmtree(path, ignore_errors=True)

    def verify(self, document_id: str) -> None:
        """Raises CorruptionError where a stored file is not what was written."""
        verify_manifest(self._folder(document_id))

    def size(self) -> int:
        """Bytes of all originals."""
        return sum(entry.size for entry in self.entries())

    def _folder(self, document_id: str) -> Path:
        if not document_id.isalnum() or not document_id.isascii() or len(document_id) > 64:
            raise DataError("knowledge.no_document", document=document_id[:80])
        return self.folder / document_id


def _read(path: Path) -> Entry:
    try:
        return Entry.from_json(read_json(path))
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptionError("core.file_changed", file=path) from error

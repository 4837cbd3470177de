"""A file becomes a document, read in a child that can be killed."""

from __future__ import annotations

from pathlib import Path

from metier.core.errors import DataError
from metier.knowledge.asking import Listener, ask
from metier.knowledge.document import Document


def read_document(path: Path | str, *, name: str = "", ocr: bool = True, events: Listener | None = None) -> Document:
    """The document in a file.

    name: as shown and as its format is known by, if the path's own is not it; ocr: pages without text are read from
    their picture; events: told of each page (`{"event": "progress", "step": …, "total": …}`).

    Raises DataError for a file that is damaged, encrypted, too large, not what its name says, or without text.
    """
    path = Path(path)
    name = name or path.name
    document = Document.from_json(ask("read", name=name, path=str(path.absolute()), events=events))
    if not document.text.strip():
        raise DataError("knowledge.no_text", file=name)
    return document

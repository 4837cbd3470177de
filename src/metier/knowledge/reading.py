"""A file becomes a document, read in a child that can be killed; what has no text is read from its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.knowledge.asking import Listener, ask
from metier.knowledge.document import Document

OCR_AT_ONCE = 8  # pages a child reads before it ends: a page that it falls over takes few others with it
OCR_SECONDS_A_PAGE = 30.0


def read_document(path: Path | str, *, name: str = "", ocr: bool = True, events: Listener | None = None) -> Document:
    """The document in a file.

    name: as shown and as its format is known by, if the path's own is not it; ocr: pages without text are read from
    their picture; events: told of each page (`{"event": "progress", "step": …, "total": …}`).

    Raises DataError for a file that is damaged, encrypted, too large, not what its name says, or without text.
    """
    path = Path(path).absolute()
    name = name or path.name
    document = _read(path, name, {}, events)
    unread = [notice.page for notice in document.notices if notice.key == "knowledge.notice_needs_ocr" and notice.page]
    if unread and ocr:
        document = _read(path, name, _seen(path, name, unread, events), None)
    if not document.text.strip():
        raise DataError("knowledge.no_text_ocr" if unread and not ocr else "knowledge.no_text", file=name)
    return document


def _read(path: Path, name: str, seen: dict[str, Any], events: Listener | None) -> Document:
    return Document.from_json(ask("read", name=name, path=str(path), seen=seen, events=events))


def _seen(path: Path, name: str, pages: list[int], events: Listener | None) -> dict[str, Any]:
    """What OCR saw on the pages. A batch that fails is tried page by page, so that a page fails alone."""
    seen: dict[str, Any] = {}

    def look(numbers: list[int]) -> None:
        def tell(event: dict[str, Any]) -> None:
            if events is not None:
                events({**event, "step": len(seen) + event["step"], "total": len(pages), "stage": "ocr"})

        seconds = {"seconds_a_page": OCR_SECONDS_A_PAGE}
        seen.update(ask("ocr", name=name, path=str(path), pages=numbers, events=tell, **seconds))

    for start in range(0, len(pages), OCR_AT_ONCE):
        batch = pages[start : start + OCR_AT_ONCE]
        try:
            look(batch)
        except DataError:
            for number in batch:
                try:
                    look([number])
                except DataError as error:
                    seen[str(number)] = {"failed": error.key}
    return seen

"""Pages as pictures, and where on them the words of a passage stand: so that a citation opens at the very words."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from metier.core.errors import DataError
from metier.knowledge.asking import ask
from metier.knowledge.document import Box, Document, Page

WIDTH = 1000
WIDEST = 3000


def page_picture(path: Path | str, page: int, *, width: int = WIDTH, name: str = "") -> bytes:
    """Page `page` (1-based) of a PDF or image as PNG, `width` pixels wide (less for a page of odd proportions).

    Raises DataError for a page that is not there, or a format without pages to look at.
    """
    path = Path(path)
    width = max(1, min(width, WIDEST))
    painted = ask("picture", name=name or path.name, path=str(path.absolute()), page=page, width=width)
    return base64.b64decode(painted)


def find_boxes(path: Path | str, document: Document, start: int, end: int) -> list[Box]:
    """Where the characters `start` to `end` of a document's text stand on its pages, a box a line.

    Empty for a format without pages to look at, and where the words cannot be found on the page again.
    """
    if not 0 <= start <= end <= len(document.text):
        raise DataError("knowledge.no_place", file=document.name, start=start, end=end)
    boxes: list[Box] = []
    wanted = []
    for page in document.pages:
        first, last = max(start, page.start), min(end, page.end)
        if first >= last:
            continue
        if page.origin == "ocr":
            boxes += _from_ocr(document, page, first, last)
        elif document.kind == "pdf":
            text = document.text[page.start : page.end]
            wanted.append({"page": page.number, "text": text, "start": first - page.start, "end": last - page.start})
    if wanted:
        found = ask("boxes", name=Path(path).name, path=str(Path(path).absolute()), wanted=wanted)
        boxes += [Box(**box) for box in found]
    return sorted(boxes, key=lambda box: box.page)


def find_drawings(path: Path | str, document: Document, tables: Sequence[Box] = ()) -> list[Box]:
    """Where pictures and charts stand on the pages of a PDF; an image is one itself, other formats have none.

    tables: where tables stand, whose lines are no charts.
    """
    if document.kind == "image":
        return [Box(page.number, 0.0, 0.0, 1.0, 1.0) for page in document.pages]
    if document.kind != "pdf":
        return []
    known = [asdict(box) for box in tables]
    found = ask("drawings", name=document.name, path=str(Path(path).absolute()), tables=known)
    return [Box(**box) for box in found]


def _from_ocr(document: Document, page: Page, start: int, end: int) -> list[Box]:
    """The parts of OCR's lines that a span covers, as if each character of a line were equally wide."""
    lines = [(offset, box) for offset, box in document.boxes if page.start <= offset < page.end]
    ends = [offset for offset, _ in lines[1:]] + [page.end]
    boxes = []
    for (offset, box), line_end in zip(lines, ends, strict=True):
        first, last = max(start, offset), min(end, line_end)
        if first < last and document.text[first:last].strip():
            wide = (box.right - box.left) / (line_end - offset)
            left, right = box.left + wide * (first - offset), box.left + wide * (last - offset)
            boxes.append(Box(page.number, left, box.top, right, box.bottom))
    return boxes

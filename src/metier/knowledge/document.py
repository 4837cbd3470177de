"""A document as it was read: one text, and where in it each page lies.

All offsets count characters of `Document.text` (NFC, line ends `\\n`), half-open. They are what passages, quotations
and citations point with, so the text of a stored document never changes; new bytes are a new document.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from metier.core.i18n import Language, translate

Origin = Literal["text", "ocr", "empty", "failed"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a document; a file without pages is one page.

    number: 1-based, as in the file; start, end: where its text lies; origin: the file's own text, OCR, nothing on it,
    or not readable; confidence: of OCR, 0 to 1; width, height: points, None where a page has no size.
    """

    number: int
    start: int
    end: int
    origin: Origin = "text"
    confidence: float | None = None
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that the file itself marks. level: 1 is the highest."""

    start: int
    end: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table in which something stands.

    start, end: its text; row, column: its first, from 0; rows, columns: that it goes over; x0, y0, x1, y1: its left,
    lower, right and upper edge on the page, in points from the page's lower left corner.
    """

    start: int
    end: int
    row: int
    column: int
    rows: int
    columns: int
    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the text, one row a line, cells parted by ` | `. header: lines of it that are its header.

    caption, unit: what stands above it, such as `表1 主要指标` and `单位：万元`; cells: where they have places on a
    page; lines: the number of each row in its file, from 1, where a spreadsheet counts them.
    """

    start: int
    end: int
    header: int = 1
    caption: str = ""
    unit: str = ""
    cells: tuple[Cell, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, as fractions of its width and height from the upper left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, boxes: Sequence[Box]) -> Box:
        """The smallest one that holds all of these, of which there is at least one, on the page of the first."""
        return cls(
            boxes[0].page,
            min(box.left for box in boxes),
            min(box.top for box in boxes),
            max(box.right for box in boxes),
            max(box.bottom for box in boxes),
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader of a document should know, such as a page without text or hidden words.

    key, fields: of the catalogue, told in the language of whoever looks; page: where, None for the whole file.
    """

    key: str
    fields: dict[str, Any] = field(default_factory=dict)
    page: int | None = None

    def text(self, language: Language | None = None) -> str:
        """The notice in a language, the current one where none is named."""
        return translate(self.key, language=language, **self.fields)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read.

    name: the file's name as shown (never a path); kind: `pdf`, `text`, `markdown`, `html`, `docx`, `xlsx`, `csv`,
    `image`; sha256: of its bytes; encoding: as decided, empty where the format says it; boxes: where the lines of OCR
    stand (offset of the first character → box), for pages that were read by it.
    """

    name: str
    kind: str
    sha256: str
    text: str
    pages: tuple[Page, ...]
    title: str = ""
    encoding: str = ""
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    notices: tuple[Notice, ...] = ()
    boxes: tuple[tuple[int, Box], ...] = ()

    def page_at(self, offset: int) -> int:
        """The number of the page that holds a character."""
        if not self.pages:
            return 1
        place = bisect_right(self.pages, offset, key=lambda page: page.end)
        return self.pages[min(place, len(self.pages) - 1)].number

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Document:
        """A document as `to_json` gave it."""
        parts: dict[str, Any] = {
            "pages": tuple(Page(**page) for page in said["pages"]),
            "headings": tuple(Heading(**heading) for heading in said["headings"]),
            "tables": tuple(_table(table) for table in said["tables"]),
            "notices": tuple(Notice(**notice) for notice in said["notices"]),
            "boxes": tuple((offset, Box(**box)) for offset, box in said["boxes"]),
        }
        return cls(**{**said, **parts})


def _table(said: dict[str, Any]) -> Table:
    cells = tuple(Cell(**cell) for cell in said.get("cells", ()))
    return Table(**{**said, "cells": cells, "lines": tuple(said.get("lines", ()))})

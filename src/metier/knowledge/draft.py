"""A document that is being written down: readers add pages, paragraphs, headings and tables; it keeps the offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier.core.errors import DataError
from metier.knowledge.cleaning import clean
from metier.knowledge.document import Box, Cell, Document, Heading, Notice, Origin, Page, Table
from metier.knowledge.layout import PlacedCell

MAX_PAGES = 5_000
MAX_TEXT_BYTES = 50_000_000
CELL_BREAK = " | "


class Draft:
    """The text so far. name: of the file, for errors. Raises DataError on too many pages or too much text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = ""
        self.headings: list[Heading] = []
        self.tables: list[Table] = []
        self.notices: list[Notice] = []
        self.boxes: list[tuple[int, Box]] = []
        self._parts: list[str] = []
        self._length = 0
        self._bytes = 0
        self._pages: list[Page] = []
        self._open: dict[str, Any] | None = None
        self._invisible: dict[int | None, int] = {}

    def page(
        self,
        number: int,
        *,
        origin: Origin = "text",
        confidence: float | None = None,
        width: float | None = None,
        height: float | None = None,
    ) -> None:
        """Begins a page; what is added from now on stands on it."""
        if number > MAX_PAGES:
            raise DataError("knowledge.too_many_pages", file=self.name, limit=MAX_PAGES)
        self._close_page()
        size = {"width": width, "height": height}
        self._open = {"number": number, "start": None, "origin": origin, "confidence": confidence, **size}

    def add(self, text: str, *, glue: str = "\n") -> tuple[int, int]:
        """Adds a paragraph, parted by `glue` from what stands before it. Gives its place."""
        text, invisible = clean(text)
        if invisible:
            page = self._open["number"] if self._open else None
            self._invisible[page] = self._invisible.get(page, 0) + invisible
        if self._length:
            self._append(glue)
        start = self._length
        self._append(text)
        if self._open is not None and self._open["start"] is None:
            self._open["start"] = start
        return start, self._length

    def heading(self, text: str, level: int) -> None:
        """Adds a heading on a line of its own."""
        text = " ".join(text.split())
        if text:
            start, end = self.add(text)
            self.headings.append(Heading(start, end, level, "".join(self._parts[-1:])))

    def table(self, rows: Sequence[Sequence[str]], *, header: int = 1, numbered: bool = False) -> None:
        """Adds a table: a row a line, without the rows that are empty. numbered: rows count as a spreadsheet's do."""
        kept = [(number, row) for number, row in enumerate(rows, 1) if any(map(str.strip, row))]
        lines = [CELL_BREAK.join(" ".join(cell.split()) for cell in row) for _, row in kept]
        if lines:
            start, end = self.add("\n".join(lines))
            numbers = tuple(number for number, _ in kept) if numbered else ()
            self.tables.append(Table(start, end, min(header, len(lines)), lines=numbers))

    def mark_heading(self, start: int, end: int, level: int, *, more: bool = False) -> None:
        """What was added last, from `start` to `end`, is a heading. more: it goes on in the one before it."""
        text = "".join(self._parts[-1:])
        if more and self.headings:
            before = self.headings.pop()
            self.headings.append(Heading(before.start, end, level, before.text + " " * (start - before.end) + text))
        else:
            self.headings.append(Heading(start, end, level, text))

    def placed_table(
        self,
        rows: Sequence[Sequence[str]],
        placed: Sequence[Sequence[PlacedCell]],
        page: int,
        header: int,
        caption: str,
        unit: str,
    ) -> None:
        """Adds a table whose cells have places: their texts, a row a line, and where each stands on the page."""
        lines: list[str] = []
        cells: list[Cell] = []
        at = self._length + 1 if self._length else 0
        for number, (row, own) in enumerate(zip(rows, placed, strict=True)):
            texts = [clean(text)[0] for text in row]
            begins = [at + sum(len(text) + len(CELL_BREAK) for text in texts[:column]) for column in range(len(texts))]
            for cell in own:
                start = begins[cell.column]
                end = start + len(texts[cell.column])
                cells.append(Cell(start, end, number, cell.column, cell.rows, cell.columns, page, *cell.box))
            lines.append(CELL_BREAK.join(texts))
            at += len(lines[-1]) + 1
        start, end = self.add("\n".join(lines))
        self.tables.append(Table(start, end, header, clean(caption)[0], clean(unit)[0], tuple(cells)))

    def notice(self, key: str, *, page: int | None = None, **fields: Any) -> None:
        """Something the reader of the document should know."""
        self.notices.append(Notice(key, fields, page))

    def finish(self, *, kind: str, sha256: str, encoding: str = "") -> Document:
        """The document. One without pages is one page."""
        if self._open is None:
            self._open = {"number": 1, "start": 0, "origin": "text" if self._length else "empty"}
        self._close_page()
        for page, count in self._invisible.items():
            self.notices.append(Notice("knowledge.notice_invisible", {"count": count}, page))
        return Document(
            name=self.name,
            kind=kind,
            sha256=sha256,
            text="".join(self._parts),
            pages=tuple(self._pages),
            title=" ".join(clean(self.title)[0].split())[:200],
            encoding=encoding,
            headings=tuple(self.headings),
            tables=tuple(self.tables),
            notices=tuple(self.notices),
            boxes=tuple(self.boxes),
        )

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        self._bytes += len(text.encode())
        if self._bytes > MAX_TEXT_BYTES:
            raise DataError("knowledge.too_much_text", file=self.name, limit=MAX_TEXT_BYTES // 1_000_000)

    def _close_page(self) -> None:
        if self._open is not None:
            start = self._length if self._open["start"] is None else self._open["start"]
            self._pages.append(Page(**{**self._open, "start": start, "end": self._length}))
            self._open = None

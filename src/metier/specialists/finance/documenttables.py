"""The tables of a document as sheets: their caption, the texts near them, and where each cell stands on its page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from metier.knowledge.document import Box
from metier.specialists.finance.gridreading import read_grid
from metier.specialists.finance.periods import Period, read_period
from metier.specialists.finance.sheets import Place, Sheet, cell_name

if TYPE_CHECKING:
    from metier.knowledge.document import Cell, Document, Table

_CAPTION = re.compile(r"(?:表|附表|table|exhibit)\s*[\d一二三四五六七八九十]", re.IGNORECASE)
_UNIT_ONLY = re.compile(r"(?:单位|币种|金额单位)[:：]|[(（]?in\s|$", re.IGNORECASE)


def sheets_of(document: Document) -> list[Sheet]:
    """The tables of a document as sheets, in its order; those without any figure too."""
    year = year_of(document)
    return [_sheet(document, table, number, year) for number, table in enumerate(document.tables, 1)]


def year_of(document: Document) -> Period | None:
    """The period that a report is of: what its title or first page names first, as `2023年年度报告` does."""
    first = document.text[: document.pages[0].end] if document.pages else document.text
    return read_period(document.name) or read_period(document.title) or read_period(first[:1000])


def _sheet(document: Document, table: Table, number: int, year: Period | None) -> Sheet:
    from metier.knowledge.draft import CELL_BREAK

    page = document.page_at(table.start)
    lines = document.text[table.start : table.end].split("\n")
    grid = [line.split(CELL_BREAK) for line in lines]
    places: dict[tuple[int, int], Place] = {}
    at = table.start
    for row, (line, cells) in enumerate(zip(lines, grid, strict=True)):
        start = at
        for column, text in enumerate(cells):
            named = cell_name(table.lines[row] - 1 if table.lines else row, column)
            places[row, column] = Place(page, None, number, named, start, start + len(text))
            start += len(text) + len(CELL_BREAK)
        at += len(line) + 1
    spans: dict[tuple[int, int], int] = {}
    for cell in table.cells:
        spans[cell.row, cell.column] = cell.columns
        named = cell_name(cell.row, cell.column)
        box = _box(document, cell)
        places[cell.row, cell.column] = Place(cell.page, box, number, named, cell.start, cell.end)
    before = document.text[max(0, table.start - 400) : table.start].strip().split("\n")
    caption = _caption(table, before) or _heading_before(document, table)
    near = [line for line in before[-3:] if len(line) < 300][::-1]
    sheet = read_grid(
        grid,
        title=caption,
        unit=table.unit,
        near=near,
        number=number,
        page=page,
        header=table.header,
        places=places,
        spans=spans,
        year=year,
    )
    return replace(sheet, place=Place(page, _around(document, table), number, "", table.start, table.end))


def _caption(table: Table, before: Sequence[str]) -> str:
    """What the table is called: the line above it that numbers it, or the caption that stands there unless it only
    says the unit."""
    named = [line for line in before[-4:] if _CAPTION.match(line.strip()) and len(line) < 120]
    if named:
        return named[-1].strip()
    return "" if _UNIT_ONLY.match(table.caption.strip()) else table.caption


def _heading_before(document: Document, table: Table) -> str:
    """The nearest heading above a table on its page."""
    page = document.page_at(table.start)
    above = [one for one in document.headings if one.end <= table.start and document.page_at(one.start) == page]
    return " ".join(above[-1].text.split()) if above else ""


def _box(document: Document, cell: Cell) -> Box | None:
    page = next((page for page in document.pages if page.number == cell.page), None)
    if page is None or not page.width or not page.height:
        return None
    wide, high = page.width, page.height
    return Box(cell.page, cell.x0 / wide, 1 - cell.y1 / high, cell.x1 / wide, 1 - cell.y0 / high)


def _around(document: Document, table: Table) -> Box | None:
    first = document.page_at(table.start)
    boxes = [box for cell in table.cells if cell.page == first and (box := _box(document, cell))]
    return Box.around(boxes) if boxes else None

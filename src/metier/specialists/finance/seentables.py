"""Tables on pages that OCR read: lines side by side become rows, lines one below the other columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from metier.knowledge.cells import is_figure
from metier.knowledge.document import Box, Document
from metier.specialists.finance.gridreading import read_grid
from metier.specialists.finance.periods import Period
from metier.specialists.finance.sheets import Place, Sheet, cell_name

_FEWEST_ROWS = 3
_ABOVE = 3  # rows above a table that may name it and its unit


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line that OCR saw. start, end: its text in the document."""

    text: str
    start: int
    end: int
    box: Box

    @property
    def middle(self) -> float:
        return (self.box.top + self.box.bottom) / 2


def seen_sheets(document: Document, first: int, year: Period | None) -> list[Sheet]:
    """The tables of pages that OCR read. first: the number of the first one."""
    sheets: list[Sheet] = []
    for page in document.pages:
        if page.origin == "ocr":
            rows = _rows([piece for piece in _pieces(document) if piece.box.page == page.number])
            for above, run in _runs(rows):
                sheets.append(_sheet(above, run, page.number, first + len(sheets), year))
    return [sheet for sheet in sheets if sheet.entries]


def _pieces(document: Document) -> Iterator[_Piece]:
    ends = [offset for offset, _ in document.boxes[1:]] + [len(document.text)]
    for (offset, box), end in zip(document.boxes, ends, strict=True):
        text = document.text[offset:end].rstrip()
        yield _Piece(text, offset, offset + len(text), box)


def _rows(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Pieces of one height together, the highest first, each from left to right."""
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda one: one.middle):
        tall = piece.box.bottom - piece.box.top
        if rows and piece.middle - rows[-1][0].middle < 0.6 * tall:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda one: one.box.left) for row in rows]


def _runs(rows: Sequence[list[_Piece]]) -> Iterator[tuple[Sequence[list[_Piece]], list[list[_Piece]]]]:
    """Rows of several pieces that follow one another and hold figures, with what stands above them."""
    start = 0
    for place in range(len(rows) + 1):
        if place < len(rows) and len(rows[place]) > 1:
            continue
        run = list(rows[start:place])
        if len(run) >= _FEWEST_ROWS and sum(any(is_figure(one.text) for one in row[1:]) for row in run) >= 2:
            yield rows[max(0, start - _ABOVE) : start], run
        start = place + 1


def _sheet(
    above: Sequence[list[_Piece]], run: list[list[_Piece]], page: int, number: int, year: Period | None
) -> Sheet:
    columns = _columns(run)
    grid: list[list[str]] = []
    places: dict[tuple[int, int], Place] = {}
    for index, row in enumerate(run):
        cells = [""] * (len(columns) + 1)
        for piece in row:
            column = _column(piece, columns)
            cells[column] = f"{cells[column]} {piece.text}".strip()
            places[index, column] = Place(page, piece.box, number, cell_name(index, column), piece.start, piece.end)
        grid.append(cells)
    said = [" ".join(piece.text for piece in row) for row in above]
    title = next((text for text in reversed(said) if text[:1] in "表Tt" and len(text) < 80), "")
    sheet = read_grid(grid, title=title, near=said[::-1], number=number, page=page, places=places, year=year)
    around = Box.around([piece.box for row in run for piece in row])
    starts, ends = [piece.start for row in run for piece in row], [piece.end for row in run for piece in row]
    return replace(sheet, place=Place(page, around, number, "", min(starts), max(ends)))


def _columns(run: Sequence[list[_Piece]]) -> list[tuple[float, float]]:
    """Where figures stand one below the other, from the left."""
    spans: list[tuple[float, float]] = []
    for piece in sorted((one for row in run for one in row[1:] if is_figure(one.text)), key=lambda one: one.box.left):
        if spans and piece.box.left <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], piece.box.right)
        else:
            spans.append((piece.box.left, piece.box.right))
    return spans


def _column(piece: _Piece, columns: Sequence[tuple[float, float]]) -> int:
    """The column of figures that a piece overlaps most; the first, of names, where it overlaps none."""
    shared = [min(piece.box.right, right) - max(piece.box.left, left) for left, right in columns]
    best = max(range(len(columns)), key=shared.__getitem__)
    return best + 1 if shared[best] > 0 else 0

"""The cells of a PDF's tables: what stands in one as one text, rows as lines of a page, which rows are the header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from metier.knowledge.draft import CELL_BREAK
from metier.knowledge.layout import CJK, Line, PlacedCell, Rectangle

_FIGURE = re.compile(
    r"[(（]?\s*[-+−–]?\s*[$¥￥€£]?\s*[-+−–]?\d[\d,，.\s]*[%％‰]?\s*[)）]?|[-—–]{1,2}|不适用|n/?a", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_HEADER_ROWS = 4


@dataclass(frozen=True, slots=True)
class Content:
    """What a cell holds. pieces: of lines, in any order; rows, columns: that it goes over; box: of the cell where lines
    draw it, else of its words."""

    pieces: tuple[Line, ...]
    box: Rectangle
    rows: int = 1
    columns: int = 1


Row = Mapping[int, Content]  # by column


def is_figure(text: str) -> bool:
    """Whether a cell is a number, a share, or the sign for none. A year names a column rather than fills one."""
    bare = text.strip()
    return _FIGURE.fullmatch(bare) is not None and _YEAR.fullmatch(bare) is None


def bounds(pieces: Iterable[Line]) -> Rectangle:
    """The rectangle around pieces."""
    edges = [(piece.left, piece.bottom, piece.right, piece.top) for piece in pieces]
    lefts, bottoms, rights, tops = zip(*edges, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def visual_lines(pieces: Iterable[Line]) -> list[list[Line]]:
    """Pieces of one height together, the highest first, each from left to right."""
    found: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.bottom):
        if found and found[-1][0].bottom - piece.bottom < 0.4 * max(piece.height, 1.0):
            found[-1].append(piece)
        else:
            found.append([piece])
    return [sorted(line, key=lambda piece: piece.left) for line in found]


def row_lines(rows: Sequence[Row], columns: int, table: int) -> list[Line]:
    """The rows as lines of cells, an empty cell where nothing stands in a column. table: its number on the page."""
    header = _header_rows(rows)
    return [_row_line(row, columns, table, number < header) for number, row in enumerate(rows)]


def _row_line(row: Row, columns: int, table: int, header: bool) -> Line:
    """What parts cells, or lines in a cell, stands nowhere on the page: it gets its neighbour's place."""
    first = next(content.pieces[0] for _, content in sorted(row.items()))
    texts: list[str] = []
    indices: list[int] = []
    cells = []
    for column in range(columns):
        if column:
            indices += [indices[-1] if indices else first.indices[0]] * len(CELL_BREAK)
        text = ""
        if content := row.get(column):
            text, places = _joined(content)
            indices += places
            cells.append(PlacedCell(text, column, content.rows, content.columns, content.box))
        texts.append(text)
    left, bottom, right, top = bounds(piece for content in row.values() for piece in content.pieces)
    whole = CELL_BREAK.join(texts)
    return replace(
        first, text=whole, indices=indices, left=left, bottom=bottom, right=right, top=top,
        cells=tuple(texts), placed=tuple(cells), table=table, header=header,
    )  # fmt: skip


def _joined(content: Content) -> tuple[str, list[int]]:
    """A cell's lines as one text, and the number of each of its characters on the page."""
    text, indices = "", list[int]()
    for line in visual_lines(content.pieces):
        for number, piece in enumerate(line):
            if text:
                glue = " " if number else _glue(text, piece.text)
                text += glue
                indices += [indices[-1]] * len(glue)
            text += piece.text
            indices += piece.indices
    return text, indices


def _glue(before: str, after: str) -> str:
    """What stands between two lines of a cell: a number goes on where a comma or point parts its digits."""
    torn = (re.search(r"\d[,.]$", before) and after[0].isdigit()) or (
        before[-1].isdigit() and re.match(r"[,.]\d", after)
    )
    return "" if torn or CJK.match(before[-1]) or CJK.match(after[0]) else " "


def _header_rows(rows: Sequence[Row]) -> int:
    """How many rows at the top name the columns: the first, those that its cells go down to or stand side by side
    under a cell of several columns, and those that name on without a first cell."""
    header = 1
    while header < min(len(rows) - 1, _MOST_HEADER_ROWS):
        above, row = rows[:header], rows[header]
        if any(is_figure(_joined(content)[0]) for content in row.values()):
            break
        reaches = any(number + content.rows > header for number, one in enumerate(above) for content in one.values())
        shared = any(content.columns > 1 for content in above[-1].values())
        if not (reaches or shared or 0 not in row):
            break
        header += 1
    return header

"""What stands side by side on a PDF page without lines between: the cells of a table, or columns of text.

pdfium gives what has one height as one line, with a blank where there was a gap. A gap much wider than a blank parts
the line into pieces; lines one below the other whose pieces stand in the same columns are a table, or, where the pieces
are long, columns of text that are read one after the other. A file may also draw one column after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from metier.knowledge.aligned import Columns, columns_of, contents, rows_of
from metier.knowledge.cells import is_figure, row_lines, visual_lines
from metier.knowledge.layout import Line

CAPTION = re.compile(
    r"\s*(?:(?:续?表|附表|图表)\s*[\d一二三四五六七八九十]|(?:Table|Exhibit|Schedule)\s+[\dA-Z])", re.IGNORECASE
)
_GAP = 1.4  # heights of a line: wider than a full-width blank
_FAR = 3.0  # heights of a line from one row to the next, at most
_TEXT_LINES = 5  # columns of text have at least so many lines,
_TEXT_WIDTH = 0.25  # each of them wider than this share of the page
_TEXT_CHARACTERS = 12
_SAME = 0.4  # heights: lines that are so near stand beside each other
_LEAST_BESIDE = 0.6  # of a column's lines have one beside them in the column before it

_RECENT = 12  # lines back, the cell before may begin
_MOST_ROWS = 500  # of a table whose columns are drawn one after the other

Edges = Callable[[int], tuple[float, float]]  # left and right edge of a character


def arranged(lines: Sequence[Line], edges: Edges, width: float, table: int) -> list[Line]:
    """The lines with tables as rows of cells, and columns of text one after the other.

    width: of the page; table: the number of the first table.
    """
    found: list[Line] = []
    waiting: list[Line] = []
    ends = _descents(lines)
    at = 0

    def take(rows: Sequence[Line]) -> None:
        nonlocal table
        numbers = {number: table + place for place, number in enumerate(dict.fromkeys(row.table for row in rows))}
        found.extend(replace(row, table=numbers[row.table]) if row.cells else row for row in rows)
        table += len({row.table for row in rows if row.cells})

    while at < len(lines):
        end, rows = _drawn_down(lines, at, ends, width)
        if rows:
            take(_across(waiting, edges, width))
            take(rows)
            waiting = []
        else:
            waiting += lines[at:end]
        at = end
    take(_across(waiting, edges, width))
    return found


def _across(lines: Sequence[Line], edges: Edges, width: float) -> list[Line]:
    """The lines with tables and columns whose rows the file draws one after the other."""
    order = {id(line): number for number, line in enumerate(lines)}
    found: list[Line] = []
    plain: list[Line] = []
    beside = _beside(lines)
    at = tables = 0
    while at < len(beside):
        end, rows = _drawn_across(beside, at, edges, width)
        if rows:
            found += sorted(plain, key=lambda line: order[id(line)])
            plain = []
            found += [replace(row, table=tables) if row.cells else row for row in rows]
            tables += 1
        else:
            plain += [line for row in beside[at:end] for line in row]
        at = end
    return found + sorted(plain, key=lambda line: order[id(line)])


def _beside(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines of one height together, where a file draws a cell of several lines and then the one beside it."""
    rows: list[list[Line]] = []
    for line in lines:
        near = _SAME * max(line.height, 1.0)
        since: list[list[Line]] = []  # the rows from the one of this height on
        for row in reversed(rows[-_RECENT:]):
            since.append(row)
            if abs(row[0].bottom - line.bottom) < near:
                break
        else:
            since = []
        if since and all(one.right <= line.left for row in since for one in row):
            since[-1].append(line)
        else:
            rows.append([line])
    return rows


def _pieces(row: Sequence[Line], edges: Edges) -> list[Line]:
    return sorted((piece for line in row for piece in pieces_of(line, edges)), key=lambda piece: piece.left)


def pieces_of(line: Line, edges: Edges, gap: float = _GAP) -> list[Line]:
    """The parts of a line between wide gaps. gap: how wide, in heights of the line."""
    parts, start = [], 0
    for place, letter in enumerate(line.text):
        if letter != " " or place == start:
            continue
        left, right = edges(line.indices[place - 1])[1], edges(line.indices[place + 1])[0]
        if right - left > gap * line.height:
            parts.append((start, place))
            start = place + 1
    parts.append((start, len(line.text)))
    return [line] if len(parts) == 1 else [_part(line, *one, edges) for one in parts]


def _part(line: Line, start: int, end: int, edges: Edges) -> Line:
    indices = line.indices[start:end]
    return replace(
        line, text=line.text[start:end], indices=indices, left=edges(indices[0])[0], right=edges(indices[-1])[1]
    )


def _drawn_across(lines: Sequence[list[Line]], at: int, edges: Edges, width: float) -> tuple[int, list[Line]]:
    """The table, or the columns of text, that begin with row `at`, and where they end; nothing where none do."""
    block = _block(lines, at, edges)
    while len(block) > 1:
        columns = columns_of(block)
        if columns is not None and len(columns.edges) > 1:
            end = at + len(block)
            if _is_text(block, columns, width, _TEXT_LINES):
                return end, _downwards(block, columns)
            cut = _foreign(block, columns)
            if cut is None:
                rows = [contents(block, columns, row) for row in rows_of(block, columns)]
                return (end, row_lines(rows, len(columns.edges), 0)) if len(rows) > 1 else (end, [])
            block = block[:cut]
        else:
            return at + len(block), []
    return at + 1, []


def _block(lines: Sequence[list[Line]], at: int, edges: Edges) -> list[list[Line]]:
    """Lines from `at` on that could be rows: parted ones one below the other. One of a single piece may stand between
    them, and below the last where it is nearer than the rows are to one another."""
    block = [_pieces(lines[at], edges)]
    if len(block[0]) == 1:
        return block
    end = 1
    for place in range(at + 1, len(lines)):
        pieces = _pieces(lines[place], edges)
        above, below = block[-1][0], pieces[0]
        if not 0 < above.bottom - below.bottom < _FAR * max(above.height, below.height):
            break
        block.append(pieces)
        if len(pieces) > 1:
            end = len(block)
    step = median([one[0].bottom - other[0].bottom for one, other in pairwise(block[:end])] or [0.0])
    while end < len(block) and block[end - 1][0].bottom - block[end][0].bottom < 0.8 * step:
        end += 1
    return block[:end]


def _foreign(block: Sequence[list[Line]], columns: Columns) -> int | None:
    """The number of the first line of one piece that goes over several columns, and so stands between two tables."""
    places = enumerate(columns.places)
    return next((number for number, own in places if number and len(own) == 1 and own[0][1] > 1), None)


def _is_text(block: Sequence[list[Line]], columns: Columns, width: float, least: int) -> bool:
    """Whether the columns are read downwards: at least so many lines, and long ones in each column."""
    if len(block) < least or len(columns.edges) > 3:
        return False
    for number in range(len(columns.edges)):
        own = _in_column(block, columns, number)
        if median(piece.right - piece.left for piece in own) < _TEXT_WIDTH * width:
            return False
        if median(len(piece.text) for piece in own) < _TEXT_CHARACTERS:
            return False
    return True


def _in_column(block: Sequence[list[Line]], columns: Columns, number: int) -> list[Line]:
    return [
        piece
        for line, places in zip(block, columns.places, strict=True)
        for piece, (column, _) in zip(line, places, strict=True)
        if column == number
    ]


def _downwards(block: Sequence[list[Line]], columns: Columns) -> list[Line]:
    return [piece for number in range(len(columns.edges)) for piece in _in_column(block, columns, number)]


def _drawn_down(lines: Sequence[Line], at: int, ends: Sequence[int], width: float) -> tuple[int, list[Line]]:
    """The table that begins with line `at` and whose columns the file draws one after the other."""
    runs = _runs(lines, at, ends)
    if len(runs) < 2:
        return at + 1, []
    end = runs[-1].stop
    block = visual_lines(lines[number] for run in runs for number in run)
    columns = columns_of(block)
    if columns is None or len(columns.edges) != len(runs) or _is_text(block, columns, width, 2):
        return at + 1, []
    rows = [contents(block, columns, row) for row in rows_of(block, columns)]
    figures = any(is_figure(lines[number].text) for run in runs[1:] for number in run)
    if len(rows) < (2 if figures else 3):
        return at + 1, []
    return end, row_lines(rows, len(columns.edges), 0)


def _runs(lines: Sequence[Line], at: int, ends: Sequence[int]) -> list[range]:
    """Columns that begin with line `at`: each goes down, and the next begins beside its first line, to its right."""
    runs = [range(at, min(ends[at], at + _MOST_ROWS))]
    near = _SAME * max(lines[at].height, 1.0)
    start = ends[at]
    while start < len(lines) and abs(lines[start].bottom - lines[at].bottom) < near:
        lowest = min(lines[number].bottom for number in runs[-1]) - near
        stop = min(ends[start], start + _MOST_ROWS)
        stop = next((number for number in range(start, stop) if lines[number].bottom < lowest), stop)
        heights = [lines[number].bottom for number in runs[-1]]
        own = range(start, stop)
        beside = sum(1 for number in own if any(abs(lines[number].bottom - height) < near for height in heights))
        right = max(lines[number].right for number in runs[-1])
        if len(own) < 2 or beside < _LEAST_BESIDE * len(own) or min(lines[number].left for number in own) < right:
            break
        runs.append(own)
        if stop < ends[start]:  # what goes on below stands behind the table
            break
        start = stop
    return runs


def _descents(lines: Sequence[Line]) -> list[int]:
    """For each line, where the lines end that stand below one another from it on."""
    ends = [len(lines)] * len(lines)
    for number in range(len(lines) - 2, -1, -1):
        falls = lines[number + 1].bottom < lines[number].bottom - 0.1
        ends[number] = ends[number + 1] if falls else number + 1
    return ends

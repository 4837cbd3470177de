"""What stands side by side on a PDF page: the cells of a table, or columns of text.

pdfium gives what has one height as one line, with a blank where there was a gap. A gap much wider than a blank parts
the line into pieces; lines one below the other whose pieces stand in the same columns are a table, or, where the pieces
are long, columns of text that are read one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from statistics import median

from metier.knowledge.draft import CELL_BREAK
from metier.knowledge.layout import Line

_GAP = 1.4  # heights of a line: wider than a full-width blank
_FAR = 3.0  # heights of a line from one row to the next, at most
_TEXT_LINES = 5  # columns of text have at least so many lines,
_TEXT_WIDTH = 0.25  # each of them wider than this share of the page
_TEXT_CHARACTERS = 12

Edges = Callable[[int], tuple[float, float]]  # left and right edge of a character


def arranged(lines: Sequence[Line], edges: Edges, width: float) -> list[Line]:
    """The lines of a page with tables as rows of cells, and columns of text one after the other. width: of the page."""
    pieces = [_pieces(line, edges) for line in lines]
    found: list[Line] = []
    at = 0
    while at < len(lines):
        end = _block_end(pieces, at)
        block = pieces[at:end]
        columns = _columns(block) if end - at > 1 else []
        if len(columns) < 2:
            found += lines[at:end]
        elif _is_text(block, columns, width):
            found += chain.from_iterable(
                (piece for row in block for piece in row if _column(piece, columns) == number)
                for number in range(len(columns))
            )
        else:
            found += [_row(row, columns) for row in block]
        at = end
    return found


def _pieces(line: Line, edges: Edges) -> list[Line]:
    """The parts of a line between wide gaps."""
    parts, start = [], 0
    for place, letter in enumerate(line.text):
        if letter != " " or place == start:
            continue
        left, right = edges(line.indices[place - 1])[1], edges(line.indices[place + 1])[0]
        if right - left > _GAP * line.height:
            parts.append((start, place))
            start = place + 1
    parts.append((start, len(line.text)))
    return [line] if len(parts) == 1 else [_part(line, *one, edges) for one in parts]


def _part(line: Line, start: int, end: int, edges: Edges) -> Line:
    indices = line.indices[start:end]
    return replace(
        line, text=line.text[start:end], indices=indices, left=edges(indices[0])[0], right=edges(indices[-1])[1]
    )


def _block_end(pieces: Sequence[list[Line]], at: int) -> int:
    """Where the lines end that begin with line `at` and could be rows: parted ones one below the other. A line of one
    piece may stand between them."""
    end = at + 1
    if len(pieces[at]) == 1:
        return end
    for place in range(at + 1, len(pieces)):
        above, below = pieces[place - 1][0], pieces[place][0]
        if not 0 < above.bottom - below.bottom < _FAR * max(above.height, below.height):
            break
        if len(pieces[place]) > 1:
            end = place + 1
    return end


def _columns(block: Sequence[list[Line]]) -> list[tuple[float, float]]:
    """Where the columns stand; none where pieces that stand beside each other would fall into one."""
    spans = sorted((piece.left, piece.right) for row in block for piece in row)
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left < columns[-1][1]:
            columns[-1] = columns[-1][0], max(columns[-1][1], right)
        else:
            columns.append((left, right))
    for row in block:
        if len({_column(piece, columns) for piece in row}) < len(row):
            return []
    return columns


def _column(piece: Line, columns: Sequence[tuple[float, float]]) -> int:
    return next(number for number, (_, right) in enumerate(columns) if piece.left < right)


def _is_text(block: Sequence[list[Line]], columns: Sequence[tuple[float, float]], width: float) -> bool:
    """Whether the columns are read downwards: many lines, and long ones in each column."""
    if len(block) < _TEXT_LINES or len(columns) > 3:
        return False
    for number in range(len(columns)):
        own = [piece for row in block for piece in row if _column(piece, columns) == number]
        if median(piece.right - piece.left for piece in own) < _TEXT_WIDTH * width:
            return False
        if median(len(piece.text) for piece in own) < _TEXT_CHARACTERS:
            return False
    return True


def _row(pieces: Sequence[Line], columns: Sequence[tuple[float, float]]) -> Line:
    """A row of a table as a line: its cells parted as everywhere, an empty one where nothing stands in a column."""
    by_column = {_column(piece, columns): piece for piece in pieces}
    cells = [by_column.get(number) for number in range(len(columns))]
    indices: list[int] = []
    for number, cell in enumerate(cells):
        if number:  # what parts the cells stands nowhere on the page: it gets its neighbour's place
            neighbour = indices[-1] if indices else pieces[0].indices[0]
            indices += [neighbour] * len(CELL_BREAK)
        indices += cell.indices if cell else ()
    texts = tuple(cell.text if cell else "" for cell in cells)
    first, last = pieces[0], pieces[-1]
    return replace(
        first, text=CELL_BREAK.join(texts), indices=indices, cells=texts, right=last.right,
        bottom=min(one.bottom for one in pieces), top=max(one.top for one in pieces),
    )  # fmt: skip

"""Tables whose lines are drawn: a cell is what stands in its box, however many lines; between lines that only go
across, the words stand in columns."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from metier.knowledge.aligned import columns_of, contents, rows_of
from metier.knowledge.cells import Content, Row, is_figure, row_lines, visual_lines
from metier.knowledge.columns import CAPTION, Edges, arranged, pieces_of
from metier.knowledge.grids import Area, Grid, bounded
from metier.knowledge.layout import Line, Rectangle
from metier.knowledge.rules import Rules

BoxOf = Callable[[int], Rectangle]  # left, bottom, right, top of a character
_GAP = 0.8  # heights of a line: between lines that are drawn, columns may stand near one another
_LEAST_FILLED = 0.3  # of a grid's cells: one with fewer words is a form or a chart

Inside = tuple[Line, int | None]  # a piece of a line, and the cell that holds it


def in_order(lines: Sequence[Line], rules: Rules, box_of: BoxOf, width: float) -> list[Line]:
    """The lines of a page in reading order: each table where its first line stands. width: of the page."""

    def edges(index: int) -> tuple[float, float]:
        left, _, right, _ = box_of(index)
        return left, right

    grids, areas = bounded(rules)
    tables: list[list[Line]] = []
    left: list[Line | int] = list(lines)  # a number stands for a table
    for grid in grids:
        inside = {id(line): list(parts(line, grid, box_of)) for line in left
                  if isinstance(line, Line) and is_near(line, grid.box)}  # fmt: skip
        rows, columns = grid_rows(grid, [part for own in inside.values() for part in own])
        if rows:
            gone = {id(piece) for own in inside.values() for piece, cell in own if cell is not None}
            left = _without(left, {key: [piece for piece, _ in own] for key, own in inside.items()}, gone, len(tables))
            tables.append(row_lines(rows, columns, len(tables)))
    for area in areas:
        held = [line for line in left if isinstance(line, Line) and is_near(line, area.box)]
        for rows, columns in area_rows(area, held, edges):
            pieces = [piece for row in rows for content in row.values() for piece in content.pieces]
            taken = {index for piece in pieces for index in piece.indices}
            gone = {id(line) for line in held if line.indices[0] in taken}
            left = _without(left, {id(line): [line] for line in held}, gone, len(tables))
            tables.append(row_lines(rows, columns, len(tables)))
    found: list[Line] = []
    waiting: list[Line] = []
    number = len(tables)
    for one in [*left, -1]:
        if isinstance(one, Line):
            waiting.append(one)
            continue
        placed = arranged(waiting, edges, width, number)
        number += len({line.table for line in placed if line.cells})
        found += placed
        waiting = []
        if one >= 0:
            found += tables[one]
    return found


def _without(
    lines: Sequence[Line | int], pieces: Mapping[int, Sequence[Line]], gone: Container[int], table: int
) -> list[Line | int]:
    """The lines, those in `pieces` parted so, and the number of a table in place of the first of its pieces."""
    found: list[Line | int] = []
    begun = False
    for line in lines:
        for piece in pieces.get(id(line), [line]) if isinstance(line, Line) else [line]:
            if isinstance(piece, int) or id(piece) not in gone:
                found.append(piece)
            elif not begun:
                begun = True
                found.append(table)
    return found


def is_near(line: Line, box: Rectangle) -> bool:
    """Whether a line reaches into a box."""
    left, bottom, right, top = box
    return line.left < right and line.right > left and line.bottom < top and line.top > bottom


def parts(line: Line, grid: Grid, box_of: BoxOf) -> Iterator[Inside]:
    """A line as pieces of one cell each; those outside of the grid have none."""
    start, cell, blank = 0, None, True
    for place, letter in enumerate(line.text):
        if letter.isspace():
            continue
        left, bottom, right, top = box_of(line.indices[place])
        own = grid.cell_at((left + right) / 2, (bottom + top) / 2)
        if not blank and own != cell:
            yield piece_of(line, start, place, box_of), cell
            start = place
        cell, blank = own, False
    if start == 0:
        yield line, cell
    else:
        yield piece_of(line, start, len(line.text), box_of), cell


def piece_of(line: Line, start: int, end: int, box_of: BoxOf) -> Line:
    """The characters of a line from `start` to `end`, without the blanks around them."""
    text = line.text[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    indices = line.indices[start : start + len(text)]
    left, bottom, _, top = box_of(indices[0])
    right = box_of(indices[-1])[2]
    return replace(line, text=text, indices=indices, left=left, bottom=bottom, right=right, top=top)


def grid_rows(grid: Grid, inside: Sequence[Inside]) -> tuple[list[Row], int]:
    """The rows of a grid and how many columns they have; no rows where it holds no table. inside: what stands in it."""
    held: dict[int, list[Line]] = {}
    for piece, owner in inside:
        if owner is not None:
            held.setdefault(owner, []).append(piece)
    rows = sorted({grid.cells[cell].row for cell in held})
    columns = sorted({grid.cells[cell].column for cell in held})
    if len(rows) * len(columns) < 2 or len(columns) < 2 or len(held) < _LEAST_FILLED * len(grid.cells):
        return [], 0
    found: list[dict[int, Content]] = [{} for _ in rows]
    for number, pieces in held.items():
        cell = grid.cells[number]
        high = sum(1 for row in rows if cell.row <= row < cell.row + cell.rows)
        wide = sum(1 for column in columns if cell.column <= column < cell.column + cell.columns)
        row, column = rows.index(cell.row), columns.index(cell.column)
        found[row][column] = Content(tuple(pieces), cell.box, rows=high, columns=wide)
    whole = [part for row in found for part in _stacked(row)]
    return (whole, len(columns)) if len(whole) > 1 else ([], 0)


def area_rows(area: Area, inside: Sequence[Line], edges: Edges) -> Iterator[tuple[list[Row], int]]:
    """The tables between lines that go across: one may end, and the next begin, at any of them."""
    bands: list[list[list[Line]]] = []
    for top, bottom in pairwise(area.ys):
        own = [line for line in inside if bottom < (line.top + line.bottom) / 2 < top]
        bands.append(visual_lines(piece for line in own for piece in pieces_of(line, edges, _GAP)))
    run: list[list[list[Line]]] = []
    for band in [*bands, []]:
        parted = 2 * sum(1 for line in band if len(line) > 1) >= len(band) > 0
        if parted and not any(CAPTION.match(line[0].text) for line in band):
            run.append(band)
            continue
        if run:
            yield from _area_table(run, area)
        run = []


def _area_table(bands: Sequence[list[list[Line]]], area: Area) -> Iterator[tuple[list[Row], int]]:
    lines = [line for band in bands for line in band]
    columns = columns_of(lines, area.across, ruled=True)
    if columns is None or len(columns.edges) < 2 or len(lines) < 2:
        return
    rows: list[Row] = []
    start = 0
    for band in bands:
        own = replace(columns, places=columns.places[start : start + len(band)], full=columns.full - start)
        rows += [contents(band, own, row) for row in rows_of(band, own)]
        start += len(band)
    yield rows, len(columns.edges)


def _stacked(row: Row) -> Iterator[Row]:
    """A row of a grid as the rows that stand in it: where no line parts them, figures one below the other do."""
    tall = {column: visual_lines(content.pieces) for column, content in row.items() if content.rows == 1}
    figures = [lines for lines in tall.values() if len(lines) > 1 and all(is_figure(_text(line)) for line in lines)]
    if not figures:
        yield row
        return
    levels = [line[0].bottom for line in max(figures, key=len)]
    found: list[dict[int, Content]] = [{} for _ in levels]
    for column, content in row.items():
        left, bottom, right, top = content.box
        for number, level in enumerate(levels):
            low = bottom if number + 1 == len(levels) else (level + levels[number + 1]) / 2
            high = top if number == 0 else (levels[number - 1] + level) / 2
            own = tuple(piece for piece in content.pieces if _nearest(piece.bottom, levels) == number)
            if own:
                found[number][column] = replace(content, pieces=own, box=(left, low, right, high))
    yield from filter(None, found)


def _text(line: Sequence[Line]) -> str:
    return "".join(piece.text for piece in line)


def _nearest(place: float, levels: Sequence[float]) -> int:
    """The number of the level that is next to a place."""
    distances = [abs(place - level) for level in levels]
    return distances.index(min(distances))

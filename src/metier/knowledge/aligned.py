"""Text that stands in columns: where they are, what goes over several, and which lines are one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from metier.knowledge.cells import Content, Row, bounds, is_figure
from metier.knowledge.layout import Line
from metier.knowledge.rules import NEAR, Rule

_CLOSE = 1.45  # heights of a line from one line of a cell to the next, at most
_APART = 1.25  # times that, from one row to the next, where space parts rows
_MOST_LINES = 3  # of a row whose cells all have several

Place = tuple[int, int]  # the column, and how many


@dataclass(frozen=True, slots=True)
class Columns:
    """edges: left and right of each; places: of the pieces of each line; full: the number of the first line that fills
    the columns; the lines above it name them."""

    edges: tuple[tuple[float, float], ...]
    places: tuple[tuple[Place, ...], ...]
    full: int


def columns_of(lines: Sequence[Sequence[Line]], across: Sequence[Rule] = (), *, ruled: bool = False) -> Columns | None:
    """The columns in which pieces stand one below the other; None where they do not.

    across: rules below a name that stands over several columns; ruled: lines are drawn around it all, so that two
    pieces in a column are one.
    """
    full = max(range(len(lines)), key=lambda number: len(lines[number]))
    edges: list[tuple[float, float]] = []
    for number in sorted(range(len(lines)), key=lambda number: -len(lines[number])):
        for piece in lines[number]:
            over = [edge for edge in edges if piece.left < edge[1] and piece.right > edge[0]]
            if len(over) == 1:
                edges[edges.index(over[0])] = min(over[0][0], piece.left), max(over[0][1], piece.right)
            elif not over and not (number < full and _between(piece, edges)):
                edges.append((piece.left, piece.right))
    edges.sort()
    places = []
    for number, line in enumerate(lines):
        own = tuple(_place(piece, line, edges, across if number < full else ()) for piece in line)
        if any(before[0] + before[1] > after[0] and not (ruled and before == after) for before, after in pairwise(own)):
            return None
        if number >= full and len(line) > 1 and any(span > 1 for _, span in own):
            return None
        places.append(own)
    return Columns(tuple(edges), tuple(places), full)


def rows_of(lines: Sequence[Sequence[Line]], columns: Columns) -> list[list[int]]:
    """The numbers of the lines that are one row, for each row."""
    if len(lines) < 2:
        return [[number] for number in range(len(lines))]
    gaps = [above[0].bottom - below[0].bottom for above, below in pairwise(lines)]
    height = max(piece.height for line in lines for piece in line)
    parted = min(gaps) * _APART <= max(gaps)
    limit = min(_CLOSE * height, (min(gaps) * max(gaps)) ** 0.5) if parted else 0.0
    groups = [[0]]
    for number, gap in enumerate(gaps, 1):
        if gap <= limit:
            groups[-1].append(number)
        else:
            groups.append([number])
    rows: list[list[int]] = []
    for group in groups:
        if _is_row([(lines[number], columns.places[number]) for number in group], len(columns.edges), len(groups)):
            rows.append(group)
            continue
        for number in group:
            close = number > 0 and gaps[number - 1] <= _CLOSE * height
            if (
                number > columns.full
                and close
                and _continues(lines[number], columns.places[number], len(columns.edges))
            ):
                rows[-1].append(number)
            else:
                rows.append([number])
    return rows


def contents(lines: Sequence[Sequence[Line]], columns: Columns, row: Sequence[int]) -> Row:
    """What the lines of a row hold, by column."""
    pieces: dict[int, list[Line]] = {}
    spans: dict[int, int] = {}
    for number in row:
        for piece, (column, span) in zip(lines[number], columns.places[number], strict=True):
            pieces.setdefault(column, []).append(piece)
            spans[column] = max(span, spans.get(column, 1))
    return {column: Content(tuple(own), bounds(own), columns=spans[column]) for column, own in pieces.items()}


def _between(piece: Line, edges: Sequence[tuple[float, float]]) -> bool:
    return any(right <= piece.left for _, right in edges) and any(left >= piece.right for left, _ in edges)


def _place(piece: Line, line: Sequence[Line], edges: Sequence[tuple[float, float]], across: Sequence[Rule]) -> Place:
    """Where a piece of a line stands: over the columns it reaches, or those of the rule drawn below it alone."""
    left, right = piece.left, piece.right
    for rule in across:
        held = [one for one in line if rule.start - NEAR <= one.left and one.right <= rule.end + NEAR]
        if held == [piece] and -2 < piece.bottom - rule.at < piece.height:
            left, right = rule.start, rule.end
    over = [number for number, edge in enumerate(edges) if left < edge[1] and right > edge[0]]
    if not over:  # between two columns: the name of both
        before = sum(1 for edge in edges if edge[1] <= left)
        over = [max(before - 1, 0), min(before, len(edges) - 1)]
    return over[0], over[-1] - over[0] + 1


def _is_row(group: Sequence[tuple[Sequence[Line], Sequence[Place]]], columns: int, groups: int) -> bool:
    """Whether lines that stand close together are one row: no column holds two figures, and lines that fill all
    columns are few."""
    if len(group) == 1:
        return True
    figures = [column for line, places in group for piece, (column, _) in zip(line, places, strict=True)
               if is_figure(piece.text)]  # fmt: skip
    if len(figures) > len(set(figures)):
        return False
    full = sum(1 for line, _ in group if len(line) == columns)
    return full < 2 or (len(group) <= _MOST_LINES and groups >= _MOST_LINES)


def _continues(line: Sequence[Line], places: Sequence[Place], columns: int) -> bool:
    """Whether a line goes on in the cells of the one above: it has no first cell and no figure, or begins small."""
    if any(is_figure(piece.text) for piece in line) or len(line) == columns:
        return False
    return places[0][0] > 0 or (len(line) == 1 and places[0][1] == 1 and line[0].text[0].islower())

"""Where pictures and charts stand on the pages of a PDF; runs in the confined child.

A chart is many paths close together, larger than a logo, that are no table: their boxes are joined where they touch.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pypdfium2
from pypdfium2 import raw

from metier.knowledge.document import Box
from metier.knowledge.objects import PLAIN, Matrix, page_objects

Edges = tuple[float, float, float, float]  # left, lower, right, upper, in points

MOST_BOXES = 1_500  # of a page; a chart of more is seen by its first ones
MOST_DRAWINGS = 12  # of a page
_APART = 16.0  # points: so near, parts are of one chart
_FEWEST = 6  # paths that make a chart
_NARROWEST, _LOWEST = 90.0, 50.0  # points
_WHOLE = 0.85  # of the page: its ground, not a chart
_MARGIN = 14.0  # points around, for the words at its axes


def drawings_of(pdf: pypdfium2.PdfDocument, tables: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The boxes of pictures and charts, page by page. tables: boxes of tables, whose lines are none."""
    found: list[dict[str, Any]] = []
    for number in range(1, len(pdf) + 1):
        own = [Box(**table) for table in tables if table["page"] == number]
        found += [asdict(box) for box in _on_page(pdf, number, own)]
    return found


def _on_page(pdf: pypdfium2.PdfDocument, number: int, tables: Sequence[Box]) -> Iterator[Box]:
    page = pdf[number - 1]
    try:
        wide, high = page.get_size()
        objects = page_objects(page)
        taken = [(box.left * wide, (1 - box.bottom) * high, box.right * wide, (1 - box.top) * high) for box in tables]
        pictures = [edges for item in objects.pictures if (edges := _edges(item, PLAIN)) is not None]
        paths = [edges for item, outer in objects.paths[:MOST_BOXES] if (edges := _edges(item, outer)) is not None]
        kept = [
            edges
            for edges in paths
            if _area(edges) < _WHOLE * wide * high and not any(_meets(edges, one) for one in taken)
        ]
        groups = [(edges, _FEWEST) for edges in pictures if _area(edges) < _WHOLE * wide * high]
        groups += _joined(kept)
        large = [edges for edges, count in groups if count >= _FEWEST and _is_large(edges)]
        for left, lower, right, upper in sorted(_without_inner(large), key=lambda edges: -edges[3])[:MOST_DRAWINGS]:
            yield Box(
                number,
                max(0.0, (left - _MARGIN) / wide),
                max(0.0, 1 - (upper + _MARGIN) / high),
                min(1.0, (right + _MARGIN) / wide),
                min(1.0, 1 - (lower - _MARGIN) / high),
            )
    finally:
        page.close()


def _edges(item: Any, outer: Matrix) -> Edges | None:
    """The box around an object on the page."""
    edges = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(item, *edges):
        return None
    left, lower, right, upper = (edge.value for edge in edges)
    a, b, c, d, e, f = outer
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (left, right) for y in (lower, upper)]
    across, up = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(up), max(across), max(up)


def _joined(boxes: Sequence[Edges]) -> list[tuple[Edges, int]]:
    """Boxes that touch, or nearly, as one, with how many they are."""
    groups: list[tuple[Edges, int]] = []
    for box in boxes:
        edges, count = box, 1
        apart = []
        for other, many in groups:
            if _meets(_grown(edges), other):
                edges, count = _around(edges, other), count + many
            else:
                apart.append((other, many))
        groups = [*apart, (edges, count)]
    changed = True
    while changed:  # what has grown may meet another now
        changed = False
        for place, (edges, count) in enumerate(groups):
            near = next((at for at in range(place + 1, len(groups)) if _meets(_grown(edges), groups[at][0])), None)
            if near is not None:
                other, many = groups.pop(near)
                groups[place] = _around(edges, other), count + many
                changed = True
                break
    return groups


def _without_inner(boxes: Sequence[Edges]) -> list[Edges]:
    return [one for one in boxes if not any(other != one and _around(one, other) == other for other in boxes)]


def _grown(box: Edges) -> Edges:
    return box[0] - _APART, box[1] - _APART, box[2] + _APART, box[3] + _APART


def _around(one: Edges, other: Edges) -> Edges:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _meets(one: Edges, other: Edges) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _area(box: Edges) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _is_large(box: Edges) -> bool:
    return box[2] - box[0] >= _NARROWEST and box[3] - box[1] >= _LOWEST

"""The ruled lines of a PDF page: thin lines and bars, and the edges of boxes, as they bound the cells of tables."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pypdfium2 import raw

from metier.knowledge.objects import Matrix, PageObjects, matrix_of

NEAR = 3.0  # points: so near, lines that should meet do
MOST_RULES = 1_000  # of one direction; a page with more is a drawing
_MOST_SEGMENTS = 20_000  # looked at on a page
_THIN = 2.5  # points: a bar that is a line
_SHORTEST = 6.0
_SAME = 1.5  # points between lines that are one
_ALMOST_ALL = 0.95  # of the page: an edge of it, not of a table
_NEAR_WHITE = 250

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line. at: its height, or for one that goes down, how far from the left; start, end: along it. In points."""

    at: float
    start: float
    end: float

    def reaches(self, place: float) -> bool:
        return self.start - NEAR <= place <= self.end + NEAR


@dataclass(frozen=True, slots=True)
class Rules:
    """across: horizontal ones, the highest first; down: vertical ones from the left; too_many: so many that they are a
    drawing's, and none is here."""

    across: tuple[Rule, ...] = ()
    down: tuple[Rule, ...] = ()
    too_many: bool = False


def rules_of(objects: PageObjects, size: tuple[float, float]) -> Rules:
    """The rules among the paths of a page. size: its width and height."""
    if objects.crowded:
        return Rules(too_many=True)
    across: list[Rule] = []
    down: list[Rule] = []
    segments = 0
    for item, outer in objects.paths:
        if not _is_drawn(item):
            continue
        segments += raw.FPDFPath_CountSegments(item)
        if segments > _MOST_SEGMENTS:
            return Rules(too_many=True)
        for (left, low), (right, high) in _lines(item, matrix_of(item, outer)):
            if high - low <= _THIN and right - left >= _SHORTEST and right - left < _ALMOST_ALL * size[0]:
                across.append(Rule((low + high) / 2, left, right))
            elif right - left <= _THIN and high - low >= _SHORTEST and high - low < _ALMOST_ALL * size[1]:
                down.append(Rule((left + right) / 2, low, high))
    whole = _merged(across)[::-1], _merged(down)
    return Rules(too_many=True) if max(map(len, whole)) > MOST_RULES else Rules(*whole)


def levels(places: Iterable[float]) -> list[float]:
    """The places, ascending, with those that are near one another as one."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > NEAR:
            found.append(place)
    return found


def _is_drawn(item: Any) -> bool:
    """Whether a path leaves ink: it has a stroke, or is filled with another colour than white."""
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(item, mode, stroke):
        return False
    if stroke.value:
        return True
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not mode.value or not raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
        return False
    return min(red.value, green.value, blue.value) < _NEAR_WHITE


def _lines(item: Any, matrix: Matrix) -> Iterator[tuple[Point, Point]]:
    """The lower left and upper right corner of each straight line of a path; a thin bar is one line."""
    for outline in _outlines(item, matrix):
        low = min(x for x, _ in outline), min(y for _, y in outline)
        high = max(x for x, _ in outline), max(y for _, y in outline)
        if high[0] - low[0] <= _THIN or high[1] - low[1] <= _THIN:
            yield low, high
            continue
        for one, other in pairwise(outline):
            yield (min(one[0], other[0]), min(one[1], other[1])), (max(one[0], other[0]), max(one[1], other[1]))


def _outlines(item: Any, matrix: Matrix) -> Iterator[list[Point]]:
    """The corners of each part of a path that is of straight lines alone, on the page."""
    a, b, c, d, e, f = matrix
    x, y = ctypes.c_float(), ctypes.c_float()
    corners: list[Point] = []
    straight = True
    for number in range(raw.FPDFPath_CountSegments(item)):
        segment = raw.FPDFPath_GetPathSegment(item, number)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            if straight and len(corners) > 1:
                yield corners
            corners, straight = [], True
        straight = straight and kind != raw.FPDF_SEGMENT_BEZIERTO
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        corners.append((a * x.value + c * y.value + e, b * x.value + d * y.value + f))
        if straight and len(corners) > 1 and raw.FPDFPathSegment_GetClose(segment):
            corners.append(corners[0])
    if straight and len(corners) > 1:
        yield corners


def _merged(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Lines that lie on one another, or go on in one another, as one."""
    found: list[Rule] = []
    rows: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if rows and rule.at - rows[-1][0].at <= _SAME:
            rows[-1].append(rule)
        else:
            rows.append([rule])
    for row in rows:
        at = sum(rule.at for rule in row) / len(row)
        start, end = None, 0.0
        for rule in sorted(row, key=lambda rule: rule.start):
            if start is None:
                start, end = rule.start, rule.end
            elif rule.start <= end + NEAR:
                end = max(end, rule.end)
            else:
                found.append(Rule(at, start, end))
                start, end = rule.start, rule.end
        if start is not None:
            found.append(Rule(at, start, end))
    return tuple(found)

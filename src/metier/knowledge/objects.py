"""What is drawn on a PDF page, by kind, with the forms on it; one walk over it for all who ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
from pypdfium2 import raw

MOST_PATHS = 20_000  # of a page; one with more is a drawing, and its rules are not looked for
_DEEPEST = 6

Matrix = tuple[float, float, float, float, float, float]  # a, b, c, d, e, f of x' = ax + cy + e, y' = bx + dy + f
PLAIN: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(slots=True)
class PageObjects:
    """texts and pictures: pdfium's handles; paths: with the matrix of the form that each stands in; crowded: there are
    more than `MOST_PATHS` of them, and only so many are here."""

    texts: list[Any] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)
    paths: list[tuple[Any, Matrix]] = field(default_factory=list)
    crowded: bool = False


def page_objects(page: pypdfium2.PdfPage) -> PageObjects:
    """The objects of a page."""
    found = PageObjects()
    for item, matrix in _items(page):
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            found.texts.append(item)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            found.pictures.append(item)
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            if len(found.paths) < MOST_PATHS:
                found.paths.append((item, matrix))
            else:
                found.crowded = True
    return found


def matrix_of(item: Any, outer: Matrix = PLAIN) -> Matrix:
    """From an object's own coordinates to the page's. outer: of the form it stands in."""
    own = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(item, own):
        return outer
    a, b, c, d, e, f = outer
    return (
        a * own.a + c * own.b, b * own.a + d * own.b,
        a * own.c + c * own.d, b * own.c + d * own.d,
        a * own.e + c * own.f + e, b * own.e + d * own.f + f,
    )  # fmt: skip


def _items(page: pypdfium2.PdfPage) -> Iterator[tuple[Any, Matrix]]:
    """One after the other, none kept: a page may have millions."""
    for index in range(raw.FPDFPage_CountObjects(page)):
        yield from _with_inner(raw.FPDFPage_GetObject(page, index), PLAIN, 0)


def _with_inner(item: Any, outer: Matrix, depth: int) -> Iterator[tuple[Any, Matrix]]:
    yield item, outer
    if depth < _DEEPEST and raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_FORM:
        matrix = matrix_of(item, outer)
        for index in range(raw.FPDFFormObj_CountObjects(item)):
            yield from _with_inner(raw.FPDFFormObj_GetObject(item, index), matrix, depth + 1)

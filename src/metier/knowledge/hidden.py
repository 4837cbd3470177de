"""Words of a PDF page that nobody sees: white on white, transparent, without ink, or too small to read.

A model would read them, so they are left out and told. White words on a dark ground are seen: whether the page looks
another without them decides. The invisible words over a scan are its text, made by somebody's OCR, and stay.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2
from pypdfium2 import raw

from metier.knowledge.objects import PageObjects

LEAST_POINTS = 1.5
_NEAR_WHITE = 225
_NEAR_CLEAR = 30
_CHANGE = 12  # of 255
_INVISIBLE_MODES = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


def hidden_characters(
    page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, objects: PageObjects, count: int
) -> set[int]:
    """The numbers of the characters that are not seen. objects: of the page; count: its characters."""
    unseen: set[int] = set()  # addresses of text objects
    doubtful: dict[int, Any] = {}
    for item in objects.texts:
        if raw.FPDFTextObj_GetTextRenderMode(item) in _INVISIBLE_MODES or _points(item) < LEAST_POINTS:
            unseen.add(_address(item))
        elif _is_pale(item):
            doubtful[_address(item)] = item
    if not unseen and not doubtful:
        return set()
    if unseen and _is_scan(page, objects):
        unseen = set()
    owners = [_address(raw.FPDFText_GetTextObject(text, index)) for index in range(count)]
    if doubtful:
        unseen |= doubtful.keys() - _seen(page, text, owners, doubtful)
    return {index for index, owner in enumerate(owners) if owner in unseen}


def _address(item: Any) -> int:
    return ctypes.cast(item, ctypes.c_void_p).value or 0


def _points(item: Any) -> float:
    """The size of the words as they stand on the page."""
    size = ctypes.c_float()
    matrix = raw.FS_MATRIX()
    if not raw.FPDFTextObj_GetFontSize(item, size) or not raw.FPDFPageObj_GetMatrix(item, matrix):
        return LEAST_POINTS
    return float(abs(size.value) * max(abs(matrix.c), abs(matrix.d)))


def _is_pale(item: Any) -> bool:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
        return False
    return min(red.value, green.value, blue.value) >= _NEAR_WHITE or alpha.value <= _NEAR_CLEAR


def _is_scan(page: pypdfium2.PdfPage, objects: PageObjects) -> bool:
    """Whether a picture covers more than half of the page."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    wide, high = page.get_size()
    for item in objects.pictures:
        raw.FPDFPageObj_GetBounds(item, left, bottom, right, top)
        if (right.value - left.value) * (top.value - bottom.value) > wide * high / 2:
            return True
    return False


def _seen(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, owners: list[int], items: dict[int, Any]) -> set[int]:
    """Those of the text objects without which the page looks another."""
    import numpy

    wide, high = page.get_size()
    scale = min(2.0, (4_000_000 / max(wide * high, 1.0)) ** 0.5)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    with_them = page.render(scale=scale, may_draw_forms=False, grayscale=True).to_numpy().astype(numpy.int16)
    for item in items.values():
        raw.FPDFPageObj_SetIsActive(item, False)
    without = page.render(scale=scale, may_draw_forms=False, grayscale=True).to_numpy().astype(numpy.int16)
    for item in items.values():
        raw.FPDFPageObj_SetIsActive(item, True)
    changed = abs(with_them - without).reshape(with_them.shape[:2]) > _CHANGE
    seen: set[int] = set()
    box = raw.FS_RECTF()
    x, y = ctypes.c_int(), ctypes.c_int()
    for index, owner in enumerate(owners):
        if owner in items and owner not in seen and raw.FPDFText_GetLooseCharBox(text, index, box):
            corners = []
            for corner in ((box.left, box.top), (box.right, box.bottom)):
                raw.FPDF_PageToDevice(page, 0, 0, *size, 0, *corner, x, y)
                corners.append((x.value, y.value))
            (left, above), (right, below) = corners
            across = slice(max(0, min(left, right)), max(left, right) + 1)
            down = slice(max(0, min(above, below)), max(above, below) + 1)
            if changed[down, across].any():
                seen.add(owner)
    return seen

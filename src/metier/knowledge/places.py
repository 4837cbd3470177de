"""Where words of a document stand on the pages of its PDF; runs in the confined child.

A document's text is mended, a page's is not: they are compared without spaces, hyphens and invisible characters.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pypdfium2
from pypdfium2 import raw

from metier.knowledge.cleaning import clean
from metier.knowledge.document import Box
from metier.knowledge.pdflines import lines_of

_SCALE = 1_000_000  # device units across a page, for fractions that are exact enough
_ALIKE = 80.0


def boxes_of(pdf: pypdfium2.PdfDocument, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each wanted span (`page`, the page's `text`, `start`, `end` in it) its boxes, a box a line."""
    found: list[dict[str, Any]] = []
    for one in wanted:
        if 1 <= one["page"] <= len(pdf):
            found += [asdict(box) for box in _on_page(pdf, one["page"], one["text"], one["start"], one["end"])]
    return found


def _on_page(pdf: pypdfium2.PdfDocument, number: int, text: str, start: int, end: int) -> Iterator[Box]:
    page = pdf[number - 1]
    characters = page.get_textpage()
    try:
        letters, indices, line_numbers = [], [], []
        for line_number, line in enumerate(lines_of(page, characters)[0]):
            for index, letter in zip(line.indices, line.text, strict=True):
                for kept in _bare(letter):
                    letters.append(kept)
                    indices.append(index)
                    line_numbers.append(line_number)
        first, last = _find("".join(letters), _bare(text[:start]), _bare(text[start:end]))
        at = first
        while at < last:
            stop = at
            while stop < last and line_numbers[stop] == line_numbers[at]:
                stop += 1
            yield _around(page, characters, number, indices[at:stop])
            at = stop
    finally:
        characters.close()
        page.close()


def _bare(text: str) -> str:
    """The characters that count."""
    return "".join(one for one in clean(text)[0] if not one.isspace() and one not in "-\u2010\u2011\x02|")


def _find(page: str, before: str, words: str) -> tuple[int, int]:
    """Where the words stand in a page's characters; (0, 0) where they do not.

    Of several places it is the one with as many of them before it as in the document.
    """
    if not words:
        return 0, 0
    earlier = sum(1 for _ in _places(before + words, words)) - 1
    places = list(_places(page, words))
    if places:
        first = places[min(earlier, len(places) - 1)]
        return first, first + len(words)
    from rapidfuzz.fuzz import partial_ratio_alignment

    alike = partial_ratio_alignment(words, page, score_cutoff=_ALIKE) if len(words) <= len(page) else None
    return (alike.dest_start, alike.dest_end) if alike else (0, 0)


def _places(text: str, words: str) -> Iterator[int]:
    at = text.find(words)
    while at >= 0:
        yield at
        at = text.find(words, at + 1)


def _around(page: pypdfium2.PdfPage, characters: pypdfium2.PdfTextPage, number: int, indices: list[int]) -> Box:
    """The box around characters of a line, as fractions of the page as it is shown (turned, cropped)."""
    across, down = [], []
    box = raw.FS_RECTF()
    x, y = ctypes.c_int(), ctypes.c_int()
    for index in indices:
        raw.FPDFText_GetLooseCharBox(characters, index, box)
        for corner in ((box.left, box.top), (box.right, box.bottom)):
            raw.FPDF_PageToDevice(page, 0, 0, _SCALE, _SCALE, 0, *corner, x, y)
            across.append(x.value / _SCALE)
            down.append(y.value / _SCALE)
    inside = [max(0.0, min(1.0, edge)) for edge in (min(across), min(down), max(across), max(down))]
    return Box(number, *inside)

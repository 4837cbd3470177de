"""The lines of a PDF page, in reading order, each with its place and the numbers of its characters."""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2
from pypdfium2 import raw

from metier.knowledge.layout import Line, PageText
from metier.knowledge.readers import Source
from metier.knowledge.seen import page_seen

HYPHEN = "\x02"  # pdfium's sign for a hyphen at which a word was parted


def page_text(pdf: pypdfium2.PdfDocument, source: Source, number: int) -> PageText:
    """The text of page `number` (1-based); a page that cannot be opened is `failed`."""
    try:
        page = pdf[number - 1]
        width, height = page.get_size()
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return PageText(number, (), None, None, "failed", notice="knowledge.notice_page_damaged")
    try:
        lines = tuple(lines_of(page, text))
        if lines:
            return PageText(number, lines, width, height)
        if raw.FPDFPage_CountObjects(page) == 0:
            return PageText(number, (), width, height, "empty")
        return page_seen(source, number, width, height)
    finally:
        text.close()
        page.close()


def characters(text: pypdfium2.PdfTextPage) -> str:
    """The characters of a page, one for each of pdfium's, so that a place in it is a character's number."""
    count = text.count_chars()
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    raw.FPDFText_GetText(text, 0, count, buffer)
    whole = bytes(buffer)[: 2 * count].decode("utf-16-le", "surrogatepass")
    if len(whole) == count and "\x00" not in whole and not any("\ud800" <= one <= "\udfff" for one in whole):
        return whole
    return "".join(chr(raw.FPDFText_GetUnicode(text, index)) for index in range(count))


def lines_of(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> list[Line]:
    """The lines of a page in reading order."""
    whole = characters(text)
    lines = []
    start = 0
    for piece in whole.split("\n"):
        shown = piece.strip()
        if shown:
            first = start + piece.index(shown)
            indices = range(first, first + len(shown))
            left, bottom, _, top = _box(text, indices[0])
            _, bottom_last, right, top_last = _box(text, indices[-1])
            lines.append(Line(shown, left, min(bottom, bottom_last), right, max(top, top_last), indices))
        start += len(piece) + 1
    return lines


def _box(text: Any, index: int) -> tuple[float, float, float, float]:
    """left, bottom, right, top of a character with the room that its font gives it, in points from the lower left."""
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text, index, box)
    return box.left, box.bottom, box.right, box.top

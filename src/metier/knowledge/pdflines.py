"""The lines of a PDF page, in reading order, each with its place and the numbers of its characters."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pypdfium2
from pypdfium2 import raw

from metier.knowledge.hidden import hidden_characters
from metier.knowledge.layout import HYPHEN, Line, PageText
from metier.knowledge.objects import page_objects
from metier.knowledge.readers import Source
from metier.knowledge.rules import rules_of
from metier.knowledge.seen import page_seen
from metier.knowledge.tables import in_order

_PARTED = str.maketrans("\ufffe", HYPHEN)  # pdfium's sign for a hyphen that parts a word, instead of a line's end

_BOLD = re.compile(rb"bold|black|heavy|simhei|heiti", re.IGNORECASE)
_BOLD_WEIGHT = 700
_LONGEST_NAME = 128  # bytes of a font's name


def page_text(pdf: pypdfium2.PdfDocument, source: Source, number: int) -> PageText:
    """The text of page `number` (1-based); a page that cannot be opened is `failed`."""
    try:
        page = pdf[number - 1]
        width, height = page.get_size()
        text = page.get_textpage()
    except pypdfium2.PdfiumError:
        return PageText(number, (), None, None, "failed", notice="knowledge.notice_page_damaged")
    try:
        lines, hidden, crowded = lines_of(page, text)
        if lines:
            return PageText(number, tuple(lines), width, height, hidden=tuple(hidden), crowded=crowded)
        if raw.FPDFPage_CountObjects(page) == 0:
            return PageText(number, (), width, height, "empty")
        return replace(page_seen(source, number, width, height), hidden=tuple(hidden))
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
        return whole.translate(_PARTED)
    return "".join(chr(raw.FPDFText_GetUnicode(text, index)) for index in range(count)).translate(_PARTED)


def lines_of(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> tuple[list[Line], list[str], bool]:
    """The lines of a page in reading order, the words on it that nobody sees, and whether it is a drawing of so many
    lines that no tables were looked for among them."""
    whole = characters(text)
    objects = page_objects(page)
    hidden = hidden_characters(page, text, objects, len(whole))
    lines = []
    start = 0
    for piece in re.findall(f"[^\n{HYPHEN}]*[\n{HYPHEN}]?", whole):
        indices: Sequence[int] = range(start, start + len(piece))
        start += len(piece)
        if hidden:
            indices = [index for index in indices if index not in hidden]
            piece = "".join(whole[index] for index in indices)
        shown = piece.strip()
        if shown:
            first = piece.index(shown)
            lines.append(_line(text, shown, indices[first : first + len(shown)]))

    rules = rules_of(objects, page.get_size())
    return in_order(lines, rules, partial(_box, text), page.get_width()), _words(whole, hidden), rules.too_many


def _line(text: pypdfium2.PdfTextPage, shown: str, indices: Sequence[int]) -> Line:
    left, bottom, _, top = _box(text, indices[0])
    _, bottom_last, right, top_last = _box(text, indices[-1])
    size, bold = _style(text, indices[len(indices) // 2])
    bold = bold and _style(text, indices[0])[1]
    return Line(shown, left, min(bottom, bottom_last), right, max(top, top_last), indices, size=size, bold=bold)


def _style(text: Any, index: int) -> tuple[float, bool]:
    """The size of a character as it stands on the page, and whether it is bold."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text, index, matrix)
    size = raw.FPDFText_GetFontSize(text, index) * (matrix.c**2 + matrix.d**2) ** 0.5
    name = ctypes.create_string_buffer(_LONGEST_NAME)
    raw.FPDFText_GetFontInfo(text, index, name, _LONGEST_NAME, None)
    return round(size, 2), _BOLD.search(name.value) is not None or raw.FPDFText_GetFontWeight(
        text, index
    ) >= _BOLD_WEIGHT


def _words(whole: str, hidden: set[int]) -> list[str]:
    """Hidden characters that stand together."""
    words: list[str] = []
    before = -2
    for index in sorted(hidden):
        if index == before + 1:
            words[-1] += whole[index]
        else:
            words.append(whole[index])
        before = index
    return [" ".join(one.split()) for one in words if one.strip()]


def _box(text: Any, index: int) -> tuple[float, float, float, float]:
    """left, bottom, right, top of a character with the room that its font gives it, in points from the lower left."""
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text, index, box)
    return box.left, box.bottom, box.right, box.top

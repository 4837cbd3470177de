"""What OCR saw on a page, as lines like those of a page with text."""

from __future__ import annotations

from typing import Any

from metier.knowledge.document import Box
from metier.knowledge.layout import Line, PageText
from metier.knowledge.readers import Source


def page_seen(source: Source, number: int, width: float | None, height: float | None) -> PageText:
    """A page without text of its own: as it was seen, or still to be looked at.

    width, height: points; a page without a size has the proportions that its boxes are fractions of.
    """
    said = source.seen.get(number)
    if said is None:
        return PageText(number, (), width, height, "empty", notice="knowledge.notice_needs_ocr")
    if "failed" in said:
        return PageText(number, (), width, height, "failed", notice="knowledge.notice_ocr_failed")
    lines = tuple(_line(number, one, width or 600.0, height or 800.0) for one in said["lines"])
    if not lines:
        return PageText(number, (), width, height, "empty", notice="knowledge.notice_nothing_seen")
    letters = sum(len(line.text) for line in lines)
    confidence = sum(one["score"] * len(one["text"]) for one in said["lines"]) / max(letters, 1)
    return PageText(number, lines, width, height, "ocr", confidence=round(confidence, 4))


def _line(number: int, said: dict[str, Any], width: float, height: float) -> Line:
    left, top, right, bottom = said["box"]
    box = Box(number, left, top, right, bottom)
    return Line(said["text"], left * width, (1 - bottom) * height, right * width, (1 - top) * height, box=box)

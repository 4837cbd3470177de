"""Lines of pages become paragraphs: what a page's edge tore apart is whole again.

A line goes on in the next when it reaches the right margin and the next neither is indented nor begins something new
(an article, a clause, an item of a list). Between Chinese characters nothing is put, between words a space; a word
parted by a hyphen is one word again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from metier.knowledge.document import Box, Origin
from metier.knowledge.draft import Draft

_BEGINS = re.compile(
    r"\s*(?:第[〇零一二三四五六七八九十百千万\d]+[编篇章节条](?:之[一二三四五六七八九十]+)?(?=\s|$)|[（(][一二三四五六七八九十百\d]+[)）]"
    r"|[一二三四五六七八九十]+、|\d+(?:\.\d+)*[.、)）．](?!\d)|[•·●■◆○▪–—-]\s|[A-Za-z][.)]\s|(?:Article|Section|Chapter)\s+\d)"
)
_ENDS = ("。", "！", "？", "：", ".", "!", "?", ":", "”", "』")
_CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f\U00020000-\U0003ffff]")
HYPHEN = "\x02"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: points from the lower left corner, and the number on the page of each of its characters, or
    the box where OCR saw it."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    indices: Sequence[int] = ()
    box: Box | None = None

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class PageText:
    """What stands on a page, in reading order."""

    number: int
    lines: tuple[Line, ...]
    width: float | None
    height: float | None
    origin: Origin = "text"
    confidence: float | None = None
    notice: str = ""


def write(pages: Sequence[PageText], draft: Draft) -> None:
    """Adds the pages to the draft as paragraphs."""
    before: Line | None = None
    margins = Margins()
    for page in pages:
        size = {"width": page.width, "height": page.height}
        draft.page(page.number, origin=page.origin, confidence=page.confidence, **size)
        if page.notice:
            draft.notice(page.notice, page=page.number)
        here = Margins.of(page.lines)
        for place, line in enumerate(page.lines):
            joined = before is not None and goes_on(before, line, here if place else margins)
            start, _ = draft.add(line.text, glue=_glue(before.text, line.text) if before and joined else "\n")
            if line.box is not None:
                draft.boxes.append((start, line.box))
            before = line
        margins = here if page.lines else margins


@dataclass(frozen=True, slots=True)
class Margins:
    """Where the lines of a page begin and end, and the step from one to the next in a paragraph, in points."""

    left: float = 0.0
    right: float = 0.0
    step: float = 0.0

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Margins:
        if not lines:
            return cls()
        steps = [above.bottom - below.bottom for above, below in pairwise(lines) if above.bottom > below.bottom]
        return cls(
            min(line.left for line in lines),
            max(line.right for line in lines),
            sorted(steps)[len(steps) // 4] if steps else 0.0,
        )


def goes_on(before: Line, line: Line, margins: Margins) -> bool:
    """Whether the paragraph of one line goes on in the next."""
    if before.text.endswith(HYPHEN):
        return True
    size = max(line.height, before.height, 1.0)
    if before.bottom - line.bottom > 1.35 * max(margins.step, size):
        return False
    if line.left > margins.left + 1.2 * size or _BEGINS.match(line.text) or before.text.endswith(_ENDS):
        return False
    return margins.right - before.right <= _first_word(line.text) * size


def _first_word(text: str) -> float:
    """How wide the first word is that had no room on the line before, in heights of a line.

    A Chinese character may have had to take the marks after it along.
    """
    word = text.split(maxsplit=1)[0]
    latin = next((place for place, one in enumerate(word) if _CJK.match(one)), min(len(word), 40))
    return 1.5 + 0.6 * latin if latin else 2.5


def _glue(before: str, after: str) -> str:
    if before.endswith(HYPHEN) or _CJK.match(before[-1]) or _CJK.match(after[0]):
        return ""
    return " "

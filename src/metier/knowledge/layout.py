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
_HALF = 0.55  # of the page: what ends before it, or begins behind the rest, stands in a column of its own
_COLUMN_LINES = 4  # on each side make it a page of two columns
_LEAST_WIDTH = 0.3  # of the page: shorter lines stand for themselves
HYPHEN = "\x02"  # at the end of a line: it parts a word


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: points from the lower left corner, and the number on the page of each of its characters, or
    the box where OCR saw it. cells: of a row of a table."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    indices: Sequence[int] = ()
    box: Box | None = None
    cells: tuple[str, ...] = ()

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
    hidden: tuple[str, ...] = ()


def write(pages: Sequence[PageText], draft: Draft) -> None:
    """Adds the pages to the draft as paragraphs."""
    lines = [line for page in pages for line in page.lines]
    following = iter([*lines[1:], None])
    glue = "\n"
    for page in pages:
        size = {"width": page.width, "height": page.height}
        draft.page(page.number, origin=page.origin, confidence=page.confidence, **size)
        _tell(page, draft)
        margins = Margins.of(page)
        rows: list[tuple[str, ...]] = []
        for line in page.lines:
            after = next(following)
            if line.cells:
                rows.append(line.cells)
                if line is page.lines[-1] or after is None or len(after.cells) != len(line.cells):
                    draft.table(rows)
                    rows, glue = [], "\n"
                continue
            parted = after is not None and _is_parted(line.text, after.text)
            start, _ = draft.add(line.text.rstrip("-" + HYPHEN) if parted else line.text, glue=glue)
            if line.box is not None:
                draft.boxes.append((start, line.box))
            glue = "\n"
            if after is not None and (parted or goes_on(line, after, margins)):
                glue = "" if parted or _CJK.match(line.text[-1]) or _CJK.match(after.text[0]) else " "


def _tell(page: PageText, draft: Draft) -> None:
    """What the reader should know of a page."""
    if page.notice:
        draft.notice(page.notice, page=page.number)
    if page.hidden:
        words = " … ".join(page.hidden)[:120]
        draft.notice("knowledge.notice_hidden", page=page.number, count=len(page.hidden), words=words)


def _is_parted(before: str, after: str) -> bool:
    """Whether a hyphen parts a word at the end of a line."""
    return before.endswith(HYPHEN) or bool(re.search(r"[^\W\d_]-$", before) and after[0].islower())


@dataclass(frozen=True, slots=True)
class Margins:
    """Where the lines of a page begin and end, the step from one to the next in a paragraph, the page's width.

    gutter: where the lines of a left column end, None on a page of one column.
    """

    left: float
    right: float
    step: float
    width: float
    gutter: float | None = None

    @classmethod
    def of(cls, page: PageText) -> Margins:
        lines = page.lines
        steps = [above.bottom - below.bottom for above, below in pairwise(lines) if above.bottom > below.bottom]
        step = sorted(steps)[len(steps) // 4] if steps else 0.0
        left = min((line.left for line in lines), default=0.0)
        width = page.width or 0.0
        on_left = [line.right for line in lines if not line.cells and line.right < _HALF * width]
        on_right = [line for line in lines if not line.cells and line.left > (1 - _HALF) * width]
        gutter = max(on_left) if min(len(on_left), len(on_right)) >= _COLUMN_LINES else None
        return cls(left, max((line.right for line in lines), default=0.0), step, width, gutter)

    def right_of(self, line: Line) -> float:
        """The right edge of the column that a line stands in."""
        return self.gutter if self.gutter is not None and line.right <= self.gutter else self.right


def goes_on(before: Line, line: Line, margins: Margins) -> bool:
    """Whether the paragraph of one line goes on in the next, which may stand on the next page."""
    size = max(line.height, before.height, 1.0)
    if line.cells:
        return False
    if before.bottom - line.bottom > 1.35 * max(margins.step, size):
        return False
    if line.left > before.left + 1.2 * size or _BEGINS.match(line.text) or before.text.endswith(_ENDS):
        return False
    if before.right - before.left < _LEAST_WIDTH * margins.width:
        return False
    return margins.right_of(before) - before.right <= _first_word(line.text) * size


def _first_word(text: str) -> float:
    """How wide the first word is that had no room on the line before, in heights of a line.

    A Chinese character may have had to take the marks after it along.
    """
    word = text.split(maxsplit=1)[0]
    latin = next((place for place, one in enumerate(word) if _CJK.match(one)), min(len(word), 40))
    return 1.5 + 0.6 * latin if latin else 2.5

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

_BEGINS = re.compile(
    r"\s*(?:第[〇零一二三四五六七八九十百千万\d]+[编篇章节条](?:之[一二三四五六七八九十]+)?(?=\s|$)|[（(][一二三四五六七八九十百\d]+[)）]"
    r"|[一二三四五六七八九十]+、|\d+(?:\.\d+)*[.、)）．](?!\d)|[•·●■◆○▪–—-]\s|[A-Za-z][.)]\s|(?:Article|Section|Chapter)\s+\d)"
)
_ENDS = ("。", "！", "？", "：", ".", "!", "?", ":", "”", "』")
CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f\U00020000-\U0003ffff]")
_HALF = 0.55  # of the page: what ends before it, or begins behind the rest, stands in a column of its own
_COLUMN_LINES = 4  # on each side make it a page of two columns
_LEAST_WIDTH = 0.3  # of the page: shorter lines stand for themselves
HYPHEN = "\x02"  # at the end of a line: it parts a word


Rectangle = tuple[float, float, float, float]  # left, bottom, right, top: points from the page's lower left corner


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell of a table's row. rows, columns: that it goes over, from its own on; box: where it stands."""

    text: str
    column: int
    rows: int
    columns: int
    box: Rectangle


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: points from the lower left corner, and the number on the page of each of its characters, or
    the box where OCR saw it.

    size: of its letters in points, bold: whether they are, where known. cells: of a row of a table, a text a column;
    placed: those in which something stands; table: the number of the table on the page; header: the row names columns.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    indices: Sequence[int] = ()
    box: Box | None = None
    size: float = 0.0
    bold: bool = False
    cells: tuple[str, ...] = ()
    placed: tuple[PlacedCell, ...] = ()
    table: int = 0
    header: bool = False

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class PageText:
    """What stands on a page, in reading order.

    hidden: words that nobody sees; crowded: with too many lines drawn to look for tables among them.
    """

    number: int
    lines: tuple[Line, ...]
    width: float | None
    height: float | None
    origin: Origin = "text"
    confidence: float | None = None
    notice: str = ""
    hidden: tuple[str, ...] = ()
    crowded: bool = False


def is_parted(before: str, after: str) -> bool:
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
    latin = next((place for place, one in enumerate(word) if CJK.match(one)), min(len(word), 40))
    return 1.5 + 0.6 * latin if latin else 2.5

"""The pages of a PDF, or of pictures, become a document: paragraphs, headings, and tables with their cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

from metier.knowledge.columns import CAPTION
from metier.knowledge.draft import Draft
from metier.knowledge.headings import is_below, levels_of
from metier.knowledge.layout import CJK, HYPHEN, Line, Margins, PageText, goes_on, is_parted

_UNIT = re.compile(
    r"(?:金额|货币)?(?:单位|币种)\s*[:：]?\s*[^\s)）]+|人民币(?:百万|千|万|亿)?元"
    r"|\bin\s+(?:(?:RMB|US\$|HK\$|USD|EUR|€|[A-Z][a-z]+\s+of)\s*)?(?:thousand|million|billion)s?(?:\s+of\s+\w+(?:\s+dollars)?)?"
    r"|(?:RMB|US\$|HK\$|€|\$)\s?['’]000",
    re.IGNORECASE,
)
_LINES_ABOVE = 3  # a table, where its caption and unit may stand
_FAR_ABOVE = 3.5  # heights of a line
_LONGEST_CAPTION = 60
_SENTENCE_ENDS = ("。", ".", "；", ";", "，", ",", ":", "：")


def write(pages: Sequence[PageText], draft: Draft) -> None:
    """Adds the pages to the draft."""
    marked = levels_of(pages)
    following = iter([*[line for page in pages for line in page.lines][1:], None])
    glue = "\n"
    for page in pages:
        size = {"width": page.width, "height": page.height}
        draft.page(page.number, origin=page.origin, confidence=page.confidence, **size)
        _tell(page, draft)
        margins = Margins.of(page)
        rows: list[Line] = []
        for number, line in enumerate(page.lines):
            after = next(following)
            if line.cells:
                rows.append(line)
                if number + 1 == len(page.lines) or after is None or not after.cells or after.table != line.table:
                    _write_table(rows, page, page.lines[: number + 1 - len(rows)], draft)
                    rows, glue = [], "\n"
                continue
            level, next_level = marked.get(id(line)), marked.get(id(after))
            parted = after is not None and level == next_level and is_parted(line.text, after.text)
            start, end = draft.add(line.text.rstrip("-" + HYPHEN) if parted else line.text, glue=glue)
            if level is not None:
                draft.mark_heading(start, end, level, more=glue != "\n")
            if line.box is not None:
                draft.boxes.append((start, line.box))
            glue = "\n"
            if after is None or level != next_level:
                continue
            if parted or (goes_on(line, after, margins) if level is None else is_below(line, after)):
                glue = "" if parted or CJK.match(line.text[-1]) or CJK.match(after.text[0]) else " "


def _write_table(rows: Sequence[Line], page: PageText, above: Sequence[Line], draft: Draft) -> None:
    caption, unit = _caption(rows[0], above)
    if not unit:
        named = [cell.text for row in rows if row.header for cell in row.placed]
        unit = next((found[0] for text in named if (found := _UNIT.search(text))), "")
    header = sum(1 for row in rows if row.header)
    draft.placed_table([row.cells for row in rows], [row.placed for row in rows], page.number, header, caption, unit)


def _caption(first: Line, above: Sequence[Line]) -> tuple[str, str]:
    """What a table is called and the unit of its figures, by the lines right above it."""
    caption = unit = ""
    below = first
    for line in reversed(above[-_LINES_ABOVE:]):
        if line.cells or not 0 < line.bottom - below.bottom < _FAR_ABOVE * max(line.height, below.height, 1.0):
            break
        below = line
        found = _UNIT.search(line.text)
        rest = line.text
        if found:
            unit = unit or found[0]
            rest = (line.text[: found.start()] + line.text[found.end() :]).strip(" 　()（）:：,，")
        named = CAPTION.match(rest)
        if rest and (named or (len(rest) <= _LONGEST_CAPTION and not line.text.endswith(_SENTENCE_ENDS))):
            caption = rest
            break
        if rest and not found:
            break
    return caption, unit


def _tell(page: PageText, draft: Draft) -> None:
    """What the reader should know of a page."""
    for notice in (page.notice, "knowledge.notice_drawing" if page.crowded else ""):
        if notice:
            draft.notice(notice, page=page.number)
    if page.hidden:
        words = " … ".join(page.hidden)[:120]
        draft.notice("knowledge.notice_hidden", page=page.number, count=len(page.hidden), words=words)

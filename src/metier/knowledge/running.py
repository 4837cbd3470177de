"""Lines that run along the pages (headers, footers, page numbers) are no part of the text: they repeat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from metier.knowledge.layout import Line, PageText

_EDGE = 0.12  # of the page's height, above and below
_LEAST_PAGES = 3
_LEAST_SHARE = 0.4  # left and right pages may have different ones
_NUMBER = re.compile(r"\d+|(?<=第)[一二三四五六七八九十百]+(?=页)|^[ivxlc]+$")
_PAGE_NUMBER = re.compile(
    r"^\W*(?:第\s*)?#(?:\s*页)?(?:\W+(?:共|of)?\s*#(?:\s*页)?)?\W*$|^page\s+#(?:\s+of\s+#)?$", re.IGNORECASE
)


def without_running_lines(pages: Sequence[PageText]) -> tuple[list[PageText], list[str]]:
    """The pages without them, and one of each that was left out."""
    with_text = [page for page in pages if page.lines]
    counted = Counter(key for page in with_text for key in {_key(page, line) for line in _edges(page)})
    least = max(_LEAST_PAGES, _LEAST_SHARE * len(with_text))
    running = {key for key, count in counted.items() if count >= least}
    if len(with_text) == _LEAST_PAGES - 1:  # of two pages only what is plainly a page's number
        running = {key for key, count in counted.items() if count == len(with_text) and _PAGE_NUMBER.match(key[0])}
    left_out: dict[tuple[str, int], str] = {}
    kept = []
    for page in pages:
        gone = [line for line in _edges(page) if _key(page, line) in running]
        for line in gone:
            left_out.setdefault(_key(page, line), line.text)
        kept.append(replace(page, lines=tuple(line for line in page.lines if line not in gone)) if gone else page)
    return kept, list(left_out.values())


def _edges(page: PageText) -> Iterator[Line]:
    """The lines near the upper and lower edge."""
    high = page.height or 0.0
    for line in page.lines:
        if line.bottom > (1 - _EDGE) * high or line.top < _EDGE * high:
            yield line


def _key(page: PageText, line: Line) -> tuple[str, int]:
    """The words without numbers, and where they stand: within a hundredth of the page."""
    return _NUMBER.sub("#", line.text), round(100 * line.bottom / (page.height or 1.0))

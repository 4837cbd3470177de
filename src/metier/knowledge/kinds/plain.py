"""Any document: paragraphs joined within the budget, never across a heading; tables by rows, under their header."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metier.core.numerals import NUMERAL
from metier.knowledge.document import Document, Heading
from metier.knowledge.kinds.kind import Kind, Piece
from metier.knowledge.kinds.lines import Range, lines, trim, within_budget

_HEADING = re.compile(rf"第{NUMERAL}+[编章节篇部][分]?[\s　]|{NUMERAL}{{1,3}}、|#{{1,6}}\s|\d+(\.\d+)*[.\s]\s*\S")
_LONGEST_HEADING = 40  # characters
_ENDS_A_SENTENCE = "。；;，,：:.!?！？"


def split(document: Document, budget: int) -> Iterator[Piece]:
    """The pieces between headings, each within the budget."""
    for start, end, path in sections(document, _headings(document)):
        yield from split_range(document, start, end, path, budget)


def split_range(document: Document, start: int, end: int, path: tuple[str, ...], budget: int) -> Iterator[Piece]:
    """The pieces of one section: text by its lines, tables by their rows.

    A table's pieces carry its caption and unit in their path, and later ones its header: the text of a piece is always
    the document's own.
    """
    for table in document.tables:
        if start <= table.start and table.end <= end:
            for part in within_budget(document.text, lines(document.text, start, table.start), budget):
                yield Piece(*part, path=path)
            rows = list(lines(document.text, table.start, table.end))
            header = " ".join(document.text[first:last] for first, last in rows[: table.header])
            named = (*path, *filter(None, [" ".join(filter(None, [table.caption, table.unit]))]))
            for number, part in enumerate(within_budget(document.text, rows, budget)):
                yield Piece(*part, path=(*named, header) if number and header else named)
            start = table.end
    for part in within_budget(document.text, lines(document.text, start, end), budget):
        yield Piece(*part, path=path)


def sections(document: Document, headings: list[Heading]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The ranges between headings and the headings above each. A heading at the end is a range itself.

    headings: in the order of the text; one of no length names what begins there.
    """
    stack: list[Heading] = []
    start, path = 0, tuple[str, ...]()
    for heading in headings:
        if trim(document.text, start, heading.start)[0] < heading.start:
            yield start, heading.start, path
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
        start, path = heading.end, tuple(one.text for one in stack)
        if not document.text[heading.end :].strip():
            yield heading.start, heading.end, path[:-1]
    if document.text[start:].strip():
        yield start, len(document.text), path


def _headings(document: Document) -> list[Heading]:
    """Those the file marks; where it marks its title at most, short lines that are numbered as headings are."""
    marked = sorted(document.headings, key=lambda heading: heading.start)
    if len(marked) > 1:
        return marked
    level = 1 + len(marked)
    numbered = [
        Heading(start, end, level, document.text[start:end].lstrip("# "))
        for start, end in lines(document.text, marked[0].end if marked else 0)
        if _is_heading(document, (start, end))
    ]
    return [*marked, *numbered]


def _is_heading(document: Document, line: Range) -> bool:
    text = document.text[line[0] : line[1]]
    return (
        len(text) <= _LONGEST_HEADING
        and text[-1] not in _ENDS_A_SENTENCE
        and _HEADING.match(text) is not None
        and not any(table.start <= line[0] < table.end for table in document.tables)
    )


PLAIN = Kind(lambda document: True, split)

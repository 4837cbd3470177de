"""What all kinds share: lines of a text, tokens as a budget counts them, and cutting a range to a budget."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]|[^\W_]+|[^\w\s]")
_SENTENCE_END = re.compile(r"[。！？；!?;]+[”』」）)\"']*|\.(?=\s)[”\"']*")

Range = tuple[int, int]


def count_tokens(text: str) -> int:
    """About how many tokens a model makes of a text: one a Chinese character, word or sign."""
    return sum(1 for _ in _TOKEN.finditer(text))


def lines(text: str, start: int = 0, end: int | None = None) -> Iterator[Range]:
    """The lines of a range that are not blank, without the space around them."""
    end = len(text) if end is None else end
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        trimmed = trim(text, start, stop)
        if trimmed[0] < trimmed[1]:
            yield trimmed
        start = stop + 1


def trim(text: str, start: int, end: int) -> Range:
    """A range without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def within_budget(text: str, ranges: Iterator[Range] | list[Range], budget: int) -> Iterator[Range]:
    """Joins neighbouring ranges while they stay within the budget; a range beyond it is cut at its sentences."""
    open_range: Range | None = None
    used = 0
    for start, end in ranges:
        for part in _sentences(text, start, end, budget):
            tokens = count_tokens(text[part[0] : part[1]])
            if open_range is not None and used + tokens <= budget:
                open_range, used = (open_range[0], part[1]), used + tokens
                continue
            if open_range is not None:
                yield open_range
            open_range, used = part, tokens
    if open_range is not None:
        yield open_range


def _sentences(text: str, start: int, end: int, budget: int) -> Iterator[Range]:
    """The range itself where it fits, else its sentences, and runs of `budget` characters of a sentence too long."""
    if end - start <= budget or count_tokens(text[start:end]) <= budget:
        yield start, end
        return
    ends = [match.end() for match in _SENTENCE_END.finditer(text, start, end)]
    for stop in [*ends, end]:
        while stop - start > budget and count_tokens(text[start:stop]) > budget:
            cut = _cut(text, start, start + budget)
            yield trim(text, start, cut)
            start = cut
        trimmed = trim(text, start, stop)
        if trimmed[0] < trimmed[1]:
            yield trimmed
        start = stop


def _cut(text: str, start: int, end: int) -> int:
    """Where to cut a sentence that is too long: behind its last comma or space before `end`, else right there."""
    for position in range(end, start + (end - start) // 2, -1):
        if text[position - 1] in "，,、 \t\n":
            return position
    return end

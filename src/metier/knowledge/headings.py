"""Which lines of a PDF are headings: larger than the text, or bold where it is not, short, and no sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from metier.knowledge.columns import CAPTION
from metier.knowledge.layout import Line, PageText

_LARGER = 1.12  # times the text's size
_LONGEST = 60  # Chinese characters, or half as many words' letters again
_MOST_LINES = 3  # of one heading; more of them are a text that is set so
_MOST_SHARE = 0.4  # of the characters: where more are large or bold, that says nothing
_DEEPEST = 6
_ENDS = ("。", "；", "，", "、", "：", ".", ";", ",", ":")
# Numbering, the highest first; what no number leads is as high as the highest that looks like it.
_NUMBERING = (
    re.compile(r"第\S{1,4}(?:编|部分|章)|(?:Part|Chapter)\s+[\dIVX]+", re.IGNORECASE),
    re.compile(r"第\S{1,4}节|Section\s+\d+", re.IGNORECASE),
    re.compile(r"[一二三四五六七八九十]{1,3}、"),
    re.compile(r"[（(][一二三四五六七八九十]{1,3}[)）]"),
    re.compile(r"\d{1,2}(?:[.、．)]?\s|[.、．](?!\d))"),
    re.compile(r"\d{1,2}\.\d{1,2}(?!\d|\.\d)"),
    re.compile(r"\d{1,2}(?:\.\d{1,2}){2,}"),
)

Style = tuple[float, bool]


def levels_of(pages: Sequence[PageText]) -> dict[int, int]:
    """The level of each line that is a heading (1 is the highest), by the line's identity."""
    lines = [line for page in pages for line in page.lines if not line.cells and line.size]
    if not lines:
        return {}
    sizes = Counter[float]()
    bold = Counter[bool]()
    for line in lines:
        sizes[_size(line)] += len(line.text)
    body = sizes.most_common(1)[0][0]
    for line in lines:
        if _size(line) == body:
            bold[line.bold] += len(line.text)
    weight_tells = bold[True] < bold[False]
    found = [line for line in lines if _stands_out(line, body, weight_tells)]
    if _letters(found) > _MOST_SHARE * _letters(lines):
        return {}
    kept = _short_runs(lines, {id(line) for line in found})
    depths: dict[Style, int] = {}
    for line in kept:
        if depth := _depth(line.text):
            depths[_style(line)] = min(depth, depths.get(_style(line), depth))
    ranks = {id(line): (*_style(line), -(_depth(line.text) or depths.get(_style(line), 1))) for line in kept}
    order = sorted(set(ranks.values()), reverse=True)
    return {line: min(order.index(rank) + 1, _DEEPEST) for line, rank in ranks.items()}


def _stands_out(line: Line, body: float, weight_tells: bool) -> bool:
    text = line.text.strip()
    letters = sum(1 for one in text if one.isalpha())
    if letters < 2 or len(text) > (2 * _LONGEST if text.isascii() else _LONGEST) or CAPTION.match(text):
        return False
    larger = _size(line) >= _LARGER * body
    return (larger or (weight_tells and line.bold and _size(line) >= body)) and not text.endswith(_ENDS)


def _short_runs(lines: Sequence[Line], marked: set[int]) -> list[Line]:
    """Those of the marked lines that do not stand in long runs of one style."""
    kept: list[Line] = []
    run: list[Line] = []
    for line in [*lines, None]:
        if line is not None and id(line) in marked and (not run or _style(line) == _style(run[-1])):
            run.append(line)
            continue
        if len(run) <= _MOST_LINES or any(_depth(one.text) for one in run):
            kept += run
        run = [line] if line is not None and id(line) in marked else []
    return kept


def _letters(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)


def _size(line: Line) -> float:
    return round(2 * line.size) / 2


def _style(line: Line) -> Style:
    return _size(line), line.bold


def _depth(text: str) -> int:
    """The place of a heading's number among `_NUMBERING`, from 1; 0 where it has none."""
    return next((place for place, rule in enumerate(_NUMBERING, 1) if rule.match(text.strip())), 0)


def is_below(line: Line, after: Line) -> bool:
    """Whether a heading goes on in the next line: close below, without a number of its own."""
    return (
        0 < line.bottom - after.bottom < 1.7 * line.height and not _depth(after.text) and _style(line) == _style(after)
    )

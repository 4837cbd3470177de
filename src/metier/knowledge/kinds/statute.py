"""Statutes: an article is a passage, with the law, its chapters and the day it came into force."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from metier.core.numerals import NUMERAL, dates, number
from metier.knowledge.document import Document
from metier.knowledge.kinds.kind import Kind, Piece
from metier.knowledge.kinds.lines import count_tokens, lines, trim, within_budget
from metier.knowledge.naming import short_name

FEWEST = 3  # articles that make a text a statute
_WHOLE = 3  # an article stays whole up to so many budgets: what belongs together is cited together

_ARTICLE = re.compile(
    rf"[#*\s　【]*(?P<label>第\s*(?P<number>{NUMERAL}+)\s*条(?:\s*之\s*(?P<sub>[一二三四五六七八九十]+))?)(?P<after>.?)"
    r"|[#*\s]*(?P<english>(?:Article|Section|§)\s*(?P<digits>\d+))(?P<dot>[.:\s])",
    re.IGNORECASE,
)
_DIVISION = re.compile(rf"[#*\s　]*(第\s*{NUMERAL}+\s*(编|分编|章|节))(?=[\s　]|$)[\s　]*(\S.*)?")
_ANNEX = re.compile(r"[#*\s　]*(附件|附录|附表|附则表|附：)[一二三四五六七八九十\d]*[\s　:：]?")
_RANK = {"编": 1, "分编": 2, "章": 3, "节": 4}
_IN_FORCE = re.compile(r"^\s*(?:起|开始)?\s*(?:施行|执行|实施|生效)")
_NO_LONGER = re.compile(r"^\s*(?:起)?\s*(?:废止|失效)")
_LAW = re.compile(r"(法|条例|规定|办法|细则|解释|决定|规则|法典|章程|准则|标准|意见|批复|通则|总则|通知|Act|Code|Law)$")
_REFERENCE = re.compile(r"[、，,第的和或至及与所之规款项中前后]")  # what follows a label inside of a sentence


@dataclass(frozen=True, slots=True)
class _Label:
    """An article's label at the beginning of a line: where, how it is written, and its place in the order."""

    start: int
    article: str
    order: tuple[int, int]
    sure: bool


def recognise(document: Document) -> bool:
    """Whether a text has articles that follow one another."""
    return sum(len(law) for law in _laws(document.text)) >= FEWEST


def split(document: Document, budget: int) -> Iterator[Piece]:
    """The articles of each law of a document; what stands before and behind them as passages without an article."""
    text = document.text
    laws = _laws(text)
    begin = 0
    for place, labels in enumerate(laws):
        last_start = labels[-1].start
        end = _law_end(text, last_start, laws[place + 1][0].start if place + 1 < len(laws) else len(text))
        title = _title(document, begin, labels[0].start)
        effective, until = _dates(text, begin, labels[0].start, last_start, end)
        law = Piece(begin, end, title=title, effective=effective, until=until)
        for start, stop in _preamble(text, begin, labels[0].start, budget):
            yield replace(law, start=start, end=stop)
        yield from _articles(text, labels, law, budget)
        begin = end
    for part in within_budget(text, lines(text, begin), budget):
        yield Piece(*part, title=_title(document, 0, laws[0][0].start))


def is_act(law: str) -> bool:
    """Whether a law's name is that of an act of parliament (or a part of a code), not of a regulation or a ruling."""
    return law.endswith(("法", "法典", "编", "总则", " Act", " Code"))


def _articles(text: str, labels: list[_Label], law: Piece, budget: int) -> Iterator[Piece]:
    """Each article up to the next one or the next chapter's heading. law: the range of all of them."""
    divisions = [
        (line, match) for line in lines(text, law.start, law.end) if (match := _DIVISION.match(text[line[0] : line[1]]))
    ]
    path: dict[int, str] = {}
    waiting = 0
    for place, label in enumerate(labels):
        while waiting < len(divisions) and divisions[waiting][0][0] < label.start:
            match = divisions[waiting][1]
            rank = _RANK[match[2]]
            path = {level: name for level, name in path.items() if level < rank}
            path[rank] = " ".join(part for part in (re.sub(r"\s", "", match[1]), match[3]) if part).strip("*# ")
            waiting += 1
        stop = labels[place + 1].start if place + 1 < len(labels) else law.end
        if waiting < len(divisions):
            stop = min(stop, divisions[waiting][0][0])
        start, stop = trim(text, label.start, stop)
        above = tuple(path[level] for level in sorted(path))
        whole = count_tokens(text[start:stop]) <= _WHOLE * budget
        for first, last in [(start, stop)] if whole else within_budget(text, lines(text, start, stop), budget):
            yield replace(law, start=first, end=last, article=label.article, path=above)


def _laws(text: str) -> list[list[_Label]]:
    """The labels of articles, one list a law: a text may hold several, each beginning with a first article.

    A line may also begin with a label that is only mentioned, where a sentence was broken there: of each law the
    longest chain of labels in ascending order counts, and labels that go on as a mention does not.
    """
    laws: list[list[_Label]] = []
    for label in _labels(text):
        if not laws or (label.order == (1, 0) and label.sure and laws[-1][-1].order > (1, 0)):
            laws.append([])
        laws[-1].append(label)
    return [chain for chain in map(_longest_chain, laws) if len(chain) >= FEWEST]


def _labels(text: str) -> Iterator[_Label]:
    for start, end in lines(text):
        match = _ARTICLE.match(text, start, end)
        if match is None:
            continue
        if match["english"]:
            article = " ".join(match["english"].split())
            yield _Label(start, article, (int(match["digits"]), 0), sure=True)
            continue
        value = number(match["number"])
        after = match["after"]
        if value is None or (after and _REFERENCE.match(after)):
            continue
        sub = number(match["sub"]) if match["sub"] else 0
        sure = not after or after.isspace() or after in "*】:："
        yield _Label(start, "".join(match["label"].split()), (int(value), int(sub or 0)), sure)


def _longest_chain(labels: list[_Label]) -> list[_Label]:
    """The longest sequence in strictly ascending order, by patience sorting. Of equal ones, that of the sure labels."""
    tails: list[tuple[int, int]] = []
    at: list[int] = []  # of each tail, its label
    before: list[int] = []  # of each label, the one before it in its chain, or -1
    for index, label in enumerate(labels):
        place = bisect_left(tails, label.order)
        before.append(at[place - 1] if place else -1)
        if place == len(tails):
            tails.append(label.order)
            at.append(index)
        elif label.order < tails[place] or label.sure:
            tails[place], at[place] = label.order, index
    chain: list[_Label] = []
    index = at[-1] if at else -1
    while index >= 0:
        chain.append(labels[index])
        index = before[index]
    return chain[::-1]


def _title(document: Document, begin: int, first: int) -> str:
    """The law's name: the line above the first article that is named as laws are, else the document's title."""
    candidates = [document.text[start:end].strip("#* ") for start, end in lines(document.text, begin, first)]
    named = [line for line in candidates if len(line) <= 60 and _LAW.search(line) and not _DIVISION.match(line)]
    if begin == 0 and document.title and (not named or _LAW.search(document.title.strip())):
        return short_name(document.title)
    if named:
        return short_name(named[0])
    return short_name(document.title or (candidates[0] if candidates and len(candidates[0]) <= 60 else document.name))


def _preamble(text: str, begin: int, first: int, budget: int) -> Iterator[tuple[int, int]]:
    """What stands before the first article, where it says more than the title, adoptions and a table of contents."""
    sentences = [
        (start, end)
        for start, end in lines(text, begin, first)
        if not _DIVISION.match(text[start:end]) and text[start:end].rstrip().endswith(("。", "：", ".", ":"))
    ]
    if sentences:
        yield from within_budget(text, [(sentences[0][0], trim(text, begin, sentences[-1][1])[1])], budget)


def _law_end(text: str, last: int, limit: int) -> int:
    """Where a law ends: before its annex, or before the title of the next law."""
    for start, end in lines(text, last, limit):
        line = text[start:end]
        if start > last and (_ANNEX.match(line) or (limit < len(text) and len(line) <= 60 and _LAW.search(line))):
            return start
    return limit


def _dates(text: str, begin: int, first: int, last: int, end: int) -> tuple[date | None, date | None]:
    """From when a law is in force (its last articles say so, or the lines above the first), and until when."""
    effective = until = None
    for low, high in ((begin, first), (last, end)):
        for _, stop, day in dates(text[low:high]):
            behind = text[low + stop : low + stop + 12]
            if _IN_FORCE.match(behind):
                effective = day
            elif low == begin and _NO_LONGER.match(behind):  # a last article repeals other laws
                until = day
    return effective, until


STATUTE = Kind(recognise, split)

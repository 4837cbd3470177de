"""Contracts: a clause is a passage, under the contract's name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metier.core.numerals import NUMERAL
from metier.knowledge.document import Document
from metier.knowledge.kinds.kind import Kind, Piece
from metier.knowledge.kinds.lines import lines, trim, within_budget

_FEWEST = 3  # clauses that make a text a contract
_BEGINNING = 1500  # characters in which the parties are named
_LONGEST_NAME = 30  # characters of a clause's heading

_CONTRACT = re.compile(
    r"(合同|合同书|协议|协议书|契约|agreement|contract|terms of (service|employment))$", re.IGNORECASE
)
_PARTIES = re.compile(
    r"甲\s*方.*乙\s*方|\b(employer|seller|landlord|party a)\b.*\b(employee|buyer|tenant|party b)\b", re.S | re.I
)
_LABELS = (  # ways to number clauses, the first that is used often enough counts
    re.compile(rf"[#*\s　]*(第\s*{NUMERAL}+\s*条)[\s　:：*]*"),
    re.compile(r"[#*\s]*((?:Article|Section|Clause)\s+\d+)[.:\s]*", re.IGNORECASE),
    re.compile(r"[#*\s　]*([一二三四五六七八九十]{1,3}、)"),
    re.compile(r"[#*\s　]*(\d{1,2}(?:[.．、](?!\d)))\s*"),
)


def recognise(document: Document) -> bool:
    """Whether a text is called a contract, or names two parties, and has clauses."""
    called = _CONTRACT.search(_name(document)) is not None
    return (called or _PARTIES.search(document.text[:_BEGINNING]) is not None) and len(_clauses(document)) >= _FEWEST


def split(document: Document, budget: int) -> Iterator[Piece]:
    """The clauses, each within the budget; what stands before the first names the parties."""
    text, clauses, title = document.text, _clauses(document), _name(document)
    first = clauses[0][0] if clauses else len(text)
    for part in within_budget(text, lines(text, 0, first), budget):
        yield Piece(*part, title=title)
    for place, (start, label) in enumerate(clauses):
        end = clauses[place + 1][0] if place + 1 < len(clauses) else len(text)
        for part in within_budget(text, lines(text, *trim(text, start, end)), budget):
            yield Piece(*part, title=title, article=label)


def _clauses(document: Document) -> list[tuple[int, str]]:
    """Where clauses begin, and what they are called: `第三条`, or `三、工资` where a number stands before a heading."""
    for label in _LABELS:
        found = []
        for start, end in lines(document.text):
            line = document.text[start:end]
            match = label.match(line)
            if match is None:
                continue
            short = len(line) <= _LONGEST_NAME and line[-1] not in "。；;，,:："
            plain = re.sub(r"\s", "", match[1]) if match[1][0] == "第" else match[1]
            found.append((start, line.strip("#* 　") if short and plain[-1] in "、.．" else plain.rstrip("、.．")))
        if len(found) >= _FEWEST:
            return found
    return []


def _name(document: Document) -> str:
    """The contract's name: the document's title, or its first line."""
    first = next((document.text[start:end].strip("#* 　") for start, end in lines(document.text)), "")
    if document.title or len(first) > 2 * _LONGEST_NAME:
        return document.title or document.name
    return re.sub(r"[\s　]", "", first) if re.search(r"[\u3400-\u9fff]", first) else first


CONTRACT = Kind(recognise, split)

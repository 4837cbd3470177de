"""Decided cases: facts, issues, reasons and outcome are passages of their own, each under its case's name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metier.knowledge.document import Document, Heading
from metier.knowledge.kinds.kind import Kind, Piece
from metier.knowledge.kinds.lines import lines
from metier.knowledge.kinds.plain import sections, split_range

_FEWEST = 2  # sections that make a text a case
_LONGEST_HEADING = 24  # characters

_SECTION = re.compile(
    r"(案由|当事人|基本案情|案情(简介|介绍|概要)?|基本事实|案件事实|事实(和|与|及)?(证据|经过)?|(仲裁|诉讼)?请求|申请人(请求|主张)|"
    r"被申请人(答辩|辩称)|答辩意见|争议焦点|焦点问题|审理(查明|过程|经过)|查明(的)?事实|"
    r"(仲裁|处理|裁判|裁决|判决|审理|案件)结果|(裁判|裁决|判决|处理)?(理由|要旨|要点)|理由要点|(裁判|法律)依据|法院(认为|裁判)|"
    r"(案例|案件|法律)?(分析|评析|点评|解析)|典型意义|(涉及|相关|适用)(条文|法条|法律|法规)|"
    r"parties|claims?|facts|background|issues?|questions?|holding|decision|outcome|result|ruling|reasons?|reasoning|"
    r"analysis|discussion|disposition|cited (articles|law))",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(#+\s*|[【\[（(]|[一二三四五六七八九十]+、|\d+[.、]\s*)+|[】\]）):：*\s]+$")
_SPOKEN = re.compile(
    r"((再审)?(原告|申请人|上诉人)[^。，,]{0,30}(诉称|称|提出|请求)|(被告|被申请人|被上诉人)[^。，,]{0,30}(辩称|答辩)|"
    r"(经|本院|本委)[^。，,]{0,12}(查明|认定)|(本院|本委|仲裁委(员会)?|法院)认为|[^。]{0,60}(判决|裁决|裁定)如下)"
)
_NEXT_CASE = re.compile(r"(案例|案件|Case)\s*[一二三四五六七八九十百\d]+\s*[：:、.．\s]?", re.IGNORECASE)
_RULING = re.compile(r"(判决|裁决|裁定|调解)书|案例|Judgment|Award|\bv\.? ", re.IGNORECASE)


def recognise(document: Document) -> bool:
    """Whether a text has the sections of a case: several under headings, or a ruling's own turns of phrase."""
    found = [heading for heading in _headings(document) if heading.level > 1]
    named = {_bare(heading.text) for heading in found if heading.start < heading.end}
    beginning = f"{document.title}\n{document.name}\n{document.text[:300]}"
    return len(named) > _FEWEST or (len(found) >= _FEWEST and _RULING.search(beginning) is not None)


def split(document: Document, budget: int) -> Iterator[Piece]:
    """The sections of each case within the budget; the case's name is the title, the section's name in the path."""
    for start, end, path in sections(document, _headings(document)):
        title = path[0] if path and not _SECTION.fullmatch(_bare(path[0])) and not _SPOKEN.match(path[0]) else ""
        for piece in split_range(document, start, end, path[1:] if title else path, budget):
            yield Piece(piece.start, piece.end, title=title or _name(document), path=piece.path)


def _headings(document: Document) -> list[Heading]:
    """The headings that the file marks, and where it marks none, names of sections and what rulings begin with."""
    if any(_SECTION.fullmatch(_bare(heading.text)) for heading in document.headings):
        return _below_their_case(document.headings)
    found: list[Heading] = []
    for start, end in lines(document.text):
        line = document.text[start:end]
        bare = _bare(line)
        if len(line) <= _LONGEST_HEADING and _SECTION.fullmatch(bare):
            found.append(Heading(start, end, 2, bare))
        elif spoken := _SPOKEN.match(line):
            found.append(Heading(start, start, 2, spoken[0]))
        elif len(line) <= 2 * _LONGEST_HEADING and _NEXT_CASE.match(line):
            found.append(Heading(start, end, 1, line.strip("#* 　")))
    return found


def _below_their_case(headings: tuple[Heading, ...]) -> list[Heading]:
    """Headings in order; a section's name is below the case's also where the file marks both on one level."""
    ordered = sorted(headings, key=lambda heading: heading.start)
    highest = min(heading.level for heading in ordered)
    return [
        Heading(one.start, one.end, one.level + 1, one.text)
        if one.level == highest and _SECTION.fullmatch(_bare(one.text))
        else one
        for one in ordered
    ]


def _bare(heading: str) -> str:
    """A heading without its number and brackets."""
    return _NUMBERED.sub("", heading.strip())


def _name(document: Document) -> str:
    """The case's name: the document's title, or its first line where that is short."""
    first = next((document.text[start:end] for start, end in lines(document.text)), "")
    return document.title or (first.strip("#* 　") if len(first) <= 2 * _LONGEST_HEADING else document.name)


CASE = Kind(recognise, split)

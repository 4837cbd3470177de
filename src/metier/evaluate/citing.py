"""What an answer's citations are worth, read from the answer as it was kept (`metier.specialists.evidence.Answer`).

Nothing that the answering side found of itself is taken on trust where it can be looked up: whether cited words stand
in the evidence is checked again, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

# The words of a refusal. Answers of a bare model are not marked as abstaining: they are read.
_REFUSALS = re.compile(
    r"无法(?:确定|回答|提供|判断|找到)|不能(?:确定|回答)|没有(?:找到|提到|提及|相关|依据)|未(?:找到|提及|提到)|并(?:不存在|无此)|不知道|"
    r"\b(?:can(?:no|')t (?:answer|say|find|determine|help)|do(?:n't| not) know|not (?:in|mentioned in|found in) the|"
    r"unable to|no (?:information|such)|does(?:n't| not) (?:exist|say|mention))\b",
    re.IGNORECASE,
)
_OPENING = 200  # characters: a refusal stands at the beginning


@dataclass(frozen=True, slots=True)
class Cited:
    """What one answer cites.

    citations: how many, of passages; gold: of them, those of a gold source; found: gold sources that are cited;
    wanted: gold sources there are; quotes: citations whose words stand in their evidence; sentences, supported: factual
    sentences and those with support; refused: whether it says that it cannot answer.
    """

    citations: int
    gold: int
    found: int
    wanted: int
    quotes: int
    checked: int
    sentences: int
    supported: int
    refused: bool


def read_citations(answer: Mapping[str, Any], gold: Collection[str]) -> Cited:
    """Counts an answer's citations against the sources that should be cited (none: the question has no answer)."""
    evidence = {one["number"]: one for one in answer.get("evidence") or ()}
    cited = list(answer.get("citations") or ())
    of_passages = [one for one in cited if (evidence.get(one["number"]) or {}).get("passage")]
    names = [names_of(evidence[one["number"]]["passage"]) for one in of_passages]
    factual = [one for one in answer.get("sentences") or () if one.get("factual")]
    return Cited(
        citations=len(of_passages),
        gold=sum(any(name in gold for name in one) for one in names),
        found=len({name for one in names for name in one if name in gold}),
        wanted=len(gold),
        quotes=sum(quote_stands(one, evidence, str(answer.get("text", ""))) for one in cited),
        checked=len(cited),
        sentences=len(factual),
        supported=sum(one.get("verdict") == "supported" for one in factual),
        refused=refuses(answer),
    )


def quote_stands(citation: Mapping[str, Any], evidence: Mapping[int, Mapping[str, Any]], text: str) -> bool:
    """Whether a citation names evidence that is there, and words that stand in it; in the answer too, where it says
    that they are quoted letter by letter."""
    source = evidence.get(int(citation["number"]))
    if source is None:
        return False
    words = str(source["text"])[int(citation["quote_start"]) : int(citation["quote_end"])]
    return bool(words.strip()) and (not citation.get("exact") or _letters(words) in _letters(text))


def _letters(text: str) -> str:
    """A text without what shows a quotation as one: marks at line starts, line ends, spaces."""
    return re.sub(r"(?m)^[\s>]+|\s+", "", text)


def refuses(answer: Mapping[str, Any]) -> bool:
    """Whether an answer says that it has none: marked so, or by the words that it begins with."""
    if answer.get("mode") == "abstained":
        return True
    if answer.get("mode") == "quoted":
        return False
    text = str(answer.get("text", "")).strip()
    return not text or _REFUSALS.search(text[:_OPENING]) is not None


def names_of(passage: Mapping[str, Any]) -> frozenset[str]:
    """The names that a passage goes by in `gold`: its id, its file, `title article`, and the title where it has no
    article; without spaces, and with or without the country's name before a law's."""
    title, article, file = (str(passage.get(key) or "") for key in ("title", "article", "file"))
    names = {str(passage.get("id") or ""), file, f"{title}{article}" if article else title}
    return frozenset(source_name(one) for one in names if one)


def source_name(words: str) -> str:
    """A source's name as it is compared: `中华人民共和国劳动法 第四十四条` and `劳动法第四十四条` are one."""
    return re.sub(r"[\s《》]+", "", words).removeprefix("中华人民共和国").casefold()

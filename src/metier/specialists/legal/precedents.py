"""Matching a case with a collection of decided ones: what agrees, what differs, and how each ended.

A decided case is read by the same rules as the conversation, so that both sides are compared in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from metier.knowledge.passage import Hit, Passage
from metier.specialists.legal.facts import Facts, read_facts

if TYPE_CHECKING:
    from metier.specialists.tools import Searchable

Outcome = Literal["supported", "partly", "rejected", "unknown"]
Feature = tuple[str, str]

# What weighs how much when two cases are compared; claims weigh most.
_WEIGHTS = {
    "claim": 3.0,
    "base": 2.0,
    "defence": 2.0,
    "employed": 1.0,
    "no_evidence": 1.0,
    "evidence": 1.0,
    "hours": 0.5,
}
_OUTCOME = re.compile(r"(?:裁决|判决|裁判|处理|仲裁|案件)结果|裁决如下|判决如下|本案结果|Outcome|Result", re.IGNORECASE)
_HEADING = re.compile(r"^\s*(?:#{1,6}\s|【|[一二三四五六七八九十]、|\d+[.、]\s)", re.MULTILINE)
_SEARCHED, _GATHERED = 30, 50


@dataclass(frozen=True, slots=True)
class Precedent:
    """A decided case beside the one at hand. agree, differ: features of both sides, and of one side only (`here` or
    `there`); outcome_words: the passage's own words on how it ended; likeness: 0 to 1; hits: its passages, the one
    with the outcome first."""

    title: str
    agree: tuple[Feature, ...]
    only_here: tuple[Feature, ...]
    only_there: tuple[Feature, ...]
    outcome: Outcome
    outcome_words: str
    likeness: float
    hits: tuple[Hit, ...]


def match_precedents(
    facts: Facts, words: str, knowledge: Mapping[str, Searchable], today: date, limit: int = 3
) -> list[Precedent]:
    """The decided cases that are most like the one at hand, the most alike first.

    words: what the person said, to search with; today: what `去年` in a case is counted from. A document counts as a
    case where it says how it ended.
    """
    here = features(facts)
    found = [
        precedent
        for base, one in knowledge.items()
        for hits in _cases(one, base, words)
        if (precedent := _compare(here, hits, today)) is not None
    ]
    found.sort(key=lambda precedent: (-precedent.likeness, precedent.title))
    return [precedent for precedent in found if precedent.agree][:limit]


def features(facts: Facts) -> frozenset[Feature]:
    """What a case is made of, as comparable pairs."""
    pairs = {(name, key) for name in ("claim", "defence", "evidence", "no_evidence") for key in facts.keys(name)}
    if facts.last("paid_base") or ("defence", "agreed_base") in pairs:
        pairs.add(("base", "lower_base"))
        pairs.discard(("defence", "agreed_base"))
    if facts.employed is not None:
        pairs.add(("employed", "yes" if facts.employed else "no"))
    for kind in ("weekday", "rest_day", "public_holiday"):
        if facts.last(f"{kind}_hours") or facts.last(f"{kind}_hours_rate"):
            pairs.add(("hours", kind))
    return frozenset(pairs)


def _cases(base: Searchable, name: str, words: str) -> Iterable[Sequence[Hit]]:
    """The passages of each document that the search meets, in their order."""
    titles = dict.fromkeys(
        hit.passage.title or hit.passage.file
        for hit in base.search(words, limit=_SEARCHED)
        if hit.passage.kind != "statute"
    )
    for title in titles:
        hits = [
            replace(hit, base=hit.base or name)
            for hit in base.search(f"{title} {words}", limit=_GATHERED, titles=(title,))
        ]
        yield sorted(hits, key=lambda hit: (hit.passage.document, hit.passage.start))


def _compare(here: frozenset[Feature], hits: Sequence[Hit], today: date) -> Precedent | None:
    ended = next(((hit, words) for hit in hits if (words := outcome_words(hit.passage))), None)
    if ended is None:
        return None
    others = [hit for hit in hits if hit is not ended[0]]
    # What comes ahead of the outcome are facts and issues; reasons behind it speak of other cases too.
    ahead = [hit for hit in others if hit.passage.start < ended[0].passage.start]
    told = [hit.passage.text for hit in ahead or others] or [ended[0].passage.text]
    there = features(read_facts(told, today))
    agree, only_here, only_there = here & there, here - there, there - here
    whole = _weight(here | there)
    likeness = round(_weight(agree) / whole, 3) if whole else 0.0
    facts = sorted(ahead or others, key=lambda hit: -len(hit.passage.text))[:1]
    return Precedent(
        ended[0].passage.title, _ordered(agree), _ordered(only_here), _ordered(only_there),
        outcome_of(ended[1]), ended[1], likeness, (ended[0], *facts),
    )  # fmt: skip


def outcome_words(passage: Passage) -> str:
    """How a case ended, in the passage's own words; empty where it does not say."""
    if passage.path and _OUTCOME.search(passage.path[-1]) and not _OUTCOME.search(passage.text):
        return passage.text.strip()
    found = _OUTCOME.search(passage.text)
    if not found:
        return ""
    begin = passage.text.find("\n", found.end()) if _is_heading(passage.text, found.start()) else found.start()
    following = _HEADING.search(passage.text, max(begin, found.end()))
    return passage.text[max(begin, 0) : following.start() if following else len(passage.text)].strip()


def _is_heading(text: str, at: int) -> bool:
    line = text[text.rfind("\n", 0, at) + 1 : (text + "\n").find("\n", at)]
    return len(line.strip()) <= 16


def outcome_of(words: str) -> Outcome:
    """Whether the claim was granted, in part, or not."""
    if re.search(
        r"部分支持|支持.{0,10}部分|酌情|酌定|其他请求.{0,6}(?:不予支持|驳回)|其余.{0,8}(?:不予支持|驳回)|in part", words
    ):
        return "partly"
    granted = re.search(r"(?<!不予)(?<!未予)支持|应当?(?:向.{0,12})?支付|支付.{0,30}元|granted", words)
    refused = re.search(r"驳回|不予支持|未予支持|dismissed", words)
    if granted and refused:
        return "partly"
    return "supported" if granted else "rejected" if refused else "unknown"


def _weight(pairs: Iterable[Feature]) -> float:
    return sum(_WEIGHTS[name] for name, _ in pairs)


def _ordered(pairs: Iterable[Feature]) -> tuple[Feature, ...]:
    order = list(_WEIGHTS)
    return tuple(sorted(pairs, key=lambda pair: (order.index(pair[0]), pair[1])))

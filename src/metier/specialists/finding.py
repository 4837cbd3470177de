"""What the documents say on a question, asked with the whole conversation: searched, put together, and weighed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from metier.core.errors import MetierError
from metier.knowledge.base import KnowledgeBase, Looked
from metier.knowledge.copies import fold
from metier.knowledge.passage import Hit
from metier.knowledge.words import in_legal_words
from metier.specialists.spec import Retrieval
from metier.specialists.tools import Searchable
from metier.specialists.words import units

# As in reciprocal rank fusion (Cormack, Clarke, Büttcher 2009).
_FUSION = 60
# Characters of earlier messages that still say what a follow-up is about.
_REMEMBERED = 600
_FEW = 6
_RERANKED = 4  # times as many passages as are wanted are read by a cross-encoder


@dataclass(frozen=True, slots=True)
class Query:
    """One way to ask. weight: how much its ranks count."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought. relevance: the share of what was asked that its passages speak of, 0 to 1; away: why bases
    with vectors were searched by words alone, by their names."""

    hits: tuple[Hit, ...]
    relevance: float
    away: Mapping[str, MetierError] = field(default_factory=dict)


def queries(said: Sequence[str], written: str = "") -> list[Query]:
    """How a conversation is searched for.

    said: the user's messages, the last one is the question; written: a query that the model made of them. A short
    follow-up (“and the time limit?”) says little by itself, so the messages before it count more.
    """
    if not said:
        return []
    question, before = said[-1], "\n".join(said[:-1])[-_REMEMBERED:]
    found = [Query(question)]
    if before:
        alone = len(set(units(question)))
        found.append(Query(f"{question}\n{before}", 1.0 if alone < 12 else 0.4))
    if written:
        found.append(Query(written))
    return found


async def find(
    asked: Sequence[Query],
    knowledge: Mapping[str, Searchable],
    retrieval: Retrieval,
    *,
    in_force_on: date | None = None,
) -> Found:
    """Searches all knowledge bases with all queries, fuses the ranks, and keeps the best passages: of copies of one
    passage, in whatever base, the first."""
    jobs = [(query, name, base) for query in asked for name, base in knowledge.items()]
    results = await asyncio.gather(
        *(asyncio.to_thread(_search, base, query.text, retrieval, in_force_on) for query, _, base in jobs)
    )
    score: dict[tuple[str, str], float] = {}
    best: dict[tuple[str, str], Hit] = {}
    away: dict[str, MetierError] = {}
    for (query, name, _), looked in zip(jobs, results, strict=True):
        if looked.away is not None:
            away[name] = looked.away
        for rank, hit in enumerate(looked.hits, start=1):
            key = (name, hit.passage.id)
            score[key] = score.get(key, 0.0) + query.weight / (_FUSION + rank)
            best.setdefault(key, replace(hit, base=name))
    deep = retrieval.limit * (_RERANKED if retrieval.rerank else 1)
    order = sorted(score, key=lambda key: -score[key])
    hits_found = tuple(fold(replace(best[key], score=score[key]) for key in order)[:deep])
    if retrieval.rerank:
        hits_found = await asyncio.to_thread(_reranked, asked[0].text, hits_found, retrieval)
    texts = [hit.passage.text for hit in hits_found]
    return Found(hits_found, relevance([query.text for query in asked], texts), away)


def relevance(asked: Sequence[str], passages: Sequence[str]) -> float:
    """How much of what was asked the best passage speaks of, 0 to 1.

    asked: the question, then the other queries made of it. Of a question of up to `_FEW` units it is the share that the
    passage has. A longer one tells a story that no passage has: it needs a smaller share, with the square root of its
    length (on 1,212 real questions over four statutes that parted answerable from others better than the plain share;
    see bench/unanswerable.py). A follow-up too short to say what it is about is taken with what was said before, unless
    it speaks of something else.
    """
    if not asked:
        return 0.0
    own = set(units(asked[0]))
    known = max((len(own & set(units(passage))) for passage in passages), default=0)
    alone = len(own) >= _FEW or (len(own) > 2 and 3 * known <= len(own))
    return max((_met(text, passage) for text in (asked[:1] if alone else asked) for passage in passages), default=0.0)


def _met(text: str, passage: str) -> float:
    """The share of a question that a passage has, as it was asked or as statutes say it."""
    there = set(units(passage))
    wanted = [set(units(one)) for one in dict.fromkeys((text, in_legal_words(text)))]
    return max(min(1.0, len(one & there) / math.sqrt(max(len(one), _FEW) * _FEW)) for one in wanted)


def _search(base: Searchable, text: str, retrieval: Retrieval, in_force_on: date | None) -> Looked:
    # Twice as many as are kept, so that a passage that two queries find second beats one that a single query finds.
    limit = retrieval.limit * (_RERANKED if retrieval.rerank else 2)
    if isinstance(base, KnowledgeBase):
        return base.look(text, limit=limit, titles=retrieval.titles, in_force_on=in_force_on)
    return Looked(base.search(text, limit=limit, titles=retrieval.titles, in_force_on=in_force_on))


def _reranked(question: str, hits: tuple[Hit, ...], retrieval: Retrieval) -> tuple[Hit, ...]:
    """The best of the hits as a cross-encoder sees them."""
    from metier.knowledge.reranking import open_reranker, rerank

    return tuple(rerank(question, hits, open_reranker(retrieval.rerank))[: retrieval.limit])

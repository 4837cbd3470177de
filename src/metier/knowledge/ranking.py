"""The second look at what the text index found: some hundred candidates are ranked by more than BM25 over pairs.

    score = 0.7 · BM25 of the index (over all passages)
          + 0.3 · BM25 of the question's pairs among the candidates: what all of them say tells nothing
          + 0.8 · BM25 of its single characters among them: 解约 finds 解除合同
          + the standing of its statute: acts and large codes answer more than notices
          + 0.2 · for passages of a law of which several are good

the last two in units of the best score. On either half of the questions of `bench/retrieval.py` these weights are the
best of a small grid, and they do as well on the other half. All of it is arithmetic over arrays: about half a
millisecond for 300 candidates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metier.knowledge.kinds.statute import is_act
from metier.knowledge.words import asking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

_K1, _B = 1.2, 0.75  # of BM25, as the index has them
_TOP = 50  # candidates whose laws get a bonus
_ASKING = 0.5  # weight of a word that only asks
_LARGE = math.log1p(1000)  # passages from which a statute counts as large
_SIZE, _ACT, _USUAL = 0.3, 0.12, 0.25  # weights of standing, and what a regulation of a hundred articles has of them
_FIRST_CHINESE, _BASIC_PLANE = 0x3400, 0x10000


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part of the score counts; see the head of this module."""

    pairs: float = 0.3
    characters: float = 0.8
    standing: float = 1.0
    law: float = 0.2


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the text index found, n passages.

    text: all their texts, one behind the other; lengths_n: characters of each; scores_n: the index's; laws_n: numbers
    that stand for laws; standing_n: see `standing`.
    """

    text: str
    lengths_n: Ints
    scores_n: Floats
    laws_n: Ints
    standing_n: Floats


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates' scores, and the parts that are bonuses."""

    scores_n: Floats
    standing_n: Floats
    law_n: Floats


def standing(kind: str, law: str, passages: int) -> float:
    """How a statute stands among statutes, in units of the best score of a search: about -0.2 for a short notice, 0.2
    for a code. Documents of other kinds have none: a case is not held against a statute.

    passages: of the law's document.
    """
    if kind != "statute":
        return 0.0
    return _SIZE * min(math.log1p(passages) / _LARGE, 1.0) + _ACT * is_act(law) - _USUAL


def rank(question: str, found: Candidates, weights: Weights | None = None) -> Ranking:
    """The scores of the candidates for a question."""
    weights = weights or Weights()
    pairs_n, characters_n = _among(question, found)
    scores_n = (1 - weights.pairs) * found.scores_n + weights.pairs * pairs_n + weights.characters * characters_n
    best = scores_n.max(initial=0.0)
    standing_n = weights.standing * best * found.standing_n
    law_n = weights.law * best * _law(scores_n + standing_n, found.laws_n)
    return Ranking(scores_n + standing_n + law_n, standing_n, law_n)


def _among(question: str, found: Candidates) -> tuple[Floats, Floats]:
    """BM25 of the question's pairs and single characters among the candidates."""
    asked, weight_of, pairs = _parts(question)
    n = len(found.lengths_n)
    if not asked or not n:
        return np.zeros(n, np.float32), np.zeros(n, np.float32)
    table = np.zeros(_BASIC_PLANE, np.int16)
    table[asked] = np.arange(1, len(asked) + 1)
    codes = np.frombuffer(found.text.encode("utf-32-le"), np.uint32)
    codes = np.where(codes < _BASIC_PLANE, codes, 0)
    at = table[codes]
    places = np.flatnonzero(at)
    ends_n = np.cumsum(found.lengths_n)
    owner = np.searchsorted(ends_n, places, side="right")
    which = at[places].astype(np.int64) - 1
    characters = _bm25(_counts(owner, which, n, len(asked)), found.lengths_n, np.array(weight_of, np.float32))
    if not pairs:
        return np.zeros(n, np.float32), characters
    pair_table = np.full((len(asked), len(asked)), -1, np.int64)
    for number, (left, right) in enumerate(pairs):
        pair_table[left, right] = number
    beside = np.flatnonzero((np.diff(places) == 1) & (owner[1:] == owner[:-1]))
    numbers = pair_table[which[beside], which[beside + 1]]
    known = numbers >= 0
    counts = _counts(owner[beside][known], numbers[known], n, len(pairs))
    return _bm25(counts, found.lengths_n, np.array(list(pairs.values()), np.float32)), characters


def _parts(question: str) -> tuple[list[int], list[float], dict[tuple[int, int], float]]:
    """The question's Chinese characters (their codes), their weights, and its pairs (of places in the list of
    characters) with theirs."""
    weight = np.ones(len(question), np.float32)
    for start, end in asking(question):
        weight[start:end] = _ASKING
    asked: dict[int, int] = {}
    of_character: list[float] = []
    pairs: dict[tuple[int, int], float] = {}
    before = -1
    for place, character in enumerate(question):
        code = ord(character)
        if not (_FIRST_CHINESE <= code < _BASIC_PLANE and character.isalpha()):
            before = -1
            continue
        this = asked.setdefault(code, len(asked))
        if this == len(of_character):
            of_character.append(0.0)
        of_character[this] = max(of_character[this], float(weight[place]))
        if before >= 0:
            value = float(weight[place] + weight[place - 1]) / 2
            pairs[before, this] = max(pairs.get((before, this), 0.0), value)
        before = this
    return list(asked), of_character, pairs


def _counts(owner: Ints, which: Ints, n: int, terms: int) -> Floats:
    """How often each candidate holds each term: n × terms."""
    return np.bincount(owner * terms + which, minlength=n * terms).reshape(n, terms).astype(np.float32)


def _bm25(counts_nt: Floats, lengths_n: Ints, weight_t: Floats) -> Floats:
    n = len(counts_nt)
    having_t = (counts_nt > 0).sum(axis=0)
    rarity_t = np.log1p((n - having_t + 0.5) / (having_t + 0.5)).astype(np.float32) * weight_t
    length_n = (_K1 * (1 - _B + _B * lengths_n / max(lengths_n.mean(), 1.0))).astype(np.float32)
    scores: Floats = (counts_nt * (_K1 + 1) / (counts_nt + length_n[:, None])) @ rarity_t
    return scores


def _law(scores_n: Floats, laws_n: Ints) -> Floats:
    """How much of what is good comes from a passage's law, 0 to 1."""
    if not len(scores_n):
        return scores_n
    top = np.argsort(-scores_n, kind="stable")[:_TOP]
    good = (scores_n[top] - scores_n[top[-1]]) / max(float(scores_n[top[0]] - scores_n[top[-1]]), 1e-6)
    bonus = np.log1p(np.bincount(laws_n[top], good, laws_n.max() + 1))
    share_n: Floats = (bonus / max(float(bonus.max()), 1e-6)).astype(np.float32)[laws_n]
    return share_n

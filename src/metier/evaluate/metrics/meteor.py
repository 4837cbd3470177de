"""METEOR without WordNet: exact words, then Porter stems; nltk's alignment and default weights.

Source: A. Lavie, A. Agarwal, METEOR, 2007; `nltk.translate.meteor_score.single_meteor_score` (alpha .9, beta 3, gamma
.5) with no synonyms, as published for LeCoQA (jieba's words, mean of rows).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from metier.evaluate.metrics.definition import Measure, Metric, Pair
from metier.evaluate.metrics.porter import stem
from metier.evaluate.words import words, words_version

Numbered = list[tuple[int, str]]


def meteor(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    """METEOR of one tokenized sentence against one reference, 0 to 1."""
    left: Numbered = [(at, word.lower()) for at, word in enumerate(hypothesis)]
    right: Numbered = [(at, word.lower()) for at, word in enumerate(reference)]
    exact, left, right = _match(left, right)
    stems, _, _ = _match([(at, stem(word)) for at, word in left], [(at, stem(word)) for at, word in right])
    matches = sorted(exact + stems)
    if not matches:
        return 0.0
    precision, recall = len(matches) / len(hypothesis), len(matches) / len(reference)
    mean = (precision * recall) / (0.9 * precision + (1 - 0.9) * recall)
    chunks = 1 + sum((second[0] != first[0] + 1) or (second[1] != first[1] + 1) for first, second in pairwise(matches))
    penalty: float = 0.5 * (chunks / len(matches)) ** 3.0
    return (1 - penalty) * mean


def _match(left: Numbered, right: Numbered) -> tuple[list[tuple[int, int]], Numbered, Numbered]:
    """Pairs equal words from the end, each with the last one still free; returns what is left over too."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, (_, word) in enumerate(right):
        places[word].append(at)
    pairs: list[tuple[int, int]] = []
    taken_left, taken_right = set(), set()
    for at in range(len(left) - 1, -1, -1):
        free = places.get(left[at][1])
        if free:
            other = free.pop()
            pairs.append((left[at][0], right[other][0]))
            taken_left.add(at)
            taken_right.add(other)
    return (
        pairs,
        [item for at, item in enumerate(left) if at not in taken_left],
        [item for at, item in enumerate(right) if at not in taken_right],
    )


def _measure(pair: Pair) -> Measure:
    value = meteor(words(pair.answer), words(pair.label))
    return Measure(value, (value,))


METEOR = Metric(
    name="meteor",
    version="1 (nltk 3.9 defaults, no WordNet)",
    level="sentence-mean",
    maximum=1.0,
    tokenizer=words_version(),
    smoothing="none; alpha 0.9, beta 3, gamma 0.5",
    reads="answer",
    kinds=frozenset(("open",)),
    measure=_measure,
)

"""ROUGE as Google's `rouge-score` computes it with its defaults (no stemmer): for English tables that used it.

Its tokenizer keeps `[a-z0-9]+` and so drops every Chinese character; on Chinese text the score measures nothing, and a
warning says so. Not among the automatic metrics.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from rapidfuzz.distance import LCSseq

from metier.evaluate.metrics.definition import Measure, Metric, Pair

_WORD = re.compile(r"[a-z0-9]+")


def rouge_default(answer: str, label: str) -> tuple[float, float, float]:
    """F of ROUGE-1, ROUGE-2 (clipped counts) and ROUGE-L, 0 to 1."""
    found, wanted = _WORD.findall(answer.lower()), _WORD.findall(label.lower())
    pairs_found, pairs_wanted = (Counter(pairwise(words)) for words in (found, wanted))
    return (
        _f((Counter(found) & Counter(wanted)).total(), len(found), len(wanted)),
        _f((pairs_found & pairs_wanted).total(), pairs_found.total(), pairs_wanted.total()),
        _f(LCSseq.similarity(found, wanted), len(found), len(wanted)),
    )


def _f(common: int, found: int, wanted: int) -> float:
    precision, recall = common / max(found, 1), common / max(wanted, 1)
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _sees(text: str) -> float:
    letters = sum(char.isalnum() for char in text)
    return sum(map(len, _WORD.findall(text.lower()))) / letters if letters else 1.0


def _metric(name: str, place: int) -> Metric:
    def measure(pair: Pair) -> Measure:
        value = 100.0 * rouge_default(pair.answer, pair.label)[place]
        return Measure(value, (value,))

    return Metric(
        name=name,
        version="1 (rouge-score 0.1.2)",
        level="sentence-mean",
        maximum=100.0,
        tokenizer="[a-z0-9]+ (drops Chinese)",
        smoothing="none",
        reads="answer",
        kinds=frozenset(("open",)),
        measure=measure,
        sees=_sees,
        default=False,
    )


ROUGE1_DEFAULT = _metric("rouge1_default", 0)
ROUGE2_DEFAULT = _metric("rouge2_default", 1)
ROUGEL_DEFAULT = _metric("rougel_default", 2)

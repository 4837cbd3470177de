"""BLEU and chrF of a whole corpus, as sacrebleu computes them.

Each row gives its counts; counts are summed before the score is made, also within every bootstrap sample, for all
samples at once. Tokenizers are sacrebleu's own. Equal to `sacrebleu.BLEU` and `sacrebleu.CHRF` with their defaults.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any, TypeVar, cast

import numpy as np

from metier.evaluate.metrics.definition import Array, Measure, Metric, Pair

G = TypeVar("G", bound=Hashable)
_SACREBLEU = f"sacrebleu {version('sacrebleu')}"
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")


@cache
def _tokenizer(name: str) -> Callable[[str], str]:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

    kind: Any = TokenizerZh if name == "zh" else Tokenizer13a  # their constructors are untyped
    return cast("Callable[[str], str]", kind())


def _tokens(text: str, tokenizer: str) -> tuple[str, ...]:
    return tuple(_tokenizer(tokenizer)(text.rstrip()).split())


@lru_cache(maxsize=1 << 13)
def _word_grams(text: str, tokenizer: str) -> tuple[Counter[tuple[str, ...]], ...]:
    found = _tokens(text, tokenizer)
    return tuple(Counter(zip(*(found[at:] for at in range(order)), strict=False)) for order in (1, 2, 3, 4))


def bleu_counts(answer: str, label: str, tokenizer: str) -> tuple[float, ...]:
    """Lengths of answer and label, matches of 1- to 4-grams, and n-grams of the answer: ten numbers."""
    found, wanted = _word_grams(answer, tokenizer), _word_grams(label, tokenizer)
    matches = [_common(grams, other) for grams, other in zip(found, wanted, strict=True)]
    return (found[0].total(), wanted[0].total(), *matches, *(grams.total() for grams in found))


def _common(grams: Counter[G], other: Counter[G]) -> int:
    return sum([min(grams[gram], other[gram]) for gram in grams.keys() & other.keys()])


def combine_bleu(sums_BS: Array, counts_B: Array, *, effective_order: bool = False) -> Array:
    """BLEU, 0 to 100, of B corpora from their [B, 10] summed counts; smoothing `exp`.

    effective_order: orders of which the answer has no n-gram are left out (for single sentences).
    """
    length, reference = sums_BS[:, 0], sums_BS[:, 1]
    matches_B4, totals_B4 = sums_BS[:, 2:6], sums_BS[:, 6:10]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        zeros_B4 = np.cumsum((matches_B4 == 0) & (totals_B4 > 0), axis=1)
        smoothed_B4 = 100.0 / (2.0**zeros_B4 * totals_B4)
        precision_B4 = np.where(matches_B4 > 0, 100.0 * matches_B4 / totals_B4, smoothed_B4)
        known_B4 = totals_B4 > 0
        # Without effective order a missing order counts as precision 0, which makes the whole score 0.
        orders = known_B4.sum(axis=1) if effective_order else np.full(len(sums_BS), 4)
        logarithms = np.where(
            known_B4, np.log(np.where(known_B4, precision_B4, 1.0)), 0.0 if effective_order else -np.inf
        )
        penalty = np.where(length < reference, np.exp(1.0 - reference / np.maximum(length, 1.0)), 1.0)
        score = penalty * np.exp(logarithms.sum(axis=1) / np.maximum(orders, 1))
    return cast("Array", np.where((matches_B4.sum(axis=1) > 0) & (length > 0), score, 0.0))


@lru_cache(maxsize=1 << 13)
def _character_grams(text: str) -> tuple[Counter[str], ...]:
    text = "".join(text.split())
    return tuple(Counter([text[at : at + order] for at in range(len(text) - order + 1)]) for order in range(1, 7))


def chrf_counts(answer: str, label: str) -> tuple[float, ...]:
    """For 1- to 6-grams of characters: in the answer, in the label, in both: 18 numbers."""
    counts: list[int] = []
    for grams, other in zip(_character_grams(answer), _character_grams(label), strict=True):
        # As sacrebleu: an order that the label does not have is not held against the answer.
        counts += (grams.total() if other else 0, other.total(), _common(grams, other))
    return tuple(counts)


def combine_chrf(sums_BS: Array, counts_B: Array) -> Array:
    """chrF2, 0 to 100, of B corpora from their [B, 18] summed counts."""
    found_B6, wanted_B6, common_B6 = (sums_BS[:, start::3] for start in range(3))
    usable_B6 = (found_B6 > 0) & (wanted_B6 > 0)
    orders = np.maximum(usable_B6.sum(axis=1), 1)
    precision = np.where(usable_B6, common_B6 / np.maximum(found_B6, 1), 0.0).sum(axis=1) / orders
    recall = np.where(usable_B6, common_B6 / np.maximum(wanted_B6, 1), 0.0).sum(axis=1) / orders
    weighted = 4.0 * precision + recall
    return cast(
        "Array", np.where(weighted > 0, 100.0 * 5.0 * precision * recall / np.where(weighted > 0, weighted, 1.0), 0.0)
    )


def _measure_bleu(tokenizer: str | None) -> Callable[[Pair], Measure]:
    def measure(pair: Pair) -> Measure:
        counts = bleu_counts(pair.answer, pair.label, tokenizer or bleu_tokenizer(pair.language))
        row = combine_bleu(np.array([counts]), np.ones(1), effective_order=True)
        return Measure(float(row[0]), counts)

    return measure


def _measure_chrf(pair: Pair) -> Measure:
    counts = chrf_counts(pair.answer, pair.label)
    return Measure(float(combine_chrf(np.array([counts]), np.ones(1))[0]), counts)


def bleu_tokenizer(language: str) -> str:
    """sacrebleu's tokenizer for a language."""
    return "zh" if language == "zh" else "13a"


def _sees_words(text: str) -> float:
    """Share of letters that do not stand in a run of more than four Chinese characters, which 13a keeps as one word."""
    letters = sum(char.isalnum() for char in text)
    hidden = sum(len(run) for run in _HAN_RUN.findall(text) if len(run) > 4)
    return 1.0 - hidden / letters if letters else 1.0


def _bleu(name: str, tokenizer: str | None) -> Metric:
    label = tokenizer or "zh (Chinese) | 13a"
    return Metric(
        name=name,
        version=f"{_SACREBLEU}; nrefs:1|case:mixed|eff:no|tok:{tokenizer or '{tokenizer}'}|smooth:exp",
        level="corpus",
        maximum=100.0,
        tokenizer=label,
        smoothing="exp",
        reads="answer",
        kinds=frozenset(("open",)),
        measure=_measure_bleu(tokenizer),
        combine=combine_bleu,
        sees=_sees_words if tokenizer == "13a" else None,
        default=tokenizer is None,
    )


BLEU = _bleu("bleu", None)
BLEU_ZH = _bleu("bleu_zh", "zh")
BLEU_13A = _bleu("bleu_13a", "13a")
CHRF = Metric(
    name="chrf",
    version=f"{_SACREBLEU}; nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no",
    level="corpus",
    maximum=100.0,
    tokenizer="character 1- to 6-grams",
    smoothing="effective order; beta 2",
    reads="answer",
    kinds=frozenset(("open",)),
    measure=_measure_chrf,
    combine=combine_chrf,
)

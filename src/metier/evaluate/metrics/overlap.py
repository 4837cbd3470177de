"""BLEU and ROUGE of sentences, as the field's scripts compute them row by row.

`bleu4`, `rouge1`, `rouge2`, `rougel`: LLaMA-Factory, `train/sft/metric.py` (`ComputeSimilarity`) and
`scripts/eval_bleu_rouge.py`: nltk's `sentence_bleu` over characters with smoothing method 3, and rouge-chinese 1.0.3
over jieba's words, × 100, each row rounded to 4 decimals. `bleu_sentence`: as published for LeCoQA. All equal their
sources to the last digit; the code here is thin because only one reference and four orders are wanted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

from rapidfuzz.distance import LCSseq

from metier.evaluate.words import words

Smoothing = Callable[[int, int, int], float]
# rouge-chinese ends a sentence at these places; what matters to the score is only that words are cut there.
_ENDS = (
    re.compile(r"([。！？\?])([^”’])"),
    re.compile(r"(\.{6})([^”’])"),
    re.compile(r"(\…{2})([^”’])"),
    re.compile(r"([。！？\?][”’])([^，。！？\?])"),
)


def sentence_bleu(hypothesis: Sequence[str], reference: Sequence[str], smoothing: Smoothing) -> float:
    """BLEU-4 of one sentence against one reference, 0 to 1 (nltk's `sentence_bleu`).

    hypothesis, reference: tokens, or a string whose characters are the tokens; smoothing(k, denominator, length): the
    precision that replaces the k-th zero.
    """
    length = len(hypothesis)
    matches = _matches(*_as_strings(hypothesis, reference))
    if not matches[0]:
        return 0.0
    logarithms = []
    zeros = 0
    for order, match in enumerate(matches):
        denominator = max(1, length - order)
        if match:
            precision = match / denominator
        else:
            zeros += 1
            precision = smoothing(zeros, denominator, length)
        if precision > 0:
            logarithms.append(0.25 * math.log(precision))
    penalty: float = 1.0 if length > len(reference) else math.exp(1 - len(reference) / length)
    geometric: float = math.exp(math.fsum(logarithms))
    return penalty * geometric


def method3(zeros: int, denominator: int, length: int) -> float:
    """NIST geometric smoothing (nltk method 3)."""
    return float(1 / (2**zeros * denominator))


def method4(zeros: int, denominator: int, length: int) -> float:
    """Chen and Cherry's length-aware smoothing (nltk method 4, k = 5)."""
    return 1 / (2**zeros * 5 / math.log(length)) / denominator if length > 1 else 0.0


def _as_strings(hypothesis: Sequence[str], reference: Sequence[str]) -> tuple[str, str]:
    """Each word as one character, so that n-grams are slices of a string, which hash faster than tuples."""
    if isinstance(hypothesis, str) and isinstance(reference, str):
        return hypothesis, reference
    names: dict[str, int] = {}
    encoded = [
        "".join([chr(names.setdefault(token, len(names))) for token in tokens]) for tokens in (hypothesis, reference)
    ]
    return encoded[0], encoded[1]


def _matches(hypothesis: str, reference: str) -> list[int]:
    """Clipped counts of common 1- to 4-grams.

    A common n-gram begins where a common (n-1)-gram begins, so each order looks only at the places left by the last.
    """
    matches = [0, 0, 0, 0]
    places_hypothesis: Sequence[int] = range(len(hypothesis))
    places_reference: Sequence[int] = range(len(reference))
    for order in (1, 2, 3, 4):
        grams_hypothesis = [hypothesis[at : at + order] for at in places_hypothesis]
        grams_reference = [reference[at : at + order] for at in places_reference]
        found, wanted = Counter(grams_hypothesis), Counter(grams_reference)
        common = found.keys() & wanted.keys()
        if not common:
            break
        matches[order - 1] = sum([min(found[gram], wanted[gram]) for gram in common])
        last = len(hypothesis) - order
        places_hypothesis = [
            at for at, gram in zip(places_hypothesis, grams_hypothesis, strict=True) if gram in common and at < last
        ]
        last = len(reference) - order
        places_reference = [
            at for at, gram in zip(places_reference, grams_reference, strict=True) if gram in common and at < last
        ]
    return matches


@lru_cache(maxsize=1 << 14)
def rouge_words(text: str) -> tuple[str, ...]:
    """The words rouge-chinese sees when it is given jieba's words with spaces between.

    Its quirk is kept: a line of spaces alone counts as one empty word.
    """
    found = words(text)
    if text.split() == [text] and "......" not in text:
        return found  # nothing that could be cut or emptied, whatever the sentences are
    joined = " ".join(found)
    if not joined.strip():
        return ()
    for end in _ENDS:
        joined = end.sub(r"\1\n\2", joined)
    return tuple(
        word for sentence in joined.rstrip().split("\n") if sentence for word in " ".join(sentence.split()).split(" ")
    )


@lru_cache(maxsize=1 << 14)
def _rouge_sets(text: str) -> tuple[tuple[str, ...], frozenset[str], frozenset[tuple[str, str]]]:
    found = rouge_words(text)
    return found, frozenset(found), frozenset(pairwise(found))


@lru_cache(maxsize=1 << 14)
def rouge_chinese(hypothesis: str, reference: str) -> tuple[float, float, float]:
    """F of ROUGE-1, ROUGE-2 (sets of n-grams) and ROUGE-L (longest common subsequence), 0 to 1."""
    words_hypothesis, ones_hypothesis, twos_hypothesis = _rouge_sets(hypothesis)
    words_reference, ones_reference, twos_reference = _rouge_sets(reference)
    if not words_hypothesis or not words_reference:
        return 0.0, 0.0, 0.0
    longest = LCSseq.similarity(words_reference, words_hypothesis)
    return (
        _f(len(ones_hypothesis & ones_reference), len(ones_hypothesis), len(ones_reference)),
        _f(len(twos_hypothesis & twos_reference), len(twos_hypothesis), len(twos_reference)),
        _f(longest, len(words_hypothesis), len(words_reference)),
    )


def _f(common: int, found: int, wanted: int) -> float:
    precision = common / found if found else 0.0
    recall = common / wanted if wanted else 0.0
    return 2.0 * ((precision * recall) / (precision + recall + 1e-8))


@lru_cache(maxsize=1 << 14)
def bleu4_characters(hypothesis: str, reference: str) -> float:
    """LLaMA-Factory's `bleu-4` of one row: × 100, 4 decimals."""
    return round(sentence_bleu(hypothesis, reference, method3) * 100, 4)

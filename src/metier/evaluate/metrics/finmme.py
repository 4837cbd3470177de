"""FinMME's accuracy and FinScore (luo-junyu/FinMME, `eval.py`; J. Luo et al., arXiv 2505.24714).

A number is right within the row's `tolerance`, a choice where the sets of letters are equal. FinScore = mean over
knowledge domains of the share of right answers × (1 − share of wrong answers among the multiple choices with more than
one right letter). Answers are read as everywhere here; `…_published` take, as the published script does, only the word
behind the first `Answer:` and from it all digits or letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from metier.evaluate.choices import read_choices
from metier.evaluate.metrics.charts import shown, tolerance_of
from metier.evaluate.metrics.definition import Array, Measure, Metric, Pair, right_or_wrong
from metier.evaluate.numeric import agrees, read_number, wanted_quantity, within

QUESTION_TYPES = ("single_choice", "multiple_choice", "numerical")
_LETTERS = "ABCDEFGHIJKLMN"
_FIRST = re.compile(r"answer\s*:\s*(\S+)", re.IGNORECASE)
_DROPPED = ("**", ":", "$\\boxed{", "}$", "\\$", "$", "{", "\\boxed")


def measure_finmme(pair: Pair) -> Measure:
    """Right by the row's `question_type`; None for rows of no such type."""
    given = _asked(pair)
    if given is None:
        return Measure(None)
    if pair.meta["question_type"] != "numerical":
        found = read_choices(pair.answer, pair.options)
        return _truth(found is not None and set(found) == _letters(given), found)
    wanted = wanted_quantity(given, str(pair.meta.get("unit") or ""))
    number = read_number(pair.answer)
    if wanted is None or number is None:
        return _truth(False, None)
    return _truth(agrees(number, replace(wanted, year=False), within(tolerance_of(pair) or Decimal(0))), shown(number))


def measure_published(pair: Pair) -> Measure:
    """As `check_answer` of the published script."""
    given = _asked(pair)
    if given is None:
        return Measure(None)
    first = _FIRST.search(pair.answer)
    found = first[1] if first else ""
    for mark in _DROPPED:
        found = found.replace(mark, "")
    if pair.meta["question_type"] != "numerical":
        return _truth(_letters(found) == _letters(given), found)
    tolerance = float(tolerance_of(pair) or 0.0)
    try:
        right = abs(_digits(found) - _digits(given)) <= tolerance
    except ValueError:
        right = False
    return _truth(right, found)


def finscore_of(measure: Callable[[Pair], Measure]) -> Callable[[Sequence[Pair]], list[Measure]]:
    """FinScore's counts, row by row: right and all rows of each of D domains, then wrong and all rows with several
    right letters: [N, 2 D + 2]."""

    def measures(pairs: Sequence[Pair]) -> list[Measure]:
        domains = sorted({str(pair.meta["knowledge_domain"]) for pair in pairs if _has_domain(pair)})
        places = {domain: place for place, domain in enumerate(domains)}
        found = []
        for pair in pairs:
            one = measure(pair)
            # Where no row names a domain there is no FinScore.
            if one.value is None or not places:
                found.append(Measure(None))
                continue
            counts = np.zeros(2 * len(places) + 2)
            if _has_domain(pair):
                place = places[str(pair.meta["knowledge_domain"])]
                counts[place], counts[len(places) + place] = one.value, 1.0
            if pair.meta["question_type"] == "multiple_choice" and len(_letters(_asked(pair) or "")) > 1:
                counts[-2:] = 1.0 - one.value, 1.0
            found.append(replace(one, statistics=tuple(counts.tolist())))
        return found

    return measures


def combine_finscore(sums_BS: Array, _counts_B: Array) -> Array:
    """FinScore of B samples from their [B, 2 D + 2] sums; domains without a row in a sample do not count there."""
    domains = (sums_BS.shape[1] - 2) // 2
    right_BD, rows_BD = sums_BS[:, :domains], sums_BS[:, domains : 2 * domains]
    shares_BD = right_BD / np.maximum(rows_BD, 1.0)
    mean_B = shares_BD.sum(axis=1) / np.maximum((rows_BD > 0).sum(axis=1), 1)
    wrong_B, several_B = sums_BS[:, -2], sums_BS[:, -1]
    return np.asarray(mean_B * (1.0 - wrong_B / np.maximum(several_B, 1.0)), dtype=np.float64)


def is_finmme(meta: Mapping[str, Any]) -> bool:
    """Whether a row is of this set's kind: one of its types of question, in a domain."""
    return meta.get("question_type") in QUESTION_TYPES and "knowledge_domain" in meta


def _asked(pair: Pair) -> str | None:
    """The right answer as published; None where the row is not of this set's kind."""
    given = pair.meta.get("answer", pair.gold)
    return str(given) if given is not None and is_finmme(pair.meta) else None


def _has_domain(pair: Pair) -> bool:
    return pair.meta.get("knowledge_domain") is not None


def _letters(text: str) -> set[str]:
    return {char for char in text.upper() if char in _LETTERS}


def _digits(text: str) -> float:
    return float("".join(char for char in text if char.isdigit() or char in ".-"))


def _truth(right: bool, extracted: str | None) -> Measure:
    return right_or_wrong(right, extracted, unreadable=not extracted)


_COMMON: dict[str, Any] = {
    "version": "1",
    "maximum": 1.0,
    "smoothing": "none",
    "reads": "answer",
    "kinds": frozenset(("choice", "number", "exact", "open")),
    "needs": "finmme",
}
_OWN = "option letters read from free text; numbers with unit and scale"
_THEIRS = "the word behind the first `Answer:`; its letters A–N, or its digits"
FINMME_ACCURACY = Metric(
    name="finmme_accuracy", level="sentence-mean", tokenizer=_OWN, measure=measure_finmme, proportion=True, **_COMMON
)
FINSCORE = Metric(
    name="finscore",
    level="corpus",
    tokenizer=_OWN,
    measure=measure_finmme,
    measure_all=finscore_of(measure_finmme),
    combine=combine_finscore,
    **_COMMON,
)
FINMME_PUBLISHED = Metric(
    name="finmme_published",
    level="sentence-mean",
    tokenizer=_THEIRS,
    measure=measure_published,
    proportion=True,
    default=False,
    **_COMMON,
)
FINSCORE_PUBLISHED = Metric(
    name="finscore_published",
    level="corpus",
    tokenizer=_THEIRS,
    measure=measure_published,
    measure_all=finscore_of(measure_published),
    combine=combine_finscore,
    default=False,
    **_COMMON,
)

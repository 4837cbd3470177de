"""Metrics of short answers about charts: numbers with tolerance, and ChartQA's relaxed accuracy.

`relaxed_accuracy`: A. Masry et al., ChartQA (arXiv 2203.10244, end of section 5.1): a number may be 5 % off, a text
must be the same. Read out of free text here, with units and scales; years must be met, as in ChartQAPro (arXiv
2504.05506), since every year of a century lies within 5 %. `relaxed_published`: the bare comparison of
google-research/pix2struct (`metrics.py`, `relaxed_correctness`) over the whole answer, years not set apart.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from metier.core.quantities import Quantity
from metier.evaluate.metrics.definition import Measure, Metric, Pair, right_or_wrong
from metier.evaluate.metrics.short import measure_choice, plain_tokens
from metier.evaluate.numeric import Close, agrees, final_answer, read_number, wanted_quantity, within, within_share

RELAXED = Decimal("0.05")
_READ = 80  # characters of a text answer that are told as read


def measure_number(pair: Pair) -> Measure:
    """Right within the row's own `tolerance`, else to the last digit of the right answer. Needs a number as answer."""
    wanted = _wanted(pair)
    if wanted is None:
        return Measure(None)
    tolerance = tolerance_of(pair)
    return _number(pair.answer, wanted, within(rounding(wanted) if tolerance is None else tolerance))


def measure_relaxed(pair: Pair) -> Measure:
    """Right within 5 % for numbers; years, letters and texts must be the same."""
    if pair.kind == "choice":
        return measure_choice(pair)
    wanted = _wanted(pair)
    if wanted is not None:
        return _number(pair.answer, wanted, within_share(RELAXED))
    found = final_answer(pair.answer)
    return right_or_wrong(bool(found) and plain_tokens(found) == plain_tokens(pair.wanted), found[:_READ] or None)


def measure_published(pair: Pair) -> Measure:
    """pix2struct's comparison of two bare texts."""
    gold, answer = pair.wanted, pair.answer
    found, wanted = _bare(answer), _bare(gold)
    if found is not None and wanted:
        return right_or_wrong(abs(found - wanted) / abs(wanted) <= RELAXED, str(found))
    return right_or_wrong(answer.lower() == gold.lower(), answer[:_READ])


def rounding(wanted: Quantity) -> Decimal:
    """Half a unit of the last digit that is written."""
    return Decimal(5).scaleb(-wanted.decimals - 1)


def tolerance_of(pair: Pair) -> Decimal | None:
    """The row's `tolerance`, a distance in the unit of its answer."""
    given = pair.meta.get("tolerance")
    if given is None or isinstance(given, bool):
        return None
    try:
        tolerance = Decimal(str(given))
    except InvalidOperation:
        return None
    return tolerance if tolerance.is_finite() and tolerance >= 0 else None


def shown(one: Quantity) -> str:
    """What was read, for people."""
    unit = {"percent": "%", "points": " pp", "bps": " bps", "times": "×"}.get(one.unit, "")
    return f"{one.number:f}{unit}" + (f" ×{one.scale:,}" if one.scale else "")


def _wanted(pair: Pair) -> Quantity | None:
    return wanted_quantity(pair.wanted, str(pair.meta.get("unit") or ""))


def _number(answer: str, wanted: Quantity, close: Close) -> Measure:
    found = read_number(answer, year=wanted.year)
    if found is None:
        return Measure(0.0, (0.0,), unreadable=True)
    right = found.number == wanted.number if wanted.year else agrees(found, wanted, close)
    return right_or_wrong(right, shown(found))


def _bare(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().removesuffix("%"))
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    return value / 100 if text.strip().endswith("%") else value


_READS = "numbers with unit and scale, in Chinese and English; option letters; words, NFKC, case folded"
_SHARE: dict[str, Any] = {
    "version": "1",
    "level": "sentence-mean",
    "maximum": 1.0,
    "smoothing": "none",
    "reads": "answer",
    "proportion": True,
}
NUMERIC_ACCURACY = Metric(
    name="numeric_accuracy",
    tokenizer="numbers with unit and scale, in Chinese and English",
    kinds=frozenset(("number",)),
    measure=measure_number,
    **_SHARE,
)
RELAXED_ACCURACY = Metric(
    name="relaxed_accuracy",
    tokenizer=_READS,
    kinds=frozenset(("number", "exact", "choice")),
    measure=measure_relaxed,
    needs="picture",
    **_SHARE,
)
RELAXED_PUBLISHED = Metric(
    name="relaxed_published",
    tokenizer="whole texts; numbers as Python's float reads them",
    kinds=frozenset(("number", "exact", "choice")),
    measure=measure_published,
    default=False,
    **_SHARE,
)

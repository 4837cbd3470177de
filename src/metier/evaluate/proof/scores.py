"""Answers become scores: what is counted for each question, and how the counts become one figure with an interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from metier.core.i18n import LANGUAGES, translate
from metier.evaluate.bootstrap import Interval, Settings, interval, paired_interval, wilson
from metier.evaluate.citing import Cited, read_citations
from metier.evaluate.metrics import METRICS, Pair
from metier.evaluate.metrics.definition import Array, mean
from metier.evaluate.proof.questions import Question
from metier.evaluate.retrieval import RETRIEVAL

Counts = tuple[float, ...] | None
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with what was counted in it. price: of its tokens."""

    question: Question
    answer: Mapping[str, Any]
    cited: Cited
    price: float


@dataclass(frozen=True, slots=True)
class Score:
    """A score. count: of one question, None where it has no say; better: which way is good, `none` for mere facts;
    unit: `share`, `seconds`, `tokens`, `money` or `points`."""

    name: str
    count: Callable[[Answered], Counts]
    combine: Callable[[Array, Array], Array] = mean
    proportion: bool = False
    better: Literal["higher", "lower"] = "higher"
    unit: Literal["share", "seconds", "tokens", "money", "points"] = "share"
    maximum: float = 1.0
    version: str = "1"


def ratio(sums_BS: Array, counts_B: Array) -> Array:
    """The first sum over the second: of all citations, sentences, … of the drawn questions. 0 where there are none."""
    return np.divide(sums_BS[:, 0], sums_BS[:, 1], out=np.zeros(len(sums_BS)), where=sums_BS[:, 1] > 0)


def answered(question: Question, answer: Mapping[str, Any], prices: tuple[float, float]) -> Answered:
    """Reads one kept answer. prices: of a million tokens asked and answered."""
    tokens = int(answer.get("prompt_tokens", 0)), int(answer.get("completion_tokens", 0))
    price = (tokens[0] * prices[0] + tokens[1] * prices[1]) / 1e6
    return Answered(question, answer, read_citations(answer, question.gold), price)


def _citation_precision(one: Answered) -> Counts:
    return (float(one.cited.gold), float(one.cited.citations)) if one.question.gold else None


def _citation_recall(one: Answered) -> Counts:
    return (one.cited.found / one.cited.wanted,) if one.question.gold else None


def _quotes(one: Answered) -> Counts:
    return float(one.cited.quotes), float(one.cited.checked)


def _support(one: Answered) -> Counts:
    return float(one.cited.supported), float(one.cited.sentences)


def _right_refusal(one: Answered) -> Counts:
    return None if one.question.answerable else (float(one.cited.refused),)


def _wrong_refusal(one: Answered) -> Counts:
    return (float(one.cited.refused),) if one.question.answerable else None


def _likeness(one: Answered) -> Counts:
    if not one.question.reference:
        return None
    measure = METRICS.get("chrf").measure(Pair(str(one.answer.get("text", "")), one.question.reference))
    return measure.statistics


SCORES: tuple[Score, ...] = (
    Score("citation_precision", _citation_precision, ratio),
    Score("citation_recall", _citation_recall),
    Score("quotes_stand", _quotes, ratio),
    Score("support_rate", _support, ratio),
    Score("right_refusals", _right_refusal, proportion=True),
    Score("wrong_refusals", _wrong_refusal, proportion=True, better="lower"),
    Score("reference_chrf", _likeness, lambda sums, counts: METRICS.get("chrf").combine(sums, counts), maximum=100.0,
          unit="points"),
    Score("seconds", lambda one: (float(one.answer.get("seconds", 0.0)),), better="lower", unit="seconds"),
    Score("completion_tokens", lambda one: (float(one.answer.get("completion_tokens", 0)),), better="lower",
          unit="tokens"),
    Score("prompt_tokens", lambda one: (float(one.answer.get("prompt_tokens", 0)),), better="lower", unit="tokens"),
    Score("price", lambda one: (one.price,), better="lower", unit="money"),
)  # fmt: skip


def score_variant(rows: Sequence[Answered], settings: Settings) -> dict[str, dict[str, Any]]:
    """Every score that has something to count, by name: score, interval, number of questions."""
    found = {}
    for score in SCORES:
        statistics = _statistics(score, rows)
        if statistics is not None and not _empty(score, statistics):
            if score.combine is ratio:
                statistics = statistics[statistics[:, 1] > 0]
            found[score.name] = {**interval_of(score, statistics, settings).as_dict(), "n": len(statistics)}
    return found


def compare_variants(left: Sequence[Answered], right: Sequence[Answered], settings: Settings) -> dict[str, Any]:
    """Right minus left over the same questions, for each score that both have."""
    found: dict[str, Any] = {}
    for score in SCORES:
        before, after = _statistics(score, left), _statistics(score, right)
        if before is None or after is None or _nothing_between(score, before, after):
            continue
        if score.combine is ratio:
            counted = (before[:, 1] > 0) | (after[:, 1] > 0)
            before, after = before[counted], after[counted]
        between = paired_interval(before, after, _scaled(score, np.concatenate([before, after])), settings)
        change = _values(score, after) - _values(score, before)
        change = -change if score.better == "lower" else change
        found[score.name] = {
            "difference": between.score,
            "low": between.low,
            "high": between.high,
            "method": between.method,
            "n": len(before),
            "wins": int((change > _TIE).sum()),
            "ties": int((np.abs(change) <= _TIE).sum()),
            "losses": int((change < -_TIE).sum()),
        }
    return found


def interval_of(score: Score, statistics_NS: Array, settings: Settings) -> Interval:
    """A score with its interval. Shares that are all alike get Wilson's: resampling would call them certain."""
    values = _values(score, statistics_NS)
    if score.unit == "share" and np.all(values == values[0]):
        share = float(values[0])
        return Interval(share, *wilson(share, len(values), settings.z), "wilson")
    return interval(statistics_NS, _scaled(score, statistics_NS), settings)


def score_retrieval(
    questions: Sequence[Question], rankings: Mapping[str, Mapping[str, Any]], depth: int, settings: Settings
) -> dict[str, Any]:
    """Recall, reciprocal rank and gain of the search, with intervals, and how long it took."""
    asked = [question for question in questions if question.gold and question.id in rankings]
    if not asked:
        return {}
    found: dict[str, Any] = {}
    for name, (measure, at) in RETRIEVAL.items():
        if at <= depth:
            values = [measure(rankings[question.id]["ranked"], question.gold, at) for question in asked]
            statistics = np.array(values, dtype=np.float64)[:, None]
            found[name] = {**interval_of(_SHARE, statistics, settings).as_dict(), "n": len(asked)}
    seconds = [rankings[question.id]["seconds"] for question in asked]
    return {"scores": found, "seconds": _spread(seconds), "depth": depth}


def describe() -> dict[str, dict[str, Any]]:
    """What each score means, in both languages, and how to read it."""
    own = {one.name: {"better": one.better, "unit": one.unit, "version": one.version} for one in SCORES}
    found = {**own, **{name: {"better": "higher", "unit": "share", "version": "1"} for name in RETRIEVAL}}
    return {
        name: {
            **facts,
            "name": {language: translate(f"evaluate.proof.{name}", language=language) for language in LANGUAGES},
            "definition": {
                language: translate(f"evaluate.proof.{name}.means", language=language) for language in LANGUAGES
            },
        }
        for name, facts in found.items()
    }


def facts_of(rows: Sequence[Answered]) -> dict[str, Any]:
    """How a variant answered, how long it took, and what that cost in all."""
    modes = [str(one.answer.get("mode", "")) for one in rows]
    return {
        "answers": len(rows),
        "modes": {mode: modes.count(mode) for mode in ("written", "quoted", "abstained")},
        "cut": sum(one.answer.get("finished_by") == "length" for one in rows),
        "empty": sum(not str(one.answer.get("text", "")).strip() for one in rows),
        "seconds": _spread([float(one.answer.get("seconds", 0.0)) for one in rows]),
        "tokens": sum(
            int(one.answer.get(key, 0)) for one in rows for key in ("prompt_tokens", "completion_tokens")
        ),
        "price": sum(one.price for one in rows),
    }  # fmt: skip


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.quantile(np.array(seconds), [0.5, 0.95]) if seconds else (0.0, 0.0)
    return {"p50": float(p50), "p95": float(p95)}


def _statistics(score: Score, rows: Sequence[Answered]) -> Array | None:
    """[N, S] counts of the questions that have a say, None where there are none."""
    counts = [found for one in rows if (found := score.count(one)) is not None]
    return np.array(counts, dtype=np.float64) if counts else None


def _empty(score: Score, statistics: Array) -> bool:
    """Whether there was nothing to count: no citation, no factual sentence, no price."""
    if score.combine is ratio:
        return not bool(statistics[:, 1].any())
    return score.unit in ("money", "tokens") and not bool(statistics.any())


def _nothing_between(score: Score, before: Array, after: Array) -> bool:
    """Whether there is nothing to compare: neither has it, or a ratio that one side has no denominator for."""
    empty = _empty(score, before), _empty(score, after)
    return all(empty) or (score.combine is ratio and any(empty))


def _values(score: Score, statistics: Array) -> Array:
    """Each question's own score."""
    return np.array([score.combine(row[None], np.ones(1))[0] for row in statistics])


def _scaled(score: Score, statistics: Array) -> Score:
    """The score with an end to its scale: seconds and tokens have none but what was seen."""
    if score.unit in ("seconds", "tokens", "money"):
        return replace(score, maximum=max(1e-9, float(statistics.max())))
    return score


_SHARE = Score("share", lambda one: None)

"""Rows × metrics → measures. What `run_evaluate` and `run_compare` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metier.core.events import EventLog
from metier.core.i18n import LANGUAGES, translate
from metier.evaluate.language import detect_language
from metier.evaluate.metrics import METRICS
from metier.evaluate.metrics.corpus import bleu_tokenizer
from metier.evaluate.metrics.definition import Array, Kind, Measure, Metric, Pair
from metier.evaluate.predictions import Row
from metier.evaluate.spec import DECIDING
from metier.rendering.thinking import split_thinking

Text = dict[str, str]
AUTO = "auto"


@dataclass(frozen=True)
class Scored:
    """One metric over the rows it could judge. places: where they stand among all rows; measures: in that order."""

    metric: Metric
    places: list[int]
    measures: list[Measure]

    @property
    def statistics(self) -> Array:
        """[N, S]: what is summed over rows."""
        return np.array([measure.statistics for measure in self.measures], dtype=np.float64)

    @property
    def unreadable(self) -> int:
        return sum(measure.unreadable for measure in self.measures)

    def by_place(self) -> dict[int, Measure]:
        return dict(zip(self.places, self.measures, strict=True))


def both(key: str, /, **fields: object) -> Text:
    """A text of this package in both languages."""
    return {language: translate(f"evaluate.{key}", language=language, **fields) for language in LANGUAGES}


def language_of(rows: Sequence[Row], named: str) -> str:
    """As named, else what the labels (and where they say little, the prompts) are written in."""
    if named != AUTO:
        return named
    labels = [row.label for row in rows]
    return detect_language(
        labels if sum(map(len, labels)) > 20 * len(rows) else [*labels, *(row.prompt for row in rows)]
    )


def choose_metrics(names: Sequence[str], rows: Sequence[Row]) -> list[Metric]:
    """The named metrics; `auto` adds those that fit a kind of row that is there. ConfigError for an unknown name."""
    kinds = {row.kind for row in rows}
    there = {"", *(["picture"] * any(row.pictured for row in rows)), *(["finmme"] * any(row.finmme for row in rows))}
    chosen: dict[str, Metric] = {}
    for name in names:
        if name == AUTO:
            known = [METRICS.get(each) for each in METRICS]
            chosen |= {metric.name: metric for metric in known if _suits(metric, kinds, there)}
        else:
            chosen[name] = METRICS.get(name)
    return list(chosen.values())


def _suits(metric: Metric, kinds: set[Kind], there: set[str]) -> bool:
    return metric.default and bool(metric.kinds & kinds) and metric.needs in there


def score(rows: Sequence[Row], metric: Metric, language: str, *, any_kind: bool = False) -> Scored:
    """Measures the rows whose kind the metric fits (all of them with `any_kind`).

    Rows without a reference cannot be judged, except by the raw metrics, which score them 0 as LLaMA-Factory does.
    """
    fitting = [place for place, row in enumerate(rows) if any_kind or row.kind in metric.kinds]
    measures = metric.measures([pair_of(rows[place], metric, language) for place in fitting])
    judged = [
        (place, measure)
        for place, measure in zip(fitting, measures, strict=True)
        if measure.value is not None and (metric.reads == "raw" or rows[place].label or rows[place].gold is not None)
    ]
    return Scored(metric, [place for place, _ in judged], [measure for _, measure in judged])


def pair_of(row: Row, metric: Metric, language: str) -> Pair:
    """What `metric` reads of `row`."""
    raw = metric.reads == "raw"
    return Pair(
        answer=row.predict if raw else row.answer,
        label=row.label if raw else split_thinking(row.label)[1],
        kind=row.kind,
        gold=row.gold,
        options=row.options,
        language=language,
        meta=row.meta,
    )


def score_all(rows: Sequence[Row], names: Sequence[str], language: str, events: EventLog | None = None) -> list[Scored]:
    """Every chosen metric that could judge a row. One asked for by name that fits no kind of row is applied to all."""
    found = []
    chosen = choose_metrics(names, rows)
    for step, metric in enumerate(chosen, start=1):
        fits = any(row.kind in metric.kinds for row in rows)
        scored = score(rows, metric, language, any_kind=metric.name in names and not fits)
        if scored.measures:
            found.append(scored)
        if events is not None:
            events.emit("progress", step=step, total=len(chosen), metric=metric.name)
    return found


def deciding(scored: Sequence[Scored], rows: int) -> Scored | None:
    """The first of `DECIDING` that judges at least a fifth of the rows, else whatever there is."""
    found = {one.metric.name: one for one in scored}
    enough = (found[name] for name in DECIDING if name in found and 5 * len(found[name].measures) >= rows)
    return next(enough, next(iter(scored), None))


def describe(metric: Metric, language: str) -> dict[str, object]:
    """A metric's own words, its tokenizer named for this language."""
    described = metric.describe()
    if metric.name == "bleu":
        tokenizer = bleu_tokenizer(language)
        described |= {"tokenizer": tokenizer, "version": metric.version.replace("{tokenizer}", tokenizer)}
    return described


def counts_of(rows: Sequence[Row], scored: Sequence[Scored]) -> dict[str, int]:
    """Rows that deserve a look."""
    return {
        "empty": sum(not row.answer.strip() for row in rows),
        "unreadable": max((one.unreadable for one in scored), default=0),
        "thinking": sum(row.thinking for row in rows),
        "thinking_unfinished": sum(row.thinking and not row.answer.strip() for row in rows),
        "cut": sum(row.cut for row in rows),
        "without_label": sum(not row.label and row.gold is None for row in rows),
        "gold_unreadable": sum(row.kind == "choice" and row.gold is None for row in rows),
    }


def blindness(rows: Sequence[Row], scored: Sequence[Scored]) -> list[Text]:
    """A warning for each metric whose tokenizer cannot see the language of the references."""
    sample = "\n".join(row.label or row.prompt for row in rows[:2000])
    found = []
    for one in scored:
        if one.metric.sees is not None and (seen := one.metric.sees(sample)) < 0.5:
            fields = {"metric": one.metric.name, "tokenizer": one.metric.tokenizer, "share": f"{seen:.0%}"}
            found.append(both("warning.blind", **fields))
    return found


def warnings_of(rows: Sequence[Row], scored: Sequence[Scored], names: Sequence[str]) -> list[Text]:
    """What a reader must know before believing the scores; names: the metrics asked for."""
    counts = counts_of(rows, scored)
    found = blindness(rows, scored)
    for name in names:
        if name != AUTO and name not in {one.metric.name for one in scored}:
            found.append(both("warning.not_scored", metric=name))
    for key in ("empty", "unreadable", "thinking_unfinished", "cut", "without_label", "gold_unreadable"):
        if counts[key]:
            found.append(both(f"warning.{key}", count=counts[key], rows=len(rows)))
    return found

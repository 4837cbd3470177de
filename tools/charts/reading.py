"""Questions about report charts, each with its reasoning and an answer computed from the numbers that are drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.charts.chart import Chart, Series
from tools.charts.reports import WORDS, Language

_PLACES = 0.02  # of the axis: how far off a value read from a drawing may be
_FLAT = 5.0  # per cent: a change as small as this is no trend


@dataclass(frozen=True, slots=True)
class Reading:
    """kind, text: of the question; why: the steps; tolerance: of a number, None where the answer is words."""

    kind: str
    text: str
    why: str
    answer: str
    unit: str = ""
    tolerance: float | None = None


def readings(chart: Chart, language: Language, chance: random.Random) -> Iterator[Reading]:
    """What may be asked of one chart, at most once for each kind."""
    words = WORDS[language]
    row = _row(chart, words, chance)
    yield from _unreadable(chart, row, words, chance)
    if chart.kind == "pie":
        yield from _of_slices(chart, words, chance)
        return
    first, last, start, end = chart.labels[0], chart.labels[-1], row.values[0], row.values[-1]
    named = {"name": row.name, "first": first, "last": last, "a": shown(start), "b": shown(end)}
    rate = round((end - start) / start * 100, 1)
    way = "flat" if abs(rate) < _FLAT else "up" if rate > 0 else "down"
    part = words["trend"]
    yield Reading(
        "trend", _ask(part, chance, **named), part["why"].format(rate=shown(rate), **named), part["words"][way]
    )
    part = words["growth"]
    # Two readings, each off by a step, make a rate that is off by both.
    slack = max(0.5, 200 * _slack(chart) / start)
    yield Reading(
        "growth",
        _ask(part, chance, **named),
        part["why"].format(c=shown(rate), **named),
        shown(rate),
        "%",
        round(slack, 1),
    )
    yield from _of_periods(chart, row, words, chance)
    if chart.kind in ("stacked", "table") and len(chart.series) > 1:
        yield _share(chart, row, words, chance)


def _of_periods(chart: Chart, row: Series, words: dict[str, Any], chance: random.Random) -> Iterator[Reading]:
    """Highest and lowest, and two periods against each other."""
    most = chance.random() < 0.5
    order = sorted(range(len(row.values)), key=lambda i: row.values[i], reverse=most)
    if abs(row.values[order[0]] - row.values[order[1]]) > _slack(chart):
        part, label = words["extreme"], chart.labels[order[0]]
        values = ", ".join(shown(value) for value in row.values)
        why = part["why"].format(values=values, label=label, a=shown(row.values[order[0]]))
        yield Reading(
            "extreme", chance.choice(part["ask"]["most" if most else "least"]).format(name=row.name), why, label
        )
    high, low = sorted(chance.sample(range(len(row.values)), 2), key=lambda i: row.values[i], reverse=True)
    gap = round(row.values[high] - row.values[low], 2)
    if gap <= _slack(chart):
        return
    names = [words["series"].format(name=row.name, label=chart.labels[i]) for i in (high, low)]
    a, b = shown(row.values[high]), shown(row.values[low])
    part = words["difference"]
    text = _ask(part, chance, high=names[0], low=names[1], unit=chart.unit)
    why = part["why"].format(high=names[0], low=names[1], a=a, b=b, c=shown(gap))
    yield Reading("difference", text, why, shown(gap), chart.unit, round(2 * _slack(chart), 2))
    part, told = words["comparison"], chance.random() < 0.5
    asked = names if told else names[::-1]
    why = part["why"].format(high=names[0], low=names[1], a=a, b=b)
    yield Reading("comparison", _ask(part, chance, high=asked[0], low=asked[1]), why, part["words"][told])


def _share(chart: Chart, row: Series, words: dict[str, Any], chance: random.Random) -> Reading:
    index, part = chance.randrange(len(chart.labels)), words["share"]
    whole = round(sum(other.values[index] for other in chart.series), 2)
    share = round(row.values[index] / whole * 100, 1)
    named = {"name": row.name, "label": chart.labels[index]}
    why = part["why"].format(a=shown(row.values[index]), b=shown(whole), c=shown(share), **named)
    return Reading(
        "share", _ask(part, chance, **named), why, shown(share), "%", round(max(0.5, 200 * _slack(chart) / whole), 1)
    )


def _of_slices(chart: Chart, words: dict[str, Any], chance: random.Random) -> Iterator[Reading]:
    values = chart.series[0].values
    most, part = chance.random() < 0.5, words["extreme"]
    order = sorted(range(len(values)), key=lambda i: values[i], reverse=most)
    if abs(values[order[0]] - values[order[1]]) >= 3:
        told = ", ".join(f"{label} {shown(value)}%" for label, value in zip(chart.labels, values, strict=True))
        label = chart.labels[order[0]]
        why = part["why"].format(values=told, label=label, a=f"{shown(values[order[0]])}%")
        yield Reading("extreme", chance.choice(part["pie"]["most" if most else "least"]), why, label)
    index, part = chance.randrange(len(values)), words["share"]
    name = {"name": chart.labels[index]}
    why = part["why_pie"].format(c=shown(values[index]), **name)
    yield Reading("share", chance.choice(part["pie"]).format(**name), why, shown(values[index]), "%", 2.0)
    high, low = sorted(chance.sample(range(len(values)), 2), key=lambda i: values[i], reverse=True)
    if values[high] - values[low] >= 3:
        part, told_true = words["comparison"], chance.random() < 0.5
        asked = (high, low) if told_true else (low, high)
        names = {"high": chart.labels[asked[0]], "low": chart.labels[asked[1]]}
        shares = {"a": f"{shown(values[asked[0]])}%", "b": f"{shown(values[asked[1]])}%"}
        yield Reading(
            "comparison", _ask(part, chance, **names), part["why"].format(**names, **shares), part["words"][told_true]
        )


def _unreadable(chart: Chart, row: Series, words: dict[str, Any], chance: random.Random) -> Iterator[Reading]:
    part, ends = words["unreadable"], {"first": chart.labels[0], "last": chart.labels[-1]}
    text = _ask(part, chance, name=row.name, label=chance.choice(chart.labels), **ends)
    yield Reading("unreadable", text, part["why"].format(title=chart.title, **ends), part["answer"])


def _row(chart: Chart, words: dict[str, Any], chance: random.Random) -> Series:
    """The series asked about; closing prices of a candlestick chart."""
    if chart.candles:
        return Series(words["close"], "", tuple(candle.closed for candle in chart.candles))
    row = chance.choice(chart.series)
    return row if row.name else Series(chart.title, "", row.values)


def _ask(part: dict[str, Any], chance: random.Random, **fields: str) -> str:
    return str(chance.choice(part["ask"])).format(**fields)


def _slack(chart: Chart) -> float:
    """How far off a value may be read: nothing to speak of in a table."""
    return 0.05 if chart.kind == "table" else _PLACES * (chart.top - chart.bottom)


def shown(value: float) -> str:
    """A number as it is written: no needless zeros, thousands in groups."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"

"""Questions that a toy can learn to answer from a small picture. Every answer is computed from the numbers.

The seedling is trained on the first kinds and wordings (`seedling_questions`); a tuning set asks in other words and
other kinds (`tuning_questions`): how far apart, whether it doubled, which share, and what no chart can tell.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.charts.chart import COLOURS, TOY_DAYS, TOY_LABELS, Chart

SEEDLING_TITLES = ("Revenue", "Costs", "Profit", "Sales", "Orders", "Cash flow")
TUNING_TITLES = ("Net income", "Deposits", "Loans", "Exports", "Dividends", "Premiums")
HELD_OUT_TITLES = ("Margin", "Assets", "Inflows", "Turnover")
UNREADABLE = "cannot be read from this chart"


@dataclass(frozen=True, slots=True)
class Question:
    """kind: of the question, such as `extreme`; answer: in as few words as it takes."""

    kind: str
    text: str
    answer: str


def ten(value: float) -> int:
    """The nearest whole ten."""
    return int(10 * round(value / 10))


def levels(chart: Chart) -> list[float]:
    """One height for each label: values, totals of stacks, closing prices."""
    if chart.candles:
        return [candle.closed for candle in chart.candles]
    return [sum(row.values[index] for row in chart.series) for index in range(len(chart.labels))]


def trend(values: Sequence[float]) -> str:
    """`up`, `down` or `flat`: the last against the first, in whole tens."""
    change = ten(values[-1]) - ten(values[0])
    return "flat" if abs(change) <= 10 else "up" if change > 0 else "down"


def only_extreme(chart: Chart, *, most: bool) -> str | None:
    """The label of the highest (lowest) level, if it is alone there by five or more."""
    heights = levels(chart)
    order = sorted(range(len(heights)), key=lambda i: heights[i], reverse=most)
    return chart.labels[order[0]] if abs(heights[order[0]] - heights[order[1]]) >= 5 else None


def _what(chart: Chart) -> str:
    return {"pie": "slice", "candlestick": "day"}.get(chart.kind) or {4: "quarter", 5: "year", 6: "month"}[
        len(chart.labels)
    ]


# How the seedling is asked: several ways for each kind, so that it heeds what is meant and not one sentence.
_WAYS: dict[str, tuple[str, ...]] = {
    "most": ("Which {what} is the highest?", "Where is the maximum?", "Name the top {what}.", "When was it the most?"),
    "least": (
        "Which {what} is the lowest?",
        "Where is the minimum?",
        "Name the lowest {what}.",
        "When was it the least?",
    ),
    "most slice": ("Which slice is the largest?", "What colour is the largest slice?", "Name the biggest colour."),
    "least slice": ("Which slice is the smallest?", "What colour is the smallest slice?", "Name the smallest colour."),
    "more": ("Is {first} more than {second}?", "Is {first} above {second}?", "Was {first} higher than {second}?"),
    "value": ("About how much is {label}?", "What is the value of {label}?", "How high is {label}, in tens?"),
    "part": ("About how much is {colour} in {label}?", "What is the value of {colour} in {label}?"),
    "candle": ("Did {label} close up or down?", "Was {label} up or down?", "Where did the price go on {label}?"),
    "trend": ("Is the trend up, down or flat?", "Where does it go, up or down?", "From start to end, which way?"),
}


def _say(way: str, chance: random.Random, **fields: str) -> str:
    return chance.choice(_WAYS[way]).format(**fields)


def seedling_questions(chart: Chart, chance: random.Random) -> Iterator[Question]:
    """Everything that the seedling may be asked of one chart."""
    what, heights, labels = _what(chart), levels(chart), chart.labels
    yield Question("type", "What kind of chart is this?", chart.kind)
    yield Question("count", f"How many {what}s are there?", str(len(labels)))
    for most, way in ((True, "most"), (False, "least")):
        if chart.kind != "candlestick" and (label := only_extreme(chart, most=most)):
            way = f"{way} slice" if chart.kind == "pie" else way
            yield Question("extreme", _say(way, chance, what=what), label)
    for first, second in (chance.sample(range(len(heights)), 2), chance.sample(range(len(heights)), 2)):
        # Often far apart: what is plain to see teaches what to look at.
        if abs(heights[first] - heights[second]) >= chance.choice((8, 20, 35)) and chart.kind != "candlestick":
            text = _say("more", chance, first=labels[first], second=labels[second])
            yield Question("comparison", text, _yes(heights[first] > heights[second]))
    for index in chance.sample(range(len(heights)), min(2, len(heights))):
        if chart.kind in ("bar", "line", "stacked"):
            yield Question("value", _say("value", chance, label=labels[index]), str(ten(heights[index])))
        if chart.kind == "stacked":
            row = chance.choice(chart.series)
            text = _say("part", chance, colour=row.colour, label=labels[index])
            yield Question("value", text, str(ten(row.values[index])))
        if chart.kind == "candlestick":
            candle = chart.candles[index]
            way = "up" if candle.closed > candle.opened else "down"
            yield Question("candle", _say("candle", chance, label=labels[index]), way)
    if chart.kind in ("bar", "line"):
        yield Question("trend", _say("trend", chance), trend(heights))


def tuning_questions(chart: Chart, chance: random.Random) -> Iterator[Question]:
    """Everything that a tuning set may ask of one chart, in words that the seedling was never asked in."""
    heights, labels = levels(chart), chart.labels
    if chart.kind == "pie":
        yield from _of_slices(chart, chance)
    elif chart.kind == "candlestick":
        yield Question("trend", f"From {labels[0]} to {labels[-1]}, where did the price go?", _way(chart))
        ups = sum(candle.closed > candle.opened for candle in chart.candles)
        yield Question("comparison", "Were there more days of gains than days of losses?", _yes(ups * 2 > len(labels)))
    else:
        yield Question("trend", f"From {labels[0]} to {labels[-1]}, where did it go?", trend(heights))
        for most, word in ((True, "peak"), (False, "bottom")):
            if label := only_extreme(chart, most=most):
                yield Question("extreme", f"When was the {word}?", label)
        first, second = sorted(chance.sample(range(len(labels)), 2))
        if abs(heights[first] - heights[second]) >= 5:
            yield Question(
                "comparison", f"Did {labels[first]} exceed {labels[second]}?", _yes(heights[first] > heights[second])
            )
        gap = abs(ten(heights[first]) - ten(heights[second]))
        yield Question("difference", f"How far apart are {labels[first]} and {labels[second]}?", str(gap))
        growth = heights[second] / heights[first]
        if not 1.8 < growth < 2.2:
            answer = _yes(growth >= 2)
            yield Question("growth", f"At least doubled from {labels[first]} to {labels[second]}?", answer)
    if chart.kind == "stacked":
        index = chance.randrange(len(labels))
        row = chance.choice(chart.series)
        part = row.values[index] / heights[index]
        if abs(part - 0.5) > 0.06:
            yield Question("share", f"In {labels[index]}, is {row.colour} over half of the bar?", _yes(part > 0.5))
    yield Question("unreadable", unreadable_question(chart, chance), UNREADABLE)


def _of_slices(chart: Chart, chance: random.Random) -> Iterator[Question]:
    shares = dict(zip(chart.labels, chart.series[0].values, strict=True))
    for most, word in ((True, "biggest part"), (False, "least part")):
        if label := only_extreme(chart, most=most):
            yield Question("extreme", f"What colour has the {word}?", label)
    first, second = chance.sample(chart.labels, 2)
    yield Question("share", f"What percent of the whole is {first}?", str(ten(shares[first])))
    if shares[first] != shares[second]:
        yield Question("comparison", f"Does {first} exceed {second}?", _yes(shares[first] > shares[second]))
    yield Question(
        "difference",
        f"How many points are between {first} and {second}?",
        str(ten(abs(shares[first] - shares[second]))),
    )


def unreadable_question(chart: Chart, chance: random.Random) -> str:
    """Asks for what no chart shows, or for a label that this one does not have."""
    if chart.kind == "pie":
        missing = [colour for colour in COLOURS if colour not in chart.labels]
        return chance.choice(
            [
                "Who holds the biggest part?",
                f"What percent of the whole is {chance.choice(missing)}?",
                "What will next year be?",
            ]
        )
    others = [label for labels in (*TOY_LABELS.values(), TOY_DAYS) for label in labels if label not in chart.labels]
    missing_label = chance.choice(others)
    return chance.choice(
        [
            "Why did it change?",
            "What will the next value be?",
            "Who wrote the report?",
            f"When was {missing_label} paid?",
            f"How far apart are {missing_label} and {chart.labels[0]}?",
            f"Did {missing_label} exceed {chart.labels[-1]}?",
        ]
    )


def _way(chart: Chart) -> str:
    start, end = chart.candles[0].opened, chart.candles[-1].closed
    return "up" if end > start else "down" if end < start else "flat"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"

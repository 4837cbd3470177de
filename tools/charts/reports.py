"""Charts as reports have them: real scales and units, Chinese or English words, several series, tables too."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from tools.charts.chart import COLOURS, Candle, Chart, ChartType, Series

Language = Literal["en", "zh"]
WORDS = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
REPORT_KINDS: tuple[ChartType, ...] = ("bar", "line", "stacked", "pie", "candlestick", "table")


@dataclass(frozen=True, slots=True)
class Topic:
    """What a chart is about: its series' names by part (`train` or `test` never share one), unit and usual size."""

    title: str
    names: tuple[str, ...]
    unit: str
    size: float


def report_chart(kind: ChartType, language: Language, split: str, chance: random.Random) -> Chart:
    """A chart with numbers of one decimal at most, drawn by chance."""
    words = WORDS[language]
    topic = chance.choice([Topic(**values) for values in words["topics"][split]])
    if kind == "pie":
        names = chance.sample(words["parts"][split], chance.randint(3, 5))
        return Chart(kind, words["mix"].format(title=topic.title), "%", tuple(names), (_pie(names, chance),), 100)
    labels = tuple(chance.choice(words["periods"]))
    if kind == "candlestick":
        labels = tuple(words["days"])
        candles = _prices(len(labels), chance)
        bottom = math.floor(min(candle.low for candle in candles) - 1)
        top = bottom + 4 * math.ceil((max(candle.high for candle in candles) - bottom) / 4)
        return Chart(kind, words["price"], words["price_unit"], labels, (), top, candles, bottom)
    count = 1 if kind == "bar" and chance.random() < 0.5 else chance.randint(2, min(3, len(topic.names)))
    colours = chance.sample(COLOURS, count)
    rows = tuple(
        Series(name, colour, _path(len(labels), topic.size, chance))
        for name, colour in zip(chance.sample(topic.names, count), colours, strict=True)
    )
    heights = [sum(row.values[i] for row in rows) for i in range(len(labels))] if kind == "stacked" else []
    top = nice_top(heights or [value for row in rows for value in row.values])
    return Chart(kind, topic.title, topic.unit, labels, rows, top)


def nice_top(values: object) -> float:
    """The next round number above all values: 1, 2, 2.5, 4, 5 or 8 times a power of ten."""
    most = max(values)  # type: ignore[call-overload]
    power = 10 ** math.floor(math.log10(most))
    return float(next(step * power for step in (1, 2, 2.5, 4, 5, 8, 10) if step * power >= most * 1.05 or step == 10))


def _path(count: int, size: float, chance: random.Random) -> tuple[float, ...]:
    """Values that drift: each from the one before by up to a third."""
    value, values = size * chance.uniform(0.4, 1.6), []
    drift = chance.uniform(-0.1, 0.15)
    for _ in range(count):
        values.append(round(value, 1) if size < 100 else float(round(value)))
        value = max(size * 0.05, value * (1 + drift + chance.uniform(-0.2, 0.2)))
    return tuple(values)


def _pie(names: list[str], chance: random.Random) -> Series:
    """Whole per cents that make up 100, none below 5."""
    weights = [chance.uniform(1, 5) for _ in names]
    shares = [5 + math.floor((100 - 5 * len(names)) * weight / sum(weights)) for weight in weights]
    shares[0] += 100 - sum(shares)
    return Series("", "", tuple(float(share) for share in shares))


def _prices(count: int, chance: random.Random) -> tuple[Candle, ...]:
    price, candles = chance.uniform(8, 60), []
    for _ in range(count):
        opened = round(price * chance.uniform(0.99, 1.01), 2)
        closed = round(opened * (1 + chance.choice((-1, 1)) * chance.uniform(0.01, 0.07)), 2)
        low = round(min(opened, closed) * chance.uniform(0.97, 1), 2)
        candles.append(Candle(opened, closed, low, round(max(opened, closed) * chance.uniform(1, 1.03), 2)))
        price = closed
    return tuple(candles)

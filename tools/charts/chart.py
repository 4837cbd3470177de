"""What a chart shows: its numbers, before anything is drawn."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Literal

ChartType = Literal["bar", "line", "stacked", "pie", "candlestick", "table"]

# Colours that questions call series and slices by; shades differ by style.
COLOURS = ("blue", "orange", "green", "red", "purple", "grey")


@dataclass(frozen=True, slots=True)
class Candle:
    """One day of prices."""

    opened: float
    closed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """A named row of numbers, one for each label of its chart. colour: one of COLOURS."""

    name: str
    colour: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers to draw. labels: of the horizontal axis, slices' names in a pie; top, bottom: ends of the vertical axis.

    candles: only of a candlestick chart, which has no series; a pie has one series whose values are per cent.
    """

    kind: ChartType
    title: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    top: float
    candles: tuple[Candle, ...] = ()
    bottom: float = 0.0


# Labels by their number: a word always stands at the same place, so that a toy can find it without reading.
TOY_LABELS = {
    4: ("Q1", "Q2", "Q3", "Q4"),
    5: ("2020", "2021", "2022", "2023", "2024"),
    6: ("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
}
TOY_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
TOY_TOP = 100


def toy_chart(kind: ChartType, title: str, chance: random.Random) -> Chart:
    """A small chart whose axis ends at 100 and whose values lie within 2 of a whole ten, so that a ten can be read."""
    if kind == "pie":
        shares = _shares(chance)
        colours = chance.sample(COLOURS, len(shares))
        return Chart(kind, title, "%", tuple(colours), (Series(title, "", tuple(shares)),), TOY_TOP)
    if kind == "candlestick":
        return Chart(kind, title, "", TOY_DAYS, (), TOY_TOP, _candles(len(TOY_DAYS), chance))
    labels = TOY_LABELS[chance.choice((4, 5, 6))]
    if kind == "stacked":
        colours = chance.sample(COLOURS, 2)
        parts = [(_near(chance.randint(1, 5), chance), _near(chance.randint(1, 4), chance)) for _ in labels]
        rows = [Series(colour, colour, tuple(part[i] for part in parts)) for i, colour in enumerate(colours)]
        return Chart(kind, title, "m", labels, tuple(rows), TOY_TOP)
    values = tuple(_near(ten, chance) for ten in _walk(len(labels), chance))
    return Chart(kind, title, "m", labels, (Series(title, chance.choice(COLOURS), values),), TOY_TOP)


def _near(ten: int, chance: random.Random) -> float:
    return 10 * ten + chance.choice((-2, -1, 0, 1, 2))


def _walk(count: int, chance: random.Random) -> list[int]:
    """Tens from 1 to 9: half of the time they lean up or down, else they are anything."""
    if chance.random() < 0.5:
        return [chance.randint(1, 9) for _ in range(count)]
    start, step = chance.randint(1, 9), chance.choice((-2, -1, 1, 2))
    return [min(9, max(1, start + step * i + chance.choice((-1, 0, 0, 1)))) for i in range(count)]


def _shares(chance: random.Random) -> list[float]:
    """Three or four shares in whole tens that make up 100."""
    cuts = sorted(chance.sample(range(1, 10), chance.choice((2, 3))))
    edges = [0, *cuts, 10]
    return [10.0 * (right - left) for left, right in itertools.pairwise(edges)]


def _candles(count: int, chance: random.Random) -> tuple[Candle, ...]:
    candles, price = [], chance.randint(25, 75)
    for _ in range(count):
        close = min(90, max(10, price + chance.choice((-25, -18, -12, 12, 18, 25))))
        if close == price:
            close = price - 12 if price > 50 else price + 12
        low, high = min(price, close) - chance.randint(2, 8), max(price, close) + chance.randint(2, 8)
        candles.append(Candle(price, close, low, high))
        price = close
    return tuple(candles)

"""Axes: round tick values and the way from a value to a percentage of the plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


def is_number(value: object) -> bool:
    """Whether `value` is a finite number (NaN, infinities, None and booleans are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def finite(values: Iterable[float | None]) -> list[float]:
    """The finite numbers among `values`, in order."""
    return [float(value) for value in values if value is not None and is_number(value)]


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values (1, 2, 2.5 or 5 times a power of ten) that cover `low` to `high`.

    An empty or broken range gets the ticks of a range of width one around it.
    """
    if not (is_number(low) and is_number(high)):
        low, high = 0.0, 1.0
    if high < low:
        low, high = high, low
    if high - low <= abs(high) * 1e-9 or high == low:
        pad = abs(high) * 0.1 or 0.5
        low, high = low - pad, high + pad
    step = _nice_step((high - low) / max(1, count - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if rough <= factor * power * 1.0000001:
            return factor * power
    return 10.0 * power


def tick_text(value: float, ticks: list[float]) -> str:
    """`value` with as many decimals as the distance between `ticks` asks for, thousands grouped."""
    step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else abs(value) or 1.0
    if step < 1e-4:
        return f"{value:.1e}"
    decimals = next((places for places in range(5) if math.isclose(round(step, places), step, rel_tol=1e-6)), 5)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−")


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from `low` to `high`."""

    low: float
    high: float

    def percent(self, value: float) -> float:
        """Where `value` lies, 0 to 100, kept inside the plot."""
        if self.high == self.low:
            return 50.0
        return min(100.0, max(0.0, 100.0 * (value - self.low) / (self.high - self.low)))

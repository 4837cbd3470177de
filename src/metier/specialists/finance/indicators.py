"""Indicators of a series of prices or values, as they were published: a number a point, None where not defined yet.

Sources: Wilder, New Concepts in Technical Trading Systems (1978), for RSI and average true range; Appel (1979) for
MACD; Bollinger (2001) for bands; Lane (1984) for stochastics, of which K, D and J are the form used in China.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

Values = Sequence[float]
Track = list[float | None]


def returns(values: Values) -> Track:
    """Simple returns: `P[t] / P[t-1] - 1`."""
    return [None, *(new / old - 1 if old else None for old, new in itertools.pairwise(values))]


def moving_average(values: Values, span: int) -> Track:
    """The mean of the last `span` values."""
    result: Track = [None] * len(values)
    total = 0.0
    for place, value in enumerate(values):
        total += value - (values[place - span] if place >= span else 0.0)
        if place >= span - 1:
            result[place] = total / span
    return result


def exponential_average(values: Values, span: int) -> Track:
    """Weights fall by `1 - 2 / (span + 1)` a step; begins with the mean of the first `span` values."""
    result: Track = [None] * len(values)
    if len(values) < span:
        return result
    state = sum(values[:span]) / span
    result[span - 1] = state
    for place in range(span, len(values)):
        state += (values[place] - state) * 2 / (span + 1)
        result[place] = state
    return result


def relative_strength(values: Values, span: int = 14) -> Track:
    """Wilder's RSI: `100 - 100 / (1 + mean gain / mean loss)`, both smoothed by `1 / span`."""
    result: Track = [None] * len(values)
    if len(values) <= span:
        return result
    steps = [new - old for old, new in itertools.pairwise(values)]
    gain = sum(max(step, 0.0) for step in steps[:span]) / span
    loss = sum(max(-step, 0.0) for step in steps[:span]) / span
    result[span] = _strength(gain, loss)
    for place in range(span, len(steps)):
        gain += (max(steps[place], 0.0) - gain) / span
        loss += (max(-steps[place], 0.0) - loss) / span
        result[place + 1] = _strength(gain, loss)
    return result


def _strength(gain: float, loss: float) -> float:
    if gain == loss == 0:
        return 50.0
    return 100.0 if loss == 0 else 100 - 100 / (1 + gain / loss)


def convergence(values: Values, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Track, Track, Track]:
    """MACD: the difference of two exponential averages, its own average (signal), and what lies between them."""
    quick, late = exponential_average(values, fast), exponential_average(values, slow)
    line: Track = [a - b if a is not None and b is not None else None for a, b in zip(quick, late, strict=True)]
    known = [value for value in line if value is not None]
    smooth: Track = [*([None] * (len(line) - len(known))), *exponential_average(known, signal)]
    between: Track = [a - b if a is not None and b is not None else None for a, b in zip(line, smooth, strict=True)]
    return line, smooth, between


def bands(values: Values, span: int = 20, widths: float = 2.0) -> tuple[Track, Track]:
    """Bollinger's lower and upper band: the mean less and plus two standard deviations of the last `span` values."""
    middle = moving_average(values, span)
    low: Track = [None] * len(values)
    high: Track = [None] * len(values)
    for place, mean in enumerate(middle):
        if mean is not None:
            part = values[place - span + 1 : place + 1]
            spread = math.sqrt(sum((value - mean) ** 2 for value in part) / span)
            low[place], high[place] = mean - widths * spread, mean + widths * spread
    return low, high


def true_range(high: Values, low: Values, close: Values, span: int = 14) -> Track:
    """Wilder's average true range."""
    ranges = [high[0] - low[0]] if high else []
    for place in range(1, len(close)):
        before = close[place - 1]
        ranges.append(max(high[place] - low[place], abs(high[place] - before), abs(low[place] - before)))
    result: Track = [None] * len(ranges)
    if len(ranges) >= span:
        state = sum(ranges[:span]) / span
        result[span - 1] = state
        for place in range(span, len(ranges)):
            state += (ranges[place] - state) / span
            result[place] = state
    return result


def stochastics(high: Values, low: Values, close: Values, span: int = 9) -> tuple[Track, Track, Track]:
    """K, D and J: where the close lies in the range of `span` points, smoothed twice by a third, both from 50; J is
    `3 K - 2 D`."""
    k, d = 50.0, 50.0
    tracks: tuple[Track, Track, Track] = ([], [], [])
    for place in range(len(close)):
        if place < span - 1:
            values: tuple[float | None, ...] = (None, None, None)
        else:
            top, bottom = max(high[place - span + 1 : place + 1]), min(low[place - span + 1 : place + 1])
            raw = 50.0 if top == bottom else (close[place] - bottom) / (top - bottom) * 100
            k += (raw - k) / 3
            d += (k - d) / 3
            values = (k, d, 3 * k - 2 * d)
        for track, value in zip(tracks, values, strict=True):
            track.append(value)
    return tracks


def volatility(values: Values, points_a_year: float) -> float | None:
    """Standard deviation (n - 1) of log returns, times the root of the points in a year."""
    logs = [math.log(new / old) for old, new in itertools.pairwise(values) if old > 0 and new > 0]
    if len(logs) < 2:
        return None
    mean = sum(logs) / len(logs)
    return math.sqrt(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1) * points_a_year)


def drawdown(values: Values) -> tuple[float, int, int]:
    """The deepest fall from a peak, as a negative share, and the places of peak and trough."""
    deepest, found, peak = 0.0, (0, 0), 0
    for place, value in enumerate(values):
        if value > values[peak]:
            peak = place
        if values[peak] > 0 and value / values[peak] - 1 < deepest:
            deepest, found = value / values[peak] - 1, (peak, place)
    return deepest, *found


def over_year(values: Values, points: int) -> Track:
    """Growth over the point that lies so many before: 12 for months, 4 for quarters, 1 for the one before."""
    before = [None] * min(points, len(values))
    return [*before, *(new / old - 1 if old else None for old, new in zip(values, values[points:], strict=False))]

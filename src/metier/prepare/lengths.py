"""Lengths as figures: total, mean, largest, and a histogram that one can draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_BINS = 24


def length_counts(lengths: Sequence[int]) -> dict[str, Any]:
    """{total, mean, max, histogram}; histogram: [upper, count] pairs, equally wide, each upper bound included, from the
    last empty bin before the shortest.

    Where a few rows are far longer than the rest, the last bin holds them all, up to the longest.
    """
    if not lengths:
        return {"total": 0, "mean": 0.0, "max": 0, "histogram": []}
    longest = max(lengths)
    return {
        "total": sum(lengths),
        "mean": round(sum(lengths) / len(lengths), 2),
        "max": longest,
        "histogram": _histogram(lengths, longest),
    }


def _histogram(lengths: Sequence[int], longest: int) -> list[list[int]]:
    common = sorted(lengths)[int(0.995 * (len(lengths) - 1))]
    width = _round_width(max(1, common) / _BINS)
    bins = max(1, -(-min(longest, max(1, common)) // width))
    counts = [0] * bins
    beyond = 0
    for length in lengths:
        place = max(0, -(-length // width) - 1)
        if place < bins:
            counts[place] += 1
        else:
            beyond += 1
    first = next((place for place, count in enumerate(counts) if count), 0)
    pairs = [[(place + 1) * width, count] for place, count in enumerate(counts)][max(0, first - 1) :]
    return [*pairs, [longest, beyond]] if beyond else pairs


def _round_width(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor >= width:
                return step * factor
        step *= 10

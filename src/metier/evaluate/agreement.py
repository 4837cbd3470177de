"""How far several judges agree, and whether a preference is more than chance. Standard library alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for named values: 1 is full agreement, 0 what chance would give, below 0 less than that.

    units: for each thing judged, the values that its judges gave; any number of judges, missing ones left out.
    Returns None where fewer than two values can be compared, or all of them are the same.
    Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), C (nominal data).
    """
    pairable = [Counter(values) for values in units if len(values) > 1]
    totals: Counter[str] = Counter()
    for unit in pairable:
        totals.update(unit)
    count = totals.total()
    expected = count * count - sum(number * number for number in totals.values())
    if not expected:
        return None
    disagreeing = 0.0
    for unit in pairable:
        size = unit.total()
        disagreeing += (size * size - sum(number * number for number in unit.values())) / (size - 1)
    return 1.0 - (count - 1) * disagreeing / expected


def raw_agreement(units: Sequence[Sequence[str]]) -> float | None:
    """The share of pairs of judges who gave the same value to the same thing. None where there is no pair."""
    same = pairs = 0
    for values in units:
        pairs += math.comb(len(values), 2)
        same += sum(math.comb(number, 2) for number in Counter(values).values())
    return same / pairs if pairs else None


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact p-value for as many wins against losses if both were equally likely (ties are left out)."""
    count = wins + losses
    tail = sum(math.comb(count, k) for k in range(max(wins, losses), count + 1))
    return min(1.0, float(2 * tail / 2**count))

"""What a score would be without knowledge: guessing for choices, other rows' references for texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from metier.evaluate.bootstrap import TOO_FEW, Settings, contrast
from metier.evaluate.metrics.definition import Array, Metric
from metier.evaluate.predictions import Row
from metier.evaluate.scoring import score

_SHIFTS = 4


def chance_level(rows: Sequence[Row]) -> float | None:
    """Expected choice accuracy of blind guessing: one option of k, or one of 2^k - 1 sets where several are right."""
    shares = [blind_choice(row) for row in rows if row.kind == "choice" and row.gold is not None]
    return float(np.mean(shares)) if shares else None


def blind_choice(row: Row) -> float:
    """How often guessing would choose as the row wants it."""
    offered = len(row.options) or 5
    return 1 / offered if len(row.gold or "") == 1 else 1 / (2**offered - 1)


def content_control(
    base: Sequence[Row], tuned: Sequence[Row], metric: Metric, language: str, settings: Settings
) -> dict[str, Any] | None:
    """How much of a text score's gain is content rather than style.

    Each answer is also scored against the references of other rows. A model that only learnt how answers look here
    gains there as much. Returned: that gain, and the gain beyond it with its interval. None for metrics of right and
    wrong, for few rows, and where most references are the same.
    """
    if metric.proportion or metric.measure_all or len(base) < TOO_FEW:
        return None
    fitting = [place for place, row in enumerate(base) if row.kind in metric.kinds and row.label]
    if len(fitting) < TOO_FEW or len({base[place].label for place in fitting}) * 2 < len(fitting):
        return None
    shuffled = [
        _against_others([side[place] for place in fitting], metric, language, settings) for side in (base, tuned)
    ]
    own = [score([side[place] for place in fitting], metric, language).statistics for side in (base, tuned)]
    if len(own[0]) != len(shuffled[0]):
        return None
    beyond = contrast(
        [(1.0, own[1]), (-1.0, own[0]), (-1.0, shuffled[1]), (1.0, shuffled[0])], metric.combine, settings
    )
    elsewhere = contrast([(1.0, shuffled[1]), (-1.0, shuffled[0])], metric.combine, settings)
    return {
        "gain_on_other_references": elsewhere.score,
        "gain_beyond": beyond.score,
        "low": beyond.low,
        "high": beyond.high,
        "n": len(fitting),
    }


def _against_others(rows: list[Row], metric: Metric, language: str, settings: Settings) -> Array:
    """Mean statistics of each answer against a few other references of the same kind and language of row."""
    groups: dict[object, list[int]] = {}
    for place in np.random.default_rng(settings.seed).permutation(len(rows)):
        groups.setdefault((rows[place].kind, rows[place].meta.get("language")), []).append(int(place))
    found = []
    for shift in range(1, _SHIFTS + 1):
        moved = list(rows)
        for group in groups.values():
            for at, place in enumerate(group):
                other = rows[group[(at + shift) % len(group)]]
                moved[place] = replace(rows[place], label=other.label, gold=other.gold)
        found.append(score(moved, metric, language).statistics)
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)

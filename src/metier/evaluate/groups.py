"""Scores by kind of chart, kind of question and field of knowledge: each part with its own rows and interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from metier.evaluate.bootstrap import FEW, Settings, interval, paired_interval
from metier.evaluate.control import blind_choice
from metier.evaluate.parts import DIVISIONS, part_of
from metier.evaluate.predictions import Row
from metier.evaluate.scoring import Scored

_MOST = 24  # parts that are told of one division, the largest


def grouped(rows: Sequence[Row], scored: Scored, settings: Settings) -> dict[str, Any]:
    """One model's scores: `{metric, by: {division: {parts, left_out}}}`, a part being `{value, n, few, score, low,
    high, method}`."""

    def score(places: list[int]) -> dict[str, Any]:
        return interval(scored.statistics[places], scored.metric, settings).as_dict()

    return _grouped(rows, scored, score)


def grouped_pair(rows: Sequence[Row], base: Scored, tuned: Scored, settings: Settings) -> dict[str, Any]:
    """As `grouped`, with `base`, `tuned` and the paired `difference` with its interval in each part."""
    before, after = base.statistics, tuned.statistics

    def score(places: list[int]) -> dict[str, Any]:
        between = paired_interval(before[places], after[places], base.metric, settings)
        return {
            "base": interval(before[places], base.metric, settings).as_dict(),
            "tuned": interval(after[places], base.metric, settings).as_dict(),
            "difference": between.score,
            "low": between.low,
            "high": between.high,
            "method": between.method,
        }

    return _grouped(rows, base, score)


def _grouped(rows: Sequence[Row], scored: Scored, score: Any) -> dict[str, Any]:
    """Divisions of two parts or more; places: those of the measures in `scored`."""
    found = {}
    for by in DIVISIONS:
        parts: dict[str, list[int]] = {}
        for at, place in enumerate(scored.places):
            if value := part_of(rows[place].meta, by):
                parts.setdefault(value, []).append(at)
        if len(parts) < 2:
            continue
        ordered = sorted(parts.items(), key=lambda part: (-len(part[1]), part[0]))
        told = [{"value": value, "n": len(at), "few": len(at) < FEW, **score(at)} for value, at in ordered[:_MOST]]
        found[by] = {"parts": told, "left_out": len(ordered) - len(told)}
    return {"metric": scored.metric.name, "by": found} if found else {}


def chance_of_words(rows: Sequence[Row]) -> float | None:
    """What answering without looking would get: for choices one option of k, else always the commonest right answer of
    its kind of question.

    A kind with few rows, or with one answer only (`cannot be read`: there the kind gives the answer away), counts with
    the commonest answer of all.
    """
    judged = [row for row in rows if row.gold is not None and row.kind in ("number", "exact", "choice")]
    golds: dict[str, list[str]] = {}
    for row in judged:
        if row.kind != "choice":
            golds.setdefault(part_of(row.meta, "question_type"), []).append((row.gold or "").strip().casefold())
    anywhere = _commonest([gold for found in golds.values() for gold in found])
    kinds = {
        kind: _commonest(found) if len(found) >= FEW and len(set(found)) > 1 else anywhere
        for kind, found in golds.items()
    }
    shares = [
        blind_choice(row) if row.kind == "choice" else kinds[part_of(row.meta, "question_type")] for row in judged
    ]
    return float(np.mean(shares)) if shares else None


def _commonest(golds: Sequence[str]) -> float:
    """The share of the answer that stands most often; 0 where none stands twice."""
    most = max(Counter(golds).values(), default=0)
    return most / len(golds) if most > 1 else 0.0

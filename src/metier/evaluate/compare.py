"""The compare step: two models' answers to the same rows → `compare.json` with differences, rows and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog
from metier.core.files import read_json, sha256_file, write_json
from metier.core.i18n import current_language
from metier.evaluate.bootstrap import Settings, interval, paired_interval
from metier.evaluate.cautions import cautions
from metier.evaluate.control import chance_level, content_control
from metier.evaluate.groups import chance_of_words, grouped_pair
from metier.evaluate.metrics import METRICS, Metric
from metier.evaluate.metrics.definition import Array
from metier.evaluate.pairing import paired
from metier.evaluate.predictions import Fields, Row, predictions_file, read_predictions
from metier.evaluate.scoring import (
    AUTO,
    Scored,
    blindness,
    counts_of,
    deciding,
    describe,
    language_of,
    score,
    score_all,
)
from metier.evaluate.sidebyside import side_by_side
from metier.evaluate.spec import CompareSpec
from metier.evaluate.verdict import verdict

_GUARD = ("correct", "choice_accuracy", "contains", "exact_match")
_TIE = 1e-9


@dataclass(frozen=True)
class Side:
    """One model's answers and their scores."""

    file: Path
    rows: list[Row]
    scored: dict[str, Scored]


@dataclass(frozen=True)
class Duel:
    """Both models on the same rows."""

    base: Side
    tuned: Side
    language: str
    metrics: dict[str, dict[str, Any]]


def run_compare(spec: CompareSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Compares `spec.base` with `spec.tuned` row by row; writes `compare.json` into `folder`.

    Returns outcome, deciding metric and its scores. Raises DataError where the two are not answers to the same rows.
    """
    settings = Settings(spec.bootstrap_samples, spec.confidence, spec.seed)
    if spec.primary != AUTO:
        METRICS.get(spec.primary)
    guarded = _guard_files(spec)
    prepare = _prepare(spec.prepare)
    names = spec.metrics if spec.primary in (AUTO, *spec.metrics) else (*spec.metrics, spec.primary)
    events.emit("start", base=spec.base.name, tuned=spec.tuned.name)
    duel = _duel(spec, spec.base, spec.tuned, names, settings, events)
    guard = _duel(spec, *guarded, _GUARD, settings, events) if guarded else None
    primary = _primary(spec.primary, duel)
    facts = {
        "chance": _chance(primary, duel.base.rows),
        "control": content_control(duel.base.rows, duel.tuned.rows, METRICS.get(primary), duel.language, settings),
    }
    guard_metrics = guard.metrics if guard else {}
    judged = verdict(primary, duel.metrics, guard_metrics, facts, spec.confidence)
    result: dict[str, Any] = {
        "rows": len(duel.base.rows),
        "language": duel.language,
        "primary": primary,
        "metrics": duel.metrics,
        "guard": guard_metrics,
        "guard_rows": len(guard.base.rows) if guard else 0,
        **facts,
        "groups": grouped_pair(duel.base.rows, duel.base.scored[primary], duel.tuned.scored[primary], settings),
        "counts": {side: counts_of(one.rows, list(one.scored.values())) for side, one in _sides(duel)},
        "lengths": {side: _length(one.rows) for side, one in _sides(duel)},
        "files": {side: {"name": one.file.name, "sha256": sha256_file(one.file)} for side, one in _sides(duel)},
        **side_by_side(duel.base.rows, duel.tuned.rows, duel.base.scored, duel.tuned.scored, primary, spec.rows_shown),
        "verdict": judged,
        "interval": {"confidence": spec.confidence, "samples": spec.bootstrap_samples, "seed": spec.seed},
    }
    result["cautions"] = cautions(result, prepare, blindness(duel.base.rows, list(duel.base.scored.values())))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "compare.json", result)
    for caution in result["cautions"]:
        events.emit("warning", message=caution[current_language()])
    brief = {key: duel.metrics[primary][key] for key in ("difference", "low", "high", "n")}
    brief |= {side: duel.metrics[primary][side]["score"] for side in ("base", "tuned")}
    events.emit("end", outcome=judged["outcome"], metric=primary, **brief)
    return {"outcome": judged["outcome"], "metric": primary, **brief}


def _sides(duel: Duel) -> tuple[tuple[str, Side], tuple[str, Side]]:
    return ("base", duel.base), ("tuned", duel.tuned)


def _guard_files(spec: CompareSpec) -> tuple[Path, Path] | None:
    if spec.guard_base is None and spec.guard_tuned is None:
        return None
    if spec.guard_base is None or spec.guard_tuned is None:
        raise ConfigError("evaluate.half_a_guard")
    return spec.guard_base, spec.guard_tuned


def _prepare(path: Path | None) -> Mapping[str, Any] | None:
    """What the prepare step found, from its file or folder."""
    if path is None:
        return None
    file = path / "prepare.json" if path.is_dir() else path
    try:
        found = read_json(file)
    except FileNotFoundError as error:
        raise DataError("evaluate.no_file", file=file) from error
    except (OSError, ValueError) as error:
        raise DataError("evaluate.not_json", file=file, line=1, problem=error) from error
    if not isinstance(found, dict):
        raise DataError("evaluate.not_object", file=file, line=1)
    return found


def _duel(
    spec: CompareSpec, base: Path, tuned: Path, names: Sequence[str], settings: Settings, events: EventLog
) -> Duel:
    fields = Fields(spec.predict_field, spec.label_field, spec.prompt_field, spec.answer_field)
    base_file, tuned_file = predictions_file(base), predictions_file(tuned)
    pairs = paired(read_predictions(base_file, fields), read_predictions(tuned_file, fields), base_file, tuned_file)
    sides = [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    language = language_of(sides[0], spec.language)
    scored = {one.metric.name: one for one in score_all(sides[0], names, language, events)}
    # The same rows and metrics on both sides: whether a row can be judged depends on its reference alone.
    other = {
        name: score(sides[1], one.metric, language, any_kind=len(one.places) > 0 and not _fits(sides[1], one.metric))
        for name, one in scored.items()
    }
    metrics = {name: _difference(one, other[name], settings, language) for name, one in scored.items()}
    return Duel(Side(base_file, sides[0], scored), Side(tuned_file, sides[1], other), language, metrics)


def _fits(rows: Sequence[Row], metric: Metric) -> bool:
    return any(row.kind in metric.kinds for row in rows)


def _difference(base: Scored, tuned: Scored, settings: Settings, language: str) -> dict[str, Any]:
    metric = base.metric
    before, after = base.statistics, tuned.statistics
    change = _values(tuned) - _values(base)
    between = paired_interval(before, after, metric, settings)
    return {
        "base": interval(before, metric, settings).as_dict(),
        "tuned": interval(after, metric, settings).as_dict(),
        "difference": between.score,
        "low": between.low,
        "high": between.high,
        "method": between.method,
        "wins": int((change > _TIE).sum()),
        "ties": int((np.abs(change) <= _TIE).sum()),
        "losses": int((change < -_TIE).sum()),
        "n": len(change),
        **describe(metric, language),
    }


def _values(scored: Scored) -> Array:
    """Each row's own score; rows that could not be judged were left out by `score`."""
    return np.array([measure.value for measure in scored.measures], dtype=np.float64)


def _primary(named: str, duel: Duel) -> str:
    """The metric that decides. By itself: the first of `DECIDING` that judges at least a fifth of the rows."""
    if named != AUTO:
        if named not in duel.metrics:
            raise ConfigError("evaluate.primary_not_scored", metric=named)
        return named
    found = deciding(list(duel.base.scored.values()), len(duel.base.rows))
    if found is None:
        raise ConfigError("evaluate.nothing_scored")
    return found.metric.name


def _chance(primary: str, rows: Sequence[Row]) -> float | None:
    """What answering without looking at the question would score."""
    if primary == "choice_accuracy":
        return chance_level(rows)
    return chance_of_words(rows) if primary in ("relaxed_accuracy", "finmme_accuracy") else None


def _length(rows: Sequence[Row]) -> dict[str, float]:
    """Mean characters of the answers, thinking left out, and tokens generated where the file tells them."""
    tokens = [row.completion_tokens for row in rows if row.completion_tokens is not None]
    found = {"characters": float(np.mean([len(row.answer) for row in rows]))}
    return found | ({"tokens": float(np.mean(tokens))} if tokens else {})

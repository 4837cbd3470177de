"""The evaluate step: a file of predictions → `metrics.json` and `rows.jsonl`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metier.core.events import EventLog
from metier.core.files import read_json, sha256_file, write_json, write_text
from metier.core.i18n import current_language
from metier.evaluate.bootstrap import Settings, interval
from metier.evaluate.groups import grouped
from metier.evaluate.metrics import METRICS
from metier.evaluate.predictions import Fields, Row, predictions_file, read_predictions
from metier.evaluate.scoring import (
    Scored,
    choose_metrics,
    counts_of,
    deciding,
    describe,
    language_of,
    score,
    score_all,
    warnings_of,
)
from metier.evaluate.spec import EvaluateSpec

# LLaMA-Factory's names for the means of rounded rows over the raw text of all rows.
PREDICT_KEYS = {
    "predict_bleu-4": "bleu4",
    "predict_rouge-1": "rouge1",
    "predict_rouge-2": "rouge2",
    "predict_rouge-l": "rougel",
}


def run_evaluate(spec: EvaluateSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Scores `spec.pred_file`; writes `metrics.json` (also to `output_metrics`) and `rows.jsonl` into `folder`.

    Returns rows, scores and the `predict_*` keys. Raises DataError for a bad file or line, ConfigError for an unknown
    metric.
    """
    file = predictions_file(spec.pred_file)
    rows = read_predictions(file, Fields(spec.predict_field, spec.label_field, spec.prompt_field, spec.answer_field))
    language = language_of(rows, spec.language)
    events.emit(
        "start", total=len(choose_metrics(spec.metrics, rows)), rows=len(rows), file=file.name, language=language
    )
    scored = score_all(rows, spec.metrics, language, events)
    settings = Settings(spec.bootstrap_samples, spec.confidence, spec.seed)
    decides = deciding(scored, len(rows))
    warnings = warnings_of(rows, scored, spec.metrics)
    result: dict[str, Any] = {
        "rows": len(rows),
        "language": language,
        "predictions": {"file": os.path.relpath(file, folder), "sha256": sha256_file(file)},
        "kinds": {kind: sum(row.kind == kind for row in rows) for kind in sorted({row.kind for row in rows})},
        "metrics": {one.metric.name: summary(one, settings, language) for one in scored},
        "groups": grouped(rows, decides, settings) if decides else {},
        "counts": counts_of(rows, scored),
        "interval": {"confidence": spec.confidence, "samples": spec.bootstrap_samples, "seed": spec.seed},
        "warnings": warnings,
        **_predict_keys(rows, scored, language),
        **_runtime_keys(file),
    }
    for warning in warnings:
        events.emit("warning", message=warning[current_language()])
    folder.mkdir(parents=True, exist_ok=True)
    _write_rows(folder / "rows.jsonl", rows, scored)
    write_json(folder / "metrics.json", result)
    if spec.output_metrics is not None:
        write_json(spec.output_metrics, result)
    brief = {
        name: {key: one[key] for key in ("score", "low", "high", "scale")} for name, one in result["metrics"].items()
    }
    events.emit("end", rows=len(rows), metrics=brief)
    keys = {key: value for key, value in result.items() if key.startswith("predict_")}
    return {"rows": len(rows), "metrics": brief, "counts": result["counts"], **keys}


def summary(scored: Scored, settings: Settings, language: str) -> dict[str, Any]:
    """A metric's score with interval, number of rows and description."""
    metric = scored.metric
    found = interval(scored.statistics, metric, settings)
    return {**found.as_dict(), "n": len(scored.measures), **describe(metric, language)}


def _predict_keys(rows: Sequence[Row], scored: Sequence[Scored], language: str) -> dict[str, float]:
    """Always over all rows, also where other metrics were asked for."""
    found = {one.metric.name: one for one in scored}
    keys: dict[str, float] = {}
    for key, name in PREDICT_KEYS.items():
        one = found.get(name) or score(rows, METRICS.get(name), language)
        keys[key] = float(one.statistics[:, 0].mean())
    return keys


def _runtime_keys(file: Path) -> dict[str, float]:
    """`predict_runtime` and its siblings, from what the prediction left beside its file."""
    found: dict[str, float] = {}
    for name in ("predict_results.json", "done.json"):
        path = file.with_name(name)
        if not path.is_file():
            continue
        try:
            given = read_json(path)
        except (OSError, ValueError):
            continue  # somebody else's file: nothing to pass on
        given = given.get("summary", given) if isinstance(given, Mapping) else {}
        for key, value in given.items() if isinstance(given, Mapping) else ():
            if str(key).startswith("predict_") and key not in PREDICT_KEYS and isinstance(value, int | float):
                found[str(key)] = value
    return found


def _write_rows(path: Path, rows: Sequence[Row], scored: Sequence[Scored]) -> None:
    tables = {one.metric.name: one.by_place() for one in scored}
    lines = []
    for place, row in enumerate(rows):
        measures = {name: table.get(place) for name, table in tables.items()}
        extracted = next((one.extracted for one in measures.values() if one and one.extracted is not None), None)
        record = {
            "id": row.id,
            "line": row.line,
            "kind": row.kind,
            "scores": {name: one.value if one else None for name, one in measures.items()},
            "extracted": extracted,
            "gold": row.gold,
            "unreadable": any(one.unreadable for one in measures.values() if one),
            "empty": not row.answer.strip(),
            "thinking": row.thinking,
        }
        lines.append(json.dumps(record, ensure_ascii=True) + "\n")
    write_text(path, "".join(lines))

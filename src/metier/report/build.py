"""Everything the page shows, as JSON: the content of `report.json`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metier.report import checks, provenance, rows, scores
from metier.report.groups import groups
from metier.report.inputs import Inputs
from metier.report.spec import ReportSpec
from metier.report.texts import text
from metier.report.tidy import tidy
from metier.report.training import training

SCHEMA = "metier.report"
SCHEMA_VERSION = 1
_PARTS = ("manifest", "prepare", "preview", "train", "metrics_base", "metrics_tuned", "compare")


def build_report(spec: ReportSpec, inputs: Inputs) -> dict[str, Any]:
    """Puts the parts together. `schema_version` rises when a key changes its meaning."""
    title = text("untitled")
    if spec.title or spec.title_zh:
        title = {"en": spec.title or spec.title_zh, "zh": spec.title_zh or spec.title}
    metrics = scores.metrics(inputs, spec)
    report = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "language": spec.language,
        "title": title,
        "labels": {
            "base": spec.base_label,
            "tuned": spec.tuned_label,
            "train": spec.train_dataset_label or str((inputs.prepare or {}).get("dataset") or ""),
            "test": spec.test_dataset_label,
            "guard": spec.guard_dataset_label,
            "proven": spec.proven_specialist,
        },
        "verdict": scores.verdict(inputs),
        "interval": scores.interval_facts(inputs),
        "chance": (inputs.compare or {}).get("chance"),
        "control": (inputs.compare or {}).get("control"),
        "metrics": metrics,
        "groups": groups(inputs, metrics),
        "guard": scores.guard(inputs),
        "predict_keys": scores.llama_factory_keys(inputs),
        "refused": (inputs.prepare or {}).get("refused"),
        "checks": checks.checks(inputs),
        "lengths": checks.lengths(inputs),
        "preview": rows.preview(inputs),
        "training": training(inputs.train),
        "rows": rows.rows(inputs, spec.rows_shown, metrics[0]["name"] if metrics else None),
        "provenance": provenance.provenance(inputs),
        "durations": provenance.durations(inputs),
        "reproduce": provenance.reproduce(inputs, spec),
        "missing": [name for name in _PARTS if name not in inputs.paths],
    }
    cleaned: dict[str, Any] = tidy(report)
    return cleaned

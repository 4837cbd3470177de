"""What a run's page shows of a proof: each variant's figures with their intervals, and whether the judge was fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metier.core.files import read_json
from metier.core.i18n import current_language
from metier.report.proof import SHOWN
from metier.report.texts import proof_figure
from metier.workbench import layout
from metier.workbench.answers import PROVEN


def proof_of(job_folder: Path, job_id: str) -> dict[str, Any] | None:
    """The proof in a job's folder: `variants`, `lines` of the table, `judge`, `questions`, `confidence`, and `sides`,
    the keys of its first and last variant; None where there is none that can be read."""
    folder = job_folder / layout.RUN / "steps" / PROVEN.rstrip("-")
    try:
        found = read_json(folder / "proof.json") if (folder / "done.json").is_file() else {}
        names = [str(one["name"]) for one in found["variants"]]
        return {
            "variants": names,
            "lines": [_line(found, key) for key in SHOWN if any(key in one["scores"] for one in found["variants"])],
            "judge": found["judge"],
            "questions": found["questions"]["count"],
            "confidence": f"{100 * float(found['interval']['confidence']):g}",
            "sides": (f"{job_id}.{names[0]}", f"{job_id}.{names[-1]}"),
        }
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _line(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    metric = found["metrics"][key]
    sign = " %" if metric["unit"] == "share" else " s" if metric["unit"] == "seconds" else ""
    cells = [(one["name"], _cell(one["scores"].get(key), metric, sign)) for one in found["variants"]]
    return {"label": metric["name"].get(current_language()) or metric["name"]["en"], "cells": cells}


def _cell(score: Mapping[str, Any] | None, metric: Mapping[str, Any], sign: str) -> dict[str, str] | None:
    if score is None or score.get("score") is None:
        return None
    low, high = (proof_figure(score.get(end), metric) for end in ("low", "high"))
    return {
        "value": proof_figure(score["score"], metric) + sign,
        "between": "" if "—" in (low, high) else f"{low}–{high}",
    }

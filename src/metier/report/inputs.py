"""Finding and reading what a report is made from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metier.core.errors import DataError, RunError
from metier.core.events import EVENTS
from metier.core.files import read_jsonl
from metier.report.spec import ReportSpec
from metier.report.tidy import tidy

IN_RUN = {
    "manifest": "manifest.json",
    "recipe": "recipe.yaml",
    "prepare": "steps/prepare/prepare.json",
    "preview": "steps/prepare/preview.json",
    "train": "steps/train",
    "metrics_base": "steps/evaluate-base/metrics.json",
    "metrics_tuned": "steps/evaluate-tuned/metrics.json",
    "compare": "steps/compare/compare.json",
    "predict_base": "steps/predict-base",
    "predict_tuned": "steps/predict-tuned",
}
_FOLDERS = {"train", "predict_base", "predict_tuned"}


@dataclass(frozen=True)
class StepFacts:
    """What one step's folder tells: its spec, summary, how long it took and, if asked for, its events."""

    name: str
    spec: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    ended: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Inputs:
    """Everything read; a part that is not there is None or empty."""

    paths: dict[str, Path]
    manifest: dict[str, Any] | None
    recipe: str | None
    prepare: dict[str, Any] | None
    preview: list[Any]
    train: StepFacts | None
    metrics_base: dict[str, Any] | None
    metrics_tuned: dict[str, Any] | None
    compare: dict[str, Any] | None
    steps: list[StepFacts]


def read_inputs(spec: ReportSpec) -> Inputs:
    """Reads what `spec` names and what its run folder holds.

    Raises RunError if something named does not exist, DataError if a file is not what it should be.
    """
    paths = locate(spec)
    train = step_facts(paths["train"], "train", with_events=True) if "train" in paths else None
    return Inputs(
        paths=paths,
        manifest=_mapping(paths.get("manifest")),
        recipe=_text(paths.get("recipe")),
        prepare=_mapping(paths.get("prepare")),
        preview=_list(paths.get("preview")),
        train=train,
        metrics_base=_mapping(paths.get("metrics_base")),
        metrics_tuned=_mapping(paths.get("metrics_tuned")),
        compare=_mapping(paths.get("compare")),
        steps=_steps(spec, paths),
    )


def locate(spec: ReportSpec) -> dict[str, Path]:
    """Where each input lies; those that a run folder does not have are left out."""
    if spec.run is not None and not spec.run.is_dir():
        raise RunError("report.no_run", folder=spec.run)
    found = {}
    for name, usual in IN_RUN.items():
        named: Path | None = getattr(spec, name)
        if named is not None and not (named.is_dir() if name in _FOLDERS else named.is_file()):
            raise RunError("report.no_input", name=name, file=named)
        path = named or (spec.run / usual if spec.run else None)
        if path is not None and path.exists():
            found[name] = path
    return found


def step_facts(folder: Path, name: str, *, with_events: bool = False) -> StepFacts:
    """Reads `spec.json`, `done.json` and, if asked for, `events.jsonl` of a step's folder."""
    spec = _mapping(folder / "spec.json", optional=True) or {}
    done = _mapping(folder / "done.json", optional=True) or {}
    summary, parameters = done.get("summary"), spec.get("spec")
    return StepFacts(
        name=name,
        spec=parameters if isinstance(parameters, dict) else {},
        summary=summary if isinstance(summary, dict) else {},
        seconds=done.get("seconds"),
        ended=str(done.get("ended", "")),
        events=_events(folder / EVENTS) if with_events else [],
    )


def _steps(spec: ReportSpec, paths: dict[str, Path]) -> list[StepFacts]:
    """The steps that were done, in the order in which they ended."""
    folders = {path.name: path for path in sorted((spec.run / "steps").glob("*/"))} if spec.run else {}
    folders |= {path.name: path for name, path in paths.items() if name in _FOLDERS}
    facts = [step_facts(path, name) for name, path in folders.items() if name != "report"]
    return sorted((one for one in facts if one.seconds is not None), key=lambda one: one.ended)


def _events(path: Path) -> list[dict[str, Any]]:
    try:
        return [tidy(row) for row in read_jsonl(path) if isinstance(row, dict)]
    except (OSError, ValueError) as error:
        raise DataError("report.unreadable", file=path, problem=error) from error


def _json(path: Path) -> Any:
    try:
        return tidy(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("report.unreadable", file=path, problem=error) from error


def _mapping(path: Path | None, *, optional: bool = False) -> dict[str, Any] | None:
    if path is None or (optional and not path.exists()):
        return None
    value = _json(path)
    if not isinstance(value, dict):
        raise DataError("report.unreadable", file=path, problem="not a JSON object")
    return value


def _list(path: Path | None) -> list[Any]:
    if path is None:
        return []
    value = _json(path)
    if not isinstance(value, list):
        raise DataError("report.unreadable", file=path, problem="not a JSON list")
    return value


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return str(tidy(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError("report.unreadable", file=path, problem=error) from error

"""The answers and scores that runs left: each run has one variant of the model, or two, its base and what it tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.errors import MetierError
from metier.core.files import read_json
from metier.evaluate.proof.spec import VARIANTS
from metier.recipes.scoring import named
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.errors import NotFoundError
from metier.workbench.store.tables import Job

SIDES = ("base", "tuned")
PROVEN = "prove-"  # before the name of a variant whose answers a proof has


@dataclass(frozen=True)
class Variant:
    """One model of a run. side: `base`, `tuned`, a proof's variant, or `` where the run has one only; answers:
    `<job>/<step>` of the finished prediction, or None; scores: metric → score, low, high, n and what describes it;
    rows: scored or None."""

    job: Job
    side: str
    answers: str | None
    scores: Mapping[str, Any]
    rows: int | None

    @property
    def key(self) -> str:
        """Its name in an address: `<job>` or `<job>.<side>`."""
        return f"{self.job.id}.{self.side}" if self.side else self.job.id


def variants(artifacts: Artifacts, owner: Person, job: Job) -> list[Variant]:
    """The variants of one of somebody's runs; none for a run that neither answers nor scores."""
    steps = layout.job_folder(artifacts.jobs, job.id) / layout.RUN / "steps"
    if job.kind in ("recipe", "score", "predict"):
        several = job.kind == "recipe" or bool(job.spec["asked"].get("base_model_name_or_path"))
        return [
            _variant(job, side, _own(steps, job, named("predict", side)), _metrics(steps / named("evaluate", side)))
            for side in (SIDES if several else ("",))
        ]
    if job.kind == "evaluate":
        answers = _named(artifacts, owner, job.spec["asked"].get("pred_file"))
        return [_variant(job, "", answers, _metrics(steps / "evaluate"))]
    if job.kind == "compare":
        found = _read(steps / "compare" / "compare.json")
        return [
            _variant(job, side, _named(artifacts, owner, job.spec["asked"].get(side)), _side_of(found, side))
            for side in SIDES
        ]
    if job.kind == "prove":
        folder = steps / "prove"
        done = (folder / "done.json").is_file()
        there = [name for name in VARIANTS if done and (folder / f"predictions-{name}.jsonl").is_file()]
        return [_variant(job, name, f"{job.id}/{PROVEN}{name}", {}) for name in there]
    return []


def find_variant(artifacts: Artifacts, owner: Person, job: Job, key: str) -> Variant:
    """The variant of `job` that a key names. Raises NotFoundError."""
    for one in variants(artifacts, owner, job):
        if one.key == key:
            return one
    raise NotFoundError("workbench.compare_no_variant", title=job.title)


def answers_file(jobs: Path, answers: str) -> Path:
    """The file behind `<job>/<step>`."""
    job_id, _, step = answers.partition("/")
    steps = layout.job_folder(jobs, job_id) / layout.RUN / "steps"
    if step.startswith(PROVEN):  # one step left the answers of several variants
        return steps / "prove" / f"predictions-{step.removeprefix(PROVEN)}.jsonl"
    return steps / step / "predictions.jsonl"


def _variant(job: Job, side: str, answers: str | None, found: Mapping[str, Any]) -> Variant:
    scores, rows = found.get("metrics"), found.get("rows")
    return Variant(
        job,
        side,
        answers,
        scores if isinstance(scores, dict) else {},
        rows if isinstance(rows, int) else None,
    )


def _own(steps: Path, job: Job, step: str) -> str | None:
    folder = steps / step
    whole = (folder / "done.json").is_file() and (folder / "predictions.jsonl").is_file()
    return f"{job.id}/{step}" if whole else None


def _named(artifacts: Artifacts, owner: Person, reference: Any) -> str | None:
    """What `run:<job>/<step>` names, while it is there."""
    try:
        job, step = artifacts.job(owner, str(reference))
        folder = artifacts.step(owner, str(reference))
    except MetierError:
        return None
    return f"{job.id}/{step or job.kind}" if (folder / "predictions.jsonl").is_file() else None


def _metrics(folder: Path) -> Mapping[str, Any]:
    return _read(folder / "metrics.json")


def _side_of(compared: Mapping[str, Any], side: str) -> dict[str, Any]:
    """One side of a comparison in the shape of `metrics.json`."""
    metrics = compared.get("metrics")
    if not isinstance(metrics, dict):
        return {}
    return {
        "rows": compared.get("rows"),
        "metrics": {name: {**one, **one[side]} for name, one in metrics.items() if isinstance(one.get(side), dict)},
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

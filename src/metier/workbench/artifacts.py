"""What one run made and another uses, named by id: `run:<job>` its weights, `run:<job>/<step>` a step's folder."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import select

from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job

_DOWNLOADS = (
    "predictions.jsonl",
    "metrics.json",
    "rows.jsonl",
    "compare.json",
    "prepare.json",
    "report.html",
    "report.json",
    "proof.html",
    "proof.json",
    "train.jsonl",
    "test.jsonl",
)
_REFERENCE = re.compile(r"run:([0-9a-f]{16})(?:/([a-z][a-z-]{0,30}))?")


class Artifacts:
    """Finds what jobs left, for their owner."""

    def __init__(self, database: Database, jobs: Path) -> None:
        self.database = database
        self.jobs = jobs

    def job(self, owner: Person, reference: str) -> tuple[Job, str]:
        """The job that `run:…` names, and the step behind it (`` where none is). Raises NotFoundError."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise NotFoundError("workbench.bad_reference", given=reference[:80])
        with self.database.read() as session:
            job = session.scalar(select(Job).where(Job.id == match[1], Job.owner_id == owner.id))
        if job is None:
            raise NotFoundError("workbench.no_such_run", given=reference)
        return job, match[2] or ""

    def weights(self, owner: Person, reference: str) -> tuple[Path, str]:
        """The folder that training left (`adapter` or `model`), and the model below it: a name, or `run:…` of a run
        that trained all weights. Raises ConflictError while there is none."""
        job, _ = self.job(owner, reference)
        step = layout.job_folder(self.jobs, job.id) / layout.RUN / "steps" / "train"
        for name in ("adapter", "model"):
            if (step / name).is_dir():
                return step / name, self._below(owner, job)
        raise ConflictError("workbench.no_weights", title=job.title)

    def _below(self, owner: Person, job: Job) -> str:
        """What a training began from. One that went on with another's adapter has the base of that one."""
        base = str(job.spec["asked"].get("model_name_or_path") or _base(job))
        if base.startswith("run:"):
            folder, below = self.weights(owner, base)
            return base if folder.name == "model" else below
        return base

    def step(self, owner: Person, reference: str) -> Path:
        """The folder of a finished step. Raises ConflictError while it is not finished."""
        job, name = self.job(owner, reference)
        folder = layout.job_folder(self.jobs, job.id) / layout.RUN / "steps" / (name or job.kind)
        if not (folder / "done.json").is_file():
            raise ConflictError("workbench.step_not_done", title=job.title, step=name or job.kind)
        return folder


def downloads(folder: Path) -> dict[str, Path]:
    """The files of a job that may be had, by the name they are asked for: only what is in this list is given out."""
    run = folder / layout.RUN
    found = {"recipe.yaml": run / "recipe.yaml", "manifest.json": run / "manifest.json", "log.txt": folder / layout.LOG}
    for step in sorted((run / "steps").iterdir()) if (run / "steps").is_dir() else ():
        for name in _DOWNLOADS:
            found[f"{step.name}/{name}"] = step / name
        for weights in ("adapter", "model"):
            for path in sorted((step / weights).glob("*")) if (step / weights).is_dir() else ():
                found[f"{step.name}/{weights}/{path.name}"] = path
    inside = folder.resolve()
    return {name: path for name, path in found.items() if path.is_file() and path.resolve().is_relative_to(inside)}


def _base(job: Job) -> str:
    return str((job.spec["asked"].get("train") or {}).get("model_name_or_path") or "")

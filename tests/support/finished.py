"""Recipes that have ended, up to their comparison and report: real scores of made-up answers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from metier.core.events import EventLog
from metier.core.files import write_json
from metier.data import load_dataset
from metier.evaluate import CompareSpec, EvaluateSpec, run_compare, run_evaluate
from metier.report import ReportSpec, run_report
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.store.tables import Job
from metier.workbench.work import gain_of
from metier.workbench.workbench import Workbench
from tests.support.ended import ended, written

LETTERS = "ABCDE"


def answers(count: int, right: int, *, said: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """Choice questions of which the first `right` are answered right. said: other answers, by row from 0."""
    rows = []
    for number in range(count):
        gold = LETTERS[number % 5]
        given = gold if number < right else LETTERS[(number + 1) % 5]
        prompt = f"<|im_start|>user\nCase {number}: what fits?\nA. one\nB. two\nC. three\nD. four\nE. five<|im_end|>\n"
        rows.append(
            {
                "prompt": f"{prompt}<|im_start|>assistant\n",
                "predict": (said or {}).get(number, f"It is this. Answer: {given}"),
                "label": f"It is that. Answer: {gold}",
                "id": number,
                "row": number + 1,
                "finish_reason": "stop",
                "meta": {"answer": gold, "kind": "choice"},
            }
        )
    return rows


def compared_run(run: Path, base: list[dict[str, Any]], tuned: list[dict[str, Any]]) -> dict[str, Any]:
    """Both models' answers, scored, compared and reported, in the run folder `run`; returns the comparison."""
    quiet, steps = EventLog(None, ()), run / "steps"
    files = {side: written(steps / f"predict-{side}", rows) for side, rows in (("base", base), ("tuned", tuned))}
    for side, file in files.items():
        run_evaluate(EvaluateSpec(pred_file=file, bootstrap_samples=100), steps / f"evaluate-{side}", quiet)
    run_compare(CompareSpec(**files, bootstrap_samples=100), steps / "compare", quiet)
    run_report(ReportSpec(run=run, title="Made", title_zh="造的"), steps / "report", quiet)
    write_json(steps / "report" / "done.json", {"summary": {}, "seconds": 1.0, "ended": "2026-11-24T09:06:00+00:00"})
    return dict(json.loads((steps / "compare" / "compare.json").read_text(encoding="utf-8")))


def recipe_job(
    workbench: Workbench,
    owner: Person,
    *,
    base: list[dict[str, Any]] | None = None,
    tuned: list[dict[str, Any]] | None = None,
    title: str = "Medical",
) -> Job:
    """A recipe that has ended: 12 rows, of which the base answers 2 and the tuned model 10 right."""
    job = add_job(workbench, owner, "recipe", title=title)
    run = workbench.jobs.folder_of(job) / layout.RUN
    comparison = compared_run(run, base or answers(12, 2), tuned or answers(12, 10))
    with workbench.database.write() as session:
        row = session.get(Job, job.id)
        assert row is not None
        row.summary = {"verdict": comparison["verdict"], "gain": gain_of(comparison)}
    return workbench.jobs.get(owner, job.id)


def add_job(
    workbench: Workbench, owner: Person, kind: str, *, title: str = "Medical", state: str = "done", **asked: Any
) -> Job:
    """Only the row, with an empty folder."""
    asked = {"model_name_or_path": "smollm2-135m", "data": {"train": "cases", "test": "cases_test"}, **asked}
    return ended(workbench, owner, kind, asked, title, state)


CHARTS = "chart_demo_en_test"


def chart_answers(count: int, right: int, *, image: str = "") -> list[dict[str, Any]]:
    """Answers to questions about the sample charts, as the predict step leaves them. image: said of all instead."""
    rows = []
    for number, one in enumerate(load_dataset(CHARTS, max_samples=count).conversations):
        images = [hashlib.sha256(part.read()).hexdigest() for turn in one.prompt for part in turn.images]
        said = one.label if number * 7 % count < right else "I cannot tell."
        row = {"id": number, "row": one.row, "prompt": one.prompt[-1].text, "predict": said, "label": one.label}
        rows.append(row | {"finish_reason": "stop", "images": [image] if image else images, "meta": dict(one.meta)})
    return rows


def chart_job(workbench: Workbench, owner: Person, *, image: str = "", title: str = "Charts", **asked: Any) -> Job:
    """A recipe about charts that has ended: 40 rows, of which the base answers 12 and the tuned model 33 right."""
    job = add_job(workbench, owner, "recipe", title=title, **asked)
    run = workbench.jobs.folder_of(job) / layout.RUN
    compared_run(run, chart_answers(40, 12, image=image), chart_answers(40, 33, image=image))
    return job

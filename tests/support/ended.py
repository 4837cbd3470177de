"""Runs that have ended, put into a workbench without being run: a row in the store and the files of its steps."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from metier.core.events import EventLog
from metier.core.files import append_jsonl, sha256_text, write_json
from metier.evaluate import EvaluateSpec, run_evaluate
from metier.recipes.recipe import load_recipe
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.store.tables import Job, new_id, now
from metier.workbench.work import check_work
from metier.workbench.workbench import Workbench

QUESTION = (
    "<|im_start|>system\nBe careful.<|im_end|>\n<|im_start|>user\nPatient {n} is tired and pale. What is it?\n\n"
    "A. Anaemia\nB. Asthma\nC. Gout<|im_end|>\n<|im_start|>assistant\n"
)


def answers(count: int, right: int, *, words: str = "I think so.") -> list[dict[str, Any]]:
    """`count` predictions to choice questions, the first `right` of them right."""
    rows = []
    for n in range(count):
        prompt = QUESTION.format(n=n)
        letter = "A" if n < right else "C"
        rows.append(
            {
                "prompt": prompt,
                "predict": f"{words} Patient {n}.\n\nAnswer: {letter}",
                "label": "Pale and tired: too few red cells.\n\nAnswer: A",
                "id": n,
                "row": n + 1,
                "prompt_sha256": sha256_text(prompt),
                "finish_reason": "stop",
                "meta": {"kind": "choice", "answer": "A"},
            }
        )
    return rows


def ended(workbench: Workbench, owner: Person, kind: str, work: dict[str, Any], title: str, state: str = "done") -> Job:
    """An ended job with an empty folder."""
    job = Job(
        id=new_id(), owner_id=owner.id, kind=kind, title=title, spec={"asked": work, "work": work}, state=state,
        started=now(), ended=now(),
    )  # fmt: skip
    with workbench.database.write() as session:
        session.add(job)
    workbench.jobs.folder_of(job).mkdir(parents=True)
    return job


def predicted(
    workbench: Workbench, owner: Person, rows: list[dict[str, Any]], title: str = "Prediction", **values: Any
) -> Job:
    """An ended predict job with these answers."""
    work = check_work("predict", {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en", **values})
    job = ended(workbench, owner, "predict", work, title)
    written(_step(workbench, job, "predict"), rows)
    return job


def evaluated(workbench: Workbench, owner: Person, prediction: Job, title: str = "Evaluation") -> Job:
    """An ended evaluation of a prediction, really scored."""
    job = ended(workbench, owner, "evaluate", check_work("evaluate", {"pred_file": f"run:{prediction.id}"}), title)
    _evaluate(_step(workbench, job, "evaluate"), _step(workbench, prediction, "predict"))
    return job


def recipe_run(
    workbench: Workbench, owner: Person, title: str = "Medical", *, rows: int = 24, right: tuple[int, int] = (6, 20),
    changes: dict[str, Any] | None = None, base_words: str = "I think so.", tuned_words: str = "Too few red cells.",
) -> Job:  # fmt: skip
    """An ended run of the medical recipe: a loss curve, both models' answers, their scores."""
    recipe = load_recipe("medical", profile="demo").to_dict()
    for key, value in (changes or {}).items():
        section, _, name = key.partition(".")
        recipe[section][name] = value
    job = ended(workbench, owner, "recipe", recipe, title)
    for side, number, words in (("base", right[0], base_words), ("tuned", right[1], tuned_words)):
        written(_step(workbench, job, f"predict-{side}"), answers(rows, number, words=words))
        _evaluate(_step(workbench, job, f"evaluate-{side}"), _step(workbench, job, f"predict-{side}"))
    events: list[dict[str, Any]] = [{"event": "step", "name": "train", "of": "train"}]
    for step in range(1, 61):
        event = {"event": "progress", "of": "train", "step": step, "total": 60, "tokens": 400 * step}
        event |= {"loss": 0.4 + 2 * math.exp(-step / 12), "learning_rate": 1e-3, "tokens_per_second": 280.0}
        events.append(event | ({"eval_loss": 0.5 + 2 * math.exp(-step / 13)} if step % 10 == 0 else {}))
    append_jsonl(workbench.jobs.folder_of(job) / layout.EVENTS, events)
    return job


def _step(workbench: Workbench, job: Job, name: str) -> Path:
    return workbench.jobs.folder_of(job) / layout.RUN / "steps" / name


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A finished predict step with these answers; returns their file."""
    folder.mkdir(parents=True)
    file = folder / "predictions.jsonl"
    text = "".join(json.dumps(row) + "\n" for row in rows)  # halves of characters can be among them
    file.write_text(text, encoding="utf-8")
    done = {"fingerprint": sha256_text(text), "seconds": 1.0, "summary": {}, "ended": "2026-11-24T09:05:00+00:00"}
    write_json(folder / "done.json", done)
    return file


def _evaluate(folder: Path, predictions: Path) -> None:
    spec = EvaluateSpec(pred_file=predictions / "predictions.jsonl", metrics=("choice_accuracy", "rougel"))
    run_evaluate(spec, folder, EventLog(None))
    write_json(folder / "done.json", {"fingerprint": "f", "seconds": 1.0, "summary": {}})

"""A model's answers and what they are worth, in one run: predict → evaluate; beside another, → compare → report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from metier.core.events import EventLog, Listener
from metier.core.files import read_jsonl
from metier.core.specs import Spec
from metier.evaluate import CompareSpec, EvaluateSpec
from metier.predict import PredictSpec
from metier.recipes.pipeline import hardware_facts, predictions, step_function
from metier.recipes.single import inputs_of
from metier.report import ReportSpec
from metier.runs import RunFolder, Step, StepResult, run_step


class ScoreSpec(Spec):
    """Which model answers which rows, how its answers are scored, and which model it is compared with.

    base_model_name_or_path, base_adapter_name_or_path: the other model, asked the same with the same parameters;
    title, base_label, tuned_label: what the report calls the whole and the two models.
    """

    predict: PredictSpec = Field(default_factory=PredictSpec)
    evaluate: EvaluateSpec = Field(default_factory=EvaluateSpec)
    base_model_name_or_path: str | None = None
    base_adapter_name_or_path: str | None = None
    title: str = Field("", max_length=300)
    base_label: str = Field("", max_length=300)
    tuned_label: str = Field("", max_length=300)

    def sides(self) -> dict[str, PredictSpec]:
        """What is predicted, by the name its steps end with: `base` and `tuned`, or one without a name."""
        if self.base_model_name_or_path is None:
            return {"": self.predict}
        base = self.predict.model_copy(
            update={
                "model_name_or_path": self.base_model_name_or_path,
                "adapter_name_or_path": self.base_adapter_name_or_path,
            }
        )
        return {"base": base, "tuned": self.predict}


def run_scoring(spec: ScoreSpec, run: RunFolder, *, listeners: tuple[Listener, ...] = ()) -> list[StepResult]:
    """Executes what is not done yet, in order, and returns all results."""
    run.write_manifest(seed=spec.predict.seed, hardware=hardware_facts())
    results = []
    for step in scoring_steps(spec, run, EventLog(None, listeners)):
        EventLog(None, listeners).emit("step", name=step.name)
        results.append(run_step(step, run.step(step.name), listeners=listeners))
    return results


def scoring_steps(spec: ScoreSpec, run: RunFolder, events: EventLog) -> Iterator[Step]:
    """The steps in order, named as a recipe names its own. Answers to rows without references are not scored."""
    sides = spec.sides()
    for side, predict in sides.items():
        yield _step(named("predict", side), "predict", predict, **inputs_of(predict, events))
    if not _has_references(predictions(run, named("predict", next(iter(sides))))):
        return
    for side in sides:
        answers = predictions(run, named("predict", side))
        evaluate = spec.evaluate.model_copy(update={"pred_file": answers})
        yield _step(named("evaluate", side), "evaluate", evaluate, rows=answers)
    if len(sides) > 1:
        files = {side: predictions(run, named("predict", side)) for side in sides}
        shared = {key: value for key, value in spec.evaluate.model_dump().items() if key in CompareSpec.model_fields}
        yield _step("compare", "compare", CompareSpec(**shared, **files), **files)
        yield _step("report", "report", _report(spec, run), compare=run.step("compare") / "compare.json")


def _has_references(file: Path) -> bool:
    return any(row["label"] or row["meta"].get("answer") is not None for row in read_jsonl(file))


def _report(spec: ScoreSpec, run: RunFolder) -> ReportSpec:
    return ReportSpec(
        run=run.path,
        title=spec.title or spec.predict.dataset,
        base_label=spec.base_label or str(spec.base_model_name_or_path),
        tuned_label=spec.tuned_label,
        test_dataset_label=spec.predict.dataset,
    )


def named(kind: str, side: str) -> str:
    """The name of a side's step: `predict-base`, or `predict` where there is one side."""
    return f"{kind}-{side}" if side else kind


def _step(name: str, kind: str, spec: Spec, **inputs: Any) -> Step:
    return Step(name, kind, spec, lambda folder, events: step_function(kind)(spec, folder, events), inputs)

"""What a job runs: a recipe, a scored prediction, one step, the reading of a report, the fetching of a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError
from metier.core.events import EventLog, Listener
from metier.core.specs import Spec, parse_spec
from metier.evaluate import CompareSpec, EvaluateSpec
from metier.predict import PredictSpec
from metier.prepare import PrepareSpec
from metier.report import ReportSpec
from metier.train import TrainSpec
from metier.workbench.findingsjob import checked_findings, run_findings

STEPS: dict[str, type[Spec]] = {
    "prepare": PrepareSpec,
    "train": TrainSpec,
    "predict": PredictSpec,
    "evaluate": EvaluateSpec,
    "compare": CompareSpec,
    "report": ReportSpec,
}
KINDS = ("recipe", "score", *STEPS, "prove", "findings", "fetch")
ON_DEVICE = frozenset(
    {"recipe", "score", "train", "predict", "prove"}
)  # the others read files and think on the processor


def check_work(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as a recipe or spec, complete and checked. Raises ConfigError for the first wrong key or value."""
    if kind == "recipe":
        from metier.recipes.recipe import parse_recipe

        recipe = parse_recipe(dict(values), "recipe")
        # Whoever writes a recipe here may not read the server's files with it, nor send it to an address.
        if recipe.step("index").documents or recipe.step("index").embedder:
            raise ConfigError("workbench.index_of_samples_only")
        return recipe.to_dict()
    if kind == "fetch":
        from metier.models.catalogue import find

        name = str(values.get("model", ""))
        if find(name) is None:
            raise ConfigError("workbench.unknown_model", name=name)
        return {"model": name}
    if kind == "prove":
        from metier.workbench.proofs import check_proof

        return check_proof(values)
    if kind == "findings":
        return checked_findings(values)
    if kind == "score":
        from metier.recipes.scoring import ScoreSpec

        scoring = parse_spec(ScoreSpec, dict(values), source=kind)
        if not scoring.predict.dataset:
            raise ConfigError("predict.no_dataset", key="predict.dataset")
        return scoring.model_dump(mode="json")
    if kind not in STEPS:
        raise ConfigError("workbench.unknown_kind", kind=kind, known=", ".join(KINDS))
    return parse_spec(STEPS[kind], dict(values), source=kind).model_dump(mode="json")


def run_work(kind: str, work: dict[str, Any], folder: Path, listeners: tuple[Listener, ...]) -> dict[str, Any]:
    """Does the work in the run folder `folder`, or goes on with it, and returns a summary."""
    if kind == "fetch":
        from metier.models import resolve_model

        EventLog(None, listeners).emit("step", name="fetch")
        resolved = resolve_model(work["model"], events=EventLog(None, listeners))
        return {"folder": str(resolved.folder)}
    if kind == "findings":
        return run_findings(work, folder, listeners)
    if kind == "recipe":
        from metier.core.files import read_json
        from metier.recipes.pipeline import run_recipe
        from metier.recipes.recipe import parse_recipe
        from metier.runs import find_or_create_run

        recipe = parse_recipe(work, "recipe")
        run = find_or_create_run(folder.parent, recipe.name, recipe.to_dict(), folder=folder)
        results = run_recipe(
            recipe, run, listeners=listeners, command="metier run recipe.yaml", knowledge=folder / "knowledge"
        )
        comparison = read_json(run.step("compare") / "compare.json")
        proof = read_json(run.step("prove") / "proof.json") if recipe.step("prove").specialist else None
        return {
            "verdict": comparison.get("verdict"),
            **({"proof": proof["verdict"]} if proof else {}),
            "gain": gain_of(comparison),
            "steps": [{"step": one.name, "seconds": one.seconds, "skipped": one.skipped} for one in results],
        }
    if kind == "score":
        return _score(work, folder, listeners)
    if kind == "prove":
        return _prove(work, folder, listeners)
    from metier.recipes.single import run_single

    EventLog(None, listeners).emit("step", name=kind)
    result = run_single(kind, parse_spec(STEPS[kind], work, source=kind), folder=folder, listeners=listeners)
    return result.summary


def _score(work: dict[str, Any], folder: Path, listeners: tuple[Listener, ...]) -> dict[str, Any]:
    from metier.core.files import read_json
    from metier.recipes.scoring import ScoreSpec, run_scoring
    from metier.runs import find_or_create_run

    spec = parse_spec(ScoreSpec, work, source="score")
    run = find_or_create_run(folder.parent, "score", spec.model_dump(mode="json"), folder=folder)
    results = {one.name: one for one in run_scoring(spec, run, listeners=listeners)}
    last = next(results[one] for one in ("evaluate", "evaluate-tuned", "predict", "predict-tuned") if one in results)
    summary = {**last.summary, "steps": [{"step": one.name, "seconds": one.seconds} for one in results.values()]}
    if "compare" in results:
        comparison = read_json(run.step("compare") / "compare.json")
        summary |= {"verdict": comparison["verdict"], "gain": gain_of(comparison)}
    return summary


def _prove(work: dict[str, Any], folder: Path, listeners: tuple[Listener, ...]) -> dict[str, Any]:
    from metier.core.files import read_json
    from metier.recipes.proving import proof_step
    from metier.runs import find_or_create_run, run_step
    from metier.workbench import layout
    from metier.workbench.proofs import OwnerSources, ProveSpec, questions_of

    asked = ProveSpec.model_validate(work["asked"])
    run = find_or_create_run(folder.parent, "prove", asked.model_dump(mode="json"), folder=folder)
    EventLog(None, listeners).emit("step", name="prove")
    spec = asked.proof(questions_of(work, folder.parent / layout.DATA))
    step = proof_step(spec, OwnerSources(work))
    run.write_manifest(inputs={key: str(one) if isinstance(one, Path) else one for key, one in step.inputs.items()})
    result = run_step(step, run.step("prove"), listeners=listeners)
    return {**result.summary, "verdict": read_json(result.folder / "proof.json")["verdict"]}


def gain_of(comparison: Mapping[str, Any]) -> dict[str, Any] | None:
    """The deciding metric of a comparison: both scores, their difference with its interval, and its scale."""
    metric = comparison.get("primary")
    entry = (comparison.get("metrics") or {}).get(metric)
    if entry is None:
        return None
    sides = {side: entry[side]["score"] for side in ("base", "tuned")}
    return {"metric": metric, **sides, **{key: entry[key] for key in ("difference", "low", "high", "n", "scale")}}

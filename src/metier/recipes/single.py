"""One step by itself, with a run folder of its own: what `metier train`, `metier predict`, … do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.core.events import EventLog, Listener
from metier.core.settings import settings
from metier.core.specs import Spec
from metier.data import load_dataset
from metier.evaluate.proof import ProofSpec
from metier.models import model_identity, resolve_model
from metier.recipes.pipeline import step_function
from metier.runs import Step, StepResult, find_or_create_run, run_step


def run_single(
    kind: str,
    spec: Spec,
    *,
    folder: Path | None = None,
    fresh: bool = False,
    listeners: tuple[Listener, ...] = (),
) -> StepResult:
    """Runs one step; the same spec goes on in the same run, another one gets a run of its own."""
    inputs = inputs_of(spec, EventLog(None, listeners))
    identity = {"step": kind, "spec": spec.model_dump(mode="json")}
    run = find_or_create_run(settings().runs, kind, identity, folder=folder, fresh=fresh)
    run.write_manifest(inputs={key: str(value) if isinstance(value, Path) else value for key, value in inputs.items()})
    step = Step(kind, kind, spec, lambda where, events: step_function(kind)(spec, where, events), inputs)
    return run_step(step, run.step(kind), listeners=listeners)


def inputs_of(spec: Spec, events: EventLog) -> dict[str, Any]:
    """What the result depends on besides the spec: sets, models, files."""
    values = {name: getattr(spec, name) for name in type(spec).model_fields}
    found: dict[str, Any] = {}
    options: dict[str, Any] = {"dataset_dir": values.get("dataset_dir"), "columns": values.get("columns")}
    # Whether rows must have answers, and may be skipped, is the step's business; here only the bytes count.
    options |= {"require_answers": False, "skip_bad_rows": True}
    for key in ("dataset", "eval_dataset", "test_dataset"):
        if values.get(key):
            found[key] = load_dataset(values[key], **options).sha256
    if values.get("model_name_or_path"):
        resolved = resolve_model(values["model_name_or_path"], values.get("adapter_name_or_path"), events=events)
        found["model"] = model_identity(resolved)
    for key in ("pred_file", "base", "tuned", "guard_base", "guard_tuned"):
        path = values.get(key)
        if path and Path(path).is_file():
            found[key] = Path(path)
    if isinstance(spec, ProofSpec):
        from metier.evaluate.proof import proof_inputs

        found |= proof_inputs(spec)
    return found

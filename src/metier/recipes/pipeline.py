"""A recipe: index → prepare → predict → train → predict → evaluate → compare → report → prove → specialist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.events import EventLog, Listener
from metier.core.settings import settings
from metier.core.specs import Spec
from metier.data import load_dataset
from metier.knowledge.library import LOCAL
from metier.models import hardware, model_identity, resolve_model
from metier.prepare import SplitSpec
from metier.recipes.recipe import DataSection, Recipe
from metier.runs import RunFolder, Step, StepResult, reopen, run_step
from metier.specialists.indexing import IndexSpec
from metier.specialists.store import Specialists
from metier.specialists.taught import TaughtSpec, find_pupil, is_taught, run_teaching

StepFunction = Callable[[Any, Path, EventLog], dict[str, Any]]


@dataclass(frozen=True)
class _Identities:
    """What the results depend on besides the specs."""

    model: dict[str, Any]
    train: str
    test: str
    guard: str | None


def run_recipe(
    recipe: Recipe,
    run: RunFolder,
    *,
    listeners: tuple[Listener, ...] = (),
    command: str = "",
    knowledge: Path | None = None,
    specialists: Specialists | None = None,
) -> list[StepResult]:
    """Executes what is not done yet, in order, and returns all results.

    listeners: called with each event of each step; command: the line that made this run, for the report; knowledge:
    where knowledge bases lie, None for this machine's user's own; specialists: of whom this machine's user's gets what
    was trained; None where somebody else sees to that.
    """
    results = []
    taught = recipe.shared.specialist if specialists is not None else ""
    if specialists is not None and taught:
        find_pupil(taught, specialists, LOCAL)  # before anything is spent
    if recipe.step("index").knowledge:
        results.append(_index(recipe.step("index"), run, listeners, knowledge))
    named = recipe.data
    recipe = _with_test_set(recipe, run, listeners)
    identities = _identify(recipe, EventLog(None, listeners))
    run.write_manifest(
        model=identities.model,
        datasets={"train": identities.train, "test": identities.test, "guard": identities.guard},
        seed=recipe.shared.seed,
        hardware=hardware_facts(),
        command_line=command,
    )
    for step in recipe_steps(recipe, run, identities, command, named, knowledge):
        EventLog(None, listeners).emit("step", name=step.name)
        results.append(run_step(step, run.step(step.name), listeners=listeners))
    if specialists is not None and taught:
        results.append(_teach(recipe, run, listeners, specialists))
    return results


def recipe_steps(
    recipe: Recipe,
    run: RunFolder,
    identities: _Identities,
    command: str,
    named: DataSection,
    knowledge: Path | None = None,
) -> Iterator[Step]:
    """The steps in order. A later step's inputs are files of an earlier one, so each is made when its turn comes.

    named: the sets as the user named them, for the report; knowledge: as of `run_recipe`.
    """
    guard = recipe.step("guard") if recipe.data.guard else None
    base = {"model": identities.model}

    yield _step("prepare", "prepare", recipe.step("prepare"), **base, train=identities.train, test=identities.test)
    yield _step("predict-base", "predict", _answers(recipe.step("predict")), **base, data=identities.test)
    if guard:
        yield _step("guard-base", "predict", _answers(guard), **base, data=identities.guard)

    yield _step("train", "train", recipe.step("train"), **base, data=identities.train)
    weights = trained_weights(run.step("train"))
    tuned = {**base, "trained": weights / "manifest.json"}

    yield _step("predict-tuned", "predict", _answers(recipe.step("predict"), weights), **tuned, data=identities.test)
    if guard:
        yield _step("guard-tuned", "predict", _answers(guard, weights), **tuned, data=identities.guard)

    for side in ("base", "tuned"):
        answers = predictions(run, f"predict-{side}")
        yield _step(f"evaluate-{side}", "evaluate", _with(recipe.step("evaluate"), pred_file=answers), rows=answers)

    compared = {name: predictions(run, f"predict-{name}") for name in ("base", "tuned")}
    if guard:
        compared |= {f"guard_{name}": predictions(run, f"guard-{name}") for name in ("base", "tuned")}
    checks = run.step("prepare") / "prepare.json"
    spec = _with(recipe.step("compare"), **compared, prepare=checks)
    yield _step("compare", "compare", spec, **compared, prepare=checks)

    report = _with(
        recipe.step("report"),
        run=run.path,
        title=recipe.step("report").title or recipe.title.get("en", recipe.name),
        title_zh=recipe.step("report").title_zh or recipe.title.get("zh", ""),
        train_dataset_label=named.train,
        test_dataset_label=named.test or f"{named.train} ({named.test_rows})",
        guard_dataset_label=recipe.data.guard or "",
        proven_specialist=recipe.step("prove").specialist,
        base_label=recipe.shared.model_name_or_path,
        command=command,
    )
    yield _step("report", "report", report, compare=run.step("compare") / "compare.json")

    if recipe.step("prove").specialist:
        yield _proof(recipe.step("prove"), weights, knowledge)


def _proof(spec: Any, weights: Path, knowledge: Path | None = None) -> Step:
    """The specialist in its variants, `tuned` being what was trained here. Where knowledge lies in a run's own folder,
    specialists are the shipped ones and those beside it."""
    from metier.evaluate.proof.sources import LocalSources
    from metier.recipes.proving import proof_step

    taught = _with(spec, adapter_name_or_path=str(weights)) if weights.name == "adapter" else spec
    sources = LocalSources(knowledge.parent if knowledge else None)
    return proof_step(taught, sources, trained=weights / "manifest.json")


def _index(spec: IndexSpec, run: RunFolder, listeners: tuple[Listener, ...], knowledge: Path | None) -> StepResult:
    """The documents the specialist answers from. The base outlives the run: what was removed from it comes again."""
    from metier.knowledge.library import Library
    from metier.specialists.indexing import document_hashes, is_whole, run_index

    library = Library(knowledge or settings().home / "knowledge")
    if not is_whole(spec, library):
        reopen(run.step("index"))
    EventLog(None, listeners).emit("step", name="index")
    step = Step("index", "index", spec, lambda folder, events: run_index(spec, folder, events, library=library),
                {"documents": document_hashes(spec)})  # fmt: skip
    return run_step(step, run.step("index"), listeners=listeners)


def _teach(recipe: Recipe, run: RunFolder, listeners: tuple[Listener, ...], specialists: Specialists) -> StepResult:
    """The version of the specialist that answers with what was trained. It outlives the run, as documents do."""
    weights, comparison = trained_weights(run.step("train")).resolve(), run.step("compare") / "compare.json"
    spec = taught_spec(recipe, weights)
    folder = run.step("specialist")
    if not is_taught(folder, specialists):
        reopen(folder)
    EventLog(None, listeners).emit("step", name="specialist")

    def work(folder: Path, events: EventLog) -> dict[str, Any]:
        return run_teaching(spec, folder, events, comparison, run.path, specialists=specialists)

    inputs = {"compare": comparison, "trained": weights / "manifest.json"}
    return run_step(Step("specialist", "specialist", spec, work, inputs), folder, listeners=listeners)


def taught_spec(recipe: Recipe, weights: Path) -> TaughtSpec:
    """What the recipe's specialist gets: its base and the adapter, or the whole model that was trained."""
    shared = recipe.shared
    adapter = weights.name == "adapter"
    return TaughtSpec(
        specialist=shared.specialist,
        model_name_or_path=shared.model_name_or_path if adapter else str(weights),
        adapter_name_or_path=str(weights) if adapter else None,
        enable_thinking=shared.enable_thinking,
    )


def _with_test_set(recipe: Recipe, run: RunFolder, listeners: tuple[Listener, ...]) -> Recipe:
    """The recipe as it is, or on two parts of its one set where it names no test set."""
    from metier.prepare.split import TEST, TRAIN

    data, shared = recipe.data, recipe.shared
    if data.test:
        return recipe
    options: dict[str, Any] = {
        "dataset_dir": shared.dataset_dir,
        "columns": shared.columns,
        "skip_bad_rows": shared.skip_bad_rows,
    }
    spec = SplitSpec(dataset=data.train, test_rows=data.test_rows, seed=shared.seed, **options)
    step = _step("split", "split", spec, data=load_dataset(data.train, **options).sha256)
    EventLog(None, listeners).emit("step", name=step.name)
    result = run_step(step, run.step(step.name), listeners=listeners)
    return recipe.on_files(result.folder / TRAIN, result.folder / TEST)


def predictions(run: RunFolder, step: str) -> Path:
    """The answers that a predict step left."""
    return run.step(step) / "predictions.jsonl"


def trained_weights(folder: Path) -> Path:
    """What a train step made: `adapter/`, or `model/` after full fine-tuning."""
    return folder / "adapter" if (folder / "adapter").is_dir() else folder / "model"


def _answers(spec: Any, weights: Path | None = None) -> Any:
    """The predict spec for the base model, or for what was trained from it. Answers stay in the step's folder."""
    changes: dict[str, Any] = {"save_name": "predictions.jsonl"}
    if weights is not None:
        key = "adapter_name_or_path" if weights.name == "adapter" else "model_name_or_path"
        changes[key] = str(weights)
    return _with(spec, **changes)


def _with(spec: Any, **changes: Any) -> Any:
    """A copy of a spec with other values, checked like the first."""
    return type(spec).model_validate({**spec.model_dump(), **changes})


def _step(name: str, kind: str, spec: Spec, **inputs: Any) -> Step:
    return Step(name, kind, spec, lambda folder, events: step_function(kind)(spec, folder, events), inputs)


def step_function(kind: str) -> StepFunction:
    """The verb behind a kind of step, imported when it is needed."""
    from metier import evaluate, predict, prepare, report, train
    from metier.recipes.proving import run_proving

    functions: dict[str, StepFunction] = {
        "prepare": prepare.run_prepare,
        "split": prepare.run_split,
        "train": train.run_train,
        "predict": predict.run_predict,
        "evaluate": evaluate.run_evaluate,
        "compare": evaluate.run_compare,
        "prove": run_proving,
        "report": report.run_report,
    }
    return functions[kind]


def _identify(recipe: Recipe, events: EventLog) -> _Identities:
    """Resolves model and sets once, so that a wrong name stops the run before anything starts."""
    shared = recipe.shared

    def digest(name: str, read: Any) -> str:
        options: dict[str, Any] = {"columns": read.columns, "skip_bad_rows": read.skip_bad_rows}
        return load_dataset(name, dataset_dir=shared.dataset_dir, **options).sha256

    data = recipe.data
    train, test = digest(data.train, shared), digest(data.test or data.train, shared)
    guard = digest(data.guard, recipe.step("guard")) if data.guard else None
    resolved = resolve_model(shared.model_name_or_path, shared.adapter_name_or_path, events=events)
    return _Identities(model_identity(resolved), train, test, guard)


def hardware_facts() -> dict[str, Any]:
    """What the run was made on, for the manifest."""
    from dataclasses import asdict

    facts = asdict(hardware())
    return {key: sorted(value) if isinstance(value, frozenset) else value for key, value in facts.items()}

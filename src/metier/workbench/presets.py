"""Where a new configuration begins: a shipped recipe's profile, or a set and a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metier.core.errors import ConfigError
from metier.core.i18n import current_language
from metier.core.yamltext import parse_yaml
from metier.data.entries import shipped_entries
from metier.recipes.recipe import load_recipe, parse_recipe, shipped_recipes
from metier.workbench.accounts import Person
from metier.workbench.datasets import Datasets
from metier.workbench.drafts import brief
from metier.workbench.jobs import Jobs

FIRST = ("medical", "demo")  # what a new visitor sees: it needs nothing and proves something in minutes
_TEST_ROWS = 100
# How an earlier run trained, which its own model is trained on with.
_HOW = ("finetuning_type", "lora_rank", "lora_alpha", "lora_dropout", "lora_target", "learning_rate", "warmup_ratio",
        "lr_scheduler_type", "per_device_train_batch_size", "gradient_accumulation_steps")  # fmt: skip
_SMALL_MODEL = "smollm2-135m"  # which the first preset's training parameters were measured with


@dataclass(frozen=True)
class Preset:
    """A profile of a shipped recipe. title: in the reader's language."""

    recipe: str
    profile: str
    title: str


def shipped_presets() -> list[Preset]:
    """All profiles of all shipped recipes."""
    found = []
    for name, text in shipped_recipes().items():
        values = parse_yaml(text)
        title = values["title"][current_language()]
        found += [Preset(name, profile, title) for profile in values.get("profiles") or {"": {}}]
    return found


def shipped_work(reference: str) -> dict[str, Any]:
    """The work of `recipe:profile`, brief. Raises ConfigError for a name that is not shipped."""
    name, _, profile = reference.partition(":")
    if name not in shipped_recipes():
        raise ConfigError("recipes.not_found", name=name, known=", ".join(shipped_recipes()), hint="")
    return load_recipe(name, profile=profile or None).brief()


def new_recipe(owner: Person, datasets: Datasets, jobs: Jobs, *, dataset: str = "", model: str = "") -> dict[str, Any]:
    """A recipe on a set of the owner's or a shipped one, measured on its own test set or on rows kept away.

    model: of the catalogue or the store, or `run:…`, which is trained on as it was.
    """
    work = shipped_work(":".join(FIRST))
    work.pop("specialist", None)  # rows of one's own do not make the medical one
    if model and model != _SMALL_MODEL:
        # What suits the small model does not suit others: theirs are the specs' own defaults.
        work = {key: value for key, value in work.items() if key != "train"} | {"model_name_or_path": model}
    if model.startswith("run:"):
        job = jobs.get(owner, model.removeprefix("run:").partition("/")[0])
        before = brief(job.kind, job.spec["asked"])
        kept = before.get("train", {}) if job.kind == "recipe" else before
        work["train"] = {key: value for key, value in kept.items() if key in _HOW}
    if not dataset:
        return work
    test = f"{dataset}_test"
    data: dict[str, Any] = {"train": dataset}
    if dataset in shipped_entries():
        data |= {"test": test} if test in shipped_entries() else {}
    else:
        rows = datasets.get(owner, dataset).rows
        data |= {"test_rows": min(_TEST_ROWS, max(1, rows // 5))}
    return {**{key: value for key, value in work.items() if key != "title"}, "name": dataset, "data": data}


def as_training(work: dict[str, Any]) -> dict[str, Any]:
    """The training of a recipe alone."""
    return brief("train", parse_recipe(work, "recipe").step("train").model_dump(mode="json"))

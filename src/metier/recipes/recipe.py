"""Reading a recipe: file, profile and flags become one checked spec per step.

A recipe has a section per step with that step's own keys. What several steps share (model, data, seed, …) stands once
at the top and reaches every step that has a field of that name, unless the step's section says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field

from metier.core.errors import ConfigError
from metier.core.registry import nearest
from metier.core.specs import Spec, parse_spec
from metier.evaluate import CompareSpec, EvaluateSpec
from metier.evaluate.proof import ProofSpec
from metier.predict import PredictSpec
from metier.prepare import PrepareSpec
from metier.recipes.yamlfile import parse_mapping, read_mapping
from metier.report import ReportSpec
from metier.specialists.indexing import IndexSpec
from metier.train import TrainSpec

SECTIONS: dict[str, type[Spec]] = {
    "index": IndexSpec,
    "prepare": PrepareSpec,
    "train": TrainSpec,
    "predict": PredictSpec,
    "guard": PredictSpec,
    "evaluate": EvaluateSpec,
    "compare": CompareSpec,
    "report": ReportSpec,
    "prove": ProofSpec,
}


class DataSection(Spec):
    """The sets of a recipe: learnt from, measured on, and the general one that shows what was forgotten.

    Without `test`, `test_rows` rows of `train` that are like no other are kept away from training and measured on.
    """

    train: str
    test: str | None = None
    test_rows: int = Field(default=100, ge=1)
    guard: str | None = "general_guard"


class Compute(Spec):
    """What the recipe is planned for: `devices` of `device_memory_gb` each."""

    devices: int = Field(default=1, ge=1)
    device_memory_gb: float | None = Field(default=None, gt=0)


class Shared(Spec):
    """Facts that stand once in a recipe and reach every step that has a field of the same name.

    specialist: name, or YAML file, of the one that gets what was trained as a new version; a proof names its own.
    """

    model_name_or_path: str = "smollm2-135m"
    adapter_name_or_path: str | None = None
    revision: str | None = None
    template: str | None = None
    dataset_dir: Path | None = None
    columns: dict[str, str] | None = None
    skip_bad_rows: bool = False
    cutoff_len: int = Field(default=2048, ge=8)
    allow_truncated_answers: bool = False
    enable_thinking: bool | None = None
    seed: int = Field(default=42, ge=0)
    specialist: str = ""


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe: one spec per step. `notes`: keys that were read past, worth a word to the user."""

    name: str
    title: Mapping[str, str]
    profile: str
    data: DataSection
    compute: Compute
    shared: Shared
    steps: Mapping[str, Spec]
    notes: tuple[str, ...] = ()

    def step(self, name: str) -> Any:
        """The spec of the step called `name`."""
        return self.steps[name]

    def on_files(self, train: Path, test: Path) -> Recipe:
        """This recipe on two files of OpenAI messages, into which its one set was parted."""
        sets = {
            "prepare": {"dataset": str(train), "test_dataset": str(test)},
            "train": {"dataset": str(train)},
            "predict": {"dataset": str(test)},
        }
        read = {"columns": None, "skip_bad_rows": False}
        steps = dict(self.steps)
        for name, values in sets.items():
            steps[name] = steps[name].model_copy(update={**values, **read})
        return replace(
            self,
            data=self.data.model_copy(update={"train": str(train), "test": str(test)}),
            shared=self.shared.model_copy(update=read),
            steps=steps,
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything that makes this run what it is, as JSON-able values."""
        return {
            "name": self.name,
            "title": dict(self.title),
            "profile": self.profile,
            **self.shared.model_dump(mode="json"),
            "data": self.data.model_dump(mode="json"),
            "compute": self.compute.model_dump(mode="json"),
            **{name: spec.model_dump(mode="json") for name, spec in self.steps.items()},
        }

    def brief(self) -> dict[str, Any]:
        """The same recipe as a person would write it: without what is a default, or stands once at the top.

        `parse_recipe` makes the same recipe of it again; a key that several steps share is changed there in one place.
        """
        inherited = _inherited(self.shared, self.data)
        sections = {
            name: _other_than(spec, parse_spec(type(spec), inherited[name], source=name))
            for name, spec in self.steps.items()
        }
        compute = _other_than(self.compute, Compute())
        return {
            "name": self.name,
            **({"title": dict(self.title)} if self.title else {}),
            "model_name_or_path": self.shared.model_name_or_path,
            **_other_than(self.shared, Shared()),
            "data": {"train": self.data.train, **_other_than(self.data, DataSection(train=""))},
            **({"compute": compute} if compute else {}),
            **{name: values for name, values in sections.items() if values},
        }


def shipped_recipes() -> dict[str, str]:
    """Name → YAML text of the recipes that come with the product."""
    folder = files("metier.recipes").joinpath("shipped")
    return {
        Path(entry.name).stem: entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }


def load_recipe(reference: str, *, profile: str | None = None, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe `reference` (a shipped name, or a YAML file; a LLaMA-Factory training YAML too).

    overrides: dotted or plain key → value, over every key of the file. Raises ConfigError for the first wrong key.
    """
    source, values = _read(reference)
    return _from_file(values, source, profile, overrides or {})


def read_recipe(text: str, source: str) -> Recipe:
    """The recipe of a YAML text, as `load_recipe` reads it from a file."""
    return _from_file(parse_mapping(text, source), source, None, {})


def _from_file(values: dict[str, Any], source: str, profile: str | None, overrides: Mapping[str, Any]) -> Recipe:
    notes: tuple[str, ...] = ()
    from metier.recipes import llamafactory

    if llamafactory.is_training_yaml(values):
        values, notes = llamafactory.to_recipe(values, source)
    profiles = values.pop("profiles", None) or {}
    chosen = profile or values.pop("default_profile", None) or next(iter(profiles), "")
    values.pop("default_profile", None)
    if chosen and chosen not in profiles:
        raise ConfigError(
            "recipes.unknown_profile", source=source, name=chosen, known=", ".join(profiles) or "–",
            hint=nearest(chosen, list(profiles)),
        )  # fmt: skip
    merged = merge(values, profiles.get(chosen) or {})
    for key, value in overrides.items():
        _set(merged, key, value)
    return _resolve(merged, source, chosen, notes)


def parse_recipe(values: Mapping[str, Any], source: str) -> Recipe:
    """A recipe from a mapping without profiles, such as `Recipe.to_dict` gives. Raises ConfigError for a wrong key."""
    given = dict(values)
    return _resolve(given, source, str(given.pop("profile", "")), ())


def owners(key: str) -> list[str]:
    """The sections with a field called `key`; `[""]` where the recipe's shared part owns it."""
    if key in Shared.model_fields:
        return [""]
    found = [name for name, spec in SECTIONS.items() if key in spec.model_fields]
    # The guard set is predicted like the test set: a plain flag means the main prediction. A proof is a second thought:
    # its keys are plain only where nothing else has them.
    later = {"guard"} & set(found) if "predict" in found else set()
    return [name for name in found if name not in later and not (name == "prove" and len(found) > 1)]


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`, section by section."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _read(reference: str) -> tuple[str, dict[str, Any]]:
    shipped = shipped_recipes()
    if reference in shipped:
        return reference, parse_mapping(shipped[reference], reference)
    if Path(reference).is_file():
        return reference, read_mapping(Path(reference))
    raise ConfigError(
        "recipes.not_found", name=reference, known=", ".join(shipped), hint=nearest(reference, list(shipped))
    )


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    if "." not in key:
        sections = owners(key)
        if len(sections) > 1:
            raise ConfigError("recipes.ambiguous", key=key, options=", ".join(f"--{name}.{key}" for name in sections))
        if sections and sections[0]:
            key = f"{sections[0]}.{key}"
    section, _, rest = key.partition(".")
    if rest:
        values[section] = {**(values.get(section) or {}), rest: value}
    else:
        values[section] = value


def _resolve(values: dict[str, Any], source: str, profile: str, notes: tuple[str, ...]) -> Recipe:
    known = ["name", "title", "data", "compute", *Shared.model_fields, *SECTIONS]
    for key in values:
        if key not in known:
            raise ConfigError("core.unknown_key", source=source, key=key, hint=nearest(str(key), known))
    if not isinstance(values.get("data"), dict):
        raise ConfigError("recipes.no_data", source=source)
    shared = parse_spec(Shared, {k: v for k, v in values.items() if k in Shared.model_fields}, source=source)
    data = parse_spec(DataSection, values["data"], source=f"{source}: data")
    compute = parse_spec(Compute, values.get("compute") or {}, source=f"{source}: compute")
    inherited = _inherited(shared, data)
    steps = {}
    for name, kind in SECTIONS.items():
        own = values.get(name) or {}
        if not isinstance(own, dict):
            raise ConfigError("recipes.not_a_section", source=source, key=name)
        steps[name] = parse_spec(kind, {**inherited[name], **own}, source=f"{source}: {name}")
    title = values.get("title") or {}
    titles = {"en": title, "zh": title} if isinstance(title, str) else dict(title)
    name = str(values.get("name") or Path(source).stem)
    return Recipe(name, titles, profile, data, compute, shared, steps, notes)


def _inherited(shared: Shared, data: DataSection) -> dict[str, dict[str, Any]]:
    """What each section is before its own keys: the shared facts that it has a field for, and its sets."""
    sets: dict[str, dict[str, Any]] = {
        "prepare": {"dataset": data.train, "test_dataset": data.test},
        "train": {"dataset": data.train},
        "predict": {"dataset": data.test or data.train},
        # How the columns of the own sets are named says nothing about the guard's.
        "guard": {"dataset": data.guard or "", "columns": None, "skip_bad_rows": False},
    }
    common = shared.model_dump(exclude={"specialist"})
    return {
        name: {key: value for key, value in {**common, **sets.get(name, {})}.items() if key in kind.model_fields}
        for name, kind in SECTIONS.items()
    }


def _other_than(spec: Spec, usual: Spec) -> dict[str, Any]:
    """The values of a spec that are not the usual ones."""
    before = usual.model_dump(mode="json")
    return {key: value for key, value in spec.model_dump(mode="json").items() if value != before[key]}

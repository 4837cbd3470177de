"""The form of a configuration, made from the specs: which fields are shown, in which groups, and what each may be.

What the workbench sets itself (folders, files of other steps, devices) has no field. A field that is new in a spec
turns up in the last group of its section by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from metier.core.fields import Field, fields_of
from metier.core.specs import Spec
from metier.engines.registry import ENGINES
from metier.evaluate import CompareSpec, EvaluateSpec
from metier.evaluate.metrics import METRICS
from metier.prepare import PrepareSpec
from metier.recipes.recipe import SECTIONS, Shared
from metier.rendering.load import families
from metier.train import TrainSpec

# Chosen above the parameters, or set by the workbench.
_HIDDEN = frozenset((
    "model_name_or_path", "adapter_name_or_path", "revision", "stage", "finetuning_type",
    "dataset", "test_dataset", "dataset_dir", "columns", "skip_bad_rows",
    "num_processes", "device", "vllm_config", "save_name", "command", "manifest", "recipe", "run",
    "pred_file", "output_metrics", "base", "tuned", "guard_base", "guard_tuned", "prepare", "preview", "train",
    "compare", "metrics_base", "metrics_tuned", "predict_base", "predict_tuned", "title", "title_zh",
    "base_label", "tuned_label", "train_dataset_label", "test_dataset_label", "guard_dataset_label",
    "proven_specialist",
    "predict_field", "label_field", "prompt_field", "answer_field",
))  # fmt: skip
_GLANCE = (
    "learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps",
    "cutoff_len", "lora_rank", "lr_scheduler_type", "warmup_ratio", "dtype", "seed", "report_to",
)  # fmt: skip
_GROUPS: dict[str, tuple[str, ...]] = {
    "rows": ("max_samples", "packing", "tokens_per_batch", "template", "enable_thinking", "train_on_history",
             "allow_truncated_answers", "disable_shuffling"),
    "lora": ("lora_alpha", "lora_dropout", "lora_target"),
    "vision": ("freeze_vision_tower", "freeze_multi_modal_projector", "freeze_language_model"),
    "optimiser": ("optim", "warmup_steps", "weight_decay", "max_grad_norm", "adam_beta1", "adam_beta2", "adam_epsilon"),
    "watching": ("logging_steps", "save_steps", "save_total_limit", "eval_dataset", "eval_steps",
                 "per_device_eval_batch_size", "early_stopping_patience", "load_best", "run_name"),
    "machine": (),
}  # fmt: skip
_PRECISE = 6  # digits of a default that is shown in an empty field


@dataclass(frozen=True)
class Control:
    """One field of the form. key: where its value goes (`train.learning_rate`); also: other keys that get the same
    value; options: what may be chosen, where that is known."""

    key: str
    field: Field
    also: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def empty(self) -> str:
        """What an empty field means, as the field shows it: the default."""
        value = self.field.default
        if value is None or value == "" or isinstance(value, list | tuple | dict | bool):
            return ""
        return f"{value:.{_PRECISE}g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Group:
    """Fields under one heading. The first group of a form is open, the others are folded."""

    name: str
    controls: list[Control]


def form_of(kind: str) -> list[Group]:
    """The groups of a recipe's or a training's form."""
    prefix = "train." if kind == "recipe" else ""
    train = fields_of(TrainSpec)
    shown = {name: field for name, field in train.items() if name not in _HIDDEN}
    placed = {*_GLANCE, *(name for names in _GROUPS.values() for name in names)}
    groups = [Group("glance", [_train(name, shown[name], prefix) for name in _GLANCE if name in shown])]
    for name, fields in _GROUPS.items():
        names = fields or tuple(one for one in shown if one not in placed)  # the last takes what no other names
        groups.append(Group(name, [_train(one, shown[one], prefix) for one in names if one in shown]))
    return groups + (list(_other_steps()) if kind == "recipe" else [])


def _train(name: str, field: Field, prefix: str) -> Control:
    # In a recipe, what steps share stands once at the top; what the check before training asks too, it is told too.
    if prefix and name in Shared.model_fields:
        return Control(name, field, options=_options(name, field))
    also = (f"prepare.{name}",) if prefix and name in PrepareSpec.model_fields else ()
    return Control(f"{prefix}{name}", field, also, _options(name, field))


def _other_steps() -> Iterator[Group]:
    """Answering, scoring, checking and reporting: the rest of a recipe."""
    yield Group("answers", _section("predict", without=Shared))
    yield Group("guard", _section("guard", without=Shared))
    scoring = [name for name in EvaluateSpec.model_fields if name in CompareSpec.model_fields]
    both = [_also(one, f"compare.{one.field.name}") for one in _section("evaluate", without=Shared)]
    yield Group("scores", both + [one for one in _section("compare", without=Shared) if one.field.name not in scoring])
    checks = [one for one in _section("prepare", without=Shared) if one.field.name not in TrainSpec.model_fields]
    yield Group("checks", checks + _section("report", without=Shared))


def _section(name: str, *, without: type[Spec]) -> list[Control]:
    fields = fields_of(SECTIONS[name]).values()
    return [
        Control(f"{name}.{field.name}", field, options=_options(field.name, field))
        for field in fields
        if field.name not in _HIDDEN and field.name not in without.model_fields
    ]


def _also(control: Control, key: str) -> Control:
    return Control(control.key, control.field, (key,), control.options)


def _options(name: str, field: Field) -> tuple[str, ...]:
    """Names of a registry where the spec has only text; a switch that may be left open has three positions."""
    known: dict[str, Callable[[], Iterable[str]]] = {
        "template": families,
        "metrics": lambda: ("auto", *METRICS),
        "primary": lambda: ("auto", *METRICS),
        "headline_metric": lambda: METRICS,
        "engine": lambda: ENGINES,
    }
    if field.choices:
        return field.choices
    if field.kind == "switch" and field.optional:
        return ("true", "false")
    return tuple(known[name]()) if name in known else ()


def value_at(work: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted key, or None."""
    value: Any = work
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value

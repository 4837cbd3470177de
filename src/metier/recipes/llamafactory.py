"""Reading a LLaMA-Factory training YAML: what means the same is taken, what would change what is learnt is refused.

The keys and what becomes of them are data: `llamafactory_keys.yaml`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from metier.core.errors import ConfigError
from metier.core.yamltext import parse_yaml
from metier.train import TrainSpec


def is_training_yaml(values: dict[str, Any]) -> bool:
    """Whether this is LLaMA-Factory's flat file and not a recipe with sections."""
    flat = {"stage", "finetuning_type", "dataset", "do_train"} & set(values)
    return bool(flat) and "model_name_or_path" in values and not isinstance(values.get("train"), dict)


@cache
def keys() -> dict[str, Any]:
    """The table of keys: `same`, `neutral` values, `refused`."""
    text = files("metier.recipes").joinpath("llamafactory_keys.yaml").read_text(encoding="utf-8")
    return dict(parse_yaml(text))


def to_recipe(values: dict[str, Any], source: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A recipe's mapping, and the keys that were understood by nobody and change nothing that is learnt.

    Raises ConfigError for a key that changes what is learnt and that Métier does not have.
    """
    table = keys()
    train: dict[str, Any] = {}
    unread: list[str] = []
    for key, value in values.items():
        if key in table["renamed"]:
            train[table["renamed"][key]] = value
        elif key in TrainSpec.model_fields:
            train[key] = value
        elif key in table["refused"]:
            if value not in (None, False, "", *table["refused"][key]):
                raise ConfigError("recipes.llamafactory_refused", source=source, key=key, value=value)
        elif key not in table["ignored"]:
            unread.append(str(key))
    _translate(train, values, source)
    model = train.pop("model_name_or_path")
    datasets = [name.strip() for name in str(train.pop("dataset", "")).split(",") if name.strip()]
    if not datasets:
        raise ConfigError("recipes.llamafactory_no_dataset", source=source)
    # Without a set to measure on, the recipe keeps rows of the training set away.
    test = values.get("eval_dataset") or values.get("test_dataset")
    common = ("dataset_dir", "cutoff_len", "seed", "template")
    shared: dict[str, Any] = {key: train.pop(key) for key in common if key in train}
    # Template names of LLaMA-Factory name hand-written templates; Métier uses the model's own.
    if shared.pop("template", None):
        unread.append("template")
    name = str(values.get("run_name") or "llamafactory")
    recipe: dict[str, Any] = {
        "name": name,
        "model_name_or_path": model,
        **shared,
        "data": {"train": ",".join(datasets), "test": str(test) if test else None},
    }
    return {**recipe, "train": train}, tuple(unread)


def _translate(train: dict[str, Any], values: dict[str, Any], source: str) -> None:
    """Values that are written otherwise there."""
    if values.get("bf16"):
        train["dtype"] = "bfloat16"
    elif values.get("fp16"):
        train["dtype"] = "float16"
    elif values.get("pure_bf16"):
        raise ConfigError("recipes.llamafactory_refused", source=source, key="pure_bf16", value=True)
    if values.get("max_steps", -1) in (-1, None):
        train.pop("max_steps", None)
    # There, each row is padded on its own unless packing is asked for; the loss is the same either way.
    if "mask_history" in values:
        train["train_on_history"] = not values["mask_history"]
    elif "train_on_history" not in values:
        train["train_on_history"] = True

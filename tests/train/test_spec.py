"""The spec says no to what cannot be trained, in one line, and counts steps."""

from __future__ import annotations

from typing import Any

import pytest

from metier.core.errors import ConfigError
from metier.core.i18n import has_text
from metier.core.specs import parse_spec
from metier.train import TrainSpec


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rate": -1e-4}, "learning_rate"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"lora_rank": 0}, "lora_rank"),
        ({"lora_dropout": 1.0}, "lora_dropout"),
        ({"num_train_epochs": 0}, "num_train_epochs"),
        ({"warmup_ratio": 1.5}, "warmup_ratio"),
        ({"lr_scheduler_type": "sideways"}, "lr_scheduler_type"),
        ({"report_to": "telepathy"}, "report_to"),
        ({"device": "gpu"}, "device"),
        ({"learning_rat": 1e-4}, "learning_rate"),
        ({"load_best": True}, "eval_dataset"),
        ({"finetuning_type": "full", "adapter_name_or_path": "a"}, "merge"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_spec(TrainSpec, {"dataset": "x", **values}, source="command line")
    assert "\n" not in str(caught.value)


def test_every_field_has_a_label_and_a_help_line_in_both_languages() -> None:
    for name in TrainSpec.model_fields:
        assert has_text(f"train.TrainSpec.{name}.label") and has_text(f"train.TrainSpec.{name}.help"), name


@pytest.mark.parametrize(
    ("values", "rows", "steps"),
    [
        ({"num_train_epochs": 1}, 8, 2),
        ({"num_train_epochs": 1}, 9, 3),
        ({"num_train_epochs": 0.5}, 16, 2),
        ({"num_train_epochs": 3, "gradient_accumulation_steps": 2}, 9, 6),
        ({"max_steps": 5}, 9, 5),
    ],
)
def test_steps_are_counted_from_rows_and_epochs(values: dict[str, Any], rows: int, steps: int) -> None:
    assert TrainSpec(per_device_train_batch_size=4, **values).total_steps(rows) == steps


def test_words_of_other_trainers_are_understood() -> None:
    spec = TrainSpec(report_to="none", gradient_checkpointing=True, fsdp=False)
    assert (spec.report_to, spec.gradient_checkpointing, spec.fsdp) == ([], "on", "off")
    assert TrainSpec(report_to="tensorboard,swanlab").report_to == ["tensorboard", "swanlab"]
    assert TrainSpec(lora_rank=8).alpha == 16 and TrainSpec(lora_rank=8, lora_alpha=8).alpha == 8

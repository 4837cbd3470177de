"""The parameters of a training, torch-free. Names are those of LLaMA-Factory and transformers' `TrainingArguments`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from metier.core.specs import Spec
from metier.models.parts import Part

Tracker = Literal["tensorboard", "swanlab"]
Scheduler = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
]


class TrainSpec(Spec):
    """What is trained on what, and how. One step updates the weights once, from
    `per_device_train_batch_size × gradient_accumulation_steps × num_processes` rows, packed or not.
    """

    # The model
    model_name_or_path: str = "smollm2-135m"
    adapter_name_or_path: str | None = None
    revision: str | None = None
    template: str | None = None

    # The data
    dataset: str = ""
    eval_dataset: str | None = None
    dataset_dir: Path | None = None
    columns: dict[str, str] | None = None
    skip_bad_rows: bool = False
    max_samples: Annotated[int, Field(gt=0)] | None = None
    cutoff_len: int = Field(2048, ge=8)
    train_on_history: bool = False
    enable_thinking: bool | None = None
    allow_truncated_answers: bool = False

    # The method
    stage: Literal["sft"] = "sft"
    finetuning_type: Literal["lora", "full"] = "lora"
    lora_rank: int = Field(8, ge=1)
    lora_alpha: Annotated[float, Field(gt=0)] | None = None
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    lora_target: str = "all"
    freeze_vision_tower: bool = True
    freeze_multi_modal_projector: bool = True
    freeze_language_model: bool = False

    # Rows and steps
    per_device_train_batch_size: int = Field(4, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    per_device_eval_batch_size: int = Field(8, ge=1)
    packing: bool = True
    tokens_per_batch: Annotated[int, Field(ge=16)] | None = None
    num_train_epochs: float = Field(3.0, gt=0)
    max_steps: Annotated[int, Field(gt=0)] | None = None
    disable_shuffling: bool = False

    # The optimiser
    optim: Literal["adamw_torch"] = "adamw_torch"
    learning_rate: float = Field(1e-4, gt=0, le=1)
    lr_scheduler_type: Scheduler = "cosine"
    warmup_ratio: float = Field(0.0, ge=0, le=1)
    warmup_steps: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    adam_beta2: float = Field(0.999, ge=0, lt=1)
    adam_epsilon: float = Field(1e-8, gt=0)
    max_grad_norm: float = Field(1.0, ge=0)

    # Watching and keeping
    logging_steps: int = Field(1, ge=1)
    save_steps: Annotated[int, Field(gt=0)] | None = None
    save_total_limit: int = Field(2, ge=1)
    eval_steps: Annotated[int, Field(gt=0)] | None = None
    early_stopping_patience: Annotated[int, Field(gt=0)] | None = None
    load_best: bool = False
    report_to: list[Tracker] = Field(default_factory=list)
    run_name: str | None = None

    # The machine
    seed: int = Field(42, ge=0, lt=2**32)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    attn_implementation: Literal["auto", "sdpa", "eager", "flash_attention_2"] = "auto"
    gradient_checkpointing: Literal["auto", "on", "off"] = "auto"
    engine: Literal["auto", "fused", "plain"] = "auto"
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$")
    num_processes: int = Field(1, ge=1)
    fsdp: Literal["auto", "on", "off"] = "auto"

    @field_validator("report_to", mode="before")
    @classmethod
    def _tracker_list(cls, value: Any) -> Any:
        """Accepts what users of transformers write: `none`, one name, or `a,b`."""
        if value is None:
            return []
        if isinstance(value, str):
            return [name.strip() for name in value.split(",") if name.strip() and name.strip() != "none"]
        return [name for name in value if name != "none"]

    @field_validator("gradient_checkpointing", "fsdp", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        """A YAML `true` or `on` means on."""
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _agree(self) -> TrainSpec:
        if (self.early_stopping_patience or self.load_best) and not (self.eval_dataset and self.eval_steps):
            key = "load_best" if self.load_best else "early_stopping_patience"
            problem = "early_stopping_patience and load_best need eval_dataset and eval_steps"
            raise PydanticCustomError("needs_evaluation", problem, {"key": key})
        if self.finetuning_type == "full" and self.adapter_name_or_path:
            problem = "full fine-tuning starts from a whole model: merge adapter_name_or_path first, or use lora"
            raise PydanticCustomError("full_from_adapter", problem, {"key": "finetuning_type"})
        if len(self.frozen) == 3:
            problem = "nothing is left to learn: one of freeze_vision_tower, … has to be false"
            raise PydanticCustomError("all_frozen", problem, {"key": "freeze_language_model"})
        return self

    @property
    def frozen(self) -> tuple[Part, ...]:
        """Parts of a vision model that do not learn."""
        switches: dict[Part, bool] = {
            "vision": self.freeze_vision_tower,
            "projector": self.freeze_multi_modal_projector,
            "language": self.freeze_language_model,
        }
        return tuple(part for part, frozen in switches.items() if frozen)

    @property
    def alpha(self) -> float:
        """LoRA's scale numerator: `lora_alpha`, twice the rank where it is not given (as LLaMA-Factory)."""
        return self.lora_alpha if self.lora_alpha is not None else 2.0 * self.lora_rank

    @property
    def rows_per_step(self) -> int:
        """Rows that one optimiser step learns from, over all processes."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps * self.num_processes

    def total_steps(self, rows: int) -> int:
        """Optimiser steps of the whole training on `rows` examples."""
        if self.max_steps:
            return self.max_steps
        per_epoch = -(-rows // self.rows_per_step)
        return max(1, math.ceil(round(self.num_train_epochs * per_epoch, 6)))

    def warmup(self, total: int) -> int:
        """Warm-up steps of `total`: `warmup_steps` where given, else `warmup_ratio` of the whole."""
        return self.warmup_steps or math.ceil(round(self.warmup_ratio * total, 6))

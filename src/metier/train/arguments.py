"""A spec as transformers' `TrainingArguments`. Trackers and telemetry are off unless the spec names a tracker."""

from __future__ import annotations

import os
from pathlib import Path

from transformers import TrainingArguments

from metier.train.model import Machine
from metier.train.spec import TrainSpec


def training_arguments(spec: TrainSpec, machine: Machine, folder: Path, total_steps: int) -> TrainingArguments:
    """The arguments for `total_steps` optimiser steps that keep everything in `folder`."""
    if machine.device.startswith("cuda:") and spec.num_processes == 1:
        os.environ["ACCELERATE_TORCH_DEVICE"] = machine.device
    evaluates = bool(spec.eval_dataset and spec.eval_steps)
    return TrainingArguments(
        output_dir=str(folder),
        # One item of the loader is a whole step: see `MetierTrainer`.
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        max_steps=total_steps,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=spec.lr_scheduler_type,
        warmup_steps=spec.warmup(total_steps),
        weight_decay=spec.weight_decay,
        adam_beta1=spec.adam_beta1,
        adam_beta2=spec.adam_beta2,
        adam_epsilon=spec.adam_epsilon,
        max_grad_norm=spec.max_grad_norm,
        optim="adamw_torch_fused",
        logging_strategy="steps",
        logging_steps=spec.logging_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=save_steps(spec, total_steps),
        eval_strategy="steps" if evaluates else "no",
        eval_steps=spec.eval_steps if evaluates else None,
        metric_for_best_model="eval_loss" if evaluates else None,
        greater_is_better=False if evaluates else None,
        activation_checkpointing=machine.gradient_checkpointing,
        save_only_model=True,  # checkpoints are ours and whole; this tells the Trainer not to write its own
        bf16=machine.dtype == "bfloat16",
        fp16=machine.dtype == "float16",
        use_cpu=machine.is_cpu,
        seed=spec.seed,
        ddp_backend="gloo" if machine.is_cpu and spec.num_processes > 1 else None,
        ddp_find_unused_parameters=machine.pictured,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        log_level="error",
        report_to="none",  # trackers.py has those that the spec names
    )


def connect(arguments: TrainingArguments) -> None:
    """Joins the processes, if there are several: what a model that is sharded needs before it is made."""
    _ = arguments.device


def save_steps(spec: TrainSpec, total_steps: int) -> int:
    """Steps between checkpoints: as given, else a tenth of the training."""
    return spec.save_steps or max(1, -(-total_steps // 10))

"""Puts a trainer together from spec, machine, model and rows."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_callback import ProgressCallback as BarCallback

from metier.core.errors import ConfigError
from metier.core.events import EventLog
from metier.core.i18n import translate
from metier.models import hardware
from metier.rendering.eyes.remembering import remembering
from metier.train import fused, sharding
from metier.train.batches import Layout, Steps
from metier.train.loss import Head, logits_loss
from metier.train.model import Machine
from metier.train.plan import RowOrder
from metier.train.progress import Progress
from metier.train.spec import TrainSpec
from metier.train.stopping import Stopper
from metier.train.trackers import trackers
from metier.train.trainer import MetierTrainer

if TYPE_CHECKING:
    from metier.rendering.eyes import Eyes
    from metier.train.step import Material

# Of the machine's memory, for what a frozen tower has seen, of all processes together.
_SIGHT_SHARE = 1 / 16


def build_trainer(
    spec: TrainSpec,
    machine: Machine,
    arguments: TrainingArguments,
    model: Any,
    material: Material,
    identity: str,
    events: EventLog,
    stopper: Stopper,
) -> MetierTrainer:
    """The trainer of this process, ready to run."""
    packing = machine.packing and can_pack(model)
    if machine.packing and not packing:
        events.emit("warning", message=translate("train.cannot_pack", model=material.resolved.reference))
    head = choose_head(spec, machine, model, events)
    layout = Layout(
        packing=packing,
        budget=machine.tokens_per_batch,
        rows=spec.per_device_train_batch_size,
        pad_id=material.renderer.pad_id,
        rank=int(os.environ.get("RANK", "0")),
        processes=int(os.environ.get("WORLD_SIZE", "1")),
        share=head is not logits_loss,
        eyes=choose_eyes(spec, machine, model, material),
    )
    if machine.fsdp:
        model = sharding.shard(model, machine)
    folder = Path(arguments.output_dir)
    examples = material.examples
    order = RowOrder(len(examples), spec.rows_per_step, spec.seed, shuffle=not spec.disable_shuffling)
    held = material.evaluation
    evaluation = replace(layout, rows=spec.per_device_eval_batch_size).batches(held) if held else []
    progress = Progress(events)
    trainer = MetierTrainer(
        model,
        arguments,
        Steps(examples, order, layout),
        folder=folder,
        identity=identity,
        stopper=stopper,
        evaluation=evaluation,
        keep=spec.save_total_limit,
        patience=spec.early_stopping_patience,
        keep_best=spec.load_best,
        head=head,
    )
    progress.trainer = trainer
    trainer.add_callback(progress)
    if layout.rank == 0:
        for tracker in trackers(spec, folder, identity):
            trainer.add_callback(tracker)
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(BarCallback)
    return trainer


def quiet() -> None:
    """Progress is told by events: the libraries' own bars and notes would run across them."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def choose_head(spec: TrainSpec, machine: Machine, model: Any, events: EventLog) -> Head:
    """Puts the engine room in where it fits; returns what turns the model's outputs into the loss."""
    if spec.engine == "plain" or machine.fsdp or machine.gradient_checkpointing or not machine.packing:
        return logits_loss
    reason = fused.fits(model)
    if reason is None:
        return fused.install(model)
    if spec.engine == "fused":
        raise ConfigError("train.engine_does_not_fit", reason=reason)
    events.emit("log", message=translate("train.plain_engine", reason=reason))
    return logits_loss


def choose_eyes(spec: TrainSpec, machine: Machine, model: Any, material: Material) -> Eyes | None:
    """What looks at the rows' pictures, if there are any: at each picture once, where nothing that looks learns."""
    eyes = material.renderer.eyes if material.pictured else None
    # A sharded tower cannot be asked apart from its model.
    if eyes is None or machine.fsdp or not {"vision", "projector"} <= set(spec.frozen):
        return eyes
    return remembering(eyes, model, int(hardware().memory * _SIGHT_SHARE / spec.num_processes))


def can_pack(model: Any) -> bool:
    """Whether rows of this model see each other through attention alone, so that bounded attention keeps them apart.

    Recurrent and convolutional layers carry state from token to token, past the bounds of attention.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return bool(getattr(base, "_supports_attention_backend", False)) and kinds <= {
        "full_attention",
        "sliding_attention",
    }

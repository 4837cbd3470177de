"""The training step, top to bottom: data, model, trainer, weights."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import ConfigError, InterruptedRunError
from metier.core.events import EventLog
from metier.core.files import fingerprint
from metier.train.checkpoints import Checkpoint, checkpoint_folder, newest_checkpoint, telling_full_disk, writing
from metier.train.examples import Renders, examples_sha256, load_examples
from metier.train.spec import TrainSpec
from metier.train.stopping import Stopper

if TYPE_CHECKING:
    from metier.rendering import Example

# What may change between an interruption and the next start: how it is watched and kept, not what is learnt.
_NOT_LEARNT = {"logging_steps", "save_steps", "save_total_limit", "report_to", "run_name"}


@dataclass(frozen=True)
class Material:
    """What is trained on: the resolved model, its renderer, and token rows for training and evaluation."""

    resolved: Any
    renderer: Renders
    examples: Sequence[Example]
    evaluation: Sequence[Example] = ()

    @property
    def pictured(self) -> bool:
        """Whether any row has a picture."""
        return any(example.pictures for rows in (self.examples, self.evaluation) for example in rows)


def run_train(spec: TrainSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Trains in `folder` and returns a summary; goes on from the newest checkpoint that verifies, if there is one.

    Writes `adapter/` (LoRA) or `model/` (full), `checkpoints/` and progress events. Raises InterruptedRunError after
    Ctrl-C (saved), DivergedError for a loss that is not a number, RunError for a full disk, DataError and ModelError
    for what cannot be trained on or from.
    """
    if spec.num_processes > 1:
        from metier.train.launch import launch

        return launch(spec, folder, events)
    return train(spec, folder, events, load_material(spec, events), Stopper())


def load_material(spec: TrainSpec, events: EventLog) -> Material:
    """Finds the model and renders the data."""
    from metier.models import resolve_model
    from metier.rendering import load_renderer

    if not spec.dataset:
        raise ConfigError("train.no_dataset")
    resolved = resolve_model(spec.model_name_or_path, spec.adapter_name_or_path, revision=spec.revision, events=events)
    renderer = load_renderer(resolved, template=spec.template)
    examples = load_examples(spec, spec.dataset, renderer, events)
    evaluation = load_examples(spec, spec.eval_dataset, renderer, events) if spec.eval_dataset else []
    return Material(resolved, renderer, examples, evaluation)


def train(spec: TrainSpec, folder: Path, events: EventLog, material: Material, stopper: Stopper) -> dict[str, Any]:
    """Trains on `material` in this process, which may be one of several."""
    from metier.train.arguments import connect, training_arguments
    from metier.train.model import build_model, choose_machine
    from metier.train.progress import one_curve
    from metier.train.setup import build_trainer, quiet

    quiet()
    started = time.perf_counter()
    rank = int(os.environ.get("RANK", "0"))
    events = events if rank == 0 else EventLog(None)
    identity = training_identity(spec, material)
    checkpoint = newest_checkpoint(folder, identity, events) if rank == 0 else None
    machine = choose_machine(spec, material.resolved, pictured=material.pictured)
    total = spec.total_steps(len(material.examples))
    arguments = training_arguments(spec, machine, folder, total)
    connect(arguments)
    model = build_model(spec, material.resolved, machine)
    trainer = build_trainer(spec, machine, arguments, model, material, identity, events, stopper)
    checkpoint = trainer.agree_on(checkpoint)
    done = checkpoint.step if checkpoint else 0
    one_curve(events, done)
    events.emit(
        "start",
        total=total,
        resumed=done,
        device=machine.device,
        dtype=machine.dtype,
        processes=spec.num_processes,
        sharded=trainer.sharded,
        engine=trainer.engine,
    )
    if checkpoint and checkpoint.finished:
        trainer.restore(checkpoint)
    else:
        with stopper.listening(), telling_full_disk(folder):
            trainer.run(checkpoint)
    if trainer.interrupted:
        step = trainer.state.global_step
        events.emit("end", outcome="interrupted", step=step, total=total)
        raise InterruptedRunError("train.interrupted", step=step, total=total, folder=checkpoint_folder(folder, step))
    summary = finish(spec, folder, trainer, material, checkpoint)
    summary["seconds"] = round(time.perf_counter() - started, 2)
    events.emit("end", outcome="finished", **summary)
    return summary


def training_identity(spec: TrainSpec, material: Material) -> str:
    """Fingerprint of all that decides what is learnt: a checkpoint of another training is never gone on from."""
    from metier.models import model_identity

    return fingerprint(
        {
            "spec": {key: value for key, value in spec.model_dump(mode="json").items() if key not in _NOT_LEARNT},
            "model": model_identity(material.resolved),
            "examples": examples_sha256(material.examples),
            "evaluation": examples_sha256(material.evaluation),
        }
    )


def finish(
    spec: TrainSpec, folder: Path, trainer: Any, material: Material, checkpoint: Checkpoint | None
) -> dict[str, Any]:
    """Writes the final weights, whole, and sums the training up."""
    from metier.models.adapters import write_base_record
    from metier.rendering.eyes.load import copy_settings
    from metier.train import weights
    from metier.train.model import parameter_counts

    best = trainer.best_step
    if spec.load_best and best is not None and best != trainer.state.global_step:
        trainer.load_best(checkpoint_folder(folder, best))
    trained, total = parameter_counts(trainer.unwrapped)
    tensors = weights.gather_weights(trainer.model)
    name = "adapter" if spec.finetuning_type == "lora" else "model"
    if trainer.args.process_index == 0:
        with writing(folder / name) as aside:
            weights.write_weights(trainer.unwrapped, tensors, aside)
            if name == "adapter":
                write_base_record(aside, material.resolved.folder, material.resolved.reference)
            else:
                material.renderer.tokenizer.save_pretrained(aside)
                copy_settings(material.resolved.folder, aside)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    evaluations = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    summary: dict[str, Any] = {
        "output": name,
        "steps": trainer.state.global_step,
        "total_steps": spec.total_steps(len(material.examples)),
        "rows": len(material.examples),
        "final_loss": losses[-1] if losses else None,
        "mean_loss": sum(losses) / len(losses) if losses else None,
        "train_tokens": trainer.tokens_seen,
        "train_seconds": round(trainer.seconds, 3),
        "tokens_per_second": round(trainer.tokens_seen / trainer.seconds, 1) if trainer.seconds else None,
        "trainable_parameters": trained,
        "total_parameters": total,
    }
    if evaluations:
        summary |= {"eval_loss": evaluations[-1], "best_eval_loss": min(evaluations)}
        summary["best_step"] = trainer.state.best_global_step
    return summary

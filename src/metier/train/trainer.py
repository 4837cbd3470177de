"""The Trainer: transformers' own, with steps of packed rows, checkpoints without pickles and exact resume.

What differs from `transformers.Trainer`, and why:

- a batch of the loader is a whole step (`batches.Step`): its micro-batches differ in number, and the loss is the mean
  over all labels of the step on all processes, which each process knows beforehand;
- checkpoints are whole folders (`checkpoints.py`) of safetensors and JSON; `optimizer.pt` and `rng_state.pth` are gone;
- the state between two logs is kept too, so that a resumed run reports the very same losses;
- a loss that is not a number stops the run before it reaches the weights.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from transformers import Trainer, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from metier.core.errors import DivergedError
from metier.train import checkpoints, sharding, state, weights
from metier.train.batches import MicroBatch, Step, Steps, step_loader
from metier.train.checkpoints import Checkpoint
from metier.train.loss import Head, logits_loss, loss_sum
from metier.train.stopping import Stopper


class MetierTrainer(Trainer):  # type: ignore[misc]
    """Trains on `Steps` in `folder`.

    evaluation: micro-batches of the evaluation set that this process computes; identity: fingerprint of all that
    decides what is learnt, written into checkpoints; keep: checkpoints kept, beside the best; stopper: asks for a stop.
    """

    def __init__(
        self,
        model: Any,
        arguments: TrainingArguments,
        steps: Steps,
        *,
        folder: Path,
        identity: str,
        stopper: Stopper,
        evaluation: list[MicroBatch] | None = None,
        keep: int = 2,
        patience: int | None = None,
        keep_best: bool = False,
        head: Head = logits_loss,
    ) -> None:
        super().__init__(model=model, args=arguments, train_dataset=steps, eval_dataset=evaluation)
        self.control: TrainerControl
        self.folder = folder
        self.identity = identity
        self.stopper = stopper
        self.evaluation = evaluation or []
        self.keep = keep
        self.patience = patience
        self.keep_best = keep_best
        self.head = head
        self.tokens_seen = 0
        self.seconds = 0.0
        self.interrupted = False
        self._resumed: Checkpoint | None = None

    # Running

    def run(self, checkpoint: Checkpoint | None) -> None:
        """Trains from the beginning or from `checkpoint`, to the end or to an interruption (`interrupted`)."""
        self._resumed = checkpoint
        if checkpoint is not None:
            self.tokens_seen = checkpoint.state["tokens"]
            self.seconds = checkpoint.state["seconds"]
            weights.replace_weights(self.model, checkpoint.folder)
        self.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes over a finished training: its weights and its record, without training again."""
        self.tokens_seen = checkpoint.state["tokens"]
        self.seconds = checkpoint.state["seconds"]
        self.state = TrainerState.load_from_json(str(checkpoint.folder / TRAINER_STATE_NAME))
        weights.replace_weights(self.model, checkpoint.folder)

    def load_best(self, folder: Path) -> None:
        """Replaces the weights by those of the checkpoint in `folder`. Collective where the model is sharded."""
        weights.replace_weights(self.model, folder)

    def agree_on(self, checkpoint: Checkpoint | None) -> Checkpoint | None:
        """The first process's choice of a checkpoint, for all."""
        if self.args.world_size == 1:
            return checkpoint
        chosen = torch.tensor([checkpoint.step if checkpoint else -1], device=self.args.device)
        distributed.broadcast(chosen, src=0)
        step = int(chosen.item())
        return checkpoints.read_checkpoint(self.folder, step) if step >= 0 else None

    def restore_log_window(self) -> None:
        """Called when training begins: goes on with the sum of losses that the checkpoint had not reported yet."""
        if self._resumed is not None:
            window = self._resumed.state["log_window"]
            self._tr_loss += window["loss"]
            self._globalstep_last_logged = window["since"]

    def get_train_dataloader(self) -> Any:
        return step_loader(self.train_dataset)

    def get_batch_samples(
        self, epoch_iterator: Iterator[Step], num_batches: int, device: Any
    ) -> tuple[list[Step], None]:
        step = next(epoch_iterator, None)
        return ([] if step is None else [step]), None

    def floating_point_ops(self, inputs: Any) -> int:
        return 0

    def training_step(self, model: Any, inputs: Step, num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward of all micro-batches of this process; returns this process's share of the loss."""
        started = time.perf_counter()
        if not model.training:
            model.train()
        # DDP and FSDP average gradients over processes; the loss is a mean over the labels of all of them.
        scale = self.args.world_size / max(1, inputs.loss_tokens)
        total = torch.zeros((), device=self.args.device)
        last = len(inputs.micro_batches) - 1
        for index, batch in enumerate(inputs.micro_batches):
            context = contextlib.nullcontext() if index == last else self._local_gradients(model)
            with context, self.compute_loss_context_manager():
                loss = loss_sum(model, batch.to(self.args.device), self.head) * scale
                self.accelerator.backward(loss)
            total += loss.detach()
        self._agree(total)
        self.tokens_seen += inputs.tokens
        self.seconds += time.perf_counter() - started
        return total

    def _local_gradients(self, model: Any) -> contextlib.AbstractContextManager[None]:
        """Within it, gradients are not exchanged between processes: the last micro-batch does it for all."""
        if sharding.is_sharded(model):
            return sharding.keeping_gradients(model)
        return self.accelerator.no_sync(model=model)  # type: ignore[no-any-return,unused-ignore]

    def _agree(self, loss: torch.Tensor) -> None:
        """All processes learn whether any of them diverged or was asked to stop, so that all act alike."""
        diverged, stop = not math.isfinite(loss.item()), self.stopper.asked()
        if self.args.world_size > 1:
            flags = torch.tensor([float(diverged), float(stop)], device=self.args.device)
            distributed.all_reduce(flags, op=distributed.ReduceOp.MAX)
            diverged, stop = (bool(flag) for flag in flags.tolist())
        self.stopper.agreed = stop
        if diverged:
            self.raise_diverged()

    def raise_diverged(self) -> None:
        """Raises DivergedError naming the step and the newest checkpoint."""
        steps = checkpoints.checkpoint_steps(self.folder)
        raise DivergedError(
            "train.diverged" if steps else "train.diverged_early",
            step=self.state.global_step + 1,
            kept=steps[-1] if steps else 0,
            rate=f"{self._get_learning_rate():g}",
        )

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> float:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        value = float(state.whole(norm).item() if isinstance(norm, torch.Tensor) else norm)
        # With fp16 loss scaling an infinite gradient is expected now and then: the scaler skips that step.
        if not math.isfinite(value) and self.accelerator.scaler is None:
            self.raise_diverged()
        return value

    # Evaluation

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Mean loss over all labels of the evaluation set, over all processes."""
        model = self.model_wrapped
        model.eval()
        totals = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        with torch.no_grad(), self.compute_loss_context_manager():
            for batch in self.evaluation:
                totals[0] += loss_sum(model, batch.to(self.args.device), self.head).double()
                totals[1] += len(batch.targets)
        if self.args.world_size > 1:
            distributed.all_reduce(totals)
        model.train()
        metrics = {"eval_loss": (totals[0] / totals[1].clamp(min=1)).item()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        better = bool(super()._determine_best_metric(metrics, trial))
        if better and self.keep_best:
            self.control.should_save = True
        if self.patience and self._evaluations_without_gain() >= self.patience:
            self.control.should_training_stop = True
            self.control.should_save = True
        return better

    def _evaluations_without_gain(self) -> int:
        losses = [entry["eval_loss"] for entry in self.state.log_history if "eval_loss" in entry]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0

    # Checkpoints

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        step = self.state.global_step
        tensors = weights.gather_weights(self.model)
        optimizer = state.optimizer_tensors(self.model, self.optimizer)
        rng = state.rng_tensors(self.args.device)
        if self.args.process_index == 0:
            target = checkpoints.checkpoint_folder(self.folder, step)
            with checkpoints.writing(target) as aside:
                weights.write_weights(self.unwrapped, tensors, aside)
                state.write_tensors(optimizer, aside / state.OPTIMIZER)
                state.write_tensors(rng, aside / state.RNG)
                self.state.save_to_json(str(aside / TRAINER_STATE_NAME))
                checkpoints.write_state(aside, self._position())
            checkpoints.remove_old(self.folder, keep=self.keep, best=self.best_step)
        if self.args.world_size > 1:
            distributed.barrier()

    def _position(self) -> dict[str, Any]:
        scaler = self.accelerator.scaler
        return {
            "identity": self.identity,
            "step": self.state.global_step,
            "epoch": self.state.epoch,
            "finished": self.control.should_training_stop and not self.interrupted,
            "tokens": self.tokens_seen,
            "seconds": self.seconds,
            "log_window": {"loss": self._tr_loss.item(), "since": self._globalstep_last_logged},
            "scheduler": state.scheduler_state(self.lr_scheduler),
            "scaler": scaler.state_dict() if scaler is not None else None,
        }

    @property
    def best_step(self) -> int | None:
        """Step with the lowest evaluation loss so far, if its weights are to be kept."""
        return self.state.best_global_step if self.keep_best else None

    @property
    def sharded(self) -> bool:
        """Whether each process holds a part of the model only."""
        return sharding.is_sharded(self.model)

    @property
    def engine(self) -> str:
        """Which engine computes: `fused` or `plain`."""
        return "plain" if self.head is logits_loss else "fused"

    @property
    def unwrapped(self) -> Any:
        """The model without the wrappers of DDP or compilation."""
        return self.accelerator.unwrap_model(self.model, keep_torch_compile=False)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Nothing: `run` has loaded the weights, before anything was wrapped or sharded."""

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self._resumed is None:
            return
        optimizer: Any = getattr(self.optimizer, "optimizer", self.optimizer)
        state.load_optimizer(self.model, optimizer, self._resumed.folder)
        schedule = self._resumed.state["scheduler"]
        # The functions of a schedule are made anew from the spec; None tells torch to leave them as they are.
        self.lr_scheduler.load_state_dict({**schedule, "lr_lambdas": [None] * len(schedule["base_lrs"])})
        # Loading a schedule does not hand its rate to the optimiser.
        for group, rate in zip(optimizer.param_groups, schedule["_last_lr"], strict=True):
            group["lr"] = rate

    def _load_scaler(self, checkpoint: str | None) -> None:
        if self._resumed is not None and self.accelerator.scaler is not None and self._resumed.state["scaler"]:
            self.accelerator.scaler.load_state_dict(self._resumed.state["scaler"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if self._resumed is not None:
            state.load_rng(self._resumed.folder, self.args.device, self.args.process_index)

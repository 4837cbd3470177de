"""The Trainer's callback that writes `events.jsonl` and carries out requests to stop."""

from __future__ import annotations

import time
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from metier.core.events import EVENTS, EventLog
from metier.core.files import read_jsonl, write_text
from metier.train.trainer import MetierTrainer


class Progress(TrainerCallback):  # type: ignore[misc]
    """Emits one `progress` event a report, with the evaluation of the same step in it."""

    def __init__(self, events: EventLog) -> None:
        self.events = events
        self.trainer: MetierTrainer
        self._pending: dict[str, Any] = {}
        self._mark = (0.0, 0)
        self._began = (0.0, 0)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.trainer.restore_log_window()
        now = time.perf_counter()
        self._mark = (now, self.trainer.tokens_seen)
        self._began = (now, state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.trainer.stopper.agreed and not control.should_training_stop:
            self.trainer.interrupted = True
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        if "train_runtime" in logs:  # the Trainer's summary at the end; ours says more
            return
        self._pending |= {
            name: logs[name] for name in ("loss", "learning_rate", "grad_norm", "eval_loss") if name in logs
        }
        if "eval_loss" in logs or not control.should_evaluate:
            self._emit(state)

    def _emit(self, state: TrainerState) -> None:
        now = time.perf_counter()
        then, tokens = self._mark
        start, first = self._began
        done = state.global_step - first
        seconds_per_step = (now - start) / done if done else 0.0
        self.events.emit(
            "progress",
            step=state.global_step,
            total=state.max_steps,
            epoch=round(state.epoch or 0.0, 4),
            **self._pending,
            tokens=self.trainer.tokens_seen,
            tokens_per_second=round((self.trainer.tokens_seen - tokens) / max(now - then, 1e-9), 1),
            eta_seconds=round(seconds_per_step * (state.max_steps - state.global_step), 1),
            memory_bytes=memory_bytes(),
        )
        self._mark = (now, self.trainer.tokens_seen)
        self._pending = {}


def memory_bytes() -> int:
    """Memory in use: the most that torch held on a GPU, else resident memory of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


def one_curve(events: EventLog, step: int) -> None:
    """Takes back progress that the checkpoint of `step` does not have: those steps are done, and told, again."""
    if events.path is None or not events.path.exists():
        return
    import json

    kept = [
        row for row in read_jsonl(events.path) if not (row.get("event") == "progress" and row.get("step", 0) > step)
    ]
    write_text(events.path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))


__all__ = ["EVENTS", "Progress", "memory_bytes", "one_curve"]

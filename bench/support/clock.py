"""The callback that times a peer's training loop and counts what it sees. Runs in the peer's environment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

IGNORED = -100


class Clock(TrainerCallback):
    """Wall and processor seconds from the loop's beginning to the end of its last step; tokens of one epoch's rows."""

    def __init__(self) -> None:
        self.record: dict[str, Any] = {"losses": []}
        self.began = (0.0, 0.0)

    def on_train_begin(self, args: Any, state: Any, control: Any, **extra: Any) -> None:
        rows = extra["train_dataloader"].dataset
        self.record["sequences"] = len(rows)
        self.record["tokens"] = sum(len(row["input_ids"]) for row in rows)
        self.record["labels"] = sum(_labels(row) for row in rows)
        self.record["longest"] = max(len(row["input_ids"]) for row in rows)
        self.began = (time.perf_counter(), time.process_time())

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.record["losses"].append(logs["loss"])

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.record["steps"] = state.global_step
        self.record["loop_seconds"] = time.perf_counter() - self.began[0]
        self.record["loop_processor"] = time.process_time() - self.began[1]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.record), encoding="utf-8")


def _labels(row: Any) -> int:
    """Tokens that carry loss: as labels, or as the mask that TRL's collator makes labels of."""
    if "labels" in row:
        return sum(label != IGNORED for label in row["labels"])
    return sum(row.get("completion_mask") or [1] * len(row["input_ids"]))

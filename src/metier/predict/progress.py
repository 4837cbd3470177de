"""How far a prediction is, how fast, and what it came to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from metier.core.errors import InterruptedRunError
from metier.core.events import EventLog

# Progress is told this often: often enough to watch, seldom enough not to fill the file.
_EVERY_SECONDS = 1.0


class Progress:
    """Counts answers and tokens of this process.

    total: rows of the dataset; done: ids answered by an earlier process; preparation_seconds: until the first prompt.
    """

    def __init__(self, events: EventLog, *, total: int, done: Collection[int], preparation_seconds: float) -> None:
        self.events = events
        self.total = total
        self.resumed = len(done)
        self.preparation_seconds = preparation_seconds
        self.rows = 0
        self.batches = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self._began = time.monotonic()
        self._told = 0.0
        events.emit("start", total=total, resumed=self.resumed)

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self._began, 1e-9)

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Counts finished rows and tells about it."""
        self.rows += len(rows)
        self.batches += 1
        self.prompt_tokens += sum(row["prompt_tokens"] for row in rows)
        self.completion_tokens += sum(row["completion_tokens"] for row in rows)
        now = time.monotonic()
        if now - self._told >= _EVERY_SECONDS or self.done == self.total:
            self._told = now
            self.events.emit("progress", step=self.done, total=self.total, eta_seconds=self._eta(), **self._speeds())

    @property
    def done(self) -> int:
        return self.resumed + self.rows

    def interrupted(self) -> InterruptedRunError:
        """The error to raise on Ctrl-C; the end is told."""
        error = InterruptedRunError("predict.interrupted", done=self.done, total=self.total)
        self.events.emit("end", outcome="interrupted", step=self.done, total=self.total)
        return error

    def summary(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Counts over all rows; speeds over those of this process. `predict_*` as LLaMA-Factory writes them.

        A step, in `predict_steps_per_second`, is a batch of answers that ended together.
        """
        seconds = self.seconds
        result = {
            "rows": len(rows),
            "resumed_rows": self.resumed,
            "prompt_tokens": sum(row["prompt_tokens"] for row in rows),
            "completion_tokens": sum(row["completion_tokens"] for row in rows),
            "finish_reasons": dict(sorted(Counter(row["finish_reason"] for row in rows).items())),
            "empty": sum(not row["predict"].strip() for row in rows),
            **self._speeds(),
            "predict_model_preparation_time": round(self.preparation_seconds, 4),
            "predict_runtime": round(seconds, 4),
            "predict_samples_per_second": round(self.rows / seconds, 3),
            "predict_steps_per_second": round(self.batches / seconds, 3),
        }
        self.events.emit("end", outcome="finished", **result)
        return result

    def _speeds(self) -> dict[str, float]:
        return {
            "rows_per_second": round(self.rows / self.seconds, 3),
            "tokens_per_second": round((self.prompt_tokens + self.completion_tokens) / self.seconds, 1),
            "completion_tokens_per_second": round(self.completion_tokens / self.seconds, 1),
        }

    def _eta(self) -> float:
        return round((self.total - self.done) * self.seconds / max(self.rows, 1), 1)

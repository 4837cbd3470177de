"""A training's measures by step, kept as columns while the job goes on."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from metier.workbench.live import Feed

MEASURES = ("loss", "learning_rate", "tokens", "tokens_per_second", "memory_bytes", "grad_norm")
_KEPT = 32  # jobs whose curves are remembered


class Curves:
    """The curves of one training. What an attempt repeated after a kill counts once, the later one."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.steps: list[int] = []
        self.columns: dict[str, list[float | None]] = {name: [] for name in MEASURES}
        self.eval_steps: list[int] = []
        self.eval_loss: list[float] = []
        self.resumed: list[int] = []

    def add(self, event: dict[str, Any]) -> None:
        """Takes one event of the job in; those that are not the training's change nothing."""
        if event.get("of") != "train":
            return
        if event["event"] == "start" and isinstance(event.get("resumed"), int):
            self._go_back(event["resumed"])
            self.total = event.get("total", self.total)
        elif event["event"] == "progress" and isinstance(event.get("step"), int):
            self.total = event.get("total", self.total)
            if _is_number(event.get("loss")):
                self._put(event["step"], event)
            if _is_number(event.get("eval_loss")):
                _place(self.eval_steps, event["step"], [(self.eval_loss, float(event["eval_loss"]))])

    def _go_back(self, step: int) -> None:
        keep = bisect_right(self.steps, step)
        del self.steps[keep:]
        for column in self.columns.values():
            del column[keep:]
        keep = bisect_right(self.eval_steps, step)
        del self.eval_steps[keep:], self.eval_loss[keep:]
        self.resumed = [one for one in self.resumed if one < step] + ([step] if step else [])

    def _put(self, step: int, event: dict[str, Any]) -> None:
        if not self.steps or step > self.steps[-1]:  # as it nearly always is
            self.steps.append(step)
            for name, column in self.columns.items():
                column.append(_number(event.get(name)))
            return
        _place(self.steps, step, [(column, _number(event.get(name))) for name, column in self.columns.items()])

    def view(self, most: int | None = None) -> dict[str, Any]:
        """Columns to be drawn: `steps`, the measures, `eval_steps`, `eval_loss`, `total`, `resumed` (steps at which
        an attempt went on), `points` (how many there are). most: of longer curves, about so many points, among them
        the highest and lowest of each stretch."""
        chosen = range(len(self.steps))
        thinned = most is not None and len(self.steps) > most
        at = _extremes(self.columns["loss"], max(1, (most or 2) // 2)) if thinned else chosen
        return {
            "steps": [self.steps[index] for index in at],
            **{name: [column[index] for index in at] for name, column in self.columns.items()},
            "eval_steps": list(self.eval_steps),
            "eval_loss": list(self.eval_loss),
            "total": self.total,
            "resumed": list(self.resumed),
            "points": len(self.steps),
        }


class CurveBook:
    """The curves of the jobs that were looked at lately; only what is new since is read again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[threading.Lock, Feed, Curves]] = OrderedDict()

    def view(self, folder: Path, most: int | None = None) -> dict[str, Any]:
        """The job's curves as they are now; `position` is how far its events were read."""
        with self._lock:
            kept = self._kept.setdefault(folder.name, (threading.Lock(), Feed(folder), Curves()))
            self._kept.move_to_end(folder.name)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        lock, feed, found = kept
        with lock:
            for message in feed.read_events():
                found.add(message.value)
            return {**found.view(most), "position": feed.events}


def curves(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The columns of a training that told these events."""
    found = Curves()
    for event in events:
        found.add(event)
    return found.view()


def _place(keys: list[int], key: int, values: list[tuple[list[Any], Any]]) -> None:
    """Puts a row where its key belongs, in place of one with the same key."""
    at = bisect_left(keys, key)
    if at < len(keys) and keys[at] == key:
        for column, value in values:
            column[at] = value
        return
    keys.insert(at, key)
    for column, value in values:
        column.insert(at, value)


def _extremes(values: list[float | None], stretches: int) -> list[int]:
    """Indices of the first, the last, and of each stretch's highest and lowest value."""
    size = len(values)
    chosen = {0, size - 1}
    for number in range(stretches):
        stretch = range(number * size // stretches, (number + 1) * size // stretches)
        if stretch:
            chosen.add(min(stretch, key=lambda index: values[index] or 0.0))
            chosen.add(max(stretch, key=lambda index: values[index] or 0.0))
    return sorted(chosen)


def _number(value: Any) -> float | None:
    return value if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

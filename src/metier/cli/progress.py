"""Live progress on standard error: a bar in a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from metier.core.i18n import has_text, translate


class Display:
    """Listens to events. Use as a context manager, and pass it as a listener."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._step = ""
        self._spoken = 0.0

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description:<14}"),
                BarColumn(bar_width=28),
                MofNCompleteColumn(),
                TextColumn("{task.fields[measures]}"),
                TimeElapsedColumn(),
                console=self.console,
            )
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "step":
            self._step = event["name"]
            # Without a bar, a step speaks every ten seconds: short ones not at all.
            self._task, self._spoken = None, time.monotonic()
            if not self._bar:
                self.console.print(f"── {step_label(self._step)}")
        elif kind == "progress":
            self._progress(event)
        elif kind in ("log", "warning"):
            colour = "yellow" if kind == "warning" else "dim"
            self.console.print(str(event.get("message", "")), style=colour, markup=False)

    def _progress(self, event: dict[str, Any]) -> None:
        step, total = event.get("step") or 0, event.get("total") or None
        measures = _measures(event)
        if self._bar:
            if self._task is None:
                self._task = self._bar.add_task(step_label(self._step), total=total, measures=measures)
            self._bar.update(self._task, completed=step, total=total, measures=measures)
        elif time.monotonic() - self._spoken > 10:
            self._spoken = time.monotonic()
            self.console.print(f"   {step}/{total or '?'}  {measures}", markup=False)


def step_label(name: str) -> str:
    """A step's name in the user's language."""
    key = f"cli.step_{name}"
    return translate(key) if has_text(key) else name


def _measures(event: dict[str, Any]) -> str:
    parts = []
    if isinstance(event.get("loss"), int | float):
        parts.append(f"loss {event['loss']:.3f}")
    if isinstance(event.get("eval_loss"), int | float):
        parts.append(f"eval {event['eval_loss']:.3f}")
    if isinstance(event.get("tokens_per_second"), int | float):
        parts.append(f"{event['tokens_per_second']:.0f} tok/s")
    if isinstance(event.get("eta_seconds"), int | float):
        parts.append(translate("cli.left", time=clock(event["eta_seconds"])))
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """`m:ss` or `h:mm:ss`."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

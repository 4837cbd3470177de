"""A job's record as it grows: events and log lines, from any place on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metier.workbench import layout

_MOST = 1 << 20  # bytes that are read at once
_HEAD = 4_000  # points that a curve is thinned to for a first look


@dataclass
class Feed:
    """Reads what is new in a job's folder. events, log: bytes that were read already; together they are `position`,
    which a later reader can begin from."""

    folder: Path
    events: int = 0
    log: int = 0
    _log_size: int = field(default=0, repr=False)

    @property
    def position(self) -> str:
        """Where the next reading begins: `e<bytes>.l<bytes>`."""
        return f"e{self.events}.l{self.log}"

    def seek(self, position: str) -> None:
        """Goes to a position that was given out earlier; anything else begins at the start."""
        first, _, second = position.partition(".")
        if first[:1] == "e" and first[1:].isdigit() and second[:1] == "l" and second[1:].isdigit():
            self.events, self.log = int(first[1:]), int(second[1:])

    def read(self) -> tuple[list[dict[str, Any]], list[str]]:
        """New events and new whole log lines."""
        events, self.events = _new_lines(self.folder / layout.EVENTS, self.events)
        lines, self.log = _new_lines(self.folder / layout.LOG, self.log)
        return [parsed for line in events if (parsed := _parse(line)) is not None], lines


def _new_lines(path: Path, start: int) -> tuple[list[str], int]:
    """Whole lines behind `start`, and where they end. A file that became shorter is read from its beginning."""
    try:
        size = path.stat().st_size
        if size == start:
            return [], start
        with path.open("rb") as source:
            source.seek(0 if size < start else start)
            begin = source.tell()
            block = source.read(_MOST)
    except OSError:
        return [], start
    end = block.rfind(b"\n") + 1
    if end == 0 and len(block) == _MOST:
        end = len(block)  # a line without end: passed on in pieces
    lines = block[:end].decode("utf-8", "replace").splitlines()
    return lines, begin + end


def _parse(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def all_events(folder: Path) -> list[dict[str, Any]]:
    """Every event of a job so far."""
    feed = Feed(folder)
    found: list[dict[str, Any]] = []
    while True:
        before = feed.events
        events, _ = feed.read()
        found += events
        if feed.events == before:
            return found


def curves(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The training's measures by step, as columns. What an attempt repeated after a kill counts once, the later one.

    Keys: `steps`, `loss`, `learning_rate`, `tokens_per_second`, `memory_bytes`; `eval_steps`, `eval_loss`; `total`.
    """
    points: dict[int, dict[str, Any]] = {}
    evaluations: dict[int, float] = {}
    total = None
    for event in events:
        if event.get("of") != "train":
            continue
        step = event.get("step")
        if event["event"] == "start" and isinstance(event.get("resumed"), int):
            points = {at: point for at, point in points.items() if at <= event["resumed"]}
            evaluations = {at: loss for at, loss in evaluations.items() if at <= event["resumed"]}
            total = event.get("total", total)
        elif event["event"] == "progress" and isinstance(step, int):
            if isinstance(event.get("loss"), int | float):
                points[step] = event
            if isinstance(event.get("eval_loss"), int | float):
                evaluations[step] = float(event["eval_loss"])
            total = event.get("total", total)
    steps = sorted(points)
    names = ("loss", "learning_rate", "tokens_per_second", "memory_bytes", "grad_norm")
    columns = {name: [points[step].get(name) for step in steps] for name in names}
    eval_steps = sorted(evaluations)
    return {
        "steps": steps,
        **columns,
        "eval_steps": eval_steps,
        "eval_loss": [evaluations[step] for step in eval_steps],
        "total": total,
    }


def latest_progress(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest progress event, or nothing."""
    return next((event for event in reversed(events) if event.get("event") == "progress"), {})

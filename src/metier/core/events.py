"""The append-only record of a step: one JSON object a line in `events.jsonl`.

Faces (terminal, later web) listen or read the file; steps only emit. Standard fields: `time` (UTC, ISO), `event`
(`start` `progress` `log` `warning` `end`), and for progress `step`, `total`, `eta_seconds`, and what the step measures.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from metier.core.files import append_jsonl, read_jsonl

EVENTS = "events.jsonl"
Listener = Callable[[dict[str, Any]], None]


class EventLog:
    """Emits events to a file and to listeners.

    path: `events.jsonl`, or None to emit to listeners only; listeners: called in order with each event.
    """

    def __init__(self, path: Path | None, listeners: tuple[Listener, ...] = ()) -> None:
        self.path = path
        self.listeners = listeners

    def emit(self, event: str, /, **fields: Any) -> dict[str, Any]:
        """Appends one event and returns it."""
        record: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
            **fields,
        }
        record = cast("dict[str, Any]", json.loads(json.dumps(record, default=str)))
        if self.path is not None:
            append_jsonl(self.path, [record])
        for listener in self.listeners:
            listener(record)
        return record


def read_events(folder: Path) -> list[dict[str, Any]]:
    """All events of the step in `folder`."""
    return read_jsonl(folder / EVENTS)

"""One `metier train`, as the command itself, with its loop timed as the peers' loops: `run_metier.py settings.json`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from metier.cli import main as metier
from metier.core.events import EventLog


def main() -> int:
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    marks: list[tuple[float, float, dict[str, Any]]] = []
    emit = EventLog.emit

    def timed(self: EventLog, event: str, /, **fields: Any) -> dict[str, Any]:
        record = emit(self, event, **fields)
        marks.append((time.perf_counter(), time.process_time(), record))
        return record

    EventLog.emit = timed  # type: ignore[method-assign]
    code = metier(given["command"])
    started = next(mark for mark in marks if mark[2]["event"] == "start" and "device" in mark[2])
    steps = [mark for mark in marks if mark[2]["event"] == "progress" and "loss" in mark[2]]
    ended = next(mark[2] for mark in marks if mark[2]["event"] == "end" and mark[2].get("outcome") == "finished")
    record = {
        "tokens": ended["train_tokens"],
        "steps": len(steps),
        "loop_seconds": steps[-1][0] - started[0],
        "loop_processor": steps[-1][1] - started[1],
        "losses": [mark[2]["loss"] for mark in steps],
        "adapter": str(next(Path(given["output"]).rglob("adapter"))),
    }
    Path(given["result"]).write_text(json.dumps(record), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())

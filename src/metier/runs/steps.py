"""A step: a function from a spec and inputs to files. What `done.json` proves is not done again.

A step's folder holds `spec.json` (spec, inputs and their fingerprint, written at the start), `events.jsonl`, what the
step makes, and at last `done.json`. The same fingerprint with `done.json`: skipped. Without it: the step goes on where
it stopped. Another fingerprint: what lies there belongs to other inputs and is put away before the step starts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.events import EVENTS, EventLog, Listener
from metier.core.files import fingerprint, folder_lock, read_json, sha256_file, write_json
from metier.core.specs import Spec

SPEC = "spec.json"
DONE = "done.json"
VERSION = 1  # of what steps write; a higher one makes old results stale


@dataclass(frozen=True)
class Step:
    """One piece of work. `run`: `(folder, events) -> summary`; `inputs`: what the result depends on besides the
    spec, as JSON-able identities or paths of files (which are hashed)."""

    name: str
    kind: str
    spec: Spec
    run: Callable[[Path, EventLog], dict[str, Any]]
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepResult:
    """What a step gave. `skipped`: an earlier execution had done it already; `seconds`: how long that took."""

    name: str
    folder: Path
    summary: dict[str, Any]
    skipped: bool
    seconds: float


def run_step(step: Step, folder: Path, *, listeners: tuple[Listener, ...] = ()) -> StepResult:
    """Runs `step` in `folder`, or returns what an earlier execution of the same spec and inputs gave."""
    with folder_lock(folder):
        inputs = {name: _identity(value) for name, value in step.inputs.items()}
        wanted = {"version": VERSION, "kind": step.kind, "spec": step.spec.model_dump(mode="json"), "inputs": inputs}
        mark = fingerprint(wanted)
        done = _read(folder / DONE)
        if done and done.get("fingerprint") == mark:
            return StepResult(step.name, folder, done["summary"], True, done["seconds"])
        begun = _read(folder / SPEC)
        if (begun and begun.get("fingerprint") != mark) or done:
            _put_away(folder)
            begun = None
        if not begun:
            write_json(folder / SPEC, {**wanted, "fingerprint": mark})
        started = time.monotonic()
        events = EventLog(folder / EVENTS, listeners)
        summary = step.run(folder, events)
        seconds = round(time.monotonic() - started, 3)
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(folder / DONE, {"fingerprint": mark, "ended": ended, "seconds": seconds, "summary": summary})
        return StepResult(step.name, folder, summary, False, seconds)


def reopen(folder: Path) -> None:
    """Makes a step run again, although it was done: what it made elsewhere is no longer there."""
    (folder / DONE).unlink(missing_ok=True)


def _identity(value: Any) -> Any:
    if not isinstance(value, Path):
        return value
    if not value.is_file():
        raise DataError("runs.no_input", file=value)
    return {"sha256": sha256_file(value)}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = read_json(path)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _put_away(folder: Path) -> None:
    """Removes everything but the lock that this process holds."""
    for path in folder.iterdir():
        if path.name == ".lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

"""Training: supervised fine-tuning with LoRA or of all weights, on packed rows, with exact resume.

`TrainSpec` says what is trained and how; `run_train` does it in a folder and goes on there after any interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metier.train.spec import TrainSpec

if TYPE_CHECKING:
    from pathlib import Path

    from metier.core.events import EventLog

__all__ = ["TrainSpec", "run_train"]


def run_train(spec: TrainSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Trains as `spec` says in `folder`; see `metier.train.step.run_train`. Imports torch when called."""
    from metier.train.step import run_train as run

    return run(spec, folder, events)

"""Prediction: a model answers every row of a dataset, and each answer is kept as soon as it is there.

`PredictSpec` says which model answers what and how; `run_predict` does it in a folder and goes on there after a kill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metier.predict.spec import PredictSpec

if TYPE_CHECKING:
    from pathlib import Path

    from metier.core.events import EventLog

__all__ = ["PredictSpec", "run_predict"]


def run_predict(spec: PredictSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Answers the dataset of `spec` into `folder`; see `metier.predict.step.run_predict`. Imports torch when called."""
    from metier.predict.step import run_predict as run

    return run(spec, folder, events)

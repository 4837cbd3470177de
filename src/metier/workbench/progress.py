"""Where a job is: the step of its recipe, how far it has come, and the time that is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metier.workbench.live import newest_events
from metier.workbench.store.tables import Job

FIGURES = ("step", "loss", "eval_loss", "learning_rate", "tokens_per_second", "rows_per_second", "memory_bytes")


@dataclass(frozen=True)
class Progress:
    """step: the name of the step at work; done, total: of its units, such as optimizer steps or rows;
    unit: `bytes` while the model is being fetched; left_seconds: until this step ends; figures: what it last
    measured."""

    step: str = ""
    done: float | None = None
    total: float | None = None
    unit: str = ""
    left_seconds: float | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How much of the step is done, 0 to 1."""
        return min(1.0, (self.done or 0) / self.total) if self.total else 0.0


def progress_of(folder: Path) -> Progress:
    """Where the job of this folder was when it last told something."""
    step, told = "", None
    for event in newest_events(folder):
        if event["event"] == "step" and event.get("name") != step:
            step, told = str(event.get("name")), None
        elif event["event"] == "progress":
            told = event
            step = str(event.get("of") or step)
    if told is None:
        return Progress(step)
    return Progress(
        step=step,
        done=told.get("step"),
        total=told.get("total"),
        unit=str(told.get("unit") or ""),
        left_seconds=_left(told),
        figures={name: told[name] for name in FIGURES if told.get(name) is not None},
    )


def _left(told: dict[str, Any]) -> float | None:
    eta = told.get("eta_seconds")
    if not isinstance(eta, int | float):
        return None
    try:
        age = (datetime.now(UTC) - datetime.fromisoformat(str(told["time"]))).total_seconds()
    except (KeyError, ValueError, TypeError):
        age = 0.0
    return max(0.0, eta - max(0.0, age))


def plan_of(job: Job) -> list[str]:
    """The steps of a job in order, by name. A job that is one step has one."""
    if job.kind == "score":
        sides = ("-base", "-tuned") if job.spec["asked"].get("base_model_name_or_path") else ("",)
        compared = ["compare", "report"] if len(sides) > 1 else []
        return [*(f"predict{side}" for side in sides), *(f"evaluate{side}" for side in sides), *compared]
    if job.kind != "recipe":
        return [job.kind]
    data = job.spec["asked"].get("data") or {}
    guard = bool(data.get("guard"))
    documents = bool((job.spec["asked"].get("index") or {}).get("knowledge"))
    return [
        *(["index"] if documents else []),
        *([] if data.get("test") else ["split"]),
        "prepare",
        "predict-base",
        *(["guard-base"] if guard else []),
        "train",
        "predict-tuned",
        *(["guard-tuned"] if guard else []),
        "evaluate-base",
        "evaluate-tuned",
        "compare",
        "report",
        *(["prove"] if (job.spec["asked"].get("prove") or {}).get("specialist") else []),
    ]


def has_training(job: Job) -> bool:
    """Whether there is a loss to be drawn."""
    return job.kind in ("train", "recipe")

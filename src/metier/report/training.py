"""The training as its events tell it: the loss curve and a few figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from metier.report.charts import smoothed, thinned
from metier.report.charts.scale import finite, is_number
from metier.report.inputs import StepFacts

Point = tuple[float, float]
_SUMMARY = {
    "trainable_parameters": ("trainable_parameters", "trainable", "trainable_params"),
    "total_parameters": ("total_parameters", "parameters", "all_parameters"),
    "stopped_early": ("stopped_early",),
}


def training(facts: StepFacts | None) -> dict[str, Any] | None:
    """Curves (thinned for drawing) and figures; None without any recorded step."""
    if facts is None:
        return None
    progress = [event for event in facts.events if event.get("event") == "progress" and is_number(event.get("step"))]
    loss, evaluated = _points(progress, "loss"), _points(progress, "eval_loss")
    if not loss and not evaluated:
        return None
    smooth = smoothed(loss)
    return {
        "curve": {
            "points": len(loss),
            "loss": _rounded(thinned(loss)),
            "smoothed": _rounded(thinned(smooth)),
            "eval": _rounded(thinned(evaluated)),
        },
        "starts": sum(event.get("event") == "start" for event in facts.events),
        "steps": int(max(float(event["step"]) for event in progress)),
        "total_steps": _last(progress, "total"),
        "epochs": _last(progress, "epoch"),
        "first_loss": smooth[0][1] if smooth else None,
        "last_loss": smooth[-1][1] if smooth else None,
        "best_eval_loss": min((y for _, y in evaluated), default=None),
        "tokens_per_second": _median(event.get("tokens_per_second") for event in progress),
        "memory_bytes": max(finite([event.get("memory_bytes") for event in progress]), default=None),
        "seconds": facts.seconds if facts.seconds is not None else _span(facts.events),
        **{name: _first(facts.summary, keys) for name, keys in _SUMMARY.items()},
        "parameters": facts.spec,
    }


def _points(progress: list[dict[str, Any]], key: str) -> list[Point]:
    """(step, value) in order; a step repeated after a resume counts as it was the last time."""
    latest = {float(event["step"]): float(event[key]) for event in progress if is_number(event.get(key))}
    return sorted(latest.items())


def _rounded(points: Sequence[Point]) -> list[list[float]]:
    return [[round(x, 1), round(y, 5)] for x, y in points]


def _last(progress: list[dict[str, Any]], key: str) -> float | None:
    return next((event[key] for event in reversed(progress) if is_number(event.get(key))), None)


def _median(values: Iterable[Any]) -> float | None:
    known = finite(values)
    return median(known) if known else None


def _first(summary: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((summary[name] for name in names if summary.get(name) is not None), None)


def _span(events: list[dict[str, Any]]) -> float | None:
    """From the first event to the last; a pause between two starts counts too."""
    try:
        times = [datetime.fromisoformat(str(event["time"])) for event in events if event.get("time")]
    except ValueError:
        return None
    return (times[-1] - times[0]).total_seconds() if len(times) > 1 else None

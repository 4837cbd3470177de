"""The parameters of scoring and of comparing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from metier.core.specs import Spec

Language = Literal["auto", "zh", "en"]
# Metrics that read a short answer out of the text.
READ_OUT = ("finmme_accuracy", "relaxed_accuracy", "choice_accuracy", "numeric_accuracy")
RIGHT_OR_WRONG = (*READ_OUT, "contains", "exact_match", "correct")
# The first of these that judges enough rows decides, where the user names none.
DECIDING = (*RIGHT_OR_WRONG, "rougel_answer", "chrf", "token_f1")


def _names(value: Any) -> Any:
    """Takes `bleu4,chrf` as well as a list, and a list with such parts (a flag that was given more than once)."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return value
    return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())


MetricNames = Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1)]


class _Scoring(Spec):
    """What scoring one file and comparing two have in common."""

    metrics: MetricNames = ("auto",)
    language: Language = "auto"
    bootstrap_samples: int = Field(2000, ge=100, le=100_000)
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    seed: int = Field(42, ge=0)
    predict_field: str = Field("predict", min_length=1)
    label_field: str = Field("label", min_length=1)
    prompt_field: str = Field("prompt", min_length=1)
    answer_field: str = Field("answer", min_length=1)


class EvaluateSpec(_Scoring):
    """Scores a file of predictions, anybody's: one JSON object a line with `prompt`, `predict`, `label`."""

    pred_file: Path = Path("predictions.jsonl")
    output_metrics: Path | None = None


class CompareSpec(_Scoring):
    """Compares the answers of two models to the same rows.

    base, tuned, guard_base, guard_tuned: a file of predictions, or the folder of a predict or evaluate step.
    """

    base: Path = Path("base.jsonl")
    tuned: Path = Path("tuned.jsonl")
    guard_base: Path | None = None
    guard_tuned: Path | None = None
    prepare: Path | None = None
    primary: str = "auto"
    rows_shown: int = Field(10, ge=0, le=1000)

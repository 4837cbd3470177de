"""Scores predictions and compares two models on the same rows: named, versioned metrics with intervals, and a verdict.

Torch-free. `run_evaluate` scores one file, `run_compare` two; `METRICS` is the registry, `metrics_table` its page.
Only the specs are loaded at once; the rest, with numpy and jieba behind it, when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from metier.evaluate.spec import CompareSpec, EvaluateSpec

if TYPE_CHECKING:
    from metier.evaluate.compare import run_compare
    from metier.evaluate.metrics import METRICS, Metric
    from metier.evaluate.run import run_evaluate
    from metier.evaluate.table import metrics_table

__all__ = ["METRICS", "CompareSpec", "EvaluateSpec", "Metric", "metrics_table", "run_compare", "run_evaluate"]

_LAZY = {
    "METRICS": "metier.evaluate.metrics",
    "Metric": "metier.evaluate.metrics",
    "metrics_table": "metier.evaluate.table",
    "run_compare": "metier.evaluate.compare",
    "run_evaluate": "metier.evaluate.run",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(name)
    return getattr(import_module(_LAZY[name]), name)

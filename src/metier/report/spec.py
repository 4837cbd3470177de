"""What a report is made from: a run folder, or single files of it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from metier.core.i18n import Language
from metier.core.specs import Spec


class ReportSpec(Spec):
    """Inputs and presentation of one report.

    Every input may be left out: the page then says what is missing. With `run`, inputs that are not named are looked
    for in the run folder (`steps/prepare/prepare.json`, `steps/compare/compare.json`, …); a named one must exist.
    """

    title: str = ""
    title_zh: str = ""
    language: Language = "en"
    run: Path | None = None
    manifest: Path | None = None
    recipe: Path | None = None
    prepare: Path | None = None
    preview: Path | None = None
    train: Path | None = None
    metrics_base: Path | None = None
    metrics_tuned: Path | None = None
    compare: Path | None = None
    predict_base: Path | None = None
    predict_tuned: Path | None = None
    base_label: str = ""
    tuned_label: str = ""
    train_dataset_label: str = ""
    test_dataset_label: str = ""
    guard_dataset_label: str = ""
    proven_specialist: str = ""
    headline_metric: str = ""
    command: str = ""
    rows_shown: int = Field(default=100, ge=0, le=1000)

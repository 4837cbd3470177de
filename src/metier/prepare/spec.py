"""The parameters of the checks before training, torch-free."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from metier.core.specs import Spec


class SplitSpec(Spec):
    """Which set is parted, and how many rows are kept away from training to be measured on."""

    dataset: str
    dataset_dir: Path | None = None
    columns: dict[str, str] | None = None
    skip_bad_rows: bool = False
    test_rows: int = Field(100, ge=1)
    seed: int = Field(42, ge=0)


class PrepareSpec(Spec):
    """Which rows are checked and previewed, and through which model's template.

    near_duplicate_threshold: the share of equal characters in order (0.75–1) that makes two questions near duplicates.
    """

    # The model
    model_name_or_path: str = "smollm2-135m"
    revision: str | None = None
    template: str | None = None

    # The rows
    dataset: str = ""
    test_dataset: str | None = None
    dataset_dir: Path | None = None
    columns: dict[str, str] | None = None
    skip_bad_rows: bool = False
    max_samples: Annotated[int, Field(gt=0)] | None = None

    # How the model will see them
    cutoff_len: int = Field(2048, ge=8)
    train_on_history: bool = False
    enable_thinking: bool | None = None
    allow_truncated_answers: bool = False

    # What is looked for and shown
    near_duplicate_threshold: float = Field(0.9, ge=0.75, le=1)
    preview_rows: int = Field(5, ge=0, le=1000)

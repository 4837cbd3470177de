"""Before money is spent: what the model will see, what would be cut, what stands twice, what leaks into the test set.

`run_prepare` is the step; `check_dataset` and `preview_rows` do the same for any loaded set, with a model's tokens or
without a model in characters; `split_dataset` parts a set so that nothing similar is on both sides. Importing this
package imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metier.prepare.spec import PrepareSpec, SplitSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from metier.core.events import EventLog
    from metier.data import Conversation, Dataset
    from metier.rendering import Renderer

__all__ = [
    "PrepareSpec",
    "SplitSpec",
    "check_dataset",
    "check_view",
    "preview_rows",
    "preview_view",
    "run_prepare",
    "run_split",
    "split_dataset",
]


def run_prepare(spec: PrepareSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Checks and previews the data of `spec` into `folder`; see `metier.prepare.step.run_prepare`."""
    from metier.prepare.step import run_prepare as run

    return run(spec, folder, events)


def run_split(spec: SplitSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Parts a set into `train.jsonl` and `test.jsonl` in `folder`; see `metier.prepare.split.run_split`."""
    from metier.prepare.split import run_split as run

    return run(spec, folder, events)


def check_dataset(
    dataset: Dataset,
    test: Dataset | None = None,
    *,
    renderer: Renderer | None = None,
    spec: PrepareSpec | None = None,
    events: EventLog | None = None,
) -> dict[str, Any]:
    """Everything `prepare.json` says about a loaded set; see `metier.prepare.check.check_dataset`."""
    from metier.prepare.check import check_dataset as check

    return check(dataset, test, renderer=renderer, spec=spec, events=events)


def check_view(result: dict[str, Any]) -> RenderableType:
    """The result of a check for the terminal; see `metier.prepare.views.check_view`."""
    from metier.prepare.views import check_view as view

    return view(result)


def preview_rows(
    conversations: Sequence[Conversation], *, renderer: Renderer | None = None, spec: PrepareSpec | None = None
) -> list[dict[str, Any]]:
    """Rows as the model will see them; see `metier.prepare.preview.preview_rows`."""
    from metier.prepare.preview import preview_rows as preview

    return preview(conversations, renderer=renderer, spec=spec)


def preview_view(rows: list[dict[str, Any]]) -> RenderableType:
    """Previewed rows for the terminal; see `metier.prepare.views.preview_view`."""
    from metier.prepare.views import preview_view as view

    return view(rows)


def split_dataset(
    dataset: Dataset, test_rows: int, *, seed: int = 42, threshold: float = 0.9
) -> tuple[Dataset, Dataset]:
    """Parts a set into training and test rows without leaks; see `metier.prepare.split.split_dataset`."""
    from metier.prepare.split import split_dataset as split

    return split(dataset, test_rows, seed=seed, threshold=threshold)

"""A set in two parts with nothing similar on both sides."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.events import EventLog
from metier.core.i18n import translate
from metier.data import Conversation, Dataset, load_dataset, write_dataset
from metier.prepare.comparable import boilerplate, questions, shortened
from metier.prepare.similar import near_pairs
from metier.prepare.spec import SplitSpec

TRAIN, TEST = "train.jsonl", "test.jsonl"


def split_dataset(
    dataset: Dataset, test_rows: int, *, seed: int = 42, threshold: float = 0.9
) -> tuple[Dataset, Dataset]:
    """(training rows, test rows) of `dataset`; rows keep their numbers and their order.

    Rows that are the same or near duplicates of one another, directly or over others, stay together and are trained on;
    the test rows are drawn by `seed` from those that have no such relative. Raises DataError if there are too few.
    """
    rows = dataset.conversations
    asked = questions(rows, boilerplate=boilerplate(rows))
    lone = _without_relatives(asked, threshold)
    if not 0 < test_rows <= len(lone) or test_rows >= len(rows):
        raise DataError(
            "prepare.too_few_to_split", dataset=dataset.name, wanted=test_rows, lone=len(lone), rows=len(rows)
        )
    chosen = set(random.Random(f"{seed}/split").sample(lone, test_rows))
    train = [row for index, row in enumerate(rows) if index not in chosen]
    test = [row for index, row in enumerate(rows) if index in chosen]
    return _part(dataset, "train", train), _part(dataset, "test", test)


def run_split(spec: SplitSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Writes `train.jsonl` and `test.jsonl` of a set and returns their row counts."""
    events.emit("start", dataset=spec.dataset)
    dataset = load_dataset(
        spec.dataset, dataset_dir=spec.dataset_dir, columns=spec.columns, skip_bad_rows=spec.skip_bad_rows
    )
    train, test = split_dataset(dataset, spec.test_rows, seed=spec.seed)
    write_dataset(train, folder / TRAIN)
    write_dataset(test, folder / TEST)
    counts: dict[str, Any] = {"train_rows": len(train), "test_rows": len(test)}
    events.emit("log", message=translate("prepare.split_done", dataset=dataset.name, **counts))
    events.emit("end", **counts)
    return counts


def _without_relatives(asked: list[str], threshold: float) -> list[int]:
    """Places of the questions that are unlike every other."""
    found, _ = near_pairs([shortened(text) for text in asked], None, threshold)
    related = {index for pair in found for index in (pair.left, pair.right)}
    return [index for index, text in enumerate(asked) if text and index not in related]


def _part(dataset: Dataset, name: str, rows: list[Conversation]) -> Dataset:
    return replace(dataset, name=f"{dataset.name}-{name}", conversations=rows)

"""Rows and material for training tests: a tiny model and random token rows, no data files."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier.core.events import EventLog, Listener
from metier.train.spec import TrainSpec

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Row:
    """The shape of a rendered example."""

    row: int
    input_ids: list[int]
    labels: list[int]
    truncated: int = 0
    answer_truncated: bool = False
    dropped_turns: int = 0
    pictures: tuple[Any, ...] = ()


@dataclass
class PlainRenderer:
    """What training asks of a renderer besides examples."""

    tokenizer: Any = None
    pad_id: int = 0
    eyes: Any = None


def random_rows(count: int, *, seed: int = 0, longest: int = 40, vocabulary: int = 259) -> list[Row]:
    """Rows of random length; the first part is the prompt and carries no loss."""
    generator = random.Random(seed)
    rows = []
    for index in range(count):
        length = generator.randint(6, longest)
        ids = [generator.randrange(3, vocabulary) for _ in range(length)]
        prompt = generator.randint(1, length - 3)
        rows.append(Row(index + 1, ids, [IGNORED] * prompt + ids[prompt:]))
    return rows


def material(model: Path, rows: list[Row], evaluation: list[Row] | None = None) -> Any:
    """Training material on the model in `model`."""
    from transformers import AutoTokenizer

    from metier.models import resolve_model
    from metier.train.step import Material

    renderer = PlainRenderer(AutoTokenizer.from_pretrained(model))
    return Material(resolve_model(str(model)), renderer, rows, evaluation or [])


def spec(**values: Any) -> TrainSpec:
    """A spec for tiny CPU trainings."""
    defaults: dict[str, Any] = {
        "dataset": "rows",
        "device": "cpu",
        "dtype": "float32",
        "learning_rate": 1e-2,
        "per_device_train_batch_size": 4,
        "num_train_epochs": 2,
        "tokens_per_batch": 96,
        "lora_rank": 4,
    }
    return TrainSpec(**{**defaults, **values})


def run(spec: TrainSpec, folder: Path, given: Any, *listeners: Listener) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Trains in this process; returns summary and progress events. listeners hear each event as it is emitted."""
    from metier.core.events import EVENTS, read_events
    from metier.train.step import train
    from metier.train.stopping import Stopper

    summary = train(spec, folder, EventLog(folder / EVENTS, listeners), given, Stopper())
    return summary, [event for event in read_events(folder) if event["event"] == "progress"]

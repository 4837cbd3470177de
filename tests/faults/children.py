"""Work of real size for faults: a training long enough to be killed in, on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from metier.knowledge.base import KnowledgeBase
from metier.models import add_model
from metier.workbench import arrivals
from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench


async def _parts(content: bytes) -> Any:
    yield content


def give_data(workbench: Workbench, owner: Person, name: str = "cases", rows: int = 40) -> None:
    """Registers a small set of an owner's."""
    import asyncio

    lines = [{"instruction": f"Case {n}: what ?", "input": "", "output": f"It is number {n}."} for n in range(rows)]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    upload = asyncio.run(workbench.datasets.receive(owner, "cases.jsonl", _parts(content)))
    workbench.datasets.register(owner, upload.id, name)


def give_model(folder: Path) -> None:
    """Puts the tiny model into the store."""
    add_model(str(folder), name="tiny")


def training(**values: Any) -> dict[str, Any]:
    """A training of 240 steps with a checkpoint every few."""
    return {
        "model_name_or_path": "tiny",
        "dataset": "cases",
        "cutoff_len": 128,
        "lora_rank": 2,
        "learning_rate": 1e-3,
        "num_train_epochs": 6,
        "per_device_train_batch_size": 1,
        "lora_dropout": 0.1,
        "save_steps": 40,
        "logging_steps": 1,
        **values,
    }


def arrive(base: KnowledgeBase, name: str, content: bytes) -> arrivals.Arrival:
    """A file that came in whole."""
    folder = arrivals.new_folder(base.folder)
    (folder / "file.part").write_bytes(content)
    return arrivals.accept(folder, name, len(content))

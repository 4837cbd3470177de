"""The public chart questions, and a tiny Llama 3.2 Vision of the vision seedling's size to ask them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
CHARTS = REPOSITORY.parent / "shared" / "data" / "finance" / "charts"
sys.path.insert(0, str(REPOSITORY))


def chart_rows(folder: Path, split: str, rows: int) -> list[dict[str, str]]:
    """question, answer and picture (its path) of the first rows of `train` or `val`."""
    source = folder / f"{split}.jsonl"
    if not source.is_file():
        sys.exit(f"{source} is not there: name the folder that holds it with --data")
    lines = source.read_text(encoding="utf-8").splitlines()[:rows]
    read = [json.loads(line) for line in lines]
    return [
        {"question": row["question"], "answer": str(row["answer"]), "image": str((folder / row["image"]).resolve())}
        for row in read
    ]


def write_rows(rows: list[dict[str, str]], path: Path) -> None:
    """As `metier train` and `metier predict` read them."""
    lines = []
    for row in rows:
        messages = [
            {"role": "user", "content": "<image>" + row["question"]},
            {"role": "assistant", "content": row["answer"]},
        ]
        lines.append(json.dumps({"messages": messages, "images": [row["image"]]}, ensure_ascii=False) + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")


def tiny_model(folder: Path, **text: Any) -> Path:
    """A random model: 4 tiles of 112 × 112, a tower of five layers 160 wide, six language layers 128 wide."""
    from tests.support.tiny_vision import tiny_mllama

    vision = {
        "hidden_size": 160,
        "intermediate_size": 400,
        "num_hidden_layers": 4,
        "attention_heads": 5,
        "intermediate_layers_indices": [2],
        "vision_output_dim": 320,
    }
    return tiny_mllama(folder, hidden_size=128, layers=6, image_size=112, vision=vision, **text)

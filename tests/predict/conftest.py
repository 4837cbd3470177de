"""A small set of questions, and a step that answers them with the tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Ten rows of mixed length in OpenAI's format, with an answer each."""
    file = tmp_path / "questions.jsonl"
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Question {n}: " + "why " * (n % 4) * n},
                {"role": "assistant", "content": f"Answer {n}"},
            ]
        }
        for n in range(10)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file

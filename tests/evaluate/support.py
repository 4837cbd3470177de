"""Files of predictions for these tests."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

OPTIONS = "\nA. gout\nB. asthma\nC. migraine\nD. anaemia\nE. sepsis"
LETTERS = "ABCDE"


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def choice_rows(count: int, answer: Callable[[str, random.Random], str], seed: int = 0) -> list[dict[str, Any]]:
    """Rows of five options; `answer` makes the prediction from the right letter."""
    golds = random.Random(7)
    generator = random.Random(seed)
    rows = []
    for place in range(count):
        gold = golds.choice(LETTERS)
        rows.append(
            {
                "id": place,
                "prompt": f"Case {place}: which?{OPTIONS}",
                "predict": answer(gold, generator),
                "label": f"Both fit. Answer: {gold}",
                "meta": {"answer": gold, "kind": "choice"},
            }
        )
    return rows


def right_with(probability: float) -> Callable[[str, random.Random], str]:
    """Answers right with this probability, else a random option."""

    def answer(gold: str, generator: random.Random) -> str:
        return f"The answer is {gold if generator.random() < probability else generator.choice(LETTERS)}."

    return answer

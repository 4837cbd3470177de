"""Rehearsal: general questions that stand among the demo's vignettes, so that learning a trade forgets less."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml


def rehearsal_rows() -> list[dict[str, Any]]:
    """The rows of `rehearsal.yaml`, as free-form rows without facts of the trade."""
    raw = yaml.safe_load(Path(__file__).with_name("rehearsal.yaml").read_text(encoding="utf-8"))
    return [
        {
            "messages": [
                {"role": "user", "content": item["ask"]},
                {"role": "assistant", "content": str(item["reply"])},
            ],
            "meta": {"kind": "open", "subject": "general", "language": language, "facts": []},
        }
        for language, items in raw.items()
        for item in items
    ]


def mixed(rows: list[dict[str, Any]], general: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """All rows in one random order."""
    together = [*rows, *general]
    random.Random(f"{seed}/rehearsal").shuffle(together)
    return together

"""The forgetting guard: general questions of the project's own, in English and Chinese."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def guard_rows() -> list[dict[str, Any]]:
    """The rows of `guard.yaml`; the `answer` is a letter (choice) or a text that a right reply contains."""
    raw = yaml.safe_load(Path(__file__).with_name("guard.yaml").read_text(encoding="utf-8"))
    rows = []
    for language, kinds in raw.items():
        for subject, items in kinds.items():
            for item in items:
                answer = str(item["answer"])
                reply = str(item.get("reply", answer))
                kind = "choice" if item.get("choice") else "contains"
                meta = {"answer": answer, "kind": kind, "subject": subject, "language": language}
                messages = [{"role": "user", "content": item["ask"]}, {"role": "assistant", "content": reply}]
                rows.append({"messages": messages, "meta": meta})
    return rows

"""Small sets and a tiny renderer for the tests of prepare."""

from __future__ import annotations

import json
from pathlib import Path

from metier.data import Conversation, Dataset, message


def dataset(*pairs: tuple[str, str], name: str = "set", system: str = "") -> Dataset:
    """A set of question–answer rows that was never on disk."""
    first = (message("system", system),) if system else ()
    rows = [
        Conversation(number, (*first, message("user", question), message("assistant", answer)))
        for number, (question, answer) in enumerate(pairs, 1)
    ]
    return Dataset(name=name, path=Path(name), sha256=name, format="openai", conversations=rows)


def write_rows(path: Path, *pairs: tuple[str, str]) -> Path:
    """A JSON-lines file of question–answer rows."""
    rows = [{"instruction": question, "input": "", "output": answer} for question, answer in pairs]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path

"""Small files for the tests of this folder."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

QA = {"instruction": "What is 2 + 2?", "input": "", "output": "4"}
PNG = base64.b64decode(  # 4 × 2 pixels
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEklEQVR4nGP8//8/AwwwMSABAEgGAwG0Rz8LAAAAAElFTkSuQmCC"
)


def jsonl(path: Path, rows: Iterable[Any]) -> str:
    """Writes one JSON value a line and returns the path as load_dataset takes it."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def raw(path: Path, content: bytes | str) -> str:
    """Writes bytes (or UTF-8 text) as they are."""
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return str(path)


def turns(*pairs: tuple[str, str]) -> dict[str, Any]:
    """A record of OpenAI messages."""
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}

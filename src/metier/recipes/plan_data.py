"""What a plan may know of a dataset that need not be here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import UserError
from metier.core.yamltext import parse_yaml

if TYPE_CHECKING:
    from metier.data import Conversation


@dataclass(frozen=True)
class DataCount:
    """What is known of a dataset. source: `here`, where a number is published, or empty; longest: tokens at most."""

    rows: int | None
    source: str
    longest: int | None


def count_rows(reference: str, folder: Path | None, columns: dict[str, str] | None, limit: int | None) -> DataCount:
    """Rows of a dataset: counted if it is here, else as published, else unknown."""
    if not reference:
        return DataCount(None, "", None)
    from metier.data import load_dataset

    try:
        rows = load_dataset(reference, dataset_dir=folder, columns=columns, max_samples=limit).conversations
    except (UserError, OSError):
        # Not here, or not readable, which `prepare` says by row: a plan goes on with what is published.
        published = _published().get(Path(reference).stem)
        if published is None:
            return DataCount(None, "", None)
        return DataCount(min(published["rows"], limit or published["rows"]), str(published["source"]), None)
    return DataCount(len(rows), "here", max((_most_tokens(row) for row in rows), default=None))


def _most_tokens(row: Conversation) -> int:
    """Tokens that a row has at most: one a byte, and what templates put around messages and before the first."""
    return 128 + sum(16 + len(message.text.encode("utf-8", "surrogatepass")) for message in row.messages)


@cache
def _published() -> dict[str, dict[str, Any]]:
    text = files("metier.recipes").joinpath("published_sets.yaml").read_text(encoding="utf-8")
    return dict(parse_yaml(text))

"""What the child does with rows and a model's tokenizer: shows them as the model will see them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from metier.models.resolve import ResolvedModel
from metier.prepare import PrepareSpec
from metier.prepare.preview import preview_rows
from metier.rendering import Renderer, load_renderer
from metier.workbench.rowpictures import conversation_of


def preview(
    folder: str, row: int, messages: list[dict[str, Any]], cutoff_len: int, train_on_history: bool, pictures: str
) -> list[dict[str, Any]]:
    """One row through the tokenizer and template in `folder`; see `metier.prepare.preview.preview_rows`. pictures:
    the folder of the row's."""
    conversation = conversation_of(row, messages, Path(pictures))
    spec = PrepareSpec(cutoff_len=cutoff_len, train_on_history=train_on_history)
    return preview_rows([conversation], renderer=_renderer(folder), spec=spec, pieces=True)


@lru_cache(2)
def _renderer(folder: str) -> Renderer:
    return load_renderer(ResolvedModel(folder, Path(folder), None))

"""Which models can be asked about pictures here, told by their files or the catalogue, before anything is loaded."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.models import ModelInfo, find, show_model
from metier.models.catalogue import preset_config
from metier.rendering.eyes.load import FAMILIES


def takes_pictures(model: str) -> bool:
    """Whether a base model, by name or folder, can be asked about pictures."""
    try:
        return sees(show_model(model))
    except ModelError:
        return False


def sees(info: ModelInfo) -> bool:
    """Whether a model is a vision model of a family that is known here."""
    return info.vision and _kind(info.name, info.folder) in FAMILIES


def works(info: ModelInfo) -> bool:
    """Whether a model can be trained and asked here: it writes text, or its eyes are known."""
    return not info.vision or sees(info)


@lru_cache(maxsize=256)
def _kind(name: str, folder: Path | None) -> str:
    """The `model_type` of a model's own files, else of its published ones."""
    config: dict[str, Any] = {}
    if folder is not None:
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
    elif (entry := find(name)) is not None:
        config = preset_config(entry) or {}
    return str(config.get("model_type", ""))

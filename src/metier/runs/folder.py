"""The folder of a run: where it lies, how it is found again, and what its manifest says."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from metier.core.errors import RunError
from metier.core.files import fingerprint, read_json, write_json, write_text
from metier.core.yamltext import parse_yaml

RECIPE = "recipe.yaml"
MANIFEST = "manifest.json"
_PACKAGES = ("metier", "torch", "transformers", "peft", "accelerate", "tokenizers", "numpy", "sacrebleu", "jieba")


@dataclass(frozen=True)
class RunFolder:
    """One run. `path`: its folder, with `recipe.yaml`, `manifest.json` and `steps/`."""

    path: Path

    @property
    def steps(self) -> Path:
        """The folder of the run's steps."""
        return self.path / "steps"

    def step(self, name: str) -> Path:
        """The folder of the step called `name`."""
        return self.steps / name

    def write_manifest(self, **facts: Any) -> None:
        """Adds facts (hashes, seeds, hardware) to `manifest.json`; what a first start recorded stays."""
        path = self.path / MANIFEST
        known = read_json(path) if path.exists() else _start()
        write_json(path, {**known, **facts})


def _start() -> dict[str, Any]:
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["metier", *sys.argv[1:]],
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def find_or_create_run(
    runs: Path, name: str, recipe: dict[str, Any], *, folder: Path | None = None, fresh: bool = False
) -> RunFolder:
    """The run of exactly this recipe: the one that is there, to go on with, or a new one.

    runs: where runs lie; recipe: as resolved, without secrets; folder: a chosen place instead of a made-up name;
    fresh: start anew although the same recipe has a run. Raises RunError where `folder` holds another recipe.
    """
    identity = fingerprint(recipe)
    if folder is None:
        ending = f"-{name}-{identity[:4]}"
        found = sorted(path for path in runs.glob(f"*{ending}") if _recipe_of(path) == recipe)
        today = datetime.now(UTC).date().isoformat()
        folder = found[-1] if found and not fresh else _unused(runs / f"{today}{ending}")
    there = _recipe_of(folder)
    if there is not None and there != recipe:
        changed = sorted(_differences(there, recipe))
        raise RunError("runs.other_recipe", folder=folder, keys=", ".join(changed[:5]))
    if there is not None and fresh:
        shutil.rmtree(folder / "steps", ignore_errors=True)
    if there is None:
        if folder.exists() and any(path.name != ".lock" for path in folder.iterdir()):
            raise RunError("runs.not_a_run", folder=folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / RECIPE, yaml.safe_dump(recipe, allow_unicode=True, sort_keys=False))
    return RunFolder(folder)


def _unused(path: Path) -> Path:
    candidate, number = path, 2
    while candidate.exists():
        candidate, number = path.with_name(f"{path.name}-{number}"), number + 1
    return candidate


def _recipe_of(folder: Path) -> dict[str, Any] | None:
    path = folder / RECIPE
    if not path.is_file():
        return None
    loaded = parse_yaml(path.read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else None


def _differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Dotted keys at which two recipes differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            name
            for key in {**one, **other}
            for name in _differences(one.get(key), other.get(key), f"{at}.{key}" if at else str(key))
        ]
    return [] if one == other else [at]

"""A user's YAML file as a mapping, or one clear line about what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from metier.core.errors import ConfigError


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys of a YAML file. Raises ConfigError for what is not UTF-8, not YAML, or no mapping."""
    try:
        return parse_mapping(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError("recipes.not_utf8", source=path, position=error.start + 1) from error


def parse_mapping(text: str, source: str) -> dict[str, Any]:
    """The keys of a YAML text that came from `source`. Raises ConfigError."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "?"
        line = mark.line + 1 if mark else "?"
        raise ConfigError("recipes.bad_yaml", source=source, line=line, problem=problem) from error
    except RecursionError as error:
        raise ConfigError("recipes.too_deep", source=source) from error
    if not isinstance(values, dict):
        raise ConfigError("recipes.not_a_mapping", source=source)
    return values

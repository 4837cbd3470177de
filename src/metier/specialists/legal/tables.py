"""The tables beside this file: what is data is not code."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from metier.core.i18n import Language
from metier.core.yamltext import parse_yaml

Text = dict[Language, str]


def read_table(name: str) -> dict[str, Any]:
    """The table `name`.yaml of this package."""
    text = files("metier.specialists.legal").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return dict(parse_yaml(text))

"""Chinese and English texts. Each package keeps its own in `locale.yaml`, a large one also in `locale/*.yaml`.

A catalogue maps a key to `{en: …, zh: …}`; placeholders are `{name}` as in `str.format`, without attribute or index
access. The key's first segment names the package: `data.unknown_column` lives in `metier/data/locale.yaml` as
`unknown_column`. Labels of specs are found as `train.TrainSpec.learning_rate.label` and `….help`.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal, cast

from metier.core.yamltext import parse_yaml

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_current: ContextVar[Language | None] = ContextVar("metier_language", default=None)


class _Plain(Formatter):
    """`str.format` without attribute and index access, so that data can never reach into objects."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        return kwargs[field_name], field_name


def current_language() -> Language:
    """The language set by `use_language`, else `METIER_LANGUAGE`, else the system's, else English."""
    chosen = _current.get()
    if chosen:
        return chosen
    named = os.environ.get("METIER_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    return "zh" if named.lower().startswith("zh") else "en"


def use_language(language: Language | None) -> None:
    """Sets the language of this context; None returns to the environment's."""
    _current.set(language)


@cache
def catalogue(package: str) -> dict[str, dict[str, str]]:
    """All texts of one package, keyed without the package's name."""
    folder = files(f"metier.{package}")
    own, more = folder.joinpath("locale.yaml"), folder.joinpath("locale")
    sources = [own] if own.is_file() or not more.is_dir() else []
    if more.is_dir():
        sources += sorted((one for one in more.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    texts: dict[str, dict[str, str]] = {}
    for source in sources:
        texts |= cast("dict[str, dict[str, str]]", parse_yaml(source.read_text(encoding="utf-8")) or {})
    return texts


def translate(key: str, /, *, language: Language | None = None, **fields: Any) -> str:
    """The text for `package.name` with its placeholders filled in.

    Raises KeyError for an unknown key: a missing text is our bug, not the user's.
    """
    package, _, name = key.partition(".")
    text = catalogue(package)[name][language or current_language()]
    return _Plain().vformat(text, (), fields).rstrip("\n")


def has_text(key: str) -> bool:
    """Whether the catalogue has a text for `key`."""
    package, _, name = key.partition(".")
    return name in catalogue(package)

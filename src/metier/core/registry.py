"""A small typed table: name → "module:attribute", loaded on first use."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from importlib import import_module
from typing import Generic, TypeVar, cast

from metier.core.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names things of one kind. `kind` is the word used in errors (`metric`, `dataset format`, …)."""

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self.kind = kind
        self._entries = entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str) -> T:
        """The thing called `name`. Raises ConfigError with the nearest known name."""
        if name not in self._entries:
            raise ConfigError(
                "core.unknown_name",
                kind=self.kind,
                name=name,
                known=", ".join(self._entries),
                hint=nearest(name, self),
            )
        module, _, attribute = self._entries[name].partition(":")
        return cast("T", getattr(import_module(module), attribute))


def nearest(name: str, known: Iterator[str] | Registry[T] | list[str]) -> str:
    """“ — did you mean X?” in both languages' punctuation, or an empty string."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (→ {match[0]}?)" if match else ""

"""The engines by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from metier.core.registry import Registry
from metier.engines.base import Engine, EngineOptions

if TYPE_CHECKING:
    from metier.models import ResolvedModel


class EngineKind(Protocol):
    """What a registry entry offers."""

    @classmethod
    def open(cls, resolved: ResolvedModel, options: EngineOptions) -> Engine:
        """Loads the model and returns the engine."""


ENGINES: Registry[type[EngineKind]] = Registry("engine", {"hf": "metier.engines.hf:HFEngine"})


def open_engine(name: str, resolved: ResolvedModel, options: EngineOptions | None = None) -> Engine:
    """Opens engine `name` for a model. Raises ConfigError for an unknown engine or an option it cannot honour."""
    return ENGINES.get(name).open(resolved, options or EngineOptions())

"""One base model in memory, and the adapters over it: each answers under a name of its own."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.engines.base import EngineOptions
from metier.engines.local import LocalChatModel, Worker

if TYPE_CHECKING:
    from metier.engines.hf import HFEngine


class SharedBase:
    """A base whose weights are loaded once.

    reference: the base as `resolve_model` takes it. Adapters are not merged, so that they can be changed between two
    steps: whoever needs one alone is faster with `open_local`. All answers are made by one thread.
    """

    def __init__(self, reference: str, options: EngineOptions | None = None) -> None:
        self.reference = reference
        self.options = options or EngineOptions()
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._plain: HFEngine | None = None
        self._engines: dict[str, HFEngine] = {}
        self._users: dict[str, int] = {}

    @property
    def adapters(self) -> list[str]:
        """What is attached now."""
        return [adapter for adapter in self._engines if adapter]

    def open(self, adapter: str | None = None) -> LocalChatModel:
        """The base, or the base with an adapter. Loads what is not there; closing the last one frees all of it.

        Raises ModelError for an adapter of another base.
        """
        name = adapter or ""
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._load(name)
            self._users[name] = self._users.get(name, 0) + 1
            self._worker = self._worker or Worker()
            shown = f"{self.reference} + {Path(name).name}" if name else self.reference
            return LocalChatModel(self._engines[name], shown, self._worker, release=lambda: self._release(name))

    def _load(self, adapter: str) -> HFEngine:
        from metier.engines.hf import HFEngine
        from metier.models import resolve_model

        resolved = resolve_model(self.reference, adapter or None)
        if self._plain is None:
            self._plain = HFEngine.open(resolve_model(self.reference), self.options)
        return self._plain.with_adapter(resolved.adapter, adapter) if resolved.adapter else self._plain

    def _release(self, name: str) -> None:
        with self._lock:
            self._users[name] -= 1
            if self._users[name]:
                return
            del self._users[name]
            engine: Any = self._engines.pop(name)
            if self._users:
                if name:
                    engine.drop_adapter()
                return
            worker, self._worker = self._worker, None
            self._engines, self._plain = {}, None
        if worker is not None:
            worker.close()

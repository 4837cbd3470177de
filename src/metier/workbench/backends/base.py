"""The seam between the queue and the machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Backend(Protocol):
    """Starts, observes and ends jobs. A process is described by JSON-able values that outlive the server."""

    def devices(self) -> list[str]:
        """The devices it can give, such as `cuda:0`, or `cpu` where there is no other."""
        ...

    def start(self, folder: Path, token: str, devices: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
        """Starts the job of `folder` and returns its process. Raises OSError where none can be started."""
        ...

    def find(self, folder: Path, token: str) -> dict[str, Any] | None:
        """The living process of this attempt, whoever started it."""
        ...

    def is_alive(self, process: dict[str, Any]) -> bool:
        """Whether a process still runs."""
        ...

    def stop(self, process: dict[str, Any], *, now: bool = False) -> None:
        """Asks a process and all it started to end; with `now`, ends them."""
        ...

    def ending(self, process: dict[str, Any]) -> int | None:
        """How a process ended, where that is known: its exit code, or minus the signal's number."""
        ...

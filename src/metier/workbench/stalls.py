"""Jobs that live but do nothing any more: a suspended process, a collective that waits for ever.

Judged by change, not by the clock: a file's time is compared with the one seen before, and what passes in between is
counted by a clock that neither jumps nor runs while the machine sleeps.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from metier.workbench import layout


@dataclass
class _Sign:
    value: int
    since: float


class Stalls:
    """Remembers, by attempt, when a sign of life was last seen to change.

    silent_seconds: how long a process may leave its heartbeat untouched; idle_seconds: how long it may tell of no
    progress.
    """

    def __init__(self, silent_seconds: float, idle_seconds: float) -> None:
        self.limits = {layout.HEARTBEAT: silent_seconds, layout.EVENTS: idle_seconds}
        self._seen: dict[tuple[str, str], _Sign] = {}

    def found(self, token: str, folder: Path) -> bool:
        """Whether the attempt stalls. Looks at the job's files."""
        moment = time.monotonic()
        stalled = False
        for name, limit in self.limits.items():
            try:
                value = (folder / name).stat().st_mtime_ns
            except OSError:
                value = 0
            sign = self._seen.get((token, name))
            if sign is None or sign.value != value:
                self._seen[(token, name)] = _Sign(value, moment)
            elif moment - sign.since > limit:
                stalled = True
        return stalled

    def forget(self, token: str) -> None:
        """Drops what is known of an attempt."""
        for name in self.limits:
            self._seen.pop((token, name), None)

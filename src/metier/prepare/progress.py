"""Progress of several pieces of work as one row of events, at most two a second."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from metier.core.events import EventLog

T = TypeVar("T")
_PAUSE_SECONDS = 0.5


class Progress:
    """Counts work done and tells `events` (None: nobody) how much is left.

    total: units of all the work, as far as known; one unit is about a row.
    """

    def __init__(self, events: EventLog | None, total: float) -> None:
        self.events, self.total, self.done = events, total, 0.0
        self._started = self._told = time.monotonic()

    def advance(self, units: float, doing: str) -> None:
        """Adds work done; `doing` names it: `lengths`, `duplicates`, `leaks`."""
        self.done += units
        now = time.monotonic()
        if self.events is None or now - self._told < _PAUSE_SECONDS:
            return
        self._told = now
        share = min(1.0, self.done / self.total) if self.total else 1.0
        left = (now - self._started) * (1 - share) / share if share else None
        eta = round(left, 1) if left is not None else None
        self.events.emit("progress", step=round(self.done), total=round(self.total), eta_seconds=eta, doing=doing)

    def over(self, items: Iterable[T], doing: str) -> Iterator[T]:
        """Yields `items`, one unit each."""
        for item in items:
            yield item
            self.advance(1, doing)


def size(*things: Sized | None) -> int:
    """Rows of all `things` together."""
    return sum(len(thing) for thing in things if thing is not None)

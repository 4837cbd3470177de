"""How far a proof is: one count over answers, searches and votes."""

from __future__ import annotations

import time

from metier.core.events import EventLog

_EVERY_SECONDS = 1.0


class Progress:
    """total: things to do in all; done: those that an earlier start did."""

    def __init__(self, events: EventLog, *, total: int, done: int) -> None:
        self._events = events
        self.total = total
        self.done = done
        self._here = 0
        self._began = time.monotonic()
        self._told = 0.0
        events.emit("start", total=total, resumed=done)

    def leave_out(self, count: int) -> None:
        """Things that need not be done after all."""
        self.total -= count

    def say(self, message: str) -> None:
        """What is done next."""
        self._events.emit("log", message=message)

    def add(self) -> None:
        """One more is done."""
        self.done += 1
        self._here += 1
        now = time.monotonic()
        if now - self._told >= _EVERY_SECONDS or self.done == self.total:
            self._told = now
            left = (self.total - self.done) * (now - self._began) / self._here
            self._events.emit("progress", step=self.done, total=self.total, eta_seconds=round(left, 1))

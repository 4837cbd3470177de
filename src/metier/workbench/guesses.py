"""Wrong passwords are counted, for an account and for an address; too many of them have to wait."""

from __future__ import annotations

import threading
import time
from collections import deque

from metier.workbench.errors import TooManyError

WINDOW_SECONDS = 900.0
PER_ACCOUNT, PER_ADDRESS = 10, 50
_KEPT = 20_000


class Guesses:
    """Failures of the last quarter of an hour, in memory."""

    def __init__(self, window_seconds: float = WINDOW_SECONDS) -> None:
        self.window_seconds = window_seconds
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, account: str, address: str) -> None:
        """Raises TooManyError, with the seconds to wait, after too many failures."""
        with self._lock:
            for key, most in self._keys(account, address):
                failures = self._recent(key)
                if len(failures) >= most:
                    wait = max(1, round(failures[0] + self.window_seconds - time.monotonic()))
                    raise TooManyError("workbench.too_many_guesses", retry_after_seconds=wait)

    def failed(self, account: str, address: str) -> None:
        """Counts a wrong password."""
        with self._lock:
            if len(self._failures) > _KEPT:
                for key in list(self._failures):
                    self._recent(key)
            for key, _ in self._keys(account, address):
                self._failures.setdefault(key, deque()).append(time.monotonic())

    def succeeded(self, account: str, address: str) -> None:
        """Forgets an account's failures; those of the address stay."""
        with self._lock:
            self._failures.pop("account " + account, None)

    def _keys(self, account: str, address: str) -> list[tuple[str, int]]:
        keys = [("account " + account, PER_ACCOUNT)]
        return [*keys, ("address " + address, PER_ADDRESS)] if address else keys

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] < time.monotonic() - self.window_seconds:
            failures.popleft()
        if not failures:
            self._failures.pop(key, None)
        return failures

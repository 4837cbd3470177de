"""How many answers somebody holds open at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from metier.workbench.accounts import Person
from metier.workbench.errors import TooManyError
from metier.workbench.following import MOST_STREAMS


class Streams:
    """Counts per account; all of it happens in the server's event loop."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self.most = most
        self._open: Counter[str] = Counter()

    def check(self, owner: Person) -> None:
        """Raises TooManyError where an account has as many open as one may."""
        if self._open[owner.id] >= self.most:
            raise TooManyError("workbench.too_many_streams", most=self.most, retry_after_seconds=5)

    @contextmanager
    def open(self, owner: Person) -> Iterator[None]:
        """One more, until it ends."""
        self._open[owner.id] += 1
        try:
            yield
        finally:
            self._open[owner.id] -= 1
            if not self._open[owner.id]:
                del self._open[owner.id]

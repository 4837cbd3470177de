"""What an owner may keep: bytes of everything that counts, and of what just comes in."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from metier.workbench.accounts import Person
from metier.workbench.errors import TooLargeError

_COUNTED = 1 << 22  # bytes between two looks at what the owner has already


class Quota:
    """The most an upload may be, and an owner's uploads together.

    counted: what tells how many bytes an owner has; each part of the workbench that keeps files adds its own.
    """

    def __init__(self, *, upload_bytes: int, quota_bytes: int) -> None:
        self.upload_bytes = upload_bytes
        self.quota_bytes = quota_bytes
        self.counted: list[Callable[[Person], int]] = []
        self._coming: dict[str, tuple[str, int]] = {}  # upload → its owner, and bytes so far
        self._lock = threading.Lock()

    def used_bytes(self, owner: Person) -> int:
        """Bytes that an owner has."""
        return sum(one(owner) for one in self.counted)

    def count(self, owner: Person, upload_id: str, size: int, *, whole: bool = False) -> None:
        """Refuses what is too large. What others of the owner's send just now counts too: together they stay below.

        size: bytes so far; whole: no more will come. Raises TooLargeError.
        """
        if size > self.upload_bytes:
            raise TooLargeError("workbench.upload_too_large", most=self.upload_bytes)
        with self._lock:
            seen = self._coming.get(upload_id, ("", -1))[1] // _COUNTED
            self._coming[upload_id] = (owner.id, size)
            coming = sum(one for of, one in self._coming.values() if of == owner.id)
        if (whole or size // _COUNTED != seen) and self.used_bytes(owner) + coming > self.quota_bytes:
            raise TooLargeError("workbench.quota_full", most=self.quota_bytes)

    async def write(
        self, owner: Person, upload_id: str, parts: AsyncIterator[bytes], target: Path, *, most: int | None = None
    ) -> int:
        """Writes what comes in, counting what really comes, until it is safe on the disk; returns how many bytes it
        is. Whoever calls this calls `end`, whatever happens.

        most: bytes that may come, where an upload of this kind may be no larger. Raises TooLargeError.
        """
        size = 0
        with target.open("wb") as file:
            async for part in parts:
                size += len(part)
                if most is not None and size > most:
                    raise TooLargeError("workbench.upload_too_large", most=most)
                self.count(owner, upload_id, size)
                file.write(part)
            self.count(owner, upload_id, size, whole=True)
            file.flush()
            os.fsync(file.fileno())
        return size

    def end(self, upload_id: str) -> None:
        """An upload is there, or was broken off."""
        with self._lock:
            self._coming.pop(upload_id, None)

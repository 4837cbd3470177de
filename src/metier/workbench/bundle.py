"""A folder as one file to download, made while it is sent: nothing is kept in memory or on disk for it."""

from __future__ import annotations

from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_BLOCK = 1 << 20


class _Sent(RawIOBase):
    """What a ZipFile writes, until it is taken away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def zipped(folder: Path) -> Iterator[bytes]:
    """The files of a folder as parts of a zip. Weights do not get smaller by packing, so they are only put together."""
    sent = _Sent()
    with ZipFile(sent, "w", ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            if not path.is_file() or path.is_symlink():
                continue
            with path.open("rb") as source, archive.open(ZipInfo(path.name), "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)
                    yield sent.take()
    yield sent.take()

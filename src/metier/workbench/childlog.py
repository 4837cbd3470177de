"""What a child writes to its terminal, kept in a file that cannot grow without end."""

from __future__ import annotations

import os
import threading
from pathlib import Path

_HEAD, _TAIL = 1 << 20, 1 << 20  # bytes that are kept of the beginning and at least of the end
_CHUNK = 1 << 16


def keep_output(path: Path) -> None:
    """Leads this process's standard output and error, and those of its children, into `path`."""
    readable, writable = os.pipe()
    os.dup2(writable, 1)
    os.dup2(writable, 2)
    os.close(writable)
    threading.Thread(target=_copy, args=(readable, path), name="log", daemon=True).start()


def _copy(source: int, path: Path) -> None:
    while block := os.read(source, _CHUNK):
        try:
            with path.open("ab") as target:
                target.write(block)
            if path.stat().st_size > _HEAD + 2 * _TAIL:
                shorten(path)
        except OSError:
            continue  # a full disk must not stop the work's output, and with it the work


def shorten(path: Path) -> None:
    """Cuts the middle out of a log, and says so there."""
    content = path.read_bytes()
    left_out = len(content) - _HEAD - _TAIL
    aside = path.with_suffix(".cut")
    aside.write_bytes(content[:_HEAD] + f"\n… {left_out} bytes left out …\n".encode() + content[-_TAIL:])
    aside.replace(path)

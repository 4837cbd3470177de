"""How far a download is, told by the size of the folder that it grows in: whatever library fetches, this is true."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metier.core.events import EventLog

_PAUSE_SECONDS = 0.5


@contextmanager
def watched(folder: Path, total: int | None, events: EventLog) -> Iterator[None]:
    """Within it, `progress` events say how many bytes of `total` are in `folder`; `unit` is then `bytes`."""
    done = threading.Event()
    started, before = time.monotonic(), folder_bytes(folder)

    def tell() -> None:
        while not done.wait(_PAUSE_SECONDS):
            size = folder_bytes(folder)
            speed = (size - before) / (time.monotonic() - started)
            eta = round((total - size) / speed, 1) if total and speed > 0 and size <= total else None
            step = min(size, total) if total else size
            events.emit("progress", step=step, total=total, unit="bytes", eta_seconds=eta, doing="download")

    thread = threading.Thread(target=tell, name="download", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    if total:
        events.emit("progress", step=total, total=total, unit="bytes", eta_seconds=0, doing="download")


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder that others write to and rename in meanwhile."""
    size = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                size += path.stat().st_size
        except OSError:
            continue
    return size

"""Ctrl-C and its like: the step is finished, saved, and the run can go on from there."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

STOP_FILE = "stop"


class Stopper:
    """Asks for a stop after the current step.

    stop_file: a file whose presence asks too (a launcher's way to tell its workers); parent: a process id without
    which the training is not wanted any more. agreed: what all processes agreed on.
    """

    def __init__(self, stop_file: Path | None = None, parent: int | None = None) -> None:
        self.stop_file = stop_file
        self.parent = parent
        self.signalled = False
        self.agreed = False

    def asked(self) -> bool:
        """Whether this process was asked to stop."""
        if self.signalled or (self.stop_file is not None and self.stop_file.exists()):
            return True
        return self.parent is not None and not _alive(self.parent)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signalled and number == signal.SIGINT:
            raise KeyboardInterrupt  # asked twice: now, and what the last checkpoint does not have is lost
        self.signalled = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Turns SIGINT and SIGTERM into requests. Outside the main thread, signals are left alone."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

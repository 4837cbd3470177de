"""Keeps the process that imports at work while there is something to import."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from metier.knowledge.library import Library
from metier.workbench import arrivals
from metier.workbench.apart import NO_DEVICE
from metier.workbench.backends.local import clean_environment
from metier.workbench.importing import BUSY

_log = logging.getLogger("metier.workbench")
_RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0)  # after a process that ended otherwise than by itself
_END_SECONDS = 6.0


class Importer:
    """Starts `metier.workbench.importing` when something came in or an index is of another version, ends it with the
    server. told: what the process must know of embedders; it goes through its pipe, where nobody else reads."""

    def __init__(self, library: Library, told: Callable[[], dict[str, Any]]) -> None:
        self.library = library
        self._told = told
        self._speaking = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Clears away what a kill left, and begins to look."""
        for base in self.library.everyone():
            arrivals.clear_away(base.folder)
        self._wake.set()
        self._thread = threading.Thread(target=self._watch, name="importer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something came in."""
        self._wake.set()

    def stop(self) -> None:
        """Ends the process: at once, or after a moment to stop where it is."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=_END_SECONDS + 2)

    def brief(self) -> None:
        """Tells the process at work what it must know now, before the next file is there."""
        child = self._child
        if child is None or child.stdin is None or child.poll() is not None:
            return
        with self._speaking, suppress(OSError, ValueError):  # it has just ended: the next one will be told
            child.stdin.write(json.dumps(self._told()).encode("ascii") + b"\n")
            child.stdin.flush()

    @property
    def pid(self) -> int | None:
        """The process at work."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def _watch(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._stop.is_set() or not self._something_waits():
                continue
            code = self._run()
            failures = 0 if code == 0 else failures + (code != BUSY)
            if code != 0 and not self._stop.is_set():
                seconds = 1.0 if code == BUSY else _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1]
                self._stop.wait(seconds)
            self._wake.set()  # once more: something may have come in at the last moment

    def has_bases(self) -> bool:
        """Whether anybody has a knowledge base."""
        return next(self.library.everyone(), None) is not None

    def _something_waits(self) -> bool:
        return any(
            any(one.outcome is None for one in arrivals.arrivals(base.folder)) or base.index.is_of_other_format()
            for base in self.library.everyone()
        )

    def _run(self) -> int:
        """One process from its start to its end. Returns its exit code."""
        self._child = subprocess.Popen(
            [sys.executable, "-m", "metier.workbench.importing", str(self.library.folder.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # what goes wrong is told in the server's log
            start_new_session=True,
            env={**clean_environment(), "OMP_NUM_THREADS": "1", **NO_DEVICE},
        )
        try:
            self.brief()
        except Exception as error:  # such as a store that is away: tried again, as after any failure
            _log.error("%s: %s", type(error).__name__, error)
            self._end(self._child)
            return 1
        while self._child.poll() is None:
            if self._stop.wait(0.1):
                self._end(self._child)
        return self._child.wait()

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        with suppress(OSError):
            if child.stdin is not None:
                child.stdin.close()
        try:
            child.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

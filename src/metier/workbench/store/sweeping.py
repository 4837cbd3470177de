"""What was deleted is gone from SQLite's files too, not only from its tables.

`secure_delete` overwrites deleted rows in their pages. Pages that were rebuilt in between, and the write-ahead log, can
still hold pieces of them: the file is written anew and the log cut to nothing, a moment after something was removed.
PostgreSQL's own vacuum does this there.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError

# Rows of these come and go all the time and say nothing of anybody's work.
_SAY_NOTHING = frozenset({"leases", "sign_ins", "answered"})
_DELETES = re.compile(r'DELETE FROM "?(\w+)')
_TOGETHER_SECONDS = 1.0  # removals that follow one another are swept up once
_AGAIN_SECONDS = 3.0
_LARGEST = 1 << 29  # bytes of a file that is still written anew: writers wait for that

_log = logging.getLogger("metier.workbench")


class Sweeper:
    """Sweeps after removals, in a thread of its own. turn: the lock of the one writer."""

    def __init__(self, engine: Engine, file: Path, turn: threading.Lock) -> None:
        self.engine = engine
        self.file = file
        self._turn = turn
        self._needed = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        event.listen(engine, "after_cursor_execute", self._notice)

    def _notice(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found = _DELETES.match(statement)
        if found is None or found[1] in _SAY_NOTHING:
            return
        self._needed.set()
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._watch, name="sweeper", daemon=True)
                self._thread.start()

    @property
    def clean(self) -> bool:
        """Whether nothing waits to be swept."""
        return not self._needed.is_set()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._needed.wait()
            if self._stop.wait(_TOGETHER_SECONDS):
                return
            if not self.sweep():
                self._stop.wait(_AGAIN_SECONDS)

    def sweep(self) -> bool:
        """Sweeps now, if there is something; False where it has to be tried again, as somebody reads or the disk is
        full."""
        with self._turn:
            if not self._needed.is_set():
                return True
            try:
                connection = self.engine.raw_connection()
            except SQLAlchemyError:
                return False
            try:
                cursor = connection.cursor()
                if self.file.stat().st_size < _LARGEST:
                    cursor.execute("VACUUM")
                cursor.execute("PRAGMA busy_timeout=200")
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except (sqlite3.Error, OSError):
                _log.warning("removed rows could not be swept up; trying again", exc_info=True)
                return False
            finally:
                connection.invalidate()  # it has another busy_timeout than the others
                connection.close()
            if not busy:
                self._needed.clear()
            return not busy

    def close(self) -> None:
        """Ends the thread and sweeps what waits."""
        self._stop.set()
        waits = self._needed.is_set()
        self._needed.set()  # wakes the thread
        if self._thread is not None:
            self._thread.join(timeout=10)
        if waits:
            self.sweep()

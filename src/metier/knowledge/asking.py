"""The side that asks: files are read by children that can be killed (`metier.knowledge.worker`), a few at a time.

A child that answered waits for the next file; one that took too long or fell over is gone, and only its file with it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from metier.core.errors import DataError

SECONDS = 60.0
SECONDS_A_PAGE = 0.5
LONGEST_SECONDS = 600.0
MAX_ANSWER_BYTES = 512 << 20
_AT_ONCE = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

Listener = Callable[[dict[str, Any]], None]


def ask(
    task: str,
    *,
    name: str,
    seconds: float = SECONDS,
    seconds_a_page: float = SECONDS_A_PAGE,
    events: Listener | None = None,
    **arguments: Any,
) -> Any:
    """What the task gives. name: of the file, for errors; events: told of each event of the task.

    Raises DataError: the task's own, or where it took too long or too much, or fell over.
    """
    with _AT_ONCE:
        child = _ready()
        try:
            answer = child.ask(
                {"task": task, "arguments": {"name": name, **arguments}}, seconds, seconds_a_page, events
            )
        except BaseException as error:
            child.close()
            if isinstance(error, DataError):
                error.fields.setdefault("file", name)
            raise
        _WAITING.append(child)
    if "error" in answer:
        raise DataError(str(answer["error"]["key"]), **{"file": name, **answer["error"]["fields"]})
    return answer["result"]


class _Child:
    """A warm process that reads one file after the other, each in a fork of its own."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="metier-reading-")
        environment = {"OMP_NUM_THREADS": "1", "TMPDIR": self.folder, "HOME": self.folder, "LANG": "C.UTF-8"}
        if "PYTHONPATH" in os.environ:
            environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "metier.knowledge.worker", self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # so that its fork is killed with it
        )

    def ask(
        self, asked: dict[str, Any], seconds: float, seconds_a_page: float, events: Listener | None
    ) -> dict[str, Any]:
        """The answer: `result` or `error`."""
        if self.process.stdin is None or self.process.stdout is None:
            raise ValueError(self.process.args)
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        lines = _Lines(self.process.stdout.fileno(), seconds)
        answer: dict[str, Any] | None = None
        while True:
            said = lines.next()
            if "event" in said:
                if "total" in said["event"]:
                    lines.allow(min(LONGEST_SECONDS, seconds + seconds_a_page * said["event"]["total"]))
                if events is not None:
                    events(said["event"])
            elif "end" in said:
                if answer is None:
                    raise _ended(int(said["end"]), lines.allowed)
                return answer
            else:
                answer = said

    def close(self) -> None:
        """Ends the child and its fork, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Lines:
    """Lines of JSON from a pipe, for so long and so much only."""

    def __init__(self, handle: int, seconds: float) -> None:
        self._handle = handle
        self._begun = time.monotonic()
        self._left = MAX_ANSWER_BYTES
        self._parts: list[bytes] = []
        self.allowed = seconds

    def allow(self, seconds: float) -> None:
        """How long it may take in all."""
        self.allowed = seconds

    def next(self) -> dict[str, Any]:
        """The next line. Raises DataError when it does not come."""
        while not (self._parts and b"\n" in self._parts[-1]):
            left = self._begun + self.allowed - time.monotonic()
            ready = select.select([self._handle], [], [], max(0.0, left))[0]
            if not ready:
                raise DataError("knowledge.reading_slow", seconds=round(self.allowed))
            block = os.read(self._handle, 1 << 20)
            self._left -= len(block)
            if not block or self._left < 0:
                raise DataError("knowledge.reading_died", how="EOF" if not block else "> 512 MiB")
            self._parts.append(block)
        line, _, rest = b"".join(self._parts).partition(b"\n")
        self._parts = [rest] if rest else []
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise DataError("knowledge.reading_died", how="?")
        return said


def _ended(code: int, allowed: float) -> DataError:
    """How a fork ended that gave no answer."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return DataError("knowledge.reading_slow", seconds=round(allowed))
    try:
        how = signal.Signals(-code).name
    except ValueError:
        how = str(code)
    return DataError("knowledge.reading_died", how=how)


_WAITING: list[_Child] = []
os.register_at_fork(after_in_child=_WAITING.clear)


def _ready() -> _Child:
    """A child that lives: one that waits, or a new one."""
    while True:
        try:
            child = _WAITING.pop()
        except IndexError:
            return _Child()
        if child.process.poll() is None:
            return child
        child.close()


@atexit.register
def _close_all() -> None:
    while _WAITING:
        _WAITING.pop().close()

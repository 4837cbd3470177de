"""The child that reads files: warm, and forked once for each of them, so that none meets what another left behind.

It takes requests and gives answers as lines of JSON. The fork is confined before it sees the file; however it ends,
the child says so and takes the next one. It ends when whoever asks does, or after a long time without questions.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from metier.core.errors import UserError
from metier.knowledge.confined import confine, end_with_parent

TASKS = {
    "read": "metier.knowledge.tasks:read",
    "ocr": "metier.knowledge.tasks:ocr",
    "picture": "metier.knowledge.tasks:picture",
    "boxes": "metier.knowledge.tasks:boxes",
    "drawings": "metier.knowledge.tasks:drawings",
    "repaint": "metier.knowledge.tasks:repaint",
}
IDLE_SECONDS = 120.0


def main() -> int:
    """Answers until there is nobody to ask."""
    folder = Path(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    import_module("metier.knowledge.tasks")
    try:
        while True:
            waiting, _, _ = select.select([0], [], [], IDLE_SECONDS)
            line = sys.stdin.buffer.readline() if waiting else b""
            if not line:
                return 0
            _turn(json.loads(line), answers, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _turn(asked: dict[str, Any], answers: IO[bytes], folder: Path) -> None:
    """One question, in a fork of its own and a folder of its own."""
    own = tempfile.mkdtemp(dir=folder)
    worker = os.fork()
    if worker == 0:
        try:
            end_with_parent()
            os.chdir(own)
            tempfile.tempdir = own
            confine()
            _say(answers, _answer(asked, answers))
        finally:
            os._exit(0)
    status = _wait(worker)
    shutil.rmtree(own, ignore_errors=True)
    _say(answers, {"end": os.waitstatus_to_exitcode(status)})


def _wait(worker: int) -> int:
    """The status that the fork ended with. When nobody waits for the answer any more, it is ended."""
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(worker)
        ends = select.poll()
        ends.register(handle, select.POLLIN)
        ends.register(0, select.POLLHUP)
        happened = dict(ends.poll())
        os.close(handle)
        if handle not in happened:
            os.kill(worker, signal.SIGKILL)
    return os.waitpid(worker, 0)[1]


def _say(answers: IO[bytes], said: dict[str, Any]) -> None:
    line = memoryview(json.dumps(said, ensure_ascii=False, default=str).encode("utf-8", "replace") + b"\n")
    while line:
        line = line[answers.write(line) :]


def _answer(asked: dict[str, Any], answers: IO[bytes]) -> dict[str, Any]:
    """The task's result or error. The process's boundary: whatever is raised becomes an answer."""
    module, _, name = TASKS[asked["task"]].partition(":")
    task = getattr(import_module(module), name)
    try:
        return {"result": task(emit=lambda event: _say(answers, {"event": event}), **asked["arguments"])}
    except UserError as error:
        fields = {key: value if isinstance(value, int) else str(value) for key, value in error.fields.items()}
        return {"error": {"key": error.key, "fields": fields}}
    except (MemoryError, RecursionError):
        return {"error": {"key": "knowledge.reading_memory", "fields": {}}}
    except Exception as error:
        problem = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return {"error": {"key": "knowledge.reading_damaged", "fields": {"problem": problem}}}


if __name__ == "__main__":
    sys.exit(main())

"""Work on what somebody sent, in a process of its own: files are read and templates run where they can do no harm.

The child has a limit of memory and of time, sees none of the server's keys, and ends when the server does. It takes
requests and gives answers as lines of JSON; a name of `TASKS` says what to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from metier.core import errors
from metier.core.errors import DataError, UserError
from metier.core.i18n import current_language, use_language
from metier.models.hardware import hardware

TASKS = {
    "look": "metier.workbench.reading:look",
    "read": "metier.workbench.reading:read",
    "unpack": "metier.workbench.unpacking:unpack_here",
    "paint": "metier.workbench.rowpictures:paint",
    "preview": "metier.workbench.previewing:preview",
    "embed": "metier.workbench.embedding:embed",
}
MEMORY_BYTES = 6 << 30  # of address space; a smaller machine gives less
IDLE_SECONDS, IDLE_MODELS_SECONDS = 300.0, 1800.0
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
NO_DEVICE = {"CUDA_VISIBLE_DEVICES": ""}  # those are the jobs'
_SECONDS = 600.0
_AT_ONCE = threading.BoundedSemaphore(2)


class Apart:
    """A child that is asked. keep: it stays for the next question, and ends by itself when there is none for long;
    models: it runs models of this machine, which need torch, its address space, and longer to come back.
    """

    def __init__(self, *, keep: bool = False, models: bool = False) -> None:
        self._keep = keep
        self._models = models
        self._memory = min(MEMORY_BYTES, max(1 << 30, hardware().memory * 3 // 4))
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, task: str, *, seconds: float = _SECONDS, **arguments: Any) -> Any:
        """What the task gives. Raises its UserError, or DataError where it took too long, too much, or fell over."""
        asked = {"task": task, "arguments": arguments, "language": current_language()}
        line = json.dumps(asked, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass") + b"\n"
        with self._lock, contextlib.nullcontext() if self._keep else _AT_ONCE:
            try:
                answer = self._asked(line, seconds)
            except BaseException:
                self.close()
                raise
            if not self._keep:
                self.close()
        if "error" in answer:
            raise _error(answer["error"])
        return answer["result"]

    def _asked(self, line: bytes, seconds: float) -> dict[str, Any]:
        child, new = self._ready()
        try:
            return _exchange(child, line, seconds)
        except BrokenPipeError:
            if new:
                raise DataError("workbench.apart_died") from None
        self.close()  # it had just ended for want of questions
        return self._asked(line, seconds)

    def close(self) -> None:
        """Ends the child, at once."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def _ready(self) -> tuple[subprocess.Popen[bytes], bool]:
        """The child, and whether it was started for this question."""
        if self._child is not None and self._child.poll() is not None:
            self.close()
        if self._child is None:
            from metier.workbench.backends.local import clean_environment

            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "metier.workbench.apart",
                    *(("models",) if self._models else (str(self._memory),)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**clean_environment(), **_ONE_THREAD, **(NO_DEVICE if self._models else {})},
            )
            return self._child, True
        return self._child, False


def ask(task: str, *, seconds: float = _SECONDS, **arguments: Any) -> Any:
    """One question to a child that ends with its answer; see `Apart.ask`."""
    return Apart().ask(task, seconds=seconds, **arguments)


def _exchange(child: subprocess.Popen[bytes], line: bytes, seconds: float) -> dict[str, Any]:
    if child.stdin is None or child.stdout is None:
        raise ValueError(child.args)
    child.stdin.write(line)
    child.stdin.flush()
    ready, _, _ = select.select([child.stdout], [], [], seconds)
    if not ready:
        raise DataError("workbench.apart_slow", seconds=round(seconds))
    answer = child.stdout.readline()  # written in one go, after the work
    if not answer.endswith(b"\n"):
        raise DataError("workbench.apart_died")
    return dict(json.loads(answer))


def _error(said: dict[str, Any]) -> UserError:
    kind = getattr(errors, said["kind"], DataError)
    made: UserError = (kind if issubclass(kind, UserError) else DataError)(said["key"], **said["fields"])
    return made


# The child


def main() -> int:
    """Answers until there is nobody to ask."""
    models = sys.argv[1] == "models"
    if not models:
        memory = int(sys.argv[1])
        with contextlib.suppress(ValueError, OSError):  # a system that knows no such limit
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        # Tokenizers need no torch; without it transformers is there in a second instead of five.
        sys.modules["torch"] = None  # type: ignore[assignment]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        waiting, _, _ = select.select([sys.stdin], [], [], IDLE_MODELS_SECONDS if models else IDLE_SECONDS)
        line = sys.stdin.buffer.readline() if waiting else b""
        if not line:
            return 0
        answers.write(json.dumps(_answer(json.loads(line)), default=str).encode("ascii") + b"\n")
        answers.flush()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The task's result or error. The process's boundary: whatever is raised becomes an answer."""
    use_language(asked["language"])
    module, _, name = TASKS[asked["task"]].partition(":")
    task: Callable[..., Any] = getattr(import_module(module), name)
    try:
        return {"result": task(**asked["arguments"])}
    except UserError as error:
        fields = {key: value if isinstance(value, int) else str(value) for key, value in error.fields.items()}
        return {"error": {"kind": type(error).__name__, "key": error.key, "fields": fields}}
    except MemoryError:
        return {"error": {"kind": "DataError", "key": "workbench.apart_memory", "fields": {}}}
    except Exception as error:
        problem = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return {"error": {"kind": "DataError", "key": "workbench.apart_unexpected", "fields": {"problem": problem}}}


if __name__ == "__main__":
    sys.exit(main())

"""The process that does a job: `python -m metier.workbench.child FOLDER TOKEN`.

It holds the folder's lock, says who it is, runs the recipe or step, and leaves a result. It asks nothing of the server:
that may die and come back in between.
"""

from __future__ import annotations

import errno
import faulthandler
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from metier.core.errors import InterruptedRunError, MetierError, RunError
from metier.core.events import EventLog, Listener
from metier.core.files import append_jsonl, folder_lock, read_json, write_json
from metier.workbench import layout
from metier.workbench.childlog import keep_output
from metier.workbench.process import identity
from metier.workbench.telling import line_of

NO_SPACE = 28  # exit code of a child that could not even leave a result
_HEARTBEAT_SECONDS = 2.0


def main() -> int:
    """Runs the job of the folder named on the command line, if the token is still that of its newest attempt."""
    folder, token = Path(sys.argv[1]), sys.argv[2]
    os.chdir(folder)
    keep_output(folder / layout.LOG)
    faulthandler.enable()
    signal.signal(signal.SIGTERM, _stop)
    try:
        with folder_lock(folder):
            job = read_json(folder / layout.JOB)
            if job["token"] != token:
                return 3  # a later attempt was ordered while this one was starting
            write_json(folder / layout.CHILD, {"token": token, **identity()})
            _beat(folder)
            result = _outcome(folder, job)
            try:
                write_json(folder / layout.RESULT, {"token": token, **result})
            except OSError as error:
                return NO_SPACE if error.errno == errno.ENOSPC else 1
            return 0 if result["outcome"] == "done" else 1
    except RunError:
        return 3  # an earlier attempt still holds the folder


def _outcome(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Runs it and says how it ended. The process's boundary: whatever is raised becomes a reason."""
    try:
        return {"outcome": "done", "summary": _run(folder, job)}
    except (InterruptedRunError, KeyboardInterrupt):
        return {"outcome": "stopped"}
    except MetierError as error:
        fields = {name: str(value) for name, value in error.fields.items()}
        return {"outcome": "failed", "reason": {"key": error.key, "fields": fields}, "exit_code": error.exit_code}
    except MemoryError:
        return {"outcome": "failed", "reason": {"key": "workbench.reason_memory", "fields": {}}}
    except Exception as error:
        traceback.print_exc()
        return {"outcome": "failed", "reason": _unexpected(error)}


def _unexpected(error: Exception) -> dict[str, Any]:
    if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
        return {"key": "workbench.reason_device_memory", "fields": {}}
    if isinstance(error, OSError) and error.errno == 28:
        return {"key": "workbench.reason_disk", "fields": {}}
    if "can't allocate memory" in str(error):
        return {"key": "workbench.reason_memory", "fields": {}}
    text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return {"key": "workbench.reason_unexpected", "fields": {"problem": text}}


def _run(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    from metier.workbench.work import run_work

    return run_work(job["kind"], job["work"], folder / layout.RUN, (_recorder(folder / layout.EVENTS),))


def _recorder(path: Path) -> Listener:
    """Adds each event, with the step it belongs to, to the job's own record."""
    step = ""

    def record(event: dict[str, Any]) -> None:
        nonlocal step
        if event["event"] == "step":
            step = str(event["name"])
        append_jsonl(path, [{**event, "of": step}])
        if line := line_of(event):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    EventLog(None, (record,)).emit("attempt", pid=os.getpid())
    return record


def _beat(folder: Path) -> None:
    """Touches the heartbeat for as long as this process can."""
    path = folder / layout.HEARTBEAT

    def beat() -> None:
        pause = threading.Event()
        while not pause.wait(_HEARTBEAT_SECONDS):
            try:
                path.touch()
            except OSError:
                continue  # a full or vanished disk: the work itself will say so

    path.touch()
    threading.Thread(target=beat, name="heartbeat", daemon=True).start()


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

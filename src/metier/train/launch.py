"""Several processes: torchrun starts them, this process passes on their events, their errors and the wish to stop.

The workers run in a session of their own, so Ctrl-C reaches this process alone; it leaves a file that the workers look
for after each step. Rendezvous is on the loopback interface only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

from metier.core import errors
from metier.core.errors import ConfigError, MetierError, RunError
from metier.core.events import EventLog
from metier.core.files import read_json, read_jsonl, write_json
from metier.models import hardware
from metier.train.spec import TrainSpec
from metier.train.stopping import STOP_FILE, Stopper

WORK = "workers"
SPEC = "spec.json"
RESULT = "result.json"
ERROR = "error.json"
LOG = "log.txt"
_POLL_SECONDS = 0.2


def launch(spec: TrainSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Trains with `spec.num_processes` processes; same results and errors as in one."""
    gpus = len(hardware().gpus)
    if spec.device != "cpu" and 0 < gpus < spec.num_processes:
        raise ConfigError("train.too_many_processes", processes=spec.num_processes, gpus=gpus)
    work = folder / WORK
    work.mkdir(parents=True, exist_ok=True)
    for name in (RESULT, ERROR, STOP_FILE):
        (work / name).unlink(missing_ok=True)
    write_json(work / SPEC, {"spec": spec.model_dump(mode="json"), "parent": os.getpid()})
    stopper = Stopper()
    heard = Relay(folder, events)
    with stopper.listening(), (work / LOG).open("wb") as log:
        process = subprocess.Popen(
            command(spec.num_processes, folder),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment(spec),
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                heard.pass_on()
                if stopper.asked():
                    (work / STOP_FILE).touch()
                time.sleep(_POLL_SECONDS)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    heard.pass_on()
    if (work / ERROR).exists():
        raise _error(read_json(work / ERROR))
    if process.returncode or not (work / RESULT).exists():
        raise RunError("train.worker_failed", code=process.returncode, log=work / LOG)
    return cast("dict[str, Any]", read_json(work / RESULT))


def command(processes: int, folder: Path) -> list[str]:
    """torchrun on this machine alone; port 0 lets the system choose a free one."""
    return [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--nnodes=1", f"--nproc_per_node={processes}", "--max_restarts=0"),
        *("--rdzv_backend=c10d", "--rdzv_endpoint=127.0.0.1:0", "--local_addr=127.0.0.1"),
        *("-m", "metier.train.worker", str(folder)),
    ]


def environment(spec: TrainSpec) -> dict[str, str]:
    """This process's environment; processors are shared out, and gloo stays on the loopback interface."""
    threads = max(1, len(os.sched_getaffinity(0)) // spec.num_processes) if hasattr(os, "sched_getaffinity") else 1
    given = dict(os.environ)
    given.setdefault("OMP_NUM_THREADS", str(threads))
    given.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    return given


class Relay:
    """Passes on to listeners what a worker appends to the event file."""

    def __init__(self, folder: Path, events: EventLog) -> None:
        self.events = events
        self.path = events.path
        # Resuming takes progress back, so the file may shrink: events are counted from their times.
        self.seen = {self._mark(row) for row in read_jsonl(self.path)} if self.path else set()

    def pass_on(self) -> None:
        """Calls the listeners with what is new."""
        if self.path is None or not self.events.listeners:
            return
        for row in read_jsonl(self.path):
            mark = self._mark(row)
            if mark not in self.seen:
                self.seen.add(mark)
                for listener in self.events.listeners:
                    listener(row)

    @staticmethod
    def _mark(row: dict[str, Any]) -> str:
        return json.dumps(row, sort_keys=True)


def _error(record: dict[str, Any]) -> MetierError:
    kind = getattr(errors, record["kind"], RunError)
    return cast("MetierError", kind(record["key"], **record["fields"]))

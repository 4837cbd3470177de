"""Starts what waits when its devices are free, watches what runs, and takes over what an earlier server left.

Each state changes in one transaction that checks the attempt's token, so a late word of an earlier attempt changes
nothing. A job's truth is its folder and its process; the server only writes down what it sees there.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from metier.core.files import read_json, write_json
from metier.workbench import devices, layout
from metier.workbench.backends.base import Backend
from metier.workbench.child import NO_SPACE
from metier.workbench.copies import forget_marked
from metier.workbench.jobs import Jobs
from metier.workbench.stalls import Stalls
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job, now

ATTEMPTS = 3
TICK_SECONDS = 0.25
START_SECONDS = 20.0  # a child that has not said who it is by then never began
STOP_SECONDS = 8.0  # between asking a child to end and ending it
SILENT_SECONDS = 180.0  # a child that could not even touch its heartbeat for so long is suspended or hangs
IDLE_SECONDS = 3600.0  # nor does a step of the largest model take so long without a word
_LIGHT_AT_ONCE = 2  # jobs without a device that run beside the others

_log = logging.getLogger("metier.workbench")


class Scheduler:
    """One thread over all jobs. environment: what a job's child gets beside the clean environment, such as keys;
    settle: what follows from a job that is done, before that is written down, added to its summary; ended: called with
    each job that ended."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        backend: Backend,
        *,
        environment: Callable[[Job], dict[str, str]] = lambda job: {},
        settle: Callable[[Job, dict[str, Any]], dict[str, Any]] = lambda job, summary: {},
        ended: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self.database = database
        self.jobs = jobs
        self.backend = backend
        self.ahead: Callable[[Job], bool] = lambda job: False  # whether a chat stands in line before a job
        self._environment = environment
        self._settle = settle
        self._ended = ended
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked_to_stop: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self.stalls = Stalls(SILENT_SECONDS, IDLE_SECONDS)
        self._stalled: set[str] = set()
        self.last_tick = 0.0
        jobs.changed = self._wake.set

    def start(self) -> None:
        """Takes over what was left, then watches in a thread of its own."""
        self.clear_away()
        self.tick()
        self._thread = threading.Thread(target=self._watch, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops watching. What runs goes on."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self.tick()
            except (SQLAlchemyError, OSError):
                # The store is away or the disk is full: nothing is lost, jobs go on; look again a little later.
                _log.warning("the queue could not be looked at; trying again", exc_info=True)
                self._stop.wait(2.0)

    def tick(self) -> None:
        """One look at everything that runs and waits."""
        if not self.database.still_leads():
            _log.warning("another server has taken over the queue")
            return
        with self.database.read() as session:
            live = list(session.scalars(select(Job).where(Job.state.in_(("running", "queued"))).order_by(Job.place)))
        for job in live:
            if job.state == "running":
                self._look_at(job)
        self._start_waiting([job for job in live if job.state == "queued"])
        self.last_tick = time.monotonic()

    def clear_away(self) -> None:
        """Removes folders of jobs that are in no list: leftovers of a removal or submission that was cut off."""
        if not self.jobs.folder.is_dir():
            return
        with self.database.read() as session:
            known = set(session.scalars(select(Job.id)))
        for path in self.jobs.folder.iterdir():
            if path.is_dir() and path.name not in known:
                shutil.rmtree(path, ignore_errors=True)

    # Starting

    def _start_waiting(self, waiting: list[Job]) -> None:
        blocked = False
        for job in waiting:
            if job.wanted_devices and blocked:
                continue  # nobody with a device overtakes the one that waits for more of them
            if (job.wanted_devices and self.ahead(job)) or not self._begin(job):
                blocked = blocked or bool(job.wanted_devices)

    def _begin(self, waiting: Job) -> bool:
        """Gives the devices and the attempt's token in one transaction, then starts the child."""
        token = secrets.token_hex(16)
        with self.database.write() as session:
            job = session.get(Job, waiting.id)
            if job is None or job.state != "queued":
                return True
            if not job.wanted_devices and self._light(session) >= _LIGHT_AT_ONCE:
                return False
            named, there = job.spec.get("devices") or [], self.backend.devices()
            # A machine that has been changed since no longer has what was named: then any will do.
            among = [device for device in there if device in named] if set(named) <= set(there) else []
            got = devices.take(
                session, among or there, job.wanted_devices, kind="job", holder=job.id, owner=job.owner_id
            )
            if got is None:
                return False
            job.state, job.token, job.devices, job.process, job.stopping = "running", token, got, {}, ""
            job.attempts += 1
            job.started = job.started or now()
            job.ended = None
        self.jobs.touched(job.id)
        self._launch(job)
        return True

    def _light(self, session: Any) -> int:
        return len(list(session.scalars(select(Job.id).where(Job.state == "running", Job.wanted_devices == 0))))

    def _launch(self, job: Job) -> None:
        folder = self.jobs.folder_of(job)
        try:
            (folder / layout.RESULT).unlink(missing_ok=True)
            work = {"token": job.token, "kind": job.kind, "work": job.spec["work"]}
            write_json(folder / layout.JOB, work)
            process = self.backend.start(folder, job.token, job.devices, self._environment(job))
        except OSError as error:
            key = "workbench.reason_disk" if error.errno == 28 else "workbench.reason_no_start"
            self._finish(job, "failed", {"key": key, "fields": {"problem": str(error)}})
            return
        self._started[job.id] = time.monotonic()
        with self.database.write() as session:
            row = session.get(Job, job.id)
            if row is not None and row.token == job.token and row.state == "running":
                row.process = process

    # Watching

    def _look_at(self, job: Job) -> None:
        folder = self.jobs.folder_of(job)
        process = self._process(job, folder)
        if process is not None:
            if job.stopping:
                self._end(job, process)
            elif self.stalls.found(job.token, folder):
                # Killed before another begins: what wakes up later could not write, but would still hold the device.
                self._stalled.add(job.token)
                self.backend.stop(process, now=True)
            return
        result = self._result(folder, job.token)
        if result is None and not job.process and self._may_still_begin(job):
            return
        if job.process:
            self.backend.stop(job.process, now=True)  # what it started must not outlive it
        if result is None:
            self._died(job, folder)
        elif result["outcome"] == "done":
            summary = result.get("summary") or {}
            self._finish(job, "done", None, summary={**summary, **self._settle(job, summary)})
        elif result["outcome"] == "stopped" and not job.stopping:
            self._again(job, {"key": "workbench.reason_stopped", "fields": {}})
        elif result["outcome"] == "stopped":
            self._finish(job, "cancelled", None)
        else:
            self._finish(job, "failed", result.get("reason"))

    def _process(self, job: Job, folder: Path) -> dict[str, Any] | None:
        if job.process and self.backend.is_alive(job.process):
            return job.process
        found = self.backend.find(folder, job.token)
        if found is not None and found.get("pid") != job.process.get("pid"):
            with self.database.write() as session:  # started by a server that was killed before it wrote this down
                row = session.get(Job, job.id)
                if row is not None and row.token == job.token:
                    row.process = {key: found[key] for key in ("pid", "started", "boot", "token")}
        return found

    def _may_still_begin(self, job: Job) -> bool:
        begun = self._started.setdefault(job.id, time.monotonic())
        return time.monotonic() - begun < START_SECONDS

    def _end(self, job: Job, process: dict[str, Any]) -> None:
        asked = self._asked_to_stop.get(job.token)
        if asked is None:
            self._asked_to_stop[job.token] = time.monotonic()
            self.backend.stop(process)
        elif time.monotonic() - asked > STOP_SECONDS:
            self.backend.stop(process, now=True)

    def _result(self, folder: Path, token: str) -> dict[str, Any] | None:
        try:
            result = read_json(folder / layout.RESULT)
        except (OSError, ValueError):
            return None
        return result if isinstance(result, dict) and result.get("token") == token else None

    def _died(self, job: Job, folder: Path) -> None:
        """A child that left no result: again from its newest checkpoint, but not for ever."""
        if job.stopping:
            self._finish(job, "cancelled", None)
            return
        ending = self.backend.ending(job.process) if job.process else None
        stalled = job.token in self._stalled
        reason: dict[str, Any] = (
            {"key": "workbench.reason_stalled", "fields": {}} if stalled else why_it_died(ending, folder / layout.LOG)
        )
        if job.attempts >= ATTEMPTS:
            fields = {**reason["fields"], "attempts": job.attempts}
            self._finish(job, "failed", {"key": reason["key"], "fields": fields})
        else:
            self._again(job, reason)

    def _again(self, job: Job, reason: dict[str, Any]) -> None:
        with self.database.write() as session:
            row = session.get(Job, job.id)
            if row is None or row.token != job.token or row.state != "running":
                return
            devices.give_back(session, job.id)
            row.state, row.devices, row.process, row.reason, row.token = "queued", [], {}, reason, ""
        self._forget(job)
        self.jobs.touched(job.id)
        self._wake.set()

    def _forget(self, job: Job) -> None:
        """Drops what was remembered of an attempt that is over."""
        self._asked_to_stop.pop(job.token, None)
        self._started.pop(job.id, None)
        self._stalled.discard(job.token)
        self.stalls.forget(job.token)

    def _finish(
        self, job: Job, state: str, reason: dict[str, Any] | None, *, summary: dict[str, Any] | None = None
    ) -> None:
        with self.database.write() as session:
            row = session.get(Job, job.id)
            if row is None or row.token != job.token or row.state != "running":
                return
            devices.give_back(session, job.id)
            row.state, row.reason, row.ended = state, reason, now()
            row.summary, row.stopping = summary or {}, ""
        self._forget(job)
        self.jobs.touched(job.id)
        forget_marked(self.jobs.folder_of(row))
        self._ended(row)
        self._wake.set()


def why_it_died(ending: int | None, log: Path) -> dict[str, Any]:
    """The most likely reason of a death without a word: its signal, and what its log ends with."""
    try:
        tail = log.read_bytes()[-4000:].decode("utf-8", "replace")
    except OSError:
        tail = ""
    if "CUDA out of memory" in tail:
        return {"key": "workbench.reason_device_memory", "fields": {}}
    if "MemoryError" in tail or "std::bad_alloc" in tail or "can't allocate memory" in tail:
        return {"key": "workbench.reason_memory", "fields": {}}
    if ending == NO_SPACE or "No space left on device" in tail:
        return {"key": "workbench.reason_disk", "fields": {}}
    if ending == -9:
        return {"key": "workbench.reason_killed", "fields": {}}
    return {"key": "workbench.reason_died", "fields": {"code": "?" if ending is None else ending}}

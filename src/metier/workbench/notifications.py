"""Word of an ended job, by webhook, mail or chat: where to, what it says, and its sending beside the queue."""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from metier.core.errors import ConfigError
from metier.core.i18n import Language, current_language, translate
from metier.workbench.accounts import Person
from metier.workbench.backends.local import clean_environment
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.jobs import reason_text
from metier.workbench.notify_address import check_address, shown
from metier.workbench.secrets import Box
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job, Secret, User

NOBODY = "none"  # a job's `notify` that says: tell nobody, whatever its owner has set
_NAME = "notification"  # of the row that keeps an owner's address; not one that jobs can ask for
_SEND_SECONDS = 30
_PAUSES = (2.0, 15.0)  # before the second and the third try
_WAITING = 200

_log = logging.getLogger("metier.workbench")


@dataclass(frozen=True, slots=True)
class Notification:
    """Where an owner wants word. shown: of the address what may be seen; always: of every job that names no other."""

    shown: str
    always: bool


class Notifications:
    """Addresses of an installation's owners, and the thread that sends.

    local: whether addresses of the server's own machine and network are allowed; site: the server's address, for links.
    """

    def __init__(self, database: Database, box: Box, *, local: bool, site: str) -> None:
        self.database = database
        self.local = local
        self.site = site
        self._box = box
        self._waiting: queue.Queue[tuple[str, str, str, bool]] = queue.Queue(_WAITING)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # Addresses

    def put(self, owner: Person, address: str, *, always: bool = True) -> None:
        """Keeps an address, sealed. An empty one keeps that which is there. Raises ConfigError for a bad one."""
        kept = self._kept(owner.id)
        if address.strip():
            text = self.check(address)
        elif kept is not None:
            text = str(kept["address"])
        else:
            raise ConfigError("workbench.bad_notify_address", key="address")
        sealed = self._box.seal(json.dumps({"address": text, "always": always}))
        with self.database.write() as session:
            session.execute(delete(Secret).where(Secret.owner_id == owner.id, Secret.name == _NAME))
            session.add(Secret(owner_id=owner.id, name=_NAME, sealed=sealed))

    def get(self, owner: Person) -> Notification | None:
        """What is kept, if anything."""
        kept = self._kept(owner.id)
        return Notification(shown(kept["address"]), bool(kept["always"])) if kept else None

    def remove(self, owner: Person) -> None:
        """Forgets the address. Raises NotFoundError."""
        with self.database.write() as session:
            result: Any = session.execute(delete(Secret).where(Secret.owner_id == owner.id, Secret.name == _NAME))
            if result.rowcount != 1:
                raise NotFoundError("workbench.not_found")

    def check(self, address: str) -> str:
        """The address as it is kept. Raises ConfigError for one that is refused or that nothing can be sent to."""
        text = check_address(address, local=self.local)
        if _child(text, local=self.local) != "known":
            raise ConfigError("workbench.bad_notify_address", key="address")
        return text

    def keep_for_job(self, given: str) -> str:
        """What a job's row keeps of its `notify`: nothing, `none`, or the address, sealed."""
        given = given.strip()
        if given in ("", NOBODY) or self._box.open(given) is not None:  # sealed already: of a job that is copied
            return given
        return self._box.seal(self.check(given))

    def test(self, owner: Person) -> None:
        """Sends a word to the kept address now. Raises ConflictError where it does not arrive."""
        kept = self._kept(owner.id)
        if kept is None:
            raise NotFoundError("workbench.not_found")
        title, body = translate("workbench.notify_test_title"), translate("workbench.notify_test_body", site=self.site)
        outcome = _child(kept["address"], local=self.local, title=title, body=body, good=True)
        if outcome == "refused":
            raise ConfigError("workbench.notify_local", key="address")
        if outcome != "sent":
            raise ConflictError("workbench.notify_failed")

    def _kept(self, owner_id: str) -> dict[str, Any] | None:
        with self.database.read() as session:
            sealed = session.scalar(select(Secret.sealed).where(Secret.owner_id == owner_id, Secret.name == _NAME))
        text = self._box.open(sealed) if sealed else None
        return json.loads(text) if text else None

    # Sending

    def job_ended(self, job: Job) -> None:
        """Lets the owner know of a job that is done or failed, if they want to. Never waits and never raises for a bad
        address: the queue goes on."""
        if job.state not in ("done", "failed") or job.notify == NOBODY:
            return
        if job.notify:
            address = self._box.open(job.notify)
        else:
            kept = self._kept(job.owner_id)
            address = str(kept["address"]) if kept and kept["always"] else None
        if not address:
            return
        title, body = self._words(job)
        try:
            self._waiting.put_nowait((address, title, body, job.state == "done"))
        except queue.Full:
            _log.warning("word of job %s was not sent: too many wait", job.id)
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="notifications", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ends the thread; what is being sent is sent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _words(self, job: Job) -> tuple[str, str]:
        with self.database.read() as session:
            chosen = session.scalar(select(User.language).where(User.id == job.owner_id))
        language: Language = chosen if chosen in ("en", "zh") else current_language()  # type: ignore[assignment]
        name = " ".join(job.title.split())
        took = _took(job, language)
        address = f"{self.site}/runs/{job.id}"
        if job.state == "done":
            title = translate("workbench.notify_done_title", language=language, title=name)
            return title, translate("workbench.notify_done_body", language=language, took=took, address=address)
        title = translate("workbench.notify_failed_title", language=language, title=name)
        reason = reason_text(job.reason, language)
        fields = {"took": took, "reason": reason, "address": address}
        return title, translate("workbench.notify_failed_body", language=language, **fields)

    def _send_all(self) -> None:
        while not self._stop.is_set():
            try:
                address, title, body, good = self._waiting.get(timeout=0.5)
            except queue.Empty:
                continue
            for pause in (*_PAUSES, None):
                outcome = _child(address, local=self.local, title=title, body=body, good=good)
                if outcome in ("sent", "refused") or pause is None or self._stop.wait(pause):
                    break
            if outcome != "sent":
                _log.warning("word of an ended job could not be sent: %s", outcome)


def _child(address: str, *, local: bool, title: str = "", body: str = "", good: bool = True) -> str:
    """How sending (or, without a body, checking) ended: `sent` `known` `refused` `failed`."""
    asked = {"address": address, "local": local, "title": title, "body": body, "good": good, "send": bool(body)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "metier.workbench.notify_child"],
            input=json.dumps(asked) + "\n",
            capture_output=True,
            text=True,
            timeout=_SEND_SECONDS,
            env=clean_environment(),
            cwd="/",
        )
        return str(json.loads(done.stdout)["outcome"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return "failed"


def _took(job: Job, language: Language) -> str:
    seconds = (job.ended - job.started).total_seconds() if job.ended and job.started else 0.0
    if seconds < 90:
        return translate("workbench.notify_seconds", language=language, count=round(seconds))
    return translate("workbench.notify_minutes", language=language, count=round(seconds / 60))

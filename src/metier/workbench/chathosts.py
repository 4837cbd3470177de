"""Who has models loaded to chat with, on which device, and who waits for one.

A chat stands in line with the jobs: those that were queued before it go first, those that were queued after it wait.
A model that nobody talks to is unloaded after a while, and at once where its owner loads another.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from metier.core.i18n import translate
from metier.workbench import devices
from metier.workbench.accounts import Person
from metier.workbench.backends.local import of_token
from metier.workbench.chatmodels import Weights
from metier.workbench.chatprocess import ChatHost, process_token
from metier.workbench.errors import ConflictError, NotFoundError, RefusedError, TooManyError
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job, Lease, Setting, now

IDLE_MINUTES = 15
_TICK_SECONDS = 0.3
_IDLE_SECONDS = 30  # the least that counts as idle
_MOST_WAITING = 50
_log = logging.getLogger("metier.workbench")


@dataclass(frozen=True)
class Holder:
    """What has a device. kind: `job` or `chat`; title and id only where it is the asker's, or the asker an admin;
    ahead: how many chats and jobs stand in line before the asker; idle: a chat that says nothing just now."""

    device: str
    kind: str
    id: str | None
    title: str | None
    mine: bool
    seconds: int
    ahead: int
    idle: bool


class ChatHosts:
    """The loaded models of an installation. places: its devices; tick: called with each look."""

    def __init__(self, database: Database, places: Callable[[], Sequence[str]]) -> None:
        self.database = database
        self.tick: Callable[[], None] = lambda: None
        self.free_again: Callable[[], None] = lambda: None
        self._places = places
        self._hosts: dict[str, ChatHost] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Ends what a killed server left, and begins to watch."""
        with self.database.read() as session:
            left = [one.holder_id for one in devices.leases(session) if one.holder_kind == "chat"]
        for host_id in left:
            for pid in of_token(process_token(host_id)):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        if left:
            with self.database.write() as session:
                session.execute(delete(Lease).where(Lease.holder_kind == "chat"))
        self._thread = threading.Thread(target=self._watch, name="chats", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Unloads everything."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        for host in list(self._hosts.values()):
            host.end()

    def of(self, owner: Person) -> ChatHost | None:
        """What somebody has loaded, or loads; the last failure too, until the next try."""
        return self._hosts.get(owner.id)

    def load(self, owner: Person, weights: dict[str, Weights], *, wait: bool = False) -> ChatHost:
        """Loads models, in place of what the owner had loaded. wait: stand in line where no device is free.

        Raises ConflictError where the owner's other chat is answering, or where no device is free and `wait` is off.
        """
        with self._lock:
            old = self._hosts.get(owner.id)
            if old is not None and old.is_live:
                if old.weights == weights and (old.state != "waiting" or wait):
                    return old
                if old.busy:
                    raise ConflictError("workbench.chat_other_answers")
            host = ChatHost(owner.id, weights, ended=self._ended)
            got = self._take(host, instead=old)
            if got is None:
                if not wait:
                    raise self._held(owner)
                if sum(one.state == "waiting" for one in self._hosts.values()) >= _MOST_WAITING:
                    raise TooManyError("workbench.chat_line_full", retry_after_seconds=30)
                if old is not None:
                    old.end()
            self._hosts[owner.id] = host
            if got is not None:
                host.start(got)
            return host

    def unload(self, person: Person, host_id: str | None = None) -> None:
        """Unloads what a person has loaded; an admin may unload anybody's. Raises NotFoundError for another's."""
        mine = self._hosts.get(person.id)
        if host_id is None or (mine is not None and mine.id == host_id):
            if mine is not None:
                mine.end()
                self._hosts.pop(person.id, None)
            return
        found = next((one for one in self._hosts.values() if one.id == host_id), None)
        if found is None or not person.is_admin:
            raise NotFoundError("workbench.not_found")
        found.end()

    def forget(self, reference: str) -> None:
        """Unloads what was loaded of a run that is removed now."""
        for host in list(self._hosts.values()):
            if any(one.partition("@")[0] == reference for one in host.references):
                host.end()
                self._hosts.pop(host.owner_id, None)

    def holder(self, person: Person, *, host: ChatHost | None = None) -> Holder | None:
        """What somebody who wants a device waits for, or None where one is free. host: the chat that waits."""
        asked = host.asked if host is not None else now()
        with self.database.read() as session:
            given = {lease.device: lease for lease in devices.leases(session)}
            jobs_ahead = self._jobs_before(session, asked)
            lease = next((given[one] for one in self._places() if one in given), None)
            job = session.get(Job, lease.holder_id) if lease is not None and lease.holder_kind == "job" else None
        chats_ahead = sum(one.state == "waiting" and one.asked < asked for one in self._hosts.values())
        if lease is None:
            first = self._places()[0]
            return Holder(first, "line", None, None, False, 0, jobs_ahead, False) if jobs_ahead else None
        mine = lease.owner_id == person.id
        known = mine or person.is_admin
        chat = next((one for one in self._hosts.values() if one.id == lease.holder_id), None)
        return Holder(
            device=lease.device,
            kind=lease.holder_kind,
            id=lease.holder_id if known else None,
            title=job.title if job is not None and known else None,
            mine=mine,
            seconds=max(0, round((now() - lease.since).total_seconds())),
            ahead=jobs_ahead + chats_ahead,
            idle=chat is not None and chat.state == "ready" and not chat.busy,
        )

    def ahead(self, job: Job) -> bool:
        """Whether a chat stands in line before a job."""
        return any(one.state == "waiting" and one.asked < job.created for one in list(self._hosts.values()))

    def waited_for(self, host: ChatHost) -> int:
        """How many runs wait for the device that a chat has."""
        if not host.devices:
            return 0
        with self.database.read() as session:
            return self._jobs_before(session, now())

    def idle_minutes(self) -> int:
        """After how many minutes a model that nobody talks to is unloaded."""
        with self.database.read() as session:
            setting = session.get(Setting, "chat")
            return int(setting.value["idle_minutes"]) if setting else IDLE_MINUTES

    def set_idle_minutes(self, admin: Person, minutes: int) -> None:
        """Another number of minutes."""
        if not admin.is_admin:
            raise RefusedError("workbench.admin_only")
        with self.database.write() as session:
            session.merge(Setting(name="chat", value={"idle_minutes": minutes}))

    def _take(self, host: ChatHost, *, instead: ChatHost | None = None) -> list[str] | None:
        """A device for a host, in its turn, or None. instead: a host whose device it takes over."""
        if instead is not None and instead.is_live and instead.devices:
            with self.database.write() as session:  # handed on in one step: nobody comes in between
                moved = update(Lease).where(Lease.holder_id == instead.id).values(holder_id=host.id, since=now())
                session.execute(moved)
            instead.end()  # its memory must be free before the next one loads
            return instead.devices
        try:
            with self.database.write() as session:
                if self._jobs_before(session, host.asked):
                    return None
                return devices.take(session, self._places(), 1, kind="chat", holder=host.id, owner=host.owner_id)
        except IntegrityError:
            return None  # somebody was faster

    def _one_is_free(self) -> bool:
        with self.database.read() as session:
            return len(devices.leases(session)) < len(self._places())

    def _jobs_before(self, session: Session, asked: Any) -> int:
        query = select(func.count()).select_from(Job)
        waiting = query.where(Job.state == "queued", Job.wanted_devices > 0, Job.created < asked)
        return session.scalar(waiting) or 0

    def _held(self, owner: Person) -> ConflictError:
        holder = self.holder(owner)
        if holder is None:
            return ConflictError("workbench.chat_no_device")
        return ConflictError("workbench.chat_held", device=holder.device, what=holder_text(holder))

    def _ended(self, host: ChatHost) -> None:
        try:
            with self.database.write() as session:
                devices.give_back(session, host.id)
        except SQLAlchemyError:
            _log.warning("a chat's device could not be given back; the next start does it", exc_info=True)
        self.free_again()

    def _watch(self) -> None:
        while not self._stop.wait(_TICK_SECONDS):
            try:
                self._look()
                self.tick()
            except (SQLAlchemyError, OSError):
                _log.warning("the chats could not be looked after; trying again", exc_info=True)
                self._stop.wait(2.0)

    def _look(self) -> None:
        hosts = list(self._hosts.values())
        idle = [one for one in hosts if one.idle_seconds > _IDLE_SECONDS]
        if idle:
            longest = 60 * self.idle_minutes()
            for host in idle:
                if host.idle_seconds > longest:
                    host.end()
        waiting = sorted((one for one in hosts if one.state == "waiting"), key=lambda one: one.asked)
        for host in waiting if waiting and self._one_is_free() else ():
            with self._lock:
                got = self._take(host) if host.state == "waiting" else None
                if got is not None:
                    host.start(got)


def holder_text(holder: Holder) -> str:
    """Who has a device, in words."""
    minutes = holder.seconds // 60
    since = translate("workbench.chat_since", minutes=minutes) if minutes else translate("workbench.chat_since_now")
    if holder.kind == "line":
        return translate("workbench.chat_by_line", ahead=holder.ahead)
    if holder.kind == "chat":
        key = "workbench.chat_by_own_chat" if holder.mine else "workbench.chat_by_chat"
        return translate(key, since=since)
    if holder.title is None:
        return translate("workbench.chat_by_other", since=since)
    return translate("workbench.chat_by_job", title=holder.title, since=since)

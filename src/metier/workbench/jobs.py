"""The queue as its owners see it: submit, look, order, stop, go on, copy, remove."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from metier.core.i18n import Language, has_text, translate
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.copies import forget_marked
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job, Review, Share, new_id, now
from metier.workbench.work import ON_DEVICE, check_work

LIVE = ("queued", "running")
ENDED = ("done", "failed", "cancelled")
PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some jobs, and where the next ones begin (None: there are no more)."""

    jobs: list[Job]
    next: str | None
    total: int


class Jobs:
    """Jobs of an installation. freeze: copies the sets that work names into a job's folder and returns the work that
    reads them there, with ids of other runs turned into paths: it checks what is the owner's; keep_address: what is
    kept of the address that word of the end is sent to."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        freeze: Callable[[Person, str, dict[str, Any], Path], dict[str, Any]],
        devices: Callable[[], Sequence[str]],
        keep_address: Callable[[str], str],
    ) -> None:
        self.database = database
        self.folder = folder
        self._freeze = freeze
        self._devices = devices
        self._keep_address = keep_address
        self.changed: Callable[[], None] = lambda: None  # the scheduler listens
        self.removed: list[Callable[[str], None]] = []  # called with a removed job's id: its traces elsewhere go too
        self._stamps: dict[str, int] = {}

    def stamp(self, job_id: str) -> int:
        """A number that grows whenever the job's row changes: who follows it need not ask the store."""
        return self._stamps.get(job_id, 0)

    def touched(self, job_id: str) -> None:
        """Notes that a job's row has changed."""
        self._stamps[job_id] = self._stamps.get(job_id, 0) + 1

    def submit(
        self,
        owner: Person,
        kind: str,
        work: Mapping[str, Any],
        *,
        title: str = "",
        devices: int | Sequence[str] = 1,
        notify: str = "",
        cloned_from: str | None = None,
        key: str = "",
    ) -> Job:
        """Checks the work, freezes its sets, and puts it at the end of the queue. Raises what is wrong with it.

        devices: how many, whichever are free first, or which; key: of the form it comes from. Its job has an id made
        of it: sent again, after a kill took the answer away, it finds its job.
        """
        checked = check_work(kind, work)
        there = self._devices()
        named = [] if isinstance(devices, int) else list(dict.fromkeys(devices))
        wanted = devices if isinstance(devices, int) else len(named)
        if not 0 < wanted <= len(there) or not set(named) <= set(there):
            raise ConflictError("workbench.too_many_devices", wanted=", ".join(named) or wanted, most=len(there))
        if cloned_from is not None:
            self.get(owner, cloned_from)
        job_id = _id_of(owner, key) if key else new_id()
        if key and (known := self._known(owner, job_id)) is not None:
            return known
        notify = self._keep_address(notify)
        folder = layout.job_folder(self.folder, job_id)
        if key:
            shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was cut off before it became a job
        folder.mkdir(parents=True)
        try:
            frozen = self._freeze(owner, kind, checked, folder / layout.DATA)
            with self.database.write() as session:
                last = session.scalar(select(func.max(Job.place))) or 0.0
                job = Job(
                    id=job_id,
                    owner_id=owner.id,
                    kind=kind,
                    title=(title.strip() or _title(kind, checked, owner.language))[:300],
                    spec={"asked": checked, "work": frozen, **({"devices": named} if named else {})},
                    place=last + 1.0,
                    wanted_devices=wanted if kind in ON_DEVICE else 0,
                    notify=notify,
                    cloned_from=cloned_from,
                )
                session.add(job)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.touched(job_id)
        self.changed()
        return job

    def _known(self, owner: Person, job_id: str) -> Job | None:
        with self.database.read() as session:
            return session.scalar(select(Job).where(Job.id == job_id, Job.owner_id == owner.id))

    def get(self, owner: Person, job_id: str) -> Job:
        """One of somebody's jobs. Raises NotFoundError."""
        with self.database.read() as session:
            return _own(session, owner, job_id)

    def folder_of(self, job: Job) -> Path:
        """Where a job keeps its files."""
        return layout.job_folder(self.folder, job.id)

    def page(
        self, owner: Person, *, states: tuple[str, ...] = (), kinds: tuple[str, ...] = (), search: str = "",
        after: str | None = None, limit: int = PAGE, only: ColumnElement[bool] | None = None,
    ) -> Page:  # fmt: skip
        """Somebody's jobs, the newest first. after: the id that the previous page ended with; only: a further test."""
        query = select(Job).where(Job.owner_id == owner.id)
        if only is not None:
            query = query.where(only)
        if states:
            query = query.where(Job.state.in_(states))
        if kinds:
            query = query.where(Job.kind.in_(kinds))
        if search.strip():
            query = query.where(Job.title.icontains(search.strip(), autoescape=True))
        with self.database.read() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            if after is not None:
                last = _own(session, owner, after)
                older = (Job.created < last.created) | ((Job.created == last.created) & (Job.id < last.id))
                query = query.where(older)
            limit = max(1, min(limit, 200))
            rows = list(session.scalars(query.order_by(Job.created.desc(), Job.id.desc()).limit(limit + 1)))
        return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None, total)

    def queue(self) -> list[Job]:
        """What runs and what waits, of everybody, in order: whoever waits may know behind how many."""
        with self.database.read() as session:
            query = select(Job).where(Job.state.in_(LIVE)).order_by(Job.state.desc(), Job.place)
            return list(session.scalars(query))

    def move(self, person: Person, job_id: str, *, before: str | None) -> None:
        """Puts a waiting job before another, or at the end. An admin orders everybody's, others their own."""
        with self.database.write() as session:
            job = session.get(Job, job_id) if person.is_admin else _own(session, person, job_id)
            if job is None:
                raise NotFoundError("workbench.not_found")
            if job.state != "queued":
                raise ConflictError("workbench.not_queued")
            waiting = list(session.scalars(select(Job).where(Job.state == "queued").order_by(Job.place)))
            # Members trade places among their own jobs: nobody is overtaken by it.
            mine = [one for one in waiting if person.is_admin or one.owner_id == person.id]
            places = [one.place for one in mine]
            mine.remove(job)
            at = next((index for index, one in enumerate(mine) if one.id == before), None)
            if before is not None and at is None:
                raise NotFoundError("workbench.not_found")
            mine.insert(len(mine) if at is None else at, job)
            for one, place in zip(mine, places, strict=True):
                one.place = place
        self.changed()

    def cancel(self, person: Person, job_id: str) -> Job:
        """Ends a job: at once while it waits, after what it is saving while it runs. Again does nothing more."""
        with self.database.write() as session:
            job = session.get(Job, job_id) if person.is_admin else _own(session, person, job_id)
            if job is None:
                raise NotFoundError("workbench.not_found")
            if job.state == "queued":
                job.state, job.ended = "cancelled", now()
            elif job.state == "running":
                job.stopping = "cancel"
        if job.state in ENDED:
            forget_marked(self.folder_of(job))
        self.touched(job_id)
        self.changed()
        return job

    def resume(self, owner: Person, job_id: str) -> Job:
        """Puts a stopped or failed job back into the queue: it goes on where it was."""
        with self.database.write() as session:
            job = _own(session, owner, job_id)
            if job.state not in ("failed", "cancelled"):
                raise ConflictError("workbench.not_ended")
            last = session.scalar(select(func.max(Job.place))) or 0.0
            job.state, job.place, job.attempts, job.reason, job.ended = "queued", last + 1.0, 0, None, None
            job.stopping = ""
        self.touched(job_id)
        self.changed()
        return job

    def clone(self, owner: Person, job_id: str, changes: Mapping[str, Any], *, title: str = "", key: str = "") -> Job:
        """The same work with some keys changed (`train.learning_rate` in a recipe) as a new job. key: as `submit`."""
        from metier.workbench.drafts import change

        job = self.get(owner, job_id)
        work = change(job.kind, job.spec["asked"], changes)
        devices = job.spec.get("devices") or max(1, job.wanted_devices)
        return self.submit(
            owner, job.kind, work, title=title or job.title, devices=devices, notify=job.notify, cloned_from=job.id,
            key=f"clone {key}" if key else "",
        )  # fmt: skip

    def remove(self, owner: Person, job_id: str) -> None:
        """Removes an ended job with all it wrote."""
        with self.database.write() as session:
            job = _own(session, owner, job_id)
            if job.state in LIVE:
                raise ConflictError("workbench.still_live")
            session.execute(delete(Share).where(Share.job_id == job_id))
            session.execute(delete(Review).where(reviews_of(job_id)))
            session.delete(job)
            forget_answers(session, owner.id, job_id)
        self.touched(job_id)
        # The row is gone first: a kill in between leaves a folder nobody owns, which the next start clears away.
        shutil.rmtree(layout.job_folder(self.folder, job_id), ignore_errors=True)
        for forget in self.removed:
            forget(job_id)

    def rename(self, owner: Person, job_id: str, title: str) -> Job:
        """Another title."""
        with self.database.write() as session:
            job = _own(session, owner, job_id)
            job.title = title.strip()[:300] or job.title
        self.touched(job_id)
        return job

    def counts(self, owner: Person) -> dict[str, int]:
        """Somebody's jobs by state."""
        with self.database.read() as session:
            query = select(Job.state, func.count()).where(Job.owner_id == owner.id).group_by(Job.state)
            return {row[0]: row[1] for row in session.execute(query)}

    def ended_since(self, owner: Person, moment: datetime) -> list[Job]:
        """Somebody's jobs that ended after a moment, the latest first."""
        with self.database.read() as session:
            query = select(Job).where(Job.owner_id == owner.id, Job.state.in_(ENDED), Job.ended > moment)
            return list(session.scalars(query.order_by(Job.ended.desc()).limit(PAGE)))


def reviews_of(job_id: str) -> ColumnElement[bool]:
    """The reviews that show a job's answers."""
    return or_(*(Review.setup[(side, "job")].as_string() == job_id for side in ("left", "right")))


def reason_text(reason: Mapping[str, Any] | None, language: Language | None = None) -> str:
    """Why a job failed, in plain words."""
    if not reason:
        return ""
    key, fields = str(reason.get("key", "")), dict(reason.get("fields") or {})
    if not has_text(key):
        return key
    try:
        return translate(key, language=language, **fields)
    except (KeyError, IndexError, ValueError):
        return key


def _id_of(owner: Person, key: str) -> str:
    return hashlib.sha256(f"{owner.id} {key}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _own(session: Session, owner: Person, job_id: str) -> Job:
    job = session.scalar(select(Job).where(Job.id == job_id, Job.owner_id == owner.id))
    if job is None:
        raise NotFoundError("workbench.not_found")
    return job


def _title(kind: str, work: Mapping[str, Any], language: str) -> str:
    if kind == "recipe":
        titles = work.get("title") or {}
        return str(titles.get(language) or titles.get("en") or work.get("name") or kind)
    key = f"workbench.step_{kind}"
    label = translate(key, language="zh" if language == "zh" else "en") if has_text(key) else kind
    work = work["predict"] if kind == "score" else work
    if kind == "prove":
        return " · ".join(dict.fromkeys((label, str(work["specialist"]), str(work["questions"]))))
    parts = (label, str(work.get("model_name_or_path") or work.get("model") or ""), str(work.get("dataset") or ""))
    return " · ".join(part for part in parts if part)

"""What goes with a removed set: its checks, and the copies that jobs took of it, at once or when they end."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select

from metier.workbench.accounts import Person
from metier.workbench.copies import copies, forget_later, forget_marked
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.jobs import ENDED, Jobs
from metier.workbench.store.tables import Dataset, Job


class Forgetting:
    """Finds a set's traces in the folders of its owner's jobs."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def users(self, owner: Person, row: Dataset) -> list[Job]:
        """The owner's jobs that took a copy of the set, the newest first, without its checks."""
        return [job for job in self._withcopies(owner, row) if job.kind != "prepare"]

    def removed(self, owner: Person, row: Dataset, *, runs: bool = False) -> None:
        """Called when a set is gone: ended jobs lose their copies, live ones when they end; checks go with it.

        runs: the ended jobs go too, with the answers and reports that quote its rows.
        """
        for job in self._withcopies(owner, row):
            check = job.kind == "prepare"
            if job.state in ENDED and (check or runs):
                with suppress(NotFoundError, ConflictError):
                    self.jobs.remove(owner, job.id)
                continue
            folder = self.jobs.folder_of(job)
            forget_later(folder, row.id, check=check)
            if check and job.state not in ENDED:
                self.jobs.cancel(owner, job.id)
            with suppress(NotFoundError):
                if self.jobs.get(owner, job.id).state in ENDED:  # also one that ended just now
                    forget_marked(folder)

    def _withcopies(self, owner: Person, row: Dataset) -> list[Job]:
        query = select(Job).where(Job.owner_id == owner.id, Job.created >= row.created).order_by(Job.created.desc())
        with self.jobs.database.read() as session:
            jobs = list(session.scalars(query))
        return [job for job in jobs if copies(self.jobs.folder_of(job), row.id)]

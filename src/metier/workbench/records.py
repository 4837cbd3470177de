"""What jobs have told, for their owners: curves, logs, progress, and what a clone changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metier.workbench.accounts import Person
from metier.workbench.curves import CurveBook
from metier.workbench.errors import NotFoundError
from metier.workbench.jobs import Jobs
from metier.workbench.live import Feed, last_lines, position_text
from metier.workbench.progress import Progress, progress_of
from metier.workbench.store.tables import Job


class Records:
    """Reads the folders of jobs."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._book = CurveBook()

    def curves(self, owner: Person, job_id: str, *, most: int | None = None) -> dict[str, Any]:
        """A training's measures as columns, see `Curves.view`."""
        return self._book.view(self._jobs.folder_of(self._jobs.get(owner, job_id)), most)

    def log(self, owner: Person, job_id: str, *, count: int) -> dict[str, Any]:
        """The last lines of a job's log: `lines`, and `position` behind them."""
        lines, end = last_lines(self._jobs.folder_of(self._jobs.get(owner, job_id)), count)
        return {"lines": lines, "position": end}

    def progress(self, job: Job) -> Progress:
        """Where a job is. It was given out by `Jobs`, so it is its reader's."""
        return progress_of(self._jobs.folder_of(job))

    def progress_of_all(self, jobs: Iterable[Job]) -> dict[str, Progress]:
        """Where those of the jobs are that run."""
        return {job.id: self.progress(job) for job in jobs if job.state == "running"}

    def position(self, job: Job) -> str:
        """From where on a job is to be followed to hear only what is new."""
        feed = Feed(self._jobs.folder_of(job))
        feed.seek_end()
        return position_text(feed.place)

    def changes(self, owner: Person, job: Job) -> tuple[Job | None, list[tuple[str, Any, Any]]]:
        """The job that this one was copied from, if it is still there, and `(key, there, here)` of what differs."""
        if not job.cloned_from:
            return None, []
        try:
            origin = self._jobs.get(owner, job.cloned_from)
        except NotFoundError:
            return None, []
        there, here = _flat(origin.spec["asked"]), _flat(job.spec["asked"])
        keys = [key for key in {**there, **here} if there.get(key) != here.get(key)]
        return origin, [(key, there.get(key), here.get(key)) for key in keys]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat

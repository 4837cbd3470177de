"""Reports that are read into findings: brought, read by a run, looked at page by page, and gone when removed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.errors import DataError
from metier.core.files import read_json
from metier.core.i18n import current_language
from metier.knowledge.document import Box, Document
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.brought import BroughtReports
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.findingsjob import DOCUMENT, FINDINGS, FORMATS
from metier.workbench.jobs import LIVE, Jobs, Page
from metier.workbench.knowledge import PICTURED
from metier.workbench.quota import Quota
from metier.workbench.store.tables import Job

if TYPE_CHECKING:
    from metier.specialists.finance.schema import Findings
    from metier.specialists.store import Specialists, StoredSpecialist

KIND = "findings"
_KEPT_DOCUMENTS = 8


@dataclass(frozen=True)
class ReadReport:
    """A report that was read. pictured: whether its pages can be looked at."""

    job: Job
    findings: Findings
    pictured: bool


class FindingsDesk:
    """Somebody's reports and what was found in them. What is not the asker's does not exist: NotFoundError.

    specialists: those of all; local: whether the servers of their models may be of this machine's network.
    """

    def __init__(
        self, jobs: Jobs, folder: Path, quota: Quota, specialists: Specialists, *, local: bool = False
    ) -> None:
        self.jobs = jobs
        self._specialists = specialists
        self._local = local
        self.brought = BroughtReports(folder, quota, self._file_and_name)
        quota.counted.append(self.used_bytes)

    def writers(self, owner: Person) -> list[StoredSpecialist]:
        """Specialists of somebody's that read reports and whose model, behind a server, may write beside the rules."""
        return [one for one in self._specialists.list(owner.id) if one.specialist.findings and one.specialist.server]

    def submit(self, owner: Person, upload_id: str, **wish: str) -> Job:
        """Has a file that came in read. wish: question, rules and specialist of the work, where there are any."""
        job = self._submit(owner, {"upload": upload_id, **wish})
        self.brought.discard(owner, upload_id)  # the run has it
        return job

    def again(self, owner: Person, job_id: str, **wish: str) -> Job:
        """Has the same file read once more, with another wish."""
        return self._submit(owner, {"of": self.get(owner, job_id).id, **wish})

    def freeze(self, owner: Person, work: dict[str, Any], folder: Path | None) -> dict[str, Any]:
        """The work with its file linked into a run's folder and its specialist as it is now."""
        frozen = self.brought.freeze(owner, work, folder)
        if not work.get("specialist"):
            return frozen
        writer = next((one for one in self.writers(owner) if one.specialist.name == work["specialist"]), None)
        if writer is None or writer.specialist.server is None:
            raise NotFoundError("workbench.findings_no_writer", name=work["specialist"])
        key = writer.specialist.server.api_key
        frozen |= {"writer": writer.specialist.model_dump(mode="json"), "local": self._local}
        return {**frozen, "keys": [key] if key else []}

    def page(self, owner: Person, *, search: str = "", after: str | None = None, limit: int = 20) -> Page:
        """Somebody's reports, the newest first."""
        return self.jobs.page(owner, kinds=(KIND,), search=search, after=after, limit=limit)

    def get(self, owner: Person, job_id: str) -> Job:
        """The run that reads or has read a report."""
        job = self.jobs.get(owner, job_id)
        if job.kind != KIND:
            raise NotFoundError("workbench.not_found")
        return job

    def read(self, owner: Person, job_id: str) -> ReadReport:
        """What was found. Raises ConflictError while it is not known."""
        from metier.specialists.finance.schema import Findings

        job = self.get(owner, job_id)
        folder = self._run(job)
        if job.state != "done" or not (folder / FINDINGS).is_file():
            raise ConflictError("workbench.findings_not_yet")
        found = Findings.model_validate_json((folder / FINDINGS).read_text(encoding="utf-8"))
        return ReadReport(job, found, found.kind in PICTURED)

    def picture(self, owner: Person, job_id: str, page: int, *, width: int) -> bytes:
        """A page's picture as PNG, drawn in the reader's limited process. width: pixels."""
        report = self.read(owner, job_id)
        if not report.pictured or not 1 <= page <= report.findings.pages:
            raise NotFoundError("workbench.not_found")
        from metier.knowledge.pagepictures import page_picture

        picture: bytes = page_picture(self._file(report.job), page, width=width, name=report.findings.name)
        return picture

    def boxes(self, owner: Person, job_id: str, start: int, end: int) -> list[Box]:
        """Where characters of a report's text stand in the pictures of its pages."""
        report = self.read(owner, job_id)
        if not report.pictured or end <= start:
            return []
        from metier.knowledge.pagepictures import find_boxes

        document = _document(self._run(report.job) / DOCUMENT)
        try:
            boxes: list[Box] = find_boxes(self._file(report.job), document, start, min(end, len(document.text)))
        except DataError:  # a page that cannot be drawn is told of by its picture
            return []
        return boxes

    def original(self, owner: Person, job_id: str) -> tuple[Path, str]:
        """The file as it came, and its name."""
        return self._file_and_name(owner, job_id)

    def file(self, owner: Person, job_id: str, suffix: str) -> Path:
        """What was found as a file. suffix: one of `FORMATS`. Raises ConflictError while it is not known."""
        report = self.read(owner, job_id)
        file = (self._run(report.job) / FINDINGS).with_suffix(f".{suffix}")
        if suffix not in FORMATS or not file.is_file():
            raise NotFoundError("workbench.not_found")
        return file

    def remove(self, owner: Person, job_id: str) -> None:
        """Removes a report with its file, its findings and all that was made of them. One that is being read is
        stopped; then it may be removed."""
        job = self.get(owner, job_id)
        if job.state in LIVE:
            job = self.jobs.cancel(owner, job_id)
        if job.state in LIVE:
            raise ConflictError("workbench.findings_stopping")
        self.jobs.remove(owner, job_id)

    def used_bytes(self, owner: Person) -> int:
        """Bytes of an owner's reports."""
        total, after = 0, None
        while True:
            found = self.jobs.page(owner, kinds=(KIND,), after=after, limit=200)
            for job in found.jobs:
                files = (self.jobs.folder_of(job) / layout.DATA).glob("report*")
                total += sum(file.stat().st_size for file in files)
            after = found.next
            if after is None:
                return total

    def _submit(self, owner: Person, wish: dict[str, str]) -> Job:
        asked = {"upload": "", "of": "", **wish, "language": current_language()}
        name = str(self.brought.freeze(owner, asked, None)["file_name"])
        return self.jobs.submit(owner, KIND, asked, title=name)

    def _run(self, job: Job) -> Path:
        return self.jobs.folder_of(job) / layout.RUN

    def _file(self, job: Job) -> Path:
        found = next((self.jobs.folder_of(job) / layout.DATA).glob("report*"), None)
        if found is None:
            raise NotFoundError("workbench.not_found")
        return found

    def _file_and_name(self, owner: Person, job_id: str) -> tuple[Path, str]:
        job = self.get(owner, job_id)
        return self._file(job), str(job.spec["work"]["file_name"])


@lru_cache(maxsize=_KEPT_DOCUMENTS)
def _document(path: Path) -> Document:
    """What was read of a report; it never changes."""
    return Document.from_json(read_json(path))

"""Reports, and links to them that work without signing in until they expire."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from metier.core.files import read_json
from metier.core.i18n import Language
from metier.workbench import layout
from metier.workbench.accounts import Person, digest
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.jobs import Jobs, Page
from metier.workbench.store.tables import Job, Share, User, now

KINDS = ("recipe", "score", "report", "prove")
DAYS = (1, 7, 30)
PAGE = 25
_MOST = 100  # links to one report at a time
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Report:
    """A finished report. html, data: its page and the figures that the page is made from."""

    job: Job
    html: Path
    data: Path


class Reports:
    """Finds reports for their owners."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def page(self, owner: Person, *, search: str = "", after: str | None = None, limit: int = PAGE) -> Page:
        """Jobs that ended with a report, the newest first."""
        # A scored prediction has a report where it was compared with another model.
        told = (Job.kind != "score") | Job.summary["verdict"].as_string().is_not(None)
        return self.jobs.page(owner, states=("done",), kinds=KINDS, search=search, after=after, limit=limit, only=told)

    def get(self, owner: Person, job_id: str) -> Report:
        """One report. Raises NotFoundError where the job has none."""
        return self.of(self.jobs.get(owner, job_id))

    def of(self, job: Job) -> Report:
        """The report of a job whose owner was checked. Raises NotFoundError."""
        name = "proof" if job.kind == "prove" else "report"
        step = self.jobs.folder_of(job) / layout.RUN / "steps" / ("prove" if name == "proof" else name)
        if job.kind not in KINDS or not (step / "done.json").is_file() or not (step / f"{name}.html").is_file():
            raise NotFoundError("workbench.no_report")
        return Report(job, step / f"{name}.html", step / f"{name}.json")


def text_of(report: Report, language: Language) -> str:
    """The report's page, opened in the reader's language; as it was made where its figures are of another version."""
    from metier.evaluate.proof.step import SCHEMA_VERSION as PROOF_VERSION
    from metier.report.build import SCHEMA_VERSION
    from metier.report.page import page
    from metier.report.proof import proof_page

    try:
        found = read_json(report.data)
    except (OSError, ValueError):
        found = {}
    if report.job.kind == "prove" and found.get("schema_version") == PROOF_VERSION:
        return proof_page(found, language)
    if isinstance(found, dict) and report.job.kind != "prove" and found.get("schema_version") == SCHEMA_VERSION:
        return page({**found, "language": language})
    return report.html.read_text(encoding="utf-8")


def facts_of(job: Job) -> dict[str, Any]:
    """What a list of reports says of one: model, sets, verdict and gain."""
    asked = job.spec["asked"]
    data = asked.get("data") or {}
    if job.kind == "score":
        data = {"test": asked["predict"].get("dataset")}
    if job.kind == "prove":
        data = {"test": asked["questions"]}
    verdict = job.summary.get("verdict") or {}
    outcome = verdict.get("outcome") if isinstance(verdict, Mapping) else None
    return {
        "model": str(
            asked.get("base_model_name_or_path") or asked.get("model_name_or_path") or asked.get("specialist") or ""
        ),
        "train": str(data.get("train") or ""),
        "test": str(data.get("test") or ""),
        "outcome": outcome or job.summary.get("outcome"),
        "gain": job.summary.get("gain"),
    }


class Shares:
    """Links to reports. A link's token is shown once and stored as its digest."""

    def __init__(self, jobs: Jobs, reports: Reports) -> None:
        self.jobs = jobs
        self.reports = reports
        self.database = jobs.database

    def create(self, owner: Person, job_id: str, *, days: int) -> tuple[Share, str]:
        """A new link and its token. Raises NotFoundError where there is no report, ConflictError for too many."""
        if days not in DAYS:
            raise ConflictError("workbench.share_days", known=", ".join(map(str, DAYS)))
        report = self.reports.get(owner, job_id)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        row = Share(owner_id=owner.id, job_id=report.job.id, digest=digest(token), expires=now() + timedelta(days=days))
        if len(self.list(owner, job_id)) >= _MOST:
            raise ConflictError("workbench.too_many_shares", most=_MOST)
        with self.database.write() as session:
            session.execute(delete(Share).where(Share.expires < now()))
            session.add(row)
        return row, token

    def list(self, owner: Person, job_id: str) -> list[Share]:
        """The links of a report that still work, the newest first."""
        job = self.jobs.get(owner, job_id)
        with self.database.read() as session:
            query = select(Share).where(Share.job_id == job.id, Share.owner_id == owner.id, Share.expires > now())
            return list(session.scalars(query.order_by(Share.created.desc(), Share.id)))

    def revoke(self, owner: Person, job_id: str, share_id: str) -> None:
        """Ends a link at once. Raises NotFoundError."""
        mine = (Share.id == share_id) & (Share.job_id == job_id) & (Share.owner_id == owner.id)
        with self.database.write() as session:
            row = session.scalar(select(Share).where(mine))
            if row is None:
                raise NotFoundError("workbench.not_found")
            session.delete(row)

    def report(self, token: str) -> Report:
        """What a link leads to, for anybody. Raises NotFoundError for one that does not work (any more)."""
        if not 20 <= len(token) <= 100:
            raise NotFoundError("workbench.no_share")
        with self.database.read() as session:
            query = (
                select(Job)
                .join(Share, (Share.job_id == Job.id) & (Share.owner_id == Job.owner_id))
                .join(User, User.id == Share.owner_id)
                .where(Share.digest == digest(token), Share.expires > now(), User.state == "active")
            )
            job = session.scalar(query)
        if job is None:
            raise NotFoundError("workbench.no_share")
        try:
            return self.reports.of(job)
        except NotFoundError as error:
            raise NotFoundError("workbench.no_share") from error

"""Findings: a report is brought, read by a run, and told with the place of each figure."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import Field

from metier.api.access import Owner, Services
from metier.api.conversations import Body
from metier.api.once import once
from metier.workbench.findingsjob import LONGEST_RULES
from metier.workbench.jobs import reason_text
from metier.workbench.progress import progress_of
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench

router = APIRouter(tags=["findings"])


class Wish(Body):
    """question: what matters most, put first among the findings; rules: a list to check against, one a line;
    specialist: of yours that reads reports, whose model behind a server writes beside the rules, each figure checked;
    left out, rules and tools do it alone."""

    question: str = Field("", max_length=2000, examples=["How did revenue change?"])
    rules: str = Field("", max_length=LONGEST_RULES)
    specialist: str = Field("", max_length=64)

    def wish(self) -> dict[str, str]:
        """As the service takes it."""
        return {"question": self.question, "rules": self.rules, "specialist": self.specialist}


class Order(Wish):
    """upload: the id of `POST /findings/uploads`."""

    upload: str = Field(min_length=1, max_length=16)


def findings_view(services: Workbench, job: Job) -> dict[str, Any]:
    """A report without what was found: where its reading is."""
    reading = progress_of(services.jobs.folder_of(job)) if job.state == "running" else None
    return {
        "id": job.id,
        "name": job.title,
        "state": job.state,
        "created": job.created,
        "ended": job.ended,
        "page": reading.done if reading else None,
        "pages": reading.total if reading else (job.summary or {}).get("pages"),
        "reason": reason_text(job.reason) or None,
        "summary": job.summary if job.state == "done" else None,
    }


@router.post("/findings/uploads", status_code=201)
async def bring_report(
    request: Request, services: Services, owner: Owner, name: Annotated[str, Query(max_length=1000)]
) -> dict[str, Any]:
    """Takes a PDF, picture or table in: its bytes are the body, its name the query's `name`."""
    return asdict(await services.findings.brought.receive(owner, unquote(name), request.stream()))


@router.delete("/findings/uploads/{upload_id}", status_code=204)
def discard_report(services: Services, owner: Owner, upload_id: str) -> None:
    """Throws a file away that was not read."""
    services.findings.brought.discard(owner, upload_id)


@router.post("/findings", status_code=201)
def read_report(request: Request, services: Services, owner: Owner, body: Order) -> Response:
    """Has a report read. It goes on whatever happens; `GET /findings/{job_id}` tells how far it is."""

    def create() -> dict[str, Any]:
        job = services.findings.submit(owner, body.upload, **body.wish())
        return findings_view(services, job)

    return once(request, services, owner, body, create)


@router.get("/findings")
def reports_read(
    services: Services, owner: Owner,
    search: Annotated[str, Query(max_length=200)] = "", after: Annotated[str | None, Query(max_length=16)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:  # fmt: skip
    """Your reports, the newest first. `next` is the `after` of the next page."""
    found = services.findings.page(owner, search=search, after=after, limit=limit)
    return {"reports": [findings_view(services, job) for job in found.jobs], "next": found.next, "total": found.total}


@router.get("/findings/{job_id}")
def report_read(services: Services, owner: Owner, job_id: str) -> dict[str, Any]:
    """One report: where its reading is, and once it is done, what was found."""
    job = services.findings.get(owner, job_id)
    view = findings_view(services, job)
    if job.state != "done":
        return view
    report = services.findings.read(owner, job_id)
    return {**view, "findings": report.findings.model_dump(mode="json")}


@router.post("/findings/{job_id}/again", status_code=201)
def read_again(request: Request, services: Services, owner: Owner, job_id: str, body: Wish) -> Response:
    """Has the same file read once more, with another question or another list of rules, as a report of its own."""

    def create() -> dict[str, Any]:
        return findings_view(services, services.findings.again(owner, job_id, **body.wish()))

    return once(request, services, owner, {"of": job_id, **body.model_dump()}, create)


@router.get("/findings/{job_id}/pages/{page}/picture")
def report_page(
    services: Services, owner: Owner, job_id: str, page: int, width: Annotated[int, Query(ge=100, le=2400)] = 1200
) -> Response:
    """A page's picture."""
    return Response(services.findings.picture(owner, job_id, page, width=width), media_type="image/png")


@router.get("/findings/{job_id}/boxes")
def report_boxes(
    services: Services, owner: Owner, job_id: str,
    start: Annotated[int, Query(ge=0, le=10**9)] = 0, end: Annotated[int, Query(ge=0, le=10**9)] = 1,
) -> list[dict[str, Any]]:  # fmt: skip
    """Where characters start to end stand in the pictures of the pages: fractions of width and height."""
    return [asdict(box) for box in services.findings.boxes(owner, job_id, start, end)]


@router.get("/findings/{job_id}/report/{format}")
def findings_file(services: Services, owner: Owner, job_id: str, format: str) -> FileResponse:
    """What was found, to be saved. format: `html` (one page that needs nothing else), `docx`, `xlsx` or `json`."""
    path = services.findings.file(owner, job_id, format)
    return _saved(path, f"{Path(services.findings.get(owner, job_id).title).stem}{path.suffix}")


@router.get("/findings/{job_id}/file")
def report_file(services: Services, owner: Owner, job_id: str) -> FileResponse:
    """The report's file as it came, to be saved."""
    return _saved(*services.findings.original(owner, job_id))


@router.delete("/findings/{job_id}", status_code=204)
def remove_report(services: Services, owner: Owner, job_id: str) -> None:
    """Removes a report: its file, what was found in it, and all that was made of that."""
    services.findings.remove(owner, job_id)


def _saved(path: Path, name: str) -> FileResponse:
    """A file that is saved and never opened as a page of ours."""
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=name,
        content_disposition_type="attachment",
        headers={"Content-Security-Policy": "sandbox; default-src 'none'"},
    )

"""Reports, and links to them that work without signing in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.workbench.shares import facts_of
from metier.workbench.store.tables import Job, Share

router = APIRouter(tags=["reports"])


class NewShare(BaseModel):
    """How many days a link works."""

    model_config = ConfigDict(extra="forbid")

    days: Literal[1, 7, 30] = Field(7, examples=[7])


def report_view(job: Job) -> dict[str, Any]:
    """A report as a list shows it."""
    return {"job": job.id, "title": job.title, "ended": job.ended, **facts_of(job)}


def share_view(row: Share) -> dict[str, Any]:
    """A link without its token."""
    return {"id": row.id, "created": row.created, "expires": row.expires}


@router.get("/reports")
def reports(
    services: Services,
    owner: Owner,
    search: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=16)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 25,
) -> dict[str, Any]:
    """Finished reports, the newest first. `next` is the `after` of the following page."""
    found = services.reports.page(owner, search=search, after=after, limit=limit)
    return {"reports": [report_view(job) for job in found.jobs], "next": found.next, "total": found.total}


@router.get("/jobs/{job_id}/shares")
def shares(services: Services, owner: Owner, job_id: str) -> list[dict[str, Any]]:
    """The links to a report that still work, without their tokens."""
    return [share_view(row) for row in services.shares.list(owner, job_id)]


@router.post("/jobs/{job_id}/shares", status_code=201)
def create_share(request: Request, services: Services, owner: Owner, job_id: str, body: NewShare) -> Response:
    """A link to the report. Its address is in this answer and nowhere else, but sealed for a repetition of the
    request."""

    def create() -> dict[str, Any]:
        row, token = services.shares.create(owner, job_id, days=body.days)
        site = str(request.base_url).rstrip("/")
        return {**share_view(row), "address": f"/shared/{token}", "url": f"{site}/shared/{token}"}

    return once(request, services, owner, {"job": job_id, **body.model_dump()}, create)


@router.delete("/jobs/{job_id}/shares/{share_id}", status_code=204)
def revoke_share(services: Services, owner: Owner, job_id: str, share_id: str) -> None:
    """Ends a link at once."""
    services.shares.revoke(owner, job_id, share_id)

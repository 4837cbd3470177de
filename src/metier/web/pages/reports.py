"""Reports: the list, each inside the workbench's frame, and the page itself for whoever has a link to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from metier.api.access import Services
from metier.core.i18n import current_language
from metier.web import figures
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.shares import DAYS, Report, facts_of, text_of

router = APIRouter()
# A report is one file with its own style sheet and no script; whatever stood in it, none would run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
_FRAMED = _POLICY + "frame-ancestors 'self'; sandbox allow-same-origin allow-modals"
_SHARED = _POLICY + "frame-ancestors 'none'; sandbox"


@router.get("/reports")
def reports(
    request: Request,
    services: Services,
    person: Reader,
    search: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=16)] = None,
) -> Response:
    """Finished reports, the newest first."""
    found = services.reports.page(person, search=search, after=after)
    facts = {job.id: {**facts_of(job), "words": figures.gain_words(job.summary.get("gain"))} for job in found.jobs}
    return page(request, "reports.html", person, found=found, facts=facts, search=search, after=after)


@router.get("/reports/{job_id}")
def report(request: Request, services: Services, person: Reader, job_id: str) -> Response:
    """One report with what can be done with it."""
    found = services.reports.get(person, job_id)
    shares = services.shares.list(person, job_id)
    return page(request, "report.html", person, job=found.job, shares=shares, days=DAYS)


@router.get("/reports/{job_id}/page")
def report_page(services: Services, person: Reader, job_id: str) -> Response:
    """The report itself."""
    return _itself(services.reports.get(person, job_id), _FRAMED)


@router.get("/shared/{token}")
def shared(services: Services, token: str) -> Response:
    """The report that a link leads to, for anybody who has it."""
    return _itself(services.shares.report(token), _SHARED)


def _itself(found: Report, policy: str) -> HTMLResponse:
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(text_of(found, current_language()), headers=headers)

"""Findings: bring a report, follow its reading, and look at each figure where it stands."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.api.routes.findings import findings_view
from metier.core.i18n import current_language
from metier.web.conversations import script_texts
from metier.web.findingview import by_kind, rules_of, tables
from metier.web.pages.assistant import title_of
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.findingsjob import LONGEST_RULES
from metier.workbench.jobs import reason_text
from metier.workbench.workbench import Workbench

router = APIRouter()
# What the scripts say; the placeholders are filled in there.
_TEXTS = ("sending", "broken", "too_large", "reading", "reading_page", "waiting", "page_of", "marked")
_PLACEHOLDERS = ("name", "percent", "page", "pages", "label")


@router.get("/findings")
def reports(
    request: Request, services: Services, person: Reader,
    search: Annotated[str, Query(max_length=200)] = "", after: Annotated[str | None, Query(max_length=16)] = None,
) -> Response:  # fmt: skip
    """A place to bring a report, and those that were read."""
    found = services.findings.page(person, search=search, after=after)
    shown = [(job, findings_view(services, job)) for job in found.jobs]
    return page(
        request, "findings.html", person, shown=shown, found=found, search=search, most=services.quota.upload_bytes,
        longest_rules=LONGEST_RULES, writers=_writers(services, person),
        texts=script_texts("findings", _TEXTS, _PLACEHOLDERS),
    )  # fmt: skip


@router.get("/findings/{job_id}")
def report(
    request: Request, services: Services, person: Reader, job_id: str,
    number: Annotated[int, Query(alias="page", ge=1, le=10**6)] = 1,
) -> Response:  # fmt: skip
    """One report: what it shows, beside the page that it stands on; while it is read, how far that is."""
    job = services.findings.get(person, job_id)
    texts = script_texts("findings", _TEXTS, _PLACEHOLDERS)
    values: dict[str, Any] = {
        "job": job,
        "view": findings_view(services, job),
        "texts": texts,
        "longest_rules": LONGEST_RULES,
    }
    values["writers"] = _writers(services, person)
    if job.state != "done":
        return page(request, "findings_reading.html", person, reason=reason_text(job.reason), **values)
    read = services.findings.read(person, job_id)
    groups = by_kind(read.findings, current_language())
    return page(
        request, "findings_report.html", person, found=read.findings, groups=groups, pictured=read.pictured,
        rules=rules_of(read.findings), tables=[] if read.pictured else tables(read.findings.exhibits),
        number=min(number, read.findings.pages), **values,
    )  # fmt: skip


@router.post("/findings/{job_id}/remove")
def remove_report(services: Services, person: Reader, job_id: str) -> Response:
    """Removes a report with everything that was found in it."""
    services.findings.remove(person, job_id)
    return RedirectResponse("/findings", 303)


def _writers(services: Workbench, person: Person) -> list[tuple[str, str]]:
    """Name and title of the specialists whose model may write."""
    return [(one.specialist.name, title_of(one)) for one in services.findings.writers(person)]

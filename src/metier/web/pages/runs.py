"""Runs: the queue, the list, and the page of one run."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import yaml
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.api.once import once_for_key
from metier.web.pages.assistant import title_of
from metier.web.proofs import proof_of
from metier.web.render import page
from metier.web.visit import Reader, local_address
from metier.workbench.accounts import Person
from metier.workbench.artifacts import downloads
from metier.workbench.jobs import ENDED, reason_text
from metier.workbench.progress import has_training, plan_of
from metier.workbench.store.tables import Job
from metier.workbench.telling import step_label
from metier.workbench.waiting import waiting_of
from metier.workbench.work import KINDS
from metier.workbench.workbench import Workbench

router = APIRouter()
_SHOWN = 25
_STATES = ("queued", "running", *ENDED)
_TABS = ("live", "configuration", "files")
Text = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True)
class Asked:
    """Which runs of the list are wanted. after: the id that the page before ended with."""

    state: Annotated[str, Query(max_length=20)] = ""
    kind: Annotated[str, Query(max_length=20)] = ""
    search: Annotated[str, Query(max_length=200)] = ""
    after: Annotated[str, Query(max_length=16)] = ""


@router.get("/runs")
def runs(request: Request, services: Services, person: Reader, asked: Annotated[Asked, Depends()]) -> Response:
    """What runs and waits, and below it everything, the newest first."""
    values = {**_rows(services, person, asked), **queue_values(services, person)}
    return page(request, "runs.html", person, states=_STATES, kinds=KINDS, **values)


@router.get("/runs/rows")
def rows(request: Request, services: Services, person: Reader, asked: Annotated[Asked, Depends()]) -> Response:
    """The list alone, as it is now."""
    return page(request, "runs_rows.html", person, **_rows(services, person, asked))


@router.get("/runs/queue")
def queue(request: Request, services: Services, person: Reader) -> Response:
    """The part of the list that changes by itself."""
    return page(request, "runs_queue.html", person, **queue_values(services, person))


@router.get("/runs/{job_id}")
def run(
    request: Request, services: Services, person: Reader, job_id: str, tab: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """One run: what happens now, how it was set up, what it left."""
    job = services.jobs.get(person, job_id)
    if job.kind == "findings":
        return RedirectResponse(f"/findings/{job_id}", 303)
    shown = tab if tab in _TABS else "live"
    values = _of_run(services, person, job)
    if shown == "configuration":
        origin, changed = services.records.changes(person, job)
        values |= {
            "yaml": yaml.safe_dump(job.spec["asked"], allow_unicode=True, sort_keys=False),
            "origin": origin,
            "changed": changed,
        }
    if shown == "files":
        found = downloads(services.jobs.folder_of(job))
        values["files"] = [(name, path.stat().st_size) for name, path in found.items()]
    return page(request, "run.html", person, tab=shown, tabs=_TABS, **values)


@router.get("/runs/{job_id}/head")
def head(request: Request, services: Services, person: Reader, job_id: str) -> Response:
    """The part of a run's page that changes with its state."""
    return page(request, "run_head.html", person, **_of_run(services, person, services.jobs.get(person, job_id)))


@router.post("/runs/{job_id}/stop")
def stop(services: Services, person: Reader, job_id: str, next: Text = "") -> Response:
    """Stops a run after what it is saving."""
    services.jobs.cancel(person, job_id)
    return _back(next, job_id)


@router.post("/runs/{job_id}/resume")
def resume(services: Services, person: Reader, job_id: str, next: Text = "") -> Response:
    """Lets a run go on where it was. Pressed twice, it goes on once."""
    if services.jobs.get(person, job_id).state in ENDED:
        services.jobs.resume(person, job_id)
    return _back(next, job_id)


@router.post("/runs/{job_id}/rename")
def rename(services: Services, person: Reader, job_id: str, title: Text, next: Text = "") -> Response:
    """Gives a run another title."""
    services.jobs.rename(person, job_id, title)
    return _back(next, job_id)


@router.post("/runs/{job_id}/clone")
def clone(services: Services, person: Reader, job_id: str, key: Text) -> Response:
    """The same work once more, as a new run."""

    def create() -> dict[str, str]:
        return {"id": services.jobs.clone(person, job_id, {}).id}

    body, _ = once_for_key(services, person, key, ["clone", job_id], create)
    return RedirectResponse(f"/runs/{json.loads(body)['id']}", 303)


@router.post("/runs/{job_id}/remove")
def remove(services: Services, person: Reader, job_id: str, next: Text = "/runs") -> Response:
    """Removes a run with all it wrote."""
    services.jobs.remove(person, job_id)
    return RedirectResponse(local_address(next), 303)


def queue_values(services: Workbench, person: Person, *, mine: bool = False) -> dict[str, Any]:
    """What a queue shows: the jobs in order, how far those that run are, and what the others wait for. Of other
    people's only that they are there. mine: only the reader's own."""
    everybody = services.jobs.queue()
    holders = services.holders(person)
    seen = [job for job in everybody if job.owner_id == person.id or person.is_admin]
    live = [job for job in everybody if job.owner_id == person.id] if mine else everybody
    return {
        "live": live,
        "seen": {job.id for job in seen},
        "own": {job.id for job in everybody if job.owner_id == person.id},
        "progress": services.records.progress_of_all(seen),
        "waiting": {job.id: waiting_of(job, everybody, holders) for job in seen if job.state == "queued"},
        "devices": holders,
        "step_label": step_label,
    }


def _rows(services: Workbench, person: Person, asked: Asked) -> dict[str, Any]:
    found = services.jobs.page(
        person,
        states=(asked.state,) if asked.state in _STATES else (),
        kinds=(asked.kind,) if asked.kind in KINDS else (),
        search=asked.search,
        after=asked.after or None,
        limit=_SHOWN,
    )
    given = {name: value for name in ("state", "kind", "search") if (value := getattr(asked, name).strip())}
    return {
        "jobs": found.jobs,
        "in_use": _in_use(services, person),
        "total": found.total,
        "asked": asked,
        "filtered": bool(given),
        "rows": "/runs/rows?" + urlencode({**given, "after": asked.after}),
        "first": "/runs?" + urlencode(given) if asked.after else "",
        "next": "/runs?" + urlencode({**given, "after": found.next}) if found.next else "",
    }


def _of_run(services: Workbench, person: Person, job: Job) -> dict[str, Any]:
    position = services.records.position(job)  # first: what is told in between is heard from the stream
    progress = services.records.progress(job)
    plan = plan_of(job)
    current = plan.index(progress.step) if progress.step in plan else 0
    queue = services.jobs.queue() if job.state == "queued" else []
    waiting = waiting_of(job, queue, services.holders(person)) if queue else None
    return {
        "job": job,
        "in_use": _in_use(services, person),
        "state": "stopping" if job.state == "running" and job.stopping else job.state,
        "reason": reason_text(job.reason),
        "plan": plan,
        "steps": {name: step_label(name) for name in plan},
        "current": len(plan) if job.state == "done" else current,
        "progress": progress,
        "position": position,
        "waiting": waiting,
        "own": {one.id for one in queue if one.owner_id == person.id},
        "training": has_training(job),
        "verdict": job.summary.get("verdict") if job.kind in ("recipe", "score", "prove") else None,
        "proof": proof_of(services.jobs.folder_of(job), job.id) if job.state == "done" and "prove" in plan else None,
        "step_label": step_label,
        "key": secrets.token_urlsafe(12),
    }


def _in_use(services: Workbench, person: Person) -> dict[str, list[str]]:
    """Which specialists answer with what a run has trained: its id → their titles."""
    return {run: [title_of(one) for one in some] for run, some in services.specialists.made_of(person).items()}


def _back(next: str, job_id: str) -> Response:
    return RedirectResponse(local_address(next) if next else f"/runs/{job_id}", 303)

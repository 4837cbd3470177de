"""Jobs: submit, look, follow, order, stop, go on, copy, remove; and the files that they left."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.api.stream import event_stream
from metier.workbench.artifacts import downloads
from metier.workbench.bundle import zipped
from metier.workbench.jobs import reason_text
from metier.workbench.store.tables import Job

router = APIRouter(tags=["jobs"])
_EXAMPLE: Any = {
    "kind": "recipe",
    "work": {"name": "medical", "data": {"train": "medical_demo_en"}},
    "title": "First try",
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewJob(_Body):
    """kind: `recipe`, `score` (answers and their scores, beside a second model's where `base_model_name_or_path` names
    one), `prove` (a specialist with and without what it was taught and its documents), `train`, `predict`, `evaluate`,
    `compare`, `report`, `prepare` or `fetch`; work: that step's parameters, or a recipe's keys. devices: how many, or
    which by name; cloned_from: the job it was made from."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    kind: str = Field(max_length=20)
    work: dict[str, Any]
    title: str = Field("", max_length=300)
    devices: Annotated[int, Field(ge=1, le=1024)] | Annotated[list[str], Field(min_length=1, max_length=1024)] = 1
    notify: str = Field("", max_length=1500)
    cloned_from: str | None = Field(None, max_length=16)


class Place(_Body):
    """The job to stand before, or null for the end."""

    before: str | None = None


class Copy(_Body):
    """Keys to change, such as `train.learning_rate`."""

    changes: dict[str, Any] = Field(default_factory=dict, examples=[{"train.learning_rate": 2e-4}])
    title: str = Field("", max_length=300)


class Title(_Body):
    """Another title."""

    title: str = Field(min_length=1, max_length=300)


def job_view(job: Job) -> dict[str, Any]:
    """A job as the API shows it."""
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": "stopping" if job.state == "running" and job.stopping else job.state,
        "place": job.place if job.state == "queued" else None,
        "devices": job.devices,
        "attempts": job.attempts,
        "reason": reason_text(job.reason) or None,
        "summary": job.summary,
        "cloned_from": job.cloned_from,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "work": job.spec["asked"],
    }


@router.post("/jobs", status_code=201)
def submit(request: Request, services: Services, owner: Owner, body: NewJob) -> Response:
    """Puts work into the queue."""
    return once(request, services, owner, body, lambda: job_view(_submit(request, services, owner, body)))


def _submit(request: Request, services: Services, owner: Owner, body: NewJob) -> Job:
    return services.jobs.submit(
        owner, body.kind, body.work, title=body.title, devices=body.devices, notify=body.notify,
        cloned_from=body.cloned_from, key=request.headers.get("idempotency-key", ""),
    )  # fmt: skip


@router.get("/jobs")
def page(
    services: Services,
    owner: Owner,
    state: Annotated[list[str] | None, Query(max_length=10)] = None,
    kind: Annotated[list[str] | None, Query(max_length=10)] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=16)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Jobs, the newest first. `next` is the `after` of the following page."""
    found = services.jobs.page(
        owner, states=tuple(state or ()), kinds=tuple(kind or ()), search=search, after=after, limit=limit
    )
    return {"jobs": [job_view(job) for job in found.jobs], "next": found.next, "total": found.total}


@router.get("/queue")
def queue(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """What runs and waits on this machine, in order. Of others' jobs only that they are there."""
    return [
        job_view(job) if job.owner_id == owner.id or owner.is_admin else {"id": None, "state": job.state}
        for job in services.jobs.queue()
    ]


@router.get("/jobs/{job_id}")
def get(services: Services, owner: Owner, job_id: str) -> dict[str, Any]:
    """One job; once it is done, `specialists` are the names of those that answer with what it has trained."""
    job = services.jobs.get(owner, job_id)
    used = services.specialists.made_of(owner).get(job.id, ()) if job.state == "done" else ()
    return {**job_view(job), "specialists": [one.specialist.name for one in used]}


@router.patch("/jobs/{job_id}")
def rename(services: Services, owner: Owner, job_id: str, body: Title) -> dict[str, Any]:
    """Another title."""
    return job_view(services.jobs.rename(owner, job_id, body.title))


@router.delete("/jobs/{job_id}", status_code=204)
def remove(services: Services, owner: Owner, job_id: str) -> None:
    """Removes an ended job with all it wrote. Its `specialists` have no model then: they answer with quotations and
    computed figures until they have another one."""
    services.jobs.remove(owner, job_id)


@router.post("/jobs/{job_id}/cancel")
def cancel(services: Services, owner: Owner, job_id: str) -> dict[str, Any]:
    """Stops a job after what it is saving."""
    return job_view(services.jobs.cancel(owner, job_id))


@router.post("/jobs/{job_id}/resume")
def resume(services: Services, owner: Owner, job_id: str) -> dict[str, Any]:
    """Lets a stopped or failed job go on where it was."""
    return job_view(services.jobs.resume(owner, job_id))


@router.post("/jobs/{job_id}/clone", status_code=201)
def clone(request: Request, services: Services, owner: Owner, job_id: str, body: Copy) -> Response:
    """The same work with some keys changed, as a new job."""
    asked = {"job": job_id, **body.model_dump()}
    key = request.headers.get("idempotency-key", "")
    return once(
        request,
        services,
        owner,
        asked,
        lambda: job_view(services.jobs.clone(owner, job_id, body.changes, title=body.title, key=key)),
    )


@router.put("/jobs/{job_id}/place", status_code=204)
def move(services: Services, owner: Owner, job_id: str, body: Place) -> None:
    """Puts a waiting job before another."""
    services.jobs.move(owner, job_id, before=body.before)


@router.get("/jobs/{job_id}/events")
def follow(request: Request, services: Services, owner: Owner, job_id: str) -> StreamingResponse:
    """State, events and log as Server-Sent Events; `Last-Event-ID` goes on where a connection broke."""
    job = services.jobs.get(owner, job_id)
    services.followers.check(owner)
    return StreamingResponse(
        event_stream(request, services, owner, job),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


@router.get("/jobs/{job_id}/curves")
def job_curves(
    services: Services, owner: Owner, job_id: str, points: Annotated[int | None, Query(ge=2, le=1_000_000)] = None
) -> JSONResponse:
    """The training's measures by step, as columns; `points` thins a long curve out for a first look. The stream goes
    on from `position`, the bytes of events that are in them: `from=e<position>.l<bytes of the log>`."""
    return JSONResponse(services.records.curves(owner, job_id, most=points))  # numbers only: nothing to convert


@router.get("/jobs/{job_id}/log")
def log(
    services: Services, owner: Owner, job_id: str, lines: Annotated[int, Query(ge=1, le=10_000)] = 2_000
) -> dict[str, Any]:
    """The last lines of the log; the whole of it is the file `log.txt`."""
    return services.records.log(owner, job_id, count=lines)


@router.get("/jobs/{job_id}/progress")
def progress(services: Services, owner: Owner, job_id: str) -> dict[str, Any]:
    """The step at work, how far it has come, the seconds that are left of it, and what it last measured."""
    return asdict(services.records.progress(services.jobs.get(owner, job_id)))


@router.get("/jobs/{job_id}/changes")
def changes(services: Services, owner: Owner, job_id: str) -> dict[str, Any]:
    """What differs from the job that this one was copied from."""
    origin, found = services.records.changes(owner, services.jobs.get(owner, job_id))
    rows = [{"key": key, "before": before, "now": now} for key, before, now in found]
    return {"from": origin.id if origin else None, "changes": rows}


@router.get("/jobs/{job_id}/files")
def files(services: Services, owner: Owner, job_id: str) -> list[dict[str, Any]]:
    """What a job left to be downloaded."""
    job = services.jobs.get(owner, job_id)
    found = downloads(services.jobs.folder_of(job))
    return [{"name": name, "size": path.stat().st_size} for name, path in found.items()]


@router.get("/jobs/{job_id}/files/{name:path}")
def download(services: Services, owner: Owner, job_id: str, name: str) -> FileResponse:
    """One of these files, whole or a range of it."""
    from metier.workbench.errors import NotFoundError

    job = services.jobs.get(owner, job_id)
    path = downloads(services.jobs.folder_of(job)).get(name)
    if path is None:
        raise NotFoundError("workbench.not_found")
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    file_name = f"{job.id}-{name.replace('/', '-')}"
    return FileResponse(path, filename=file_name, content_disposition_type="attachment", headers=headers)


@router.get("/jobs/{job_id}/weights.zip")
def weights(services: Services, owner: Owner, job_id: str) -> StreamingResponse:
    """What a training made, the adapter or the model, as one file."""
    folder, _ = services.artifacts.weights(owner, f"run:{job_id}")
    headers = {"Content-Disposition": f'attachment; filename="{job_id}-{folder.name}.zip"'}
    return StreamingResponse(zipped(folder), media_type="application/zip", headers=headers)


@router.get("/devices")
def devices(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """The machine's devices, and what holds them."""
    return services.holders(owner)

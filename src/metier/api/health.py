"""Whether the server lives, is ready, and how it does."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from metier import __version__
from metier.api.access import Services
from metier.workbench.store.tables import Job, Lease

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz(services: Services) -> dict[str, Any]:
    """The process answers; `problems` says what it cannot do at the moment."""
    problems = [] if services.can_write() else ["data folder: cannot be written"]
    return {"status": "degraded" if problems else "ok", "problems": problems, "version": __version__}


@router.get("/readyz")
def readyz(request: Request, services: Services) -> JSONResponse:
    """The store answers and can be written, and the queue is looked after."""
    problems = []
    try:
        services.database.check()
    except (SQLAlchemyError, OSError) as error:
        problems.append(f"store: {type(error).__name__}")
    if not services.can_write():
        problems.append("data folder: cannot be written")
    if services.draining:
        problems.append("draining")
    status = {"status": "ok" if not problems else "not ready", "problems": problems}
    return JSONResponse(status, 503 if problems else 200)


@router.get("/metrics")
def metrics(services: Services) -> Response:
    """Counts for Prometheus. No names, no contents."""
    registry = CollectorRegistry()
    jobs = Gauge("metier_jobs", "Jobs by state.", ["state"], registry=registry)
    leases = Gauge("metier_devices_held", "Devices that something holds.", registry=registry)
    devices = Gauge("metier_devices", "Devices of this machine.", registry=registry)
    with services.database.read() as session:
        for state, count in session.execute(select(Job.state, func.count()).group_by(Job.state)):
            jobs.labels(state).set(count)
        leases.set(session.scalar(select(func.count()).select_from(Lease)) or 0)
    devices.set(len(services.backend.devices()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

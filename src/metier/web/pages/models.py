"""Models: the catalogue with what fits this machine, what is here, what own runs trained; fetching with progress."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.models.hardware import hardware
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.jobs import reason_text

router = APIRouter()


@router.get("/models")
def models(
    request: Request, services: Services, person: Reader, search: str = "", here: bool = False, after: str = ""
) -> Response:
    """The catalogue and the store, what is here first; below, what own runs trained."""
    machine = hardware()
    return page(
        request,
        "models.html",
        person,
        found=services.models.page(person, search=search[:200], here=here, after=after or None),
        trained=services.models.trained(person),
        search=search[:200],
        here=here,
        offline=services.models.is_offline(),
        memory=max((gpu.memory for gpu in machine.gpus), default=machine.memory),
    )


@router.get("/models/{name:path}")
def model(request: Request, services: Services, person: Reader, name: str) -> Response:
    """One model."""
    found = services.models.get(person, name)
    last = None if found.here or found.fetch else services.models.last_fetch(person, found.info.name)
    failed = reason_text(last.reason) if last is not None and last.state == "failed" else ""
    known = {found.info.name, found.info.title, *found.info.sources}
    return page(
        request,
        "model.html",
        person,
        model=found,
        failed=failed,
        trained=[one for one in services.models.trained(person) if one.base in known],
        offline=services.models.is_offline(),
    )


@router.post("/models/{name:path}/fetch")
def fetch(services: Services, person: Reader, name: str) -> Response:
    """Begins to fetch a model; while it comes, a second wish for it is the same one."""
    found = services.models.get(person, name)
    if not found.here and not found.fetch:
        services.jobs.submit(person, "fetch", {"model": found.info.name}, title=found.info.title)
    return RedirectResponse(f"/models/{found.info.name}", 303)


@router.post("/models/{name:path}/stop")
def stop(services: Services, person: Reader, name: str) -> Response:
    """Stops fetching."""
    found = services.models.get(person, name)
    if found.fetch:
        services.jobs.cancel(person, found.fetch)
    return RedirectResponse(f"/models/{found.info.name}", 303)

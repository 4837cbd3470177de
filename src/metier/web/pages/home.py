"""What runs now, what ended, and what to do next."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.recipes.recipe import load_recipe
from metier.web.render import page
from metier.web.visit import Reader

router = APIRouter()
_SHOWN = 8


@router.get("/")
def home(request: Request, services: Services, person: Reader) -> Response:
    """The first page after signing in. An empty account is offered the demo."""
    live = [job for job in services.jobs.queue() if job.owner_id == person.id]
    ended = services.jobs.page(person, states=("done", "failed", "cancelled"), limit=_SHOWN)
    return page(
        request,
        "home.html",
        person,
        live=live,
        ended=ended.jobs,
        total=ended.total,
        sets=len(services.datasets.list(person)),
        devices=services.holders(person),
    )


@router.post("/demo")
def demo(services: Services, person: Reader) -> Response:
    """Puts the medical demo into the queue."""
    work = load_recipe("medical", profile="demo").to_dict()
    job = services.jobs.submit(person, "recipe", work)
    return RedirectResponse(f"/runs/{job.id}", 303)

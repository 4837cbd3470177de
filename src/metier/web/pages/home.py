"""What runs now, what ended since, and what to do next."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.api.once import once_for_key
from metier.models.hardware import hardware
from metier.recipes.recipe import load_recipe
from metier.web.pages.runs import queue_values
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.jobs import ENDED
from metier.workbench.workbench import Workbench

router = APIRouter()
_SHOWN = 8
_VISIT_COOKIE = "metier_visit"  # `<when the visit before ended>.<last time here>`, in seconds
_VISIT = timedelta(minutes=30)  # between two looks that belong to one visit
_SECONDS = re.compile("[0-9]{1,11}")
_YEAR = 31_536_000


@router.get("/")
def home(request: Request, services: Services, person: Reader) -> Response:
    """The first page after signing in. An empty account is offered the demo."""
    since, cookie = _last_visit(request.cookies.get(_VISIT_COOKIE, ""))
    values = _now(services, person, since)
    answer = page(request, "home.html", person, key=secrets.token_urlsafe(12), machine=hardware(), **values)
    answer.set_cookie(_VISIT_COOKIE, cookie, max_age=_YEAR, httponly=True, samesite="lax", path="/")
    return answer


@router.get("/now")
def now(request: Request, services: Services, person: Reader) -> Response:
    """The part of the page that changes by itself."""
    since, _ = _last_visit(request.cookies.get(_VISIT_COOKIE, ""))
    return page(request, "home_now.html", person, **_now(services, person, since))


@router.post("/demo")
def demo(services: Services, person: Reader, key: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Puts the medical demo into the queue, once for each time the form was shown."""

    def create() -> dict[str, str]:
        work = load_recipe("medical", profile="demo").to_dict()
        return {"id": services.jobs.submit(person, "recipe", work).id}

    body, _ = once_for_key(services, person, key or secrets.token_hex(8), "demo", create)
    return RedirectResponse(f"/runs/{json.loads(body)['id']}", 303)


def _now(services: Workbench, person: Person, since: datetime | None) -> dict[str, Any]:
    fresh = services.jobs.ended_since(person, since)[:_SHOWN] if since else []
    return {
        "since": since if fresh else None,
        "ended": fresh or services.jobs.page(person, states=ENDED, limit=_SHOWN).jobs,
        "total": sum(services.jobs.counts(person).values()),
        **queue_values(services, person, mine=True),
    }


def _last_visit(cookie: str) -> tuple[datetime | None, str]:
    """When the visit before this one ended, and the cookie from now on. Looks within half an hour are one visit."""
    now_seconds = int(datetime.now(UTC).timestamp())
    first, _, second = cookie.partition(".")
    since, last = (int(part) if _SECONDS.fullmatch(part) else 0 for part in (first, second))
    if last and now_seconds - last > _VISIT.total_seconds():
        since = last
    return datetime.fromtimestamp(since, UTC) if since else None, f"{since}.{now_seconds}"

"""The form of a proof: which questions, which variants of a specialist, who judges, and what that takes."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from metier.api.access import Services
from metier.api.once import once_for_key
from metier.api.problems import status_of
from metier.core.errors import UserError
from metier.core.i18n import current_language
from metier.evaluate.proof.questions import shipped_questions
from metier.evaluate.proof.spec import VARIANTS
from metier.web.pages.assistant import title_of
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench import rubrics
from metier.workbench.accounts import Person
from metier.workbench.errors import UnavailableError
from metier.workbench.store.tables import new_id
from metier.workbench.workbench import Workbench

router = APIRouter(prefix="/specialists/{name}/prove")
_GROUPS = ("base", "tuned", "checkpoint")
_NUMBERS = ("judge_votes", "max_samples", "max_new_tokens")


async def _sent(request: Request) -> FormData:
    """The form that a browser sent."""
    return await request.form()


Sent = Annotated[FormData, Depends(_sent)]


@router.get("")
def prove_form(request: Request, services: Services, person: Reader, name: str) -> Response:
    """What a proof of this specialist may be."""
    return _form(request, services, person, name, {})


@router.post("")
def prove(request: Request, services: Services, person: Reader, name: str, form: Sent) -> Response:
    """Puts the proof into the queue; sent twice, it is one."""
    services.specialists.get(person, name)
    work, key = _work(name, form), str(form.get("key", ""))[:100]

    def create() -> dict[str, str]:
        return {"id": services.jobs.submit(person, "prove", work).id}

    try:
        body, _ = once_for_key(services, person, key or new_id(), ["prove", work], create)
    except UserError as error:
        return _form(request, services, person, name, work, status=status_of(error), problem=str(error))
    return RedirectResponse(f"/runs/{json.loads(body)['id']}", 303)


@router.post("/plan")
def prove_plan(request: Request, services: Services, person: Reader, name: str, form: Sent) -> Response:
    """How much the proof asks and about how long it takes, as a part of the page; 202 while others' is counted."""
    services.specialists.get(person, name)
    try:
        plan = services.planner.estimate(person, "prove", _work(name, form))
    except UnavailableError:
        return Response(status_code=202, headers={"Retry-After": "2"})
    except UserError as error:
        return page(request, "prove_plan.html", person, plan=None, problem=str(error))
    return page(request, "prove_plan.html", person, plan=plan, problem="")


def _work(name: str, form: FormData) -> dict[str, Any]:
    """The form as work; what was left empty is left to the spec."""
    given = {key: str(form.get(key, "")).strip() for key in ("version", "questions", "judge", "rubric", *_NUMBERS)}
    work: dict[str, Any] = {key: value for key, value in given.items() if value}
    for key in _NUMBERS:
        if work.get(key, "").isdecimal():
            work[key] = int(work[key])
    if not work.get("judge"):
        work.pop("rubric", None)
    return {"specialist": name, **work, "variants": [str(one) for one in form.getlist("variants")]}


def _form(
    request: Request, services: Workbench, person: Person, name: str, given: dict[str, Any], *, status: int = 200,
    problem: str = "",
) -> Response:  # fmt: skip
    stored = services.specialists.get(person, name)
    made = stored.specialist
    listed = services.chats.models.choices(person)
    bases = services.knowledge.opened(person, made.knowledge)
    possible = {"tuned": made.adapter_name_or_path is not None, "knowledge": bool(bases)}
    offered = [one for one in VARIANTS if all(possible.get(part, True) for part in one.split("_"))]
    return page(
        request,
        "prove.html",
        person,
        status=status,
        problem=problem,
        stored=stored,
        title=title_of(stored),
        given=given,
        versions=services.specialists.versions(person, name),
        shipped=shipped_questions(),
        sets=services.datasets.list(person),
        variants=VARIANTS,
        offered=offered,
        missing=[part for part, there in possible.items() if not there],
        groups=[(group, [one for one in listed if one.group == group]) for group in _GROUPS],
        rubrics=rubrics.titles(current_language()),
        key=new_id(),
    )

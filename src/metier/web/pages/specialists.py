"""Specialists in the browser: listed, made, changed version by version, and taken back to an earlier one."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from metier.api.access import Services
from metier.api.problems import status_of
from metier.core.errors import UserError
from metier.core.i18n import current_language, translate
from metier.core.specs import parse_spec
from metier.recipes.teaching import untaught_by
from metier.specialists.answering import text_in
from metier.specialists.spec import Specialist
from metier.specialists.store import StoredSpecialist, to_yaml
from metier.specialists.taught import origin_text
from metier.specialists.tools import RULES, TOOLS, describe
from metier.web.pages.assistant import title_of, tool_help, tool_title
from metier.web.render import page
from metier.web.specialistform import choices, values_of
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.errors import NotFoundError
from metier.workbench.secrets import SERVERS
from metier.workbench.specialists import reference_of
from metier.workbench.store.tables import Job
from metier.workbench.workbench import Workbench

router = APIRouter(prefix="/specialists")
_TABS = ("settings", "versions")
_GROUPS = ("base", "tuned", "checkpoint")


@router.get("")
def specialists(request: Request, services: Services, person: Reader) -> Response:
    """All specialists, and a place for a new one."""
    return _list(request, services, person)


@router.post("")
def new_specialist(
    request: Request, services: Services, person: Reader,
    name: Annotated[str, Form(max_length=100)], like: Annotated[str, Form(max_length=64)] = "",
) -> Response:  # fmt: skip
    """A new specialist under a name. like: one that it begins as a copy of."""
    try:
        values = services.specialists.get(person, like).specialist.model_dump(mode="json") if like else {}
        made = parse_spec(
            Specialist, {**values, "name": name.strip().lower()}, source=translate("web.specialists_form")
        )
        services.specialists.create(person, made)
    except UserError as error:
        return _list(request, services, person, status=status_of(error), problem=str(error), name=name, like=like)
    return RedirectResponse(f"/specialists/{made.name}", 303)


@router.get("/{name}")
def specialist(
    request: Request, services: Services, person: Reader, name: str,
    tab: Annotated[str, Query(max_length=20)] = "settings", done: Annotated[str, Query(max_length=20)] = "",
) -> Response:  # fmt: skip
    """One specialist: its settings, or its versions with what changed in each."""
    stored = services.specialists.get(person, name)
    return _one(request, services, person, stored, tab=tab if tab in _TABS else "settings", done=done)


async def _sent(request: Request) -> FormData:
    """The form that a browser sent."""
    return await request.form()


@router.post("/{name}")
def change_specialist(
    request: Request, services: Services, person: Reader, name: str, form: Annotated[FormData, Depends(_sent)]
) -> Response:
    """Keeps the form as a new version."""
    stored = services.specialists.get(person, name)
    values = {**values_of(form, stored.specialist.model_dump(mode="json")), "name": name}
    try:
        kept = parse_spec(Specialist, values, source=translate("web.specialists_form"))
        services.specialists.edit(person, kept)
    except UserError as error:
        return _one(request, services, person, stored, status=status_of(error), problem=str(error), values=values)
    return RedirectResponse(f"/specialists/{name}?done=kept", 303)


@router.post("/{name}/restore")
def restore_version(
    services: Services, person: Reader, name: str, version: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """An earlier version again, as the newest one."""
    services.specialists.restore(person, name, version or None)
    return RedirectResponse(f"/specialists/{name}?tab=versions&done=restored", 303)


@router.post("/{name}/remove")
def remove_specialist(services: Services, person: Reader, name: str) -> Response:
    """Forgets one's own versions."""
    services.specialists.remove(person, name)
    return RedirectResponse("/specialists", 303)


def _list(
    request: Request, services: Workbench, person: Person, *, status: int = 200, problem: str = "", name: str = "",
    like: str = "",
) -> Response:  # fmt: skip
    listed = services.specialists.list(person)
    shown = [
        {
            "stored": one,
            "title": title_of(one),
            "description": text_in(one.specialist.description, current_language()),
            "model": _model_title(services, person, one.specialist),
        }
        for one in listed
    ]
    return page(
        request,
        "specialists.html",
        person,
        status=status,
        shown=shown,
        problem=problem,
        given={"name": name, "like": like},
    )


def _one(
    request: Request, services: Workbench, person: Person, stored: StoredSpecialist, *, tab: str = "settings",
    done: str = "", status: int = 200, problem: str = "", values: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    given = values or stored.specialist.model_dump(mode="json")
    listed = services.chats.models.choices(person)
    return page(
        request,
        "specialist.html",
        person,
        status=status,
        stored=stored,
        title=title_of(stored),
        tab=tab,
        done=done,
        problem=problem,
        given=given,
        reference=given.get("adapter_name_or_path") or given["model_name_or_path"],
        groups=[(name, [one for one in listed if one.group == name]) for name in _GROUPS],
        known={one.reference for one in listed},
        secrets=[name for name in services.secrets.names(person) if name in SERVERS],
        bases=choices(given["knowledge"], [one.base.name for one in services.knowledge.bases(person)]),
        tools=_tools(given["tools"]),
        untaught=untaught_by(stored),
        missing=services.specialists.missing(person, stored.specialist),
        versions=_versions(services, person, stored.specialist.name) if tab == "versions" else [],
    )


def _tools(chosen: list[str]) -> list[dict[str, Any]]:
    """Every tool with what it does, its arguments, and whether it also works without a model."""
    found = []
    for name, on in choices(chosen, TOOLS):
        known = name in TOOLS
        told = describe(name, TOOLS.get(name)) if known else None
        arguments = list(told.parameters.get("properties", {})) if told else []
        found.append({
            "name": name, "title": tool_title(name), "help": tool_help(name) or (told.description if told else ""),
            "arguments": arguments, "by_rule": name in RULES, "on": on,
        })  # fmt: skip
    return found


def _versions(services: Workbench, person: Person, name: str) -> list[dict[str, Any]]:
    """Each version with where it came from, and the lines that changed against the one before it."""
    listed = services.specialists.versions(person, name)
    texts = [to_yaml(one.specialist).splitlines() for one in listed]
    shown = []
    for number, one in enumerate(listed):
        before = texts[number + 1] if number + 1 < len(texts) else []
        lines = [line for line in difflib.ndiff(before, texts[number]) if line[:1] in "+-"]
        came = {"origin": origin_text(one), "run": _run_of(services, person, one)}
        shown.append({"stored": one, "lines": lines if before else [], "yaml": "\n".join(texts[number]), **came})
    return shown


def _run_of(services: Workbench, person: Person, stored: StoredSpecialist) -> Job | None:
    """The run that trained a version's model, if it is still there."""
    _, _, job_id = stored.origin.run.partition("run:")
    try:
        return services.jobs.get(person, job_id) if job_id else None
    except NotFoundError:
        return None


def _model_title(services: Workbench, person: Person, specialist: Specialist) -> str:
    if specialist.server is not None:
        return specialist.server.model or specialist.server.address
    try:
        return services.chats.models.weights(person, reference_of(specialist), verify=False).title
    except UserError:  # its run has been removed
        return translate("web.specialists_lost_model", run=reference_of(specialist))

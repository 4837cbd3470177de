"""Datasets: bring a file, say what its columns are, see its rows as a model will see them, read what a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.core.errors import UserError
from metier.data import list_datasets
from metier.data.formats import FORMATS
from metier.data.registration import DatasetInfo
from metier.web.render import page, say
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.checking import CUTOFF, DEFAULT_MODEL
from metier.workbench.errors import NotFoundError
from metier.workbench.jobs import reason_text
from metier.workbench.rows import PAGE
from metier.workbench.store.tables import Dataset
from metier.workbench.suggesting import suggest_name, suggest_roles
from metier.workbench.workbench import Workbench

router = APIRouter()
ROLES = ("prompt", "query", "response", "system", "history", "reasoning", "messages", "options", "answer",
         "explanation", "images", "text", "id", "meta")  # fmt: skip
VISION_MODEL = "chart-seedling"  # what a set with pictures is shown with, until another is chosen
First = Annotated[int, Query(ge=1)]
Cutoff = Annotated[int, Query(ge=8, le=1_000_000)]


@dataclass(frozen=True)
class Shown:
    """A set of either kind, as its page shows it. row: an owner's; info: a shipped one."""

    name: str
    row: Dataset | None
    info: DatasetInfo | None


@router.get("/datasets")
def datasets(
    request: Request, services: Services, person: Reader, search: str = "", after: str | None = None, gone: bool = False
) -> Response:
    """Own sets, shipped ones, and a place to drop a file. gone: an upload was asked for that is not here any more."""
    try:
        found = services.datasets.page(person, search=search, after=after)
    except NotFoundError:
        found = services.datasets.page(person, search=search)
    return page(
        request,
        "datasets.html",
        person,
        found=found,
        search=search[:200],
        gone=gone,
        shipped=[info for info in list_datasets() if info.origin == "shipped"],
        waiting=services.datasets.waiting(person),
        most=services.settings.upload_bytes,
    )


@router.get("/datasets/new")
def new(request: Request, services: Services, person: Reader, upload: str = "") -> Response:
    """An upload's columns, to be given roles, and a name for it."""
    if not upload:
        return RedirectResponse("/datasets", 303)
    try:
        taken = services.datasets.upload(person, upload)
    except NotFoundError:  # such as by the browser's Back, once it is registered
        return RedirectResponse("/datasets?gone=true", 303)
    seen = services.datasets.look(person, upload)
    suggested = suggest_roles(seen.columns) if seen.needs_columns else {}
    if suggested:
        tried = services.datasets.look(person, upload, columns=suggested)
        seen, suggested = (tried, suggested) if tried.format else (seen, {})
    names = [row.name for row in services.datasets.list(person)]
    roles = {column: role for role, column in (suggested or seen.roles).items()}
    return page(
        request,
        "dataset_new.html",
        person,
        upload=taken,
        seen=seen,
        suggested=bool(suggested),
        roles=roles,
        all_roles=ROLES,
        formats={name: say(f"datasets_shape_{name}") for name in FORMATS},
        name=suggest_name(taken.file_name, [*names, *(info.name for info in list_datasets())]),
    )


@router.post("/datasets/uploads/{upload_id}/discard")
def discard(services: Services, person: Reader, upload_id: str) -> Response:
    """Throws an upload away."""
    services.datasets.discard(person, upload_id)
    return RedirectResponse("/datasets", 303)


@router.get("/datasets/{name}")
def dataset(
    request: Request,
    services: Services,
    person: Reader,
    name: str,
    tab: str = "rows",
    first: First = 1,
    row: Annotated[int | None, Query(ge=1)] = None,
    model: Annotated[str, Query(max_length=200)] = DEFAULT_MODEL,
    cutoff_len: Cutoff = CUTOFF,
    history: bool = False,
) -> Response:
    """One set: its facts, its rows, one row as a model sees it, its check."""
    shown = _shown(services, person, name)
    if "model" not in request.query_params and _has_pictures(services, person, shown):
        model = VISION_MODEL
    tab = "row" if row is not None else tab if tab in ("rows", "check", "about") else "rows"
    values: dict[str, Any] = {
        "shown": shown,
        "tab": tab,
        "model": model,
        "cutoff_len": cutoff_len,
        "history": history,
    }
    if tab == "rows":
        ready = services.rows.is_ready(person, name)
        values |= {"first": first, "rows": services.rows.page(person, name, first=first) if ready else None}
    elif tab == "row":
        last = services.rows.page(person, name, count=1).last
        values |= {"row": services.rows.row(person, name, row or 1), "last": last, **_models(services, person, model)}
    elif tab == "check":
        asked = _check(services, person, name)
        own = [one.name for one in services.datasets.page(person, limit=200).datasets if one.name != name]
        shipped = [one.name for one in list_datasets() if one.origin == "shipped" and one.name != name]
        values |= {**asked, **_models(services, person, model), "tests": [*own, *shipped]}
    else:
        users = services.forgetting.users(person, shown.row) if shown.row is not None else []
        values |= {"users": users, "notes": _notes(shown)}
    return page(request, "dataset.html", person, **values, page_rows=PAGE)


@router.get("/datasets/{name}/rows-part")
def rows_part(request: Request, services: Services, person: Reader, name: str, first: First = 1) -> Response:
    """The table of rows, where reading them took a moment."""
    rows = services.rows.page(person, name, first=first)
    return page(request, "dataset_rows.html", person, shown=_shown(services, person, name), rows=rows, first=first,
                page_rows=PAGE)  # fmt: skip


@router.get("/datasets/{name}/preview-part")
def preview_part(
    request: Request,
    services: Services,
    person: Reader,
    name: str,
    row: Annotated[int, Query(ge=1)],
    model: Annotated[str, Query(max_length=200)] = DEFAULT_MODEL,
    cutoff_len: Cutoff = CUTOFF,
    history: bool = False,
) -> Response:
    """One row's tokens, or why there are none."""
    problem, examples = "", []
    try:
        examples = services.rows.preview(
            person, name, row, model=model, cutoff_len=cutoff_len, train_on_history=history
        )
    except UserError as error:
        problem = error.text()
    missing = problem and not model.startswith("run:") and not _is_here(services, person, model)
    return page(
        request, "dataset_tokens.html", person, examples=examples, problem=problem, model=model, missing=missing,
        cutoff_len=cutoff_len,
    )  # fmt: skip


@router.get("/datasets/{name}/check-part")
def check_part(request: Request, services: Services, person: Reader, name: str) -> Response:
    """The newest check, while it runs and when it has ended."""
    shown = _shown(services, person, name)
    return page(request, "dataset_check.html", person, shown=shown, **_check(services, person, name))


@router.post("/datasets/{name}/check")
def check(
    services: Services,
    person: Reader,
    name: str,
    model: Annotated[str, Form(max_length=200)] = DEFAULT_MODEL,
    cutoff_len: Annotated[int, Form(ge=8, le=1_000_000)] = CUTOFF,
    test: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Orders a check."""
    services.checks.order(person, name, model=model, cutoff_len=cutoff_len, test=test or None)
    return RedirectResponse(f"/datasets/{name}?tab=check", 303)


@router.post("/datasets/{name}/remove")
def remove(services: Services, person: Reader, name: str, runs: Annotated[bool, Form()] = False) -> Response:
    """Removes a set."""
    services.datasets.remove(person, name, runs=runs)
    return RedirectResponse("/datasets", 303)


def _shown(services: Workbench, person: Person, name: str) -> Shown:
    info = next((one for one in list_datasets() if one.origin == "shipped" and one.name == name), None)
    return Shown(name, None if info else services.datasets.get(person, name), info)


def _has_pictures(services: Workbench, person: Person, shown: Shown) -> bool:
    if shown.row is not None:
        return bool(shown.row.details.get("pictures", {}).get("shown"))
    ready = services.rows.is_ready(person, shown.name)
    return ready and any(row.pictures for row in services.rows.page(person, shown.name, count=1).rows)


def _models(services: Workbench, person: Person, chosen: str) -> dict[str, Any]:
    """What a choice of models offers: those that are here, own trained ones, and the rest of the catalogue."""
    every = services.models.page(person, limit=200).models
    trained = services.models.trained(person)
    known = {one.info.name for one in every} | {one.reference for one in trained}
    return {
        "here": [one for one in every if one.here],
        "elsewhere": [one for one in every if not one.here],
        "trained": trained,
        "unlisted": chosen if chosen not in known else "",
    }


def _is_here(services: Workbench, person: Person, model: str) -> bool:
    try:
        return services.models.get(person, model).here
    except NotFoundError:
        return True


def _check(services: Workbench, person: Person, name: str) -> dict[str, Any]:
    check = services.checks.newest(person, name)
    live = check is not None and check.job.state in ("queued", "running")
    progress = services.records.progress(check.job) if check and live else None
    reason = reason_text(check.job.reason) if check else ""
    return {"check": check, "live": live, "progress": progress, "reason": reason}


def _notes(shown: Shown) -> list[str]:
    """What was decided while a set was read."""
    from metier.core.i18n import has_text, translate

    notes = shown.row.details.get("notes", []) if shown.row is not None else []
    return [translate(note["key"], **note["fields"]) for note in notes if has_text(note["key"])]

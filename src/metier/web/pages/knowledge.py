"""Knowledge: bring documents, see what was read of them, try what is found, open a passage where it stands."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.core.errors import DataError, UserError
from metier.core.i18n import translate
from metier.knowledge.index import SearchMode
from metier.web.passages import found_views, place_of, reading_of
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.knowledge import PICTURED
from metier.workbench.workbench import Workbench

router = APIRouter()
TABS = ("documents", "search", "about")


@router.get("/knowledge")
def bases(request: Request, services: Services, person: Reader) -> Response:
    """Own knowledge bases, and a place for a new one."""
    return _bases(request, services, person)


def _bases(request: Request, services: Workbench, person: Person, *, status: int = 200, **more: Any) -> Response:
    values = {"bases": services.knowledge.bases(person), "embedders": services.embedders.here(), "given": {}}
    return page(request, "knowledge.html", person, status=status, **{"problem": "", **values, **more})


@router.post("/knowledge")
def create(
    request: Request,
    services: Services,
    person: Reader,
    name: Annotated[str, Form(max_length=200)],
    title: Annotated[str, Form(max_length=300)] = "",
    embedder: Annotated[str, Form(max_length=500)] = "",
    endpoint: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Makes a knowledge base, or says beside the field why not."""
    try:
        base = services.knowledge.create(person, name, title=title, embedder=endpoint or embedder)
    except UserError as error:
        given = {"name": name, "title": title, "embedder": embedder, "endpoint": endpoint}
        return _bases(request, services, person, status=422, problem=error.text(), given=given)
    return RedirectResponse(f"/knowledge/{quote(base.name)}", 303)


@router.get("/knowledge/{base}")
def base(
    request: Request,
    services: Services,
    person: Reader,
    base: str,
    tab: str = "documents",
    q: Annotated[str, Query(max_length=20_000)] = "",
    title: Annotated[str, Query(max_length=200)] = "",
    article: Annotated[str, Query(max_length=60)] = "",
    on: Annotated[str, Query(max_length=10)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    mode: SearchMode = "auto",
) -> Response:
    """One base: its documents and those that come, a search that says why, and what the base is."""
    opened = services.knowledge.get(person, base)
    entries = opened.documents()
    values: dict[str, Any] = {
        "base": opened,
        "entries": entries,
        "tab": tab if tab in TABS else "documents",
        "most": services.settings.upload_bytes,
        "coming": services.knowledge.arrivals(person, base),
    }
    if values["tab"] == "search":
        if not q:
            services.knowledge.expect(opened)
        asked = {"q": q, "title": title, "article": article, "on": on, "limit": limit, "mode": mode}
        values |= {"asked": asked, **_found(services, person, base, asked)}
    return page(request, "knowledge_base.html", person, **values)


def _found(services: Workbench, person: Person, base: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a search found, or why it could not be made as asked."""
    day, problem = None, ""
    if asked["on"]:
        try:
            day = date.fromisoformat(asked["on"])
        except ValueError:
            problem = translate("web.knowledge_bad_day")
    looked = services.knowledge.look(
        person,
        base,
        asked["q"],
        limit=asked["limit"],
        titles=(asked["title"],) if asked["title"] else (),
        article=asked["article"],
        in_force_on=day,
        mode=asked["mode"],
    )
    away = translate("web.knowledge_away", problem=looked.away.text()) if looked.away else ""
    return {"found": found_views(asked["q"], looked.hits), "problem": problem, "away": away}


@router.get("/knowledge/{base}/imports-part")
def imports_part(request: Request, services: Services, person: Reader, base: str) -> Response:
    """Files on their way and the documents that are there: asked for again and again while something comes."""
    opened = services.knowledge.get(person, base)
    coming = services.knowledge.arrivals(person, base)
    return page(request, "knowledge_documents.html", person, base=opened, entries=opened.documents(), coming=coming)


@router.post("/knowledge/{base}/imports/dismiss")
def dismiss(services: Services, person: Reader, base: str) -> Response:
    """Clears what has been imported off the list."""
    services.knowledge.dismiss_ended(person, base)
    return RedirectResponse(f"/knowledge/{quote(base)}", 303)


@router.post("/knowledge/{base}/remove")
def remove(services: Services, person: Reader, base: str) -> Response:
    """Removes a base with all its documents."""
    services.knowledge.remove(person, base)
    return RedirectResponse("/knowledge", 303)


@router.get("/knowledge/{base}/{document}")
def document(
    request: Request,
    services: Services,
    person: Reader,
    base: str,
    document: str,
    passage: Annotated[str, Query(max_length=64)] = "",
    start: Annotated[int | None, Query(ge=0, le=10**9)] = None,
    end: Annotated[int | None, Query(ge=0, le=10**9)] = None,
    number: Annotated[int | None, Query(alias="page", ge=1, le=10**6)] = None,
    first: Annotated[int | None, Query(ge=0, le=10**9)] = None,
) -> Response:
    """One page of a document: its picture with the words of a passage marked, its text, its passages."""
    opened, entry = services.knowledge.entry(person, base, document)
    read = services.knowledge.document(person, base, document)
    passages = services.knowledge.passages(person, base, document)
    place, gone = place_of(read, passages, passage=passage, start=start, end=end)
    shown = reading_of(read, passages, place, page=number, first=first)
    return page(
        request,
        "knowledge_document.html",
        person,
        base=opened,
        entry=entry,
        shown=shown,
        place=place,
        gone=gone,
        pictured=entry.kind in PICTURED,
        chosen=passage,
    )


@router.get("/knowledge/{base}/{document}/marks-part")
def marks_part(
    request: Request,
    services: Services,
    person: Reader,
    base: str,
    document: str,
    start: Annotated[int, Query(ge=0, le=10**9)],
    end: Annotated[int, Query(ge=0, le=10**9)],
    number: Annotated[int, Query(alias="page", ge=1, le=10**6)],
) -> Response:
    """Where words stand in a page's picture, as rectangles to be laid over it."""
    try:
        boxes = services.knowledge.boxes(person, base, document, start, end)
    except DataError:  # a page that cannot be drawn is told of by its picture
        boxes = []
    return page(request, "knowledge_marks.html", person, boxes=[box for box in boxes if box.page == number])


@router.post("/knowledge/{base}/{document}/remove")
def remove_document(services: Services, person: Reader, base: str, document: str) -> Response:
    """Removes a document."""
    services.knowledge.remove_document(person, base, document)
    return RedirectResponse(f"/knowledge/{quote(base)}", 303)

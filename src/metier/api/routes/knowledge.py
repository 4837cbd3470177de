"""Knowledge bases: made and removed, files brought and followed while they are read, passages found."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.knowledge.entries import Entry
from metier.knowledge.index import SearchMode
from metier.knowledge.passage import Hit, Passage
from metier.workbench.arrivals import Arrival
from metier.workbench.errors import NotFoundError
from metier.workbench.knowledge import Counted

router = APIRouter(tags=["knowledge"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewBase(_Body):
    """A knowledge base to be made."""

    name: str = Field(min_length=1, max_length=64, examples=["law"])
    title: str = Field("", max_length=300)
    embedder: str = Field(
        "",
        max_length=500,
        description="A name of `GET /embedders`, an endpoint as `https://host/v1#model`, or empty: search by words.",
    )


class Question(_Body):
    """What to look for. documents: ids, all where left out; in_force_on: leaves out what was not in force that day;
    mode: by words (`text`), by meaning (`dense`), or both as far as the base has vectors (`auto`)."""

    text: str = Field(min_length=1, max_length=20_000, examples=["How is overtime paid?"])
    limit: int = Field(10, ge=1, le=100)
    documents: list[Annotated[str, Field(max_length=64)]] = Field(default_factory=list, max_length=200)
    titles: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=50)
    article: str = Field("", max_length=60)
    in_force_on: date | None = Field(None, examples=["2024-05-01"])
    mode: SearchMode = "auto"


def base_view(one: Counted) -> dict[str, Any]:
    """A base as the API shows it."""
    return {
        "id": one.base.id,
        "name": one.base.name,
        "title": one.base.title,
        "embedder": one.base.embedder_name,
        "created": one.base.created,
        "documents": one.documents,
        "passages": one.passages,
        "size": one.size,
        "coming": one.coming,
    }


def entry_view(entry: Entry) -> dict[str, Any]:
    """A document as the API shows it: what was read of it, and what was not."""
    said = entry.to_json()
    return {**said, "notices": [{"text": notice.text(), "page": notice.page} for notice in entry.notices]}


def arrival_view(one: Arrival) -> dict[str, Any]:
    """A file on its way, or what became of it."""
    outcome = one.outcome or {}
    return {
        "id": one.id,
        "file_name": one.file_name,
        "size": one.size,
        "came": one.came,
        "state": one.state,
        "stage": one.stage,
        "page": one.page,
        "pages": one.pages,
        "seconds_left": one.seconds_left,
        "result": outcome.get("state"),
        "document": (outcome.get("document") or {}).get("id"),
        "reason": one.reason or None,
    }


def passage_view(passage: Passage) -> dict[str, Any]:
    """A passage: its words, and where they stand."""
    return {**dataclasses.asdict(passage), "source": passage.source}


def hit_view(hit: Hit) -> dict[str, Any]:
    """A passage that was found, why it ranks there, and where else the same stands."""
    copies = [{"id": one.id, "document": one.document, "file": one.file, "page": one.page} for one in hit.copies]
    passage = passage_view(hit.passage)
    return {"score": hit.score, "reasons": hit.reasons, "base": hit.base, "passage": passage, "copies": copies}


@router.get("/embedders")
def embedders(services: Services, _owner: Owner) -> list[str]:
    """Models on this machine that make vectors: for new knowledge bases, and for `/v1/embeddings`."""
    return services.embedders.here()


@router.get("/knowledge")
def bases(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """Your knowledge bases, by name."""
    return [base_view(one) for one in services.knowledge.bases(owner)]


@router.post("/knowledge", status_code=201)
def create(request: Request, services: Services, owner: Owner, body: NewBase) -> Response:
    """A new, empty knowledge base."""

    def make() -> dict[str, Any]:
        base = services.knowledge.create(owner, body.name, title=body.title, embedder=body.embedder)
        return base_view(Counted(base, 0, 0, 0, 0))

    return once(request, services, owner, body, make)


@router.get("/knowledge/{base}")
def get(services: Services, owner: Owner, base: str) -> dict[str, Any]:
    """One of your knowledge bases, with its documents."""
    opened = services.knowledge.get(owner, base)
    entries = opened.documents()
    coming = sum(1 for one in services.knowledge.arrivals(owner, base) if one.outcome is None)
    counted = Counted(
        opened, len(entries), sum(entry.passages for entry in entries), sum(entry.size for entry in entries), coming
    )
    return {**base_view(counted), "entries": [entry_view(entry) for entry in entries]}


@router.delete("/knowledge/{base}", status_code=204)
def remove(services: Services, owner: Owner, base: str) -> None:
    """Removes a knowledge base with all its documents."""
    services.knowledge.remove(owner, base)


@router.post("/knowledge/{base}/documents", status_code=202)
async def bring(
    request: Request, services: Services, owner: Owner, base: str, name: Annotated[str, Query(max_length=1000)]
) -> dict[str, Any]:
    """Takes a file in: its bytes are the body, its name the query's `name`. It is read and indexed afterwards; see
    `imports`."""
    return arrival_view(await services.knowledge.receive(owner, base, unquote(name), request.stream()))


@router.get("/knowledge/{base}/imports")
def imports(services: Services, owner: Owner, base: str) -> list[dict[str, Any]]:
    """Files on their way, with the page that is being read, and what became of those that came."""
    return [arrival_view(one) for one in services.knowledge.arrivals(owner, base)]


@router.delete("/knowledge/{base}/imports", status_code=204)
def dismiss_ended(services: Services, owner: Owner, base: str) -> None:
    """Clears what is done away; the documents stay."""
    services.knowledge.dismiss_ended(owner, base)


@router.delete("/knowledge/{base}/imports/{upload_id}", status_code=204)
def dismiss(services: Services, owner: Owner, base: str, upload_id: str) -> None:
    """Takes back a file that waits, or clears one that is done away."""
    services.knowledge.dismiss(owner, base, upload_id)


@router.post("/knowledge/{base}/search")
def search(services: Services, owner: Owner, base: str, body: Question, response: Response) -> list[dict[str, Any]]:
    """The passages that fit best, the best first. Where the embedder is away, words find: the header `Metier-Notice`
    says so, percent-encoded."""
    looked = services.knowledge.look(owner, base, body.text, **body.model_dump(exclude={"text"}))
    if looked.away is not None:
        response.headers["Metier-Notice"] = quote(looked.away.text())
    return [hit_view(hit) for hit in looked.hits]


@router.get("/knowledge/{base}/documents/{document}")
def document(services: Services, owner: Owner, base: str, document: str) -> dict[str, Any]:
    """A document: what was read of it, page by page."""
    _, entry = services.knowledge.entry(owner, base, document)
    read = services.knowledge.document(owner, base, document)
    pages = [dataclasses.asdict(page) for page in read.pages]
    return {**entry_view(entry), "page_list": pages, "headings": [dataclasses.asdict(one) for one in read.headings]}


@router.delete("/knowledge/{base}/documents/{document}", status_code=204)
def remove_document(services: Services, owner: Owner, base: str, document: str) -> None:
    """Removes a document: it is found no more, and no fragment of it is left."""
    services.knowledge.remove_document(owner, base, document)


@router.get("/knowledge/{base}/documents/{document}/text")
def text(
    services: Services,
    owner: Owner,
    base: str,
    document: str,
    start: Annotated[int, Query(ge=0)] = 0,
    end: Annotated[int | None, Query(ge=0)] = None,
) -> dict[str, Any]:
    """Characters start to end of a document's text: what passages and citations point into."""
    words = services.knowledge.document(owner, base, document).text
    return {"text": words[start:end], "start": start, "characters": len(words)}


@router.get("/knowledge/{base}/documents/{document}/passages")
def passages(services: Services, owner: Owner, base: str, document: str) -> list[dict[str, Any]]:
    """A document's passages, in order."""
    return [passage_view(passage) for passage in services.knowledge.passages(owner, base, document)]


@router.get("/knowledge/{base}/documents/{document}/file")
def file(services: Services, owner: Owner, base: str, document: str) -> FileResponse:
    """A document's file as it came, to be saved."""
    path = services.knowledge.original(owner, base, document)
    if path.is_symlink():
        raise NotFoundError("workbench.not_found")
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=f"{document}{path.suffix}",
        content_disposition_type="attachment",
        headers=headers,
    )


@router.get("/knowledge/{base}/documents/{document}/pages/{page}/picture")
def picture(
    services: Services,
    owner: Owner,
    base: str,
    document: str,
    page: int,
    width: Annotated[int, Query(ge=100, le=2400)] = 1200,
) -> Response:
    """A page's picture."""
    return Response(services.knowledge.picture(owner, base, document, page, width=width), media_type="image/png")


@router.get("/knowledge/{base}/documents/{document}/boxes")
def boxes(
    services: Services,
    owner: Owner,
    base: str,
    document: str,
    start: Annotated[int, Query(ge=0)] = 0,
    end: Annotated[int, Query(ge=0)] = 1,
) -> list[dict[str, Any]]:
    """Where characters start to end stand in the pictures of the pages: fractions of width and height."""
    return [dataclasses.asdict(box) for box in services.knowledge.boxes(owner, base, document, start, end)]

"""Datasets: a file comes in, is looked into, gets columns and a name, is shown as a model sees it, and checked."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.core.i18n import current_language
from metier.data import list_datasets
from metier.workbench.checking import CUTOFF, DEFAULT_MODEL
from metier.workbench.errors import NotFoundError
from metier.workbench.rowpictures import WIDEST
from metier.workbench.store.tables import Dataset

router = APIRouter(tags=["datasets"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reading(_Body):
    """How a file is read: role → column name, or the name of a format. skip_bad_rows: leave rows that cannot be used
    out."""

    columns: dict[str, str] = Field(default_factory=dict, examples=[{"prompt": "问题", "response": "回答"}])
    format: str | None = Field(None, max_length=40)
    skip_bad_rows: bool = False


class Order(_Body):
    """With which model's tokens a set is checked, how long an example may be, and which set will be measured on."""

    model: str = Field(DEFAULT_MODEL, max_length=200)
    cutoff_len: int = Field(CUTOFF, ge=8, le=1_000_000)
    test_dataset: str | None = Field(None, max_length=64)


class Registration(Reading):
    """A name for an upload."""

    upload: str = Field(max_length=16)
    name: str = Field(min_length=1, max_length=64, examples=["cases"])


def dataset_view(row: Dataset) -> dict[str, Any]:
    """A set as the API shows it."""
    return {
        "id": row.id,
        "name": row.name,
        "file_name": row.file_name,
        "rows": row.rows,
        "size": row.size,
        "sha256": row.sha256,
        "format": row.details["format"],
        "kind": row.details["kind"],
        "columns": row.details["columns"],
        "created": row.created,
    }


@router.post("/uploads", status_code=201)
async def upload(
    request: Request, services: Services, owner: Owner, name: Annotated[str, Query(max_length=1000)]
) -> Any:
    """Takes a file in: its bytes are the body, its name the query's `name`."""
    taken = await services.datasets.receive(owner, unquote(name), request.stream())
    return {"id": taken.id, "file_name": taken.file_name, "size": taken.size}


@router.post("/uploads/{upload_id}/look")
def look(services: Services, owner: Owner, upload_id: str, body: Reading) -> dict[str, Any]:
    """The first rows, the columns, and whether they can be read like this."""
    seen = services.datasets.look(
        owner, upload_id, columns=body.columns, format=body.format, skip_bad_rows=body.skip_bad_rows
    )
    return {
        "columns": seen.columns,
        "rows": seen.rows,
        "format": seen.format,
        "roles": seen.roles,
        "problem": seen.problem,
        "needs_columns": seen.needs_columns,
    }


@router.get("/uploads/{upload_id}")
def waiting(services: Services, owner: Owner, upload_id: str) -> dict[str, Any]:
    """One upload."""
    return dataclasses.asdict(services.datasets.upload(owner, upload_id))


@router.delete("/uploads/{upload_id}", status_code=204)
def discard(services: Services, owner: Owner, upload_id: str) -> None:
    """Throws an upload away."""
    services.datasets.discard(owner, upload_id)


@router.post("/datasets", status_code=201)
def register(request: Request, services: Services, owner: Owner, body: Registration) -> Response:
    """Reads an upload wholly and gives it a name."""

    def create() -> dict[str, Any]:
        row = services.datasets.register(
            owner, body.upload, body.name, columns=body.columns, format=body.format, skip_bad_rows=body.skip_bad_rows
        )
        return dataset_view(row)

    return once(request, services, owner, body, create)


@router.get("/uploads")
def uploads(services: Services, owner: Owner, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[dict[str, Any]]:
    """Your newest uploads that wait to be registered."""
    return [dataclasses.asdict(one) for one in services.datasets.waiting(owner, limit=limit)]


@router.get("/datasets")
def datasets(
    services: Services,
    owner: Owner,
    search: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Your sets, the newest first, and those that come with the product. `next` is the `after` of the next page."""
    language = current_language()
    shipped = [
        {"name": info.name, "title": info.title.get(language, ""), "split": info.split, "license": info.license}
        for info in list_datasets()
        if info.origin == "shipped"
    ]
    found = services.datasets.page(owner, search=search, after=after, limit=limit)
    sets = [dataset_view(row) for row in found.datasets]
    return {"datasets": sets, "next": found.next, "total": found.total, "shipped": shipped}


@router.get("/datasets/{name}")
def get(services: Services, owner: Owner, name: str) -> dict[str, Any]:
    """One of your sets."""
    return dataset_view(services.datasets.get(owner, name))


@router.delete("/datasets/{name}", status_code=204)
def remove(services: Services, owner: Owner, name: str, runs: bool = False) -> None:
    """Removes a set with its file and checks. runs: also the ended runs that used it, whose answers quote its rows."""
    services.datasets.remove(owner, name, runs=runs)


@router.get("/datasets/{name}/runs")
def users(services: Services, owner: Owner, name: str) -> list[dict[str, Any]]:
    """Your runs that used a set of yours."""
    jobs = services.forgetting.users(owner, services.datasets.get(owner, name))
    return [{"id": job.id, "title": job.title, "kind": job.kind, "state": job.state} for job in jobs]


@router.get("/datasets/{name}/file")
def file(services: Services, owner: Owner, name: str) -> FileResponse:
    """The file of a set of yours, as it was sent; whole or a range of it."""
    row = services.datasets.get(owner, name)
    path = services.datasets.file_of(row)
    if path.is_symlink():
        raise NotFoundError("workbench.not_found")
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(
        path,
        media_type="application/octet-stream",
        filename=f"{row.id}{''.join(path.suffixes)}",
        content_disposition_type="attachment",
        headers=headers,
    )


@router.get("/datasets/{name}/rows")
def rows(
    services: Services,
    owner: Owner,
    name: str,
    first: Annotated[int, Query(ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:
    """Rows of a set of yours or a shipped one from row `first` on: their cells, their messages, why one is left out."""
    page = services.rows.page(owner, name, first=first, count=limit)
    following = page.rows[-1].number + 1 if page.rows and page.rows[-1].number < page.last else None
    return {"rows": [dataclasses.asdict(row) for row in page.rows], "next": following, "total": page.last}


@router.get("/datasets/{name}/rows/{number}/pictures/{place}", response_class=Response)
def picture(
    services: Services,
    owner: Owner,
    name: str,
    number: int,
    place: int,
    width: Annotated[int, Query(ge=1, le=WIDEST)] = WIDEST,
) -> Response:
    """A picture of a row as it is seen, made anew as PNG or JPEG: nothing else of its file is in it."""
    content, kind = services.rows.picture(owner, name, number, place, width=width)
    headers = {"Cache-Control": "private, max-age=300", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return Response(content, media_type=f"image/{kind}", headers=headers)


@router.get("/datasets/{name}/rows/{number}/preview")
def preview(
    services: Services,
    owner: Owner,
    name: str,
    number: int,
    model: Annotated[str, Query(max_length=200)] = DEFAULT_MODEL,
    cutoff_len: Annotated[int, Query(ge=8, le=1_000_000)] = CUTOFF,
    train_on_history: bool = False,
) -> list[dict[str, Any]]:
    """One row as a model will see it, one entry an example: tokens with the loss on them, and where it is cut."""
    return services.rows.preview(
        owner, name, number, model=model, cutoff_len=cutoff_len, train_on_history=train_on_history
    )


@router.post("/datasets/{name}/check", status_code=201)
def order_check(request: Request, services: Services, owner: Owner, name: str, body: Order) -> Response:
    """Checks a set in a job: lengths, cuts, empty answers, repetitions."""

    def create() -> dict[str, Any]:
        job = services.checks.order(owner, name, model=body.model, cutoff_len=body.cutoff_len, test=body.test_dataset)
        return {"job": job.id}

    return once(request, services, owner, {"dataset": name, **body.model_dump()}, create)


@router.get("/datasets/{name}/check")
def check(services: Services, owner: Owner, name: str) -> dict[str, Any]:
    """The newest check of a set, and what it found: kinds with rows."""
    found = services.checks.newest(owner, name)
    if found is None:
        raise NotFoundError("workbench.no_check", name=name)
    findings = [dataclasses.asdict(one) for one in found.findings]
    return {"job": found.job.id, "state": found.job.state, "findings": findings, "result": found.result}

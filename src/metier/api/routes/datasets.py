"""Datasets: a file comes in, is looked into, gets columns and a name, is shown as a model sees it, and checked."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.core.i18n import current_language
from metier.data import list_datasets
from metier.workbench.store.tables import Dataset

router = APIRouter(tags=["datasets"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reading(_Body):
    """How a file is read: role → column name, or the name of a format."""

    columns: dict[str, str] = Field(default_factory=dict, examples=[{"prompt": "问题", "response": "回答"}])
    format: str | None = Field(None, max_length=40)


class Registration(Reading):
    """A name for an upload. skip_bad_rows: leave rows that cannot be used out."""

    upload: str = Field(max_length=16)
    name: str = Field(min_length=1, max_length=64, examples=["cases"])
    skip_bad_rows: bool = False


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
    seen = services.datasets.look(owner, upload_id, columns=body.columns, format=body.format)
    return {
        "columns": seen.columns,
        "rows": seen.rows,
        "format": seen.format,
        "problem": seen.problem,
        "needs_columns": seen.needs_columns,
    }


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


@router.get("/datasets")
def datasets(services: Services, owner: Owner) -> dict[str, Any]:
    """Your sets, and those that come with the product."""
    language = current_language()
    shipped = [
        {"name": info.name, "title": info.title.get(language, ""), "split": info.split, "license": info.license}
        for info in list_datasets()
        if info.origin == "shipped"
    ]
    return {"datasets": [dataset_view(row) for row in services.datasets.list(owner)], "shipped": shipped}


@router.get("/datasets/{name}")
def get(services: Services, owner: Owner, name: str) -> dict[str, Any]:
    """One of your sets."""
    return dataset_view(services.datasets.get(owner, name))


@router.delete("/datasets/{name}", status_code=204)
def remove(services: Services, owner: Owner, name: str) -> None:
    """Removes a set with its file."""
    services.datasets.remove(owner, name)

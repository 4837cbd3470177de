"""Specialists: what is asked, measured and served; each change is a version of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.specialists.spec import Specialist
from metier.specialists.store import StoredSpecialist
from metier.workbench.errors import ConflictError

router = APIRouter(tags=["specialists"])


def specialist_view(stored: StoredSpecialist) -> dict[str, Any]:
    """A specialist as the API shows it."""
    return {
        "name": stored.specialist.name,
        "version": stored.version,
        "shipped": stored.shipped,
        "created": stored.created,
        "origin": asdict(stored.origin),
        "specialist": stored.specialist.model_dump(mode="json"),
    }


@router.get("/specialists")
def specialists(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """The newest version of each, the shipped ones included."""
    return [specialist_view(one) for one in services.specialists.list(owner)]


@router.post("/specialists", status_code=201)
def create_specialist(request: Request, services: Services, owner: Owner, body: Specialist) -> Response:
    """A new specialist, as its first version."""
    return once(request, services, owner, body, lambda: specialist_view(services.specialists.create(owner, body)))


@router.get("/specialists/{name}")
def specialist(
    services: Services, owner: Owner, name: str, version: Annotated[str | None, Query(max_length=40)] = None
) -> dict[str, Any]:
    """A specialist. version: the newest where left out."""
    return specialist_view(services.specialists.get(owner, name, version))


@router.put("/specialists/{name}")
def edit_specialist(services: Services, owner: Owner, name: str, body: Specialist) -> dict[str, Any]:
    """A new version; the same as the newest makes none. Of a shipped one it makes your own."""
    services.specialists.get(owner, name)
    if body.name != name:
        raise ConflictError("workbench.specialist_other_name", name=name, given=body.name)
    return specialist_view(services.specialists.edit(owner, body))


@router.delete("/specialists/{name}", status_code=204)
def remove_specialist(services: Services, owner: Owner, name: str) -> None:
    """Forgets your own versions; of a shipped specialist the plain one is there again."""
    services.specialists.remove(owner, name)


@router.get("/specialists/{name}/versions")
def specialist_versions(services: Services, owner: Owner, name: str) -> list[dict[str, Any]]:
    """All versions, the newest first."""
    return [specialist_view(one) for one in services.specialists.versions(owner, name)]

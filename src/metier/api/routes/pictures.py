"""Pictures that questions are about: sent, shown, and thrown away before they were asked about."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from metier.api.access import Owner, Services

router = APIRouter(tags=["chats"])
_KEPT_SECONDS = 3600  # what is behind an id never changes


@router.post("/pictures", status_code=201)
async def send_picture(
    request: Request, services: Services, owner: Owner, name: Annotated[str, Query(max_length=1000)] = ""
) -> dict[str, Any]:
    """Takes a picture in: its bytes are the body. It is made anew; what else its file held is not kept."""
    return asdict(await services.pictures.receive(owner, unquote(name) or "picture", request.stream()))


@router.get("/pictures/{picture_id}")
def get_picture(services: Services, owner: Owner, picture_id: str) -> FileResponse:
    """A picture of yours."""
    file = services.pictures.file(owner, picture_id)
    headers = {
        "Cache-Control": f"private, max-age={_KEPT_SECONDS}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return FileResponse(file, media_type=f"image/{file.suffix[1:]}", headers=headers)


@router.delete("/pictures/{picture_id}", status_code=204)
def discard_picture(services: Services, owner: Owner, picture_id: str) -> None:
    """Throws a picture away that no question is about; those of questions go with their conversation."""
    services.pictures.discard(owner, picture_id)

"""Where word of ended jobs is sent."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.workbench.notify_address import LONGEST

router = APIRouter(prefix="/me/notification", tags=["accounts"])


class Address(BaseModel):
    """address: one of Apprise's URLs, or a webhook; left out, that which is kept stays. always: for every job that
    names no other (`notify` of a job: an address of its own, or `none`)."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field("", max_length=LONGEST, examples=["mailto://li:password@example.com"])
    always: bool = True


@router.get("")
def get(services: Services, owner: Owner) -> dict[str, Any]:
    """Whether there is an address, and what may be shown of it: it is never given out whole."""
    kept = services.notifications.get(owner)
    return {"address": kept.shown if kept else None, "always": bool(kept and kept.always)}


@router.put("", status_code=204)
def put(services: Services, owner: Owner, body: Address) -> None:
    """Keeps an address, encrypted."""
    services.notifications.put(owner, body.address, always=body.always)


@router.delete("", status_code=204)
def remove(services: Services, owner: Owner) -> None:
    """Forgets it."""
    services.notifications.remove(owner)


@router.post("/test", status_code=204)
def test(services: Services, owner: Owner) -> None:
    """Sends a test message now."""
    services.notifications.test(owner)

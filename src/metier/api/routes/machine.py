"""The machine, for an admin."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from metier.api.access import Owner, Services
from metier.workbench.machine import data_bytes, machine

router = APIRouter(prefix="/machine", tags=["machine"])


@router.get("")
def get(services: Services, owner: Owner) -> dict[str, Any]:
    """Version, data folder, database and disk."""
    shown = services.database.url.render_as_string(hide_password=True)
    return asdict(machine(owner, services.settings, shown))


@router.get("/data-size")
def data_size(services: Services, owner: Owner) -> dict[str, int]:
    """What the data folder takes, in bytes; counted now."""
    return {"bytes": data_bytes(owner, services.settings)}

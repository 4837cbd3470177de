"""Who has which device. Rows of a table whose key is the device: none is given twice, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from metier.workbench.store.tables import Lease


def leases(session: Session) -> list[Lease]:
    """All devices that are given away."""
    return list(session.scalars(select(Lease).order_by(Lease.device)))


def take(
    session: Session, devices: Sequence[str], wanted: int, *, kind: str, holder: str, owner: str
) -> list[str] | None:
    """`wanted` of the free ones of `devices`, given to a holder (`job` or `chat`), or None while there are too few."""
    given = {lease.device for lease in leases(session)}
    free = [device for device in devices if device not in given]
    if len(free) < wanted:
        return None
    for device in free[:wanted]:
        session.add(Lease(device=device, holder_kind=kind, holder_id=holder, owner_id=owner))
    session.flush()
    return free[:wanted]


def give_back(session: Session, holder: str) -> None:
    """Frees what a holder had."""
    session.execute(delete(Lease).where(Lease.holder_id == holder))


def holders(session: Session) -> list[dict[str, Any]]:
    """Each given device with who has it."""
    return [
        {"device": one.device, "kind": one.holder_kind, "id": one.holder_id, "owner_id": one.owner_id}
        for one in leases(session)
    ]

"""Answers that are kept for their `Idempotency-Key` go with what they tell of."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from metier.workbench.store.tables import Answered


def forget_answers(session: Session, owner_id: str, id: str) -> None:
    """Forgets an owner's answers that name `id`. Their ids stand in front of the sealed answer."""
    session.execute(delete(Answered).where(Answered.owner_id == owner_id, Answered.body.contains(id)))

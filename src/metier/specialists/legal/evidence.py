"""Kinds of evidence by the words that people use for them, as `evidence.yaml` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from metier.specialists.legal.tables import Text, read_table


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """A kind of evidence. shows: elements of claims that it can show; secure: how to make it hold."""

    key: str
    words: tuple[str, ...]
    shows: tuple[str, ...]
    name: Text
    secure: Text


@cache
def evidence_kinds() -> dict[str, EvidenceKind]:
    """All of them by key."""
    return {
        key: EvidenceKind(key, tuple(one["words"]), tuple(one["shows"]), one["name"], one["secure"])
        for key, one in read_table("evidence").items()
    }

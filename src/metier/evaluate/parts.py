"""Which part of a division a row belongs to: its kind of chart, its kind of question, its field of knowledge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DIVISIONS = ("chart_type", "question_type", "knowledge_domain")
# A row's `kind` says how it is scored; any other word there says what is asked.
SCORING_KINDS = ("choice", "number", "numerical", "numeric", "exact", "contains", "open")
_CHARACTERS = 80


def part_of(meta: Mapping[str, Any], by: str) -> str:
    """The part that the row's `meta` names; empty where it names none. What is asked is told closer by a `kind` that is
    none of scoring than by the `question_type`."""
    given, kind = meta.get(by), meta.get("kind")
    if by == "question_type" and kind and kind not in SCORING_KINDS:
        given = kind
    return str(given)[:_CHARACTERS] if isinstance(given, str | int) and not isinstance(given, bool) else ""

"""Rubrics of blind reviews: people judge by the same dimensions as a model does (`metier.evaluate.rubric`).

A review keeps its rubric as it was when it was made: a later version of the rubric changes no review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.core.i18n import Language
from metier.evaluate.rubric import load_rubric, shipped_rubrics
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.store.tables import Review


@dataclass(frozen=True)
class Dimension:
    """A dimension as a reviewer reads it. name, asks: in both languages."""

    key: str
    name: Mapping[str, str]
    asks: Mapping[str, str]

    def name_in(self, language: Language) -> str:
        """Its name in a language, or in the other one."""
        return self.name.get(language) or next(iter(self.name.values()), self.key)

    def asks_in(self, language: Language) -> str:
        """What a good answer does there."""
        return self.asks.get(language) or next(iter(self.asks.values()), "")


def titles(language: Language) -> list[tuple[str, str]]:
    """Name and title of every rubric that a review can have."""
    found = []
    for name in shipped_rubrics():
        title = load_rubric(name)[0].title
        found.append((name, getattr(title, language) or title.en or title.zh))
    return found


def frozen(name: str) -> dict[str, Any] | None:
    """A shipped rubric as a review keeps it, None for no name. Raises NotFoundError: a name is never a path."""
    if not name:
        return None
    if name not in shipped_rubrics():
        raise NotFoundError("workbench.review_no_rubric", name=name[:80], known=", ".join(shipped_rubrics()))
    rubric, _ = load_rubric(name)
    return {
        "name": rubric.name,
        "version": rubric.version,
        "title": rubric.title.model_dump(),
        "dimensions": [
            {"key": one.key, "name": one.name.model_dump(), "asks": one.asks.model_dump()} for one in rubric.dimensions
        ],
    }


def dimensions_of(review: Review) -> tuple[Dimension, ...]:
    """What a review is judged by, in order; none without a rubric."""
    rubric = review.setup.get("rubric") or {}
    return tuple(Dimension(one["key"], one["name"], one["asks"]) for one in rubric.get("dimensions", ()))


def check_dimensions(dimensions: Sequence[Dimension], said: Mapping[str, Any], language: Language) -> None:
    """Raises ConflictError where a judgement leaves a dimension out, or names one that the rubric does not have."""
    known = {one.key for one in dimensions}
    missing = [one.name_in(language) for one in dimensions if one.key not in said]
    unknown = [key[:40] for key in said if key not in known]
    if missing or unknown:
        raise ConflictError("workbench.review_dimensions", names=", ".join(missing or unknown))

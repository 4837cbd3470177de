"""Pictures that rows of an evaluation are about: where the set they were read from shows them.

A picture is named only if the set still has, on that row, the very one that was asked about; it is then served as the
set's own pictures are, to whom the set belongs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from metier.core.errors import UserError
from metier.data.several import names_in
from metier.workbench.accounts import Person
from metier.workbench.results import Evaluation, Row
from metier.workbench.rows import Rows
from metier.workbench.store.tables import Job


@dataclass(frozen=True)
class AskedAbout:
    """A picture: place `place` (from 1) of row `number` of the set `dataset`. width, height: in pixels."""

    dataset: str
    number: int
    place: int
    width: int
    height: int

    @property
    def address(self) -> str:
        """Where the API serves it, without a width."""
        return f"/api/v1/datasets/{self.dataset}/rows/{self.number}/pictures/{self.place}"


def pictures_of_rows(
    sets: Rows, owner: Person, found: Evaluation, rows: Sequence[Row]
) -> dict[int, list[AskedAbout | None]]:
    """For each row, by its line, its pictures in order; None for one that the set does not have any more."""
    dataset = dataset_of(found.job, guard=found.step.startswith("guard"))
    return {row.row: pictures_of_row(sets, owner, dataset, row.images, row.source) for row in rows if row.images}


def dataset_of(job: Job, *, guard: bool = False) -> str:
    """The set whose rows a job's answers belong to; empty where it does not name one, or several at once."""
    asked = job.spec["asked"]
    data, predict = asked.get("data") or {}, asked.get("predict") or {}
    given = {
        "recipe": data.get("guard") if guard else data.get("test") or data.get("train"),
        "score": predict.get("dataset"),
        "predict": asked.get("dataset"),
    }
    names = names_in(str(given.get(job.kind) or ""))
    return names[0] if len(names) == 1 else ""


def pictures_of_row(
    sets: Rows, owner: Person, dataset: str, images: Sequence[str], source: int | None
) -> list[AskedAbout | None]:
    """The pictures of one row. images: what they are called; source: the row of the set."""
    known = []
    if dataset and source is not None and images:
        try:
            known = sets.row(owner, dataset, source).pictures
        except UserError:
            known = []  # removed since, broken, or never this owner's
    found: list[AskedAbout | None] = []
    for place, name in enumerate(images):
        one = known[place] if place < len(known) else None
        same = one is not None and one["image"] == PurePath(name).name
        found.append(AskedAbout(dataset, source or 0, place + 1, one["width"], one["height"]) if one and same else None)
    return found

"""Two files of answers to the same questions, put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metier.core.errors import DataError
from metier.evaluate.predictions import Row

# What the data says of a row's right answer besides the answer itself.
_SCORED_BY = ("question_type", "unit", "tolerance", "knowledge_domain")


def paired(base: Sequence[Row], tuned: Sequence[Row], base_file: Path, tuned_file: Path) -> list[tuple[Row, Row]]:
    """The rows by id, in the order of `base`.

    Raises DataError naming the first row that only one file has, or whose question or reference differs.
    """
    others = {row.id: row for row in tuned}
    for row in base:
        if row.id not in others:
            raise DataError("evaluate.row_missing", id=row.id, line=row.line, file=base_file, other=tuned_file)
    known = {row.id for row in base}
    for row in tuned:
        if row.id not in known:
            raise DataError("evaluate.row_missing", id=row.id, line=row.line, file=tuned_file, other=base_file)
    pairs = [(row, others[row.id]) for row in base]
    for left, right in pairs:
        what = _difference(left, right)
        if what:
            raise DataError(
                f"evaluate.other_{what}",
                id=left.id,
                line=left.line,
                file=base_file,
                other=tuned_file,
                other_line=right.line,
            )
    return pairs


def _difference(left: Row, right: Row) -> str | None:
    if left.prompt_sha256 and right.prompt_sha256:
        same = left.prompt_sha256 == right.prompt_sha256
    else:
        same = left.prompt == right.prompt
    if not same:
        return "question"
    same = all(left.meta.get(key) == right.meta.get(key) for key in _SCORED_BY)
    return None if same and left.label == right.label and left.gold == right.gold else "label"

"""The rows of a review: those of two runs as they stand there, or those of two files, which the review keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier.workbench.accounts import Person
from metier.workbench.comparison import Comparisons, Pair
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Review, ReviewRow

WAIT_SECONDS = 20.0  # for a comparison that is being made


class ReviewRows:
    """What there is to judge. comparisons: of the owners' runs."""

    def __init__(self, database: Database, comparisons: Comparisons) -> None:
        self._database = database
        self._comparisons = comparisons

    def row(self, review: Review, place: int) -> dict[str, Any]:
        """A row with both answers by name. Raises NotFoundError for a place that is not there."""
        rows: Sequence[int] = review.setup["rows"]
        if not 0 <= place < len(rows):
            raise NotFoundError("workbench.not_found")
        if review.setup["left"]["job"] is None:
            return self._kept_row(review, rows[place])
        return self._comparisons.row(self._pair(review), rows[place])

    def _kept_row(self, review: Review, place: int) -> dict[str, Any]:
        with self._database.read() as session:
            kept = session.get(ReviewRow, (review.id, place))
        if kept is None:
            raise NotFoundError("workbench.not_found")
        return {name: getattr(kept, name) for name in ("prompt", "label", "left", "right")}

    def _pair(self, review: Review) -> Pair:
        """The answers behind a review: its owner's runs, whoever judges."""
        owner = Person(review.owner_id, "", "", "member", "")
        keys = (review.setup["left"]["key"], review.setup["right"]["key"])
        pair = self._comparisons.pair(owner, *keys, wait_seconds=WAIT_SECONDS)
        if pair.found is None:
            raise ConflictError("workbench.compare_under_way", retry_after_seconds=2)
        return pair

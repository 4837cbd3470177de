"""Judging a review: what each reviewer is shown, what they say, and what all of it comes to.

Which answer stands on the left is drawn for every row and reviewer from a salt that is never told: neither a page, nor
an address, nor an answer of the API tells. What a reviewer says is stored as what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from metier.core.i18n import current_language
from metier.rendering.thinking import strip_thinking
from metier.workbench import rubrics
from metier.workbench.accounts import Person
from metier.workbench.blinding import Choice, meaning, of_each, shown_choice, turned
from metier.workbench.errors import ConflictError, NotFoundError, RefusedError
from metier.workbench.reviewrows import ReviewRows
from metier.workbench.reviews import is_closed, may_manage, owned_review
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Judgement, Review, User, new_id, now
from metier.workbench.verdicts import Results, Vote, results_of

_REASON = 4000


@dataclass(frozen=True)
class Task:
    """One row as a reviewer sees it. place: from 0; choice, reason, dimensions: what this reviewer said so far."""

    place: int
    total: int
    prompt: str
    label: str
    left: str
    right: str
    choice: Choice | None
    reason: str
    dimensions: Mapping[str, Choice]


@dataclass(frozen=True)
class Standing:
    """How far one reviewer is."""

    done: int
    total: int
    open: tuple[int, ...]

    @property
    def next(self) -> int | None:
        """The first row without a word."""
        return self.open[0] if self.open else None


@dataclass(frozen=True)
class _Word:
    """A judgement as it is kept: what it means, whoever saw the answers in which order."""

    means: str
    reason: str
    dimensions: Mapping[str, str]


class Judging:
    """What is said in the reviews of an installation. rows: what there is to judge."""

    def __init__(self, database: Database, rows: ReviewRows) -> None:
        self._database = database
        self._rows = rows

    def standing(self, person: Person, review: Review) -> Standing:
        """How far somebody is."""
        query = select(Judgement.row).where(Judgement.review_id == review.id, Judgement.reviewer_id == person.id)
        with self._database.read() as session:
            said = set(session.scalars(query))
        total = len(review.setup["rows"])
        return Standing(len(said), total, tuple(place for place in range(total) if place not in said))

    def task(self, person: Person, review: Review, place: int) -> Task:
        """One row, unlabelled. Raises NotFoundError for a place that is not there."""
        row = self._rows.row(review, place)
        answers = {side: strip_thinking(str(row[side])) for side in ("left", "right")}
        other_way = turned(review, person.id, place)
        first, second = ("right", "left") if other_way else ("left", "right")
        with self._database.read() as session:
            said = session.scalar(_judgement(review, person, place))
        return Task(
            place,
            len(review.setup["rows"]),
            str(row["prompt"]),
            str(row["label"]),
            answers[first],
            answers[second],
            shown_choice(said.choice, other_way) if said else None,
            said.reason if said else "",
            of_each(said.dimensions, shown_choice, other_way) if said else {},
        )

    def judge(
        self,
        person: Person,
        review: Review,
        place: int,
        choice: Choice,
        reason: str = "",
        dimensions: Mapping[str, Choice] | None = None,
    ) -> None:
        """Keeps somebody's word on a row; a later word replaces it.

        dimensions: a choice for each of the rubric's. Raises ConflictError where judging has ended, or one is missing.
        """
        self._check_open(review, place)
        rubrics.check_dimensions(rubrics.dimensions_of(review), dimensions or {}, current_language())
        other_way = turned(review, person.id, place)
        means, each = meaning(choice, other_way), of_each(dimensions or {}, meaning, other_way)
        word = _Word(means, reason.strip()[:_REASON], each)
        try:
            self._keep(person, review, place, word)
        except IntegrityError:  # the same reviewer in a second tab was faster
            self._keep(person, review, place, word)

    def undo(self, person: Person, review: Review, place: int) -> None:
        """Takes somebody's word on a row back."""
        self._check_open(review, place)
        with self._database.write() as session:
            said = session.scalar(_judgement(review, person, place))
            if said is not None:
                session.delete(said)

    def _keep(self, person: Person, review: Review, place: int, word: _Word) -> None:
        with self._database.write() as session:
            said = session.scalar(_judgement(review, person, place))
            if said is None:
                said = Judgement(id=new_id(), review_id=review.id, reviewer_id=person.id, row=place)
                session.add(said)
            said.choice, said.reason, said.created = word.means, word.reason, now()
            said.dimensions = dict(word.dimensions)

    def _check_open(self, review: Review, place: int) -> None:
        if is_closed(review):
            raise ConflictError("workbench.review_closed")
        if not 0 <= place < len(review.setup["rows"]):
            raise NotFoundError("workbench.not_found")

    # Results

    def may_see_results(self, person: Person, review: Review) -> bool:
        """Reviewers only once it is closed; its owner at any time, unless half-way through judging it."""
        if is_closed(review):
            return True
        standing = self.standing(person, review)
        return may_manage(person, review) and (standing.done == 0 or standing.next is None)

    def results(self, person: Person, review: Review) -> Results:
        """What was said so far. Raises RefusedError for who must not know yet."""
        if not self.may_see_results(person, review):
            raise RefusedError("workbench.review_blind")
        keys = [one.key for one in rubrics.dimensions_of(review)]
        return results_of(self._votes(review), len(review.setup["rows"]), keys)

    def progress(self, person: Person, review_id: str) -> list[tuple[str, int]]:
        """For its owner: each reviewer and how many rows they have judged."""
        query = (
            select(User.display_name, func.count())
            .join(Judgement, Judgement.reviewer_id == User.id)
            .where(Judgement.review_id == review_id)
            .group_by(User.id, User.display_name)
            .order_by(User.display_name)
        )
        with self._database.read() as session:
            owned_review(session, person, review_id)
            return [(name, count) for name, count in session.execute(query)]

    def row(self, person: Person, review: Review, place: int) -> dict[str, Any]:
        """One row with both answers by name, for who may see results. Raises RefusedError."""
        if not self.may_see_results(person, review):
            raise RefusedError("workbench.review_blind")
        return self._rows.row(review, place)

    def _votes(self, review: Review) -> list[Vote]:
        query = (
            select(Judgement, User.display_name)
            .join(User, Judgement.reviewer_id == User.id)
            .where(Judgement.review_id == review.id)
            .order_by(Judgement.row, User.display_name, User.id)
        )
        with self._database.read() as session:
            return [
                Vote(said.row, said.reviewer_id, name, said.choice, said.reason, said.created, said.dimensions)
                for said, name in session.execute(query)
            ]


def _judgement(review: Review, person: Person, place: int) -> Any:
    return select(Judgement).where(
        Judgement.review_id == review.id, Judgement.reviewer_id == person.id, Judgement.row == place
    )

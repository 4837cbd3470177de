"""Blind review: colleagues judge two models' answers without knowing whose is whose.

Which answer stands on the left is drawn for every row and reviewer from a salt that never leaves this module: neither
a page, nor an address, nor an answer of the API tells. What a reviewer says is stored as what it means.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metier.core.i18n import current_language, translate
from metier.rendering.thinking import strip_thinking
from metier.workbench import rubrics
from metier.workbench.accounts import Person
from metier.workbench.comparison import Comparisons, Pair
from metier.workbench.errors import ConflictError, NotFoundError, RefusedError
from metier.workbench.reviewfiles import AnswerFile, paired_rows
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Judgement, Review, ReviewRow, User, new_id, now
from metier.workbench.verdicts import Results, Vote, results_of

Side = Literal["left", "right"]
Choice = Literal["left", "right", "tie", "bad"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "bad")
MOST_ROWS = 500
_REASON = 4000
_WAIT_SECONDS = 20.0
_PAGE = 50


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


class Reviews:
    """Reviews of an installation. What is not the owner's, and not opened by its link, is not found."""

    def __init__(self, database: Database, comparisons: Comparisons) -> None:
        self._database = database
        self._comparisons = comparisons

    def create(
        self, owner: Person, left: str, right: str, *, title: str, rows: int = 50, seed: int = 42, rubric: str = ""
    ) -> tuple[Review, str]:
        """A review of `rows` rows drawn with `seed`, and the token of its link, which is told once.

        left, right: variants by their keys; rubric: a shipped one's name, judged by in each of its dimensions. Raises
        ConflictError where the two are not answers to the same rows, NotFoundError for an unknown rubric.
        """
        judged_by = rubrics.frozen(rubric)
        pair = self._comparisons.pair(owner, left, right, wait_seconds=_WAIT_SECONDS)
        if pair.found is None:
            raise ConflictError("workbench.compare_under_way", retry_after_seconds=2)
        different = [place for place, same in enumerate(pair.found.get("index", {}).get("same", [])) if not same]
        if not pair.rows:
            raise ConflictError("workbench.review_no_pairs")
        if not different:
            raise ConflictError("workbench.review_all_same")
        drawn = random.Random(seed).sample(different, min(max(1, rows), MOST_ROWS, len(different)))
        token = secrets.token_urlsafe(24)
        sides = {
            side: {"job": job_id, "key": key, "title": one.job.title, "side": one.side}
            for side, one in (("left", pair.left), ("right", pair.right))
            for job_id, key in [_content_key(str(one.answers))]
        }
        review = Review(
            owner_id=owner.id,
            title=title.strip()[:300] or pair.right.job.title,
            setup={
                **sides,
                "seed": seed,
                "salt": secrets.token_hex(16),
                "rows": drawn,
                "closed": None,
                "rubric": judged_by,
            },
            digest=_digest(token),
        )
        with self._database.write() as session:
            session.add(review)
        return review, token

    def create_from(
        self, owner: Person, left: AnswerFile, right: AnswerFile, *, title: str, rows: int, seed: int, rubric: str = ""
    ) -> tuple[Review, str]:
        """A review of two files of answers, which it keeps, and the token of its link.

        Raises DataError for a file that holds no answers or others than its partner's.
        """
        judged_by = rubrics.frozen(rubric)
        kept = paired_rows(left, right, most=min(max(1, rows), MOST_ROWS), seed=seed)
        token = secrets.token_urlsafe(24)
        sides = {
            side: {"job": None, "key": "", "title": one.name[:300], "side": ""}
            for side, one in (("left", left), ("right", right))
        }
        review = Review(
            owner_id=owner.id,
            title=title.strip()[:300] or translate("workbench.review_untitled"),
            setup={
                **sides,
                "seed": seed,
                "salt": secrets.token_hex(16),
                "rows": list(range(len(kept))),
                "closed": None,
                "rubric": judged_by,
            },
            digest=_digest(token),
        )
        with self._database.write() as session:
            session.add(review)
            session.flush()
            for one in kept:
                one.review_id = review.id
                session.add(one)
        return review, token

    def page(self, person: Person, *, after: str | None = None, limit: int = _PAGE) -> tuple[list[Review], str | None]:
        """The reviews that somebody owns or takes part in, the newest first, and the `after` of the following page."""
        part = select(Judgement.review_id).where(Judgement.reviewer_id == person.id)
        query = select(Review).where(or_(Review.owner_id == person.id, Review.id.in_(part)))
        with self._database.read() as session:
            if after is not None and (last := session.get(Review, after)) is not None:
                older = (Review.created < last.created) | ((Review.created == last.created) & (Review.id < last.id))
                query = query.where(older)
            rows = list(session.scalars(query.order_by(Review.created.desc(), Review.id.desc()).limit(limit + 1)))
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None

    def get(self, person: Person, review_id: str, token: str = "") -> Review:
        """A review for its owner, an admin, who has its link, or who has judged in it. Raises NotFoundError."""
        with self._database.read() as session:
            review = session.get(Review, review_id)
            if review is None or not (
                may_manage(person, review) or opens(review, token) or _takes_part(session, person, review_id)
            ):
                raise NotFoundError("workbench.not_found")
        return review

    def owned(self, person: Person, review_id: str) -> Review:
        """A review for its owner or an admin. Raises NotFoundError."""
        with self._database.read() as session:
            return _owned(session, person, review_id)

    def new_link(self, person: Person, review_id: str) -> str:
        """Another token; the old link opens nothing any more."""
        token = secrets.token_urlsafe(24)
        with self._database.write() as session:
            _owned(session, person, review_id).digest = _digest(token)
        return token

    def rename(self, person: Person, review_id: str, title: str) -> Review:
        """Another title."""
        with self._database.write() as session:
            review = _owned(session, person, review_id)
            review.title = title.strip()[:300] or review.title
        return review

    def close(self, person: Person, review_id: str, *, closed: bool = True) -> Review:
        """Ends the judging, or opens it again; once closed, its reviewers see the results too."""
        with self._database.write() as session:
            review = _owned(session, person, review_id)
            review.setup = {**review.setup, "closed": now().isoformat() if closed else None}
        return review

    def remove(self, person: Person, review_id: str) -> None:
        """Removes a review with everything that was said in it."""
        with self._database.write() as session:
            review = _owned(session, person, review_id)
            session.delete(review)
            forget_answers(session, review.owner_id, review_id)

    # Judging

    def standing(self, person: Person, review: Review) -> Standing:
        """How far somebody is."""
        query = select(Judgement.row).where(Judgement.review_id == review.id, Judgement.reviewer_id == person.id)
        with self._database.read() as session:
            said = set(session.scalars(query))
        total = len(review.setup["rows"])
        return Standing(len(said), total, tuple(place for place in range(total) if place not in said))

    def task(self, person: Person, review: Review, place: int) -> Task:
        """One row, unlabelled. Raises NotFoundError for a place that is not there."""
        row = self._row(review, place)
        answers = {side: strip_thinking(str(row[side])) for side in ("left", "right")}
        first, second = ("right", "left") if _turned(review, person.id, place) else ("left", "right")
        with self._database.read() as session:
            said = session.scalar(_judgement(review, person, place))
        return Task(
            place,
            len(review.setup["rows"]),
            str(row["prompt"]),
            str(row["label"]),
            answers[first],
            answers[second],
            _shown_choice(said.choice, _turned(review, person.id, place)) if said else None,
            said.reason if said else "",
            _each(said.dimensions, _shown_choice, _turned(review, person.id, place)) if said else {},
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
        turned = _turned(review, person.id, place)
        word = _Word(_meaning(choice, turned), reason.strip()[:_REASON], _each(dimensions or {}, _meaning, turned))
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
        review = self.owned(person, review_id)
        query = (
            select(User.display_name, func.count())
            .join(Judgement, Judgement.reviewer_id == User.id)
            .where(Judgement.review_id == review.id)
            .group_by(User.id, User.display_name)
            .order_by(User.display_name)
        )
        with self._database.read() as session:
            return [(name, count) for name, count in session.execute(query)]

    def row(self, person: Person, review: Review, place: int) -> dict[str, Any]:
        """One row with both answers by name, for who may see results. Raises RefusedError."""
        if not self.may_see_results(person, review):
            raise RefusedError("workbench.review_blind")
        return self._row(review, place)

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

    def _row(self, review: Review, place: int) -> dict[str, Any]:
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
        pair = self._comparisons.pair(owner, *keys, wait_seconds=_WAIT_SECONDS)
        if pair.found is None:
            raise ConflictError("workbench.compare_under_way", retry_after_seconds=2)
        return pair


def may_manage(person: Person, review: Review) -> bool:
    """Whether somebody owns a review, or administers the installation."""
    return review.owner_id == person.id or person.is_admin


def is_closed(review: Review) -> bool:
    """Whether judging has ended."""
    return bool(review.setup.get("closed"))


def closed_at(review: Review) -> datetime | None:
    """When judging ended."""
    return datetime.fromisoformat(review.setup["closed"]) if is_closed(review) else None


def _turned(review: Review, reviewer_id: str, place: int) -> bool:
    """Whether this reviewer sees this row's answers the other way round."""
    drawn = f"{review.setup['salt']}:{review.setup['seed']}:{reviewer_id}:{place}"
    return bool(hashlib.sha256(drawn.encode()).digest()[0] & 1)


def _meaning(choice: Choice, turned: bool) -> str:
    if choice == "tie":
        return "both"
    if choice == "bad":
        return "neither"
    return "base" if (choice == "left") != turned else "tuned"


def _shown_choice(means: str, turned: bool) -> Choice:
    named: Mapping[str, Choice] = {"both": "tie", "neither": "bad"}
    if means in named:
        return named[means]
    return "left" if (means == "base") != turned else "right"


def _each(values: Mapping[str, Any], turn: Callable[[Any, bool], Any], turned: bool) -> dict[str, Any]:
    """The choices of all dimensions, turned like the whole."""
    return {key: turn(value, turned) for key, value in values.items()}


def _content_key(answers: str) -> tuple[str, str]:
    """The run that holds some answers, and the key of the variant that gave them."""
    job_id, _, step = answers.partition("/")
    side = step.removeprefix("predict").lstrip("-")
    return job_id, f"{job_id}.{side}" if side else job_id


def _judgement(review: Review, person: Person, place: int) -> Any:
    return select(Judgement).where(
        Judgement.review_id == review.id, Judgement.reviewer_id == person.id, Judgement.row == place
    )


def _takes_part(session: Session, person: Person, review_id: str) -> bool:
    query = select(Judgement.id).where(Judgement.review_id == review_id, Judgement.reviewer_id == person.id).limit(1)
    return session.scalar(query) is not None


def _owned(session: Session, person: Person, review_id: str) -> Review:
    review = session.get(Review, review_id)
    if review is None or not may_manage(person, review):
        raise NotFoundError("workbench.not_found")
    return review


def opens(review: Review, token: str) -> bool:
    """Whether a token is that of the review's link."""
    return bool(token) and hmac.compare_digest(_digest(token), review.digest)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

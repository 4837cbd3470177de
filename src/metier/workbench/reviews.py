"""Blind review: colleagues judge two models' answers without knowing whose is whose.

Here reviews are made, found, changed and removed; `judging` is what is said in them.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import secrets
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from metier.core.i18n import translate
from metier.workbench import rubrics
from metier.workbench.accounts import Person
from metier.workbench.answers import PROVEN
from metier.workbench.comparison import Comparisons
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.reviewfiles import AnswerFile, paired_rows
from metier.workbench.reviewrows import WAIT_SECONDS
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Judgement, Review, now

MOST_ROWS = 500
_PAGE = 50


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
        pair = self._comparisons.pair(owner, left, right, wait_seconds=WAIT_SECONDS)
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
            return owned_review(session, person, review_id)

    def new_link(self, person: Person, review_id: str) -> str:
        """Another token; the old link opens nothing any more."""
        token = secrets.token_urlsafe(24)
        with self._database.write() as session:
            owned_review(session, person, review_id).digest = _digest(token)
        return token

    def rename(self, person: Person, review_id: str, title: str) -> Review:
        """Another title."""
        with self._database.write() as session:
            review = owned_review(session, person, review_id)
            review.title = title.strip()[:300] or review.title
        return review

    def close(self, person: Person, review_id: str, *, closed: bool = True) -> Review:
        """Ends the judging, or opens it again; once closed, its reviewers see the results too."""
        with self._database.write() as session:
            review = owned_review(session, person, review_id)
            review.setup = {**review.setup, "closed": now().isoformat() if closed else None}
        return review

    def remove(self, person: Person, review_id: str) -> None:
        """Removes a review with everything that was said in it."""
        with self._database.write() as session:
            review = owned_review(session, person, review_id)
            session.delete(review)
            forget_answers(session, review.owner_id, review_id)


def may_manage(person: Person, review: Review) -> bool:
    """Whether somebody owns a review, or administers the installation."""
    return review.owner_id == person.id or person.is_admin


def is_closed(review: Review) -> bool:
    """Whether judging has ended."""
    return bool(review.setup.get("closed"))


def closed_at(review: Review) -> datetime | None:
    """When judging ended."""
    return datetime.fromisoformat(review.setup["closed"]) if is_closed(review) else None


def _content_key(answers: str) -> tuple[str, str]:
    """The run that holds some answers, and the key of the variant that gave them."""
    job_id, _, step = answers.partition("/")
    side = step.removeprefix("predict").removeprefix(PROVEN).lstrip("-")
    return job_id, f"{job_id}.{side}" if side else job_id


def _takes_part(session: Session, person: Person, review_id: str) -> bool:
    query = select(Judgement.id).where(Judgement.review_id == review_id, Judgement.reviewer_id == person.id).limit(1)
    return session.scalar(query) is not None


def owned_review(session: Session, person: Person, review_id: str) -> Review:
    """A review for its owner or an admin. Raises NotFoundError."""
    review = session.get(Review, review_id)
    if review is None or not may_manage(person, review):
        raise NotFoundError("workbench.not_found")
    return review


def opens(review: Review, token: str) -> bool:
    """Whether a token is that of the review's link."""
    return bool(token) and hmac.compare_digest(_digest(token), review.digest)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

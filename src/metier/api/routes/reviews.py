"""Blind review: made from two models' answers, judged by colleagues, counted at the end."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.workbench.accounts import Person
from metier.workbench.blinding import Choice
from metier.workbench.reviewfiles import AnswerFile
from metier.workbench.reviews import MOST_ROWS, closed_at, may_manage
from metier.workbench.store.tables import Review
from metier.workbench.verdicts import Results, vote_view, votes_csv, votes_jsonl
from metier.workbench.workbench import Workbench

router = APIRouter(prefix="/reviews", tags=["reviews"])
Token = Annotated[str, Query(max_length=200, description="The link's token; not needed once you have judged.")]
_EXAMPLE: Any = {"left": "0123456789abcdef.base", "right": "0123456789abcdef.tuned", "title": "Ward round", "rows": 30}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewReview(_Body):
    """left, right: keys of two variants that answered the same rows; rows: how many are drawn, with `seed`; rubric: the
    name of a shipped one (`legal`), judged by in each of its dimensions."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    left: str = Field(max_length=40)
    right: str = Field(max_length=40)
    title: str = Field("", max_length=300)
    rows: int = Field(50, ge=1, le=MOST_ROWS)
    seed: int = Field(42, ge=0, le=2**31)
    rubric: str = Field("", max_length=64)


class NewFileReview(_Body):
    """left, right: the texts of two files of answers (JSON lines with `prompt`, `predict`, `label`, such as `metier
    compare` leaves); left_name, right_name: what they are called once the judging is over."""

    left: str
    right: str
    left_name: str = Field("A", max_length=300)
    right_name: str = Field("B", max_length=300)
    title: str = Field("", max_length=300)
    rows: int = Field(50, ge=1, le=MOST_ROWS)
    seed: int = Field(42, ge=0, le=2**31)
    rubric: str = Field("", max_length=64)


class ReviewChange(_Body):
    """Another title; whether judging has ended."""

    title: str | None = Field(None, min_length=1, max_length=300)
    closed: bool | None = None


class Word(_Body):
    """What a reviewer says of one row: which answer is better as it stood, both alike, or both bad; with a rubric, in
    each of its dimensions too."""

    choice: Choice
    reason: str = Field("", max_length=4000)
    dimensions: dict[str, Choice] = Field(default_factory=dict, max_length=20)


def review_view(services: Workbench, person: Person, review: Review) -> dict[str, Any]:
    """A review as the API shows it. Which runs it compares only its owner sees."""
    standing = services.judging.standing(person, review)
    shown: dict[str, Any] = {
        "id": review.id,
        "title": review.title,
        "rows": standing.total,
        "done": standing.done,
        "closed": closed_at(review),
        "created": review.created,
        "mine": may_manage(person, review),
        "rubric": review.setup.get("rubric"),
    }
    if may_manage(person, review):
        names = {"base": review.setup["left"], "tuned": review.setup["right"]}
        shown |= {side: {"run": one["job"], "key": one["key"], "title": one["title"]} for side, one in names.items()}
        shown["seed"] = review.setup["seed"]
    return shown


@router.post("", status_code=201)
def create(request: Request, services: Services, owner: Owner, body: NewReview) -> Response:
    """Makes a review. `link` is told once: whoever is signed in and opens it may judge."""

    def made() -> dict[str, Any]:
        review, token = services.reviews.create(
            owner, body.left, body.right, title=body.title, rows=body.rows, seed=body.seed, rubric=body.rubric
        )
        return {**review_view(services, owner, review), "link": link_of(review, token)}

    return once(request, services, owner, body, made)


@router.post("/files", status_code=201)
def create_from_files(request: Request, services: Services, owner: Owner, body: NewFileReview) -> Response:
    """Makes a review of two files of answers, whoever gave them. `link` is told once."""

    def made() -> dict[str, Any]:
        review, token = services.reviews.create_from(
            owner,
            AnswerFile(body.left_name, body.left.encode("utf-8", "replace")),
            AnswerFile(body.right_name, body.right.encode("utf-8", "replace")),
            title=body.title,
            rows=body.rows,
            seed=body.seed,
            rubric=body.rubric,
        )
        return {**review_view(services, owner, review), "link": link_of(review, token)}

    return once(request, services, owner, body, made)


def link_of(review: Review, token: str) -> str:
    """The address that lets a colleague in."""
    return f"/reviews/{review.id}?token={token}"


@router.get("")
def page(services: Services, owner: Owner, after: Annotated[str | None, Query(max_length=16)] = None) -> dict[str, Any]:
    """The reviews that are yours or that you take part in, the newest first."""
    found, following = services.reviews.page(owner, after=after)
    return {"reviews": [review_view(services, owner, one) for one in found], "next": following}


@router.get("/{review_id}")
def get(services: Services, owner: Owner, review_id: str, token: Token = "") -> dict[str, Any]:
    """One review, and how far you are."""
    return review_view(services, owner, services.reviews.get(owner, review_id, token))


@router.patch("/{review_id}")
def change(services: Services, owner: Owner, review_id: str, body: ReviewChange) -> dict[str, Any]:
    """Renames it, ends its judging, or opens it again."""
    review = services.reviews.owned(owner, review_id)
    if body.title is not None:
        review = services.reviews.rename(owner, review_id, body.title)
    if body.closed is not None:
        review = services.reviews.close(owner, review_id, closed=body.closed)
    return review_view(services, owner, review)


@router.delete("/{review_id}", status_code=204)
def remove(services: Services, owner: Owner, review_id: str) -> None:
    """Removes it with everything that was said."""
    services.reviews.remove(owner, review_id)


@router.post("/{review_id}/link", status_code=201)
def new_link(request: Request, services: Services, owner: Owner, review_id: str) -> Response:
    """Another link; the old one opens nothing any more."""
    review = services.reviews.owned(owner, review_id)

    def made() -> dict[str, str]:
        return {"link": link_of(review, services.reviews.new_link(owner, review_id))}

    return once(request, services, owner, review_id, made)


@router.get("/{review_id}/rows/{row}")
def task(services: Services, owner: Owner, review_id: str, row: int, token: Token = "") -> dict[str, Any]:
    """One row to judge, from 1: question, reference, and two answers that nothing labels."""
    review = services.reviews.get(owner, review_id, token)
    found = services.judging.task(owner, review, row - 1)
    return {
        "row": found.place + 1,
        "rows": found.total,
        "prompt": found.prompt,
        "label": found.label,
        "left": found.left,
        "right": found.right,
        "choice": found.choice,
        "reason": found.reason,
        "dimensions": found.dimensions,
    }


@router.put("/{review_id}/rows/{row}", status_code=204)
def judge(services: Services, owner: Owner, review_id: str, row: int, body: Word, token: Token = "") -> None:
    """Keeps your word on a row; a later one replaces it."""
    review = services.reviews.get(owner, review_id, token)
    services.judging.judge(owner, review, row - 1, body.choice, body.reason, body.dimensions)


@router.delete("/{review_id}/rows/{row}", status_code=204)
def undo(services: Services, owner: Owner, review_id: str, row: int, token: Token = "") -> None:
    """Takes your word on a row back."""
    services.judging.undo(owner, services.reviews.get(owner, review_id, token), row - 1)


@router.get("/{review_id}/results")
def results(services: Services, owner: Owner, review_id: str) -> dict[str, Any]:
    """Wins and ties with an interval, each reviewer's counts, and how far they agree."""
    review = services.reviews.get(owner, review_id)
    found = services.judging.results(owner, review)
    sides = {"base": review.setup["left"], "tuned": review.setup["right"]}
    return {**{side: {"run": one["job"], "title": one["title"]} for side, one in sides.items()}, **results_view(found)}


def results_view(found: Results) -> dict[str, Any]:
    """Results as the API shows them. `share`: of the decided rows that `tuned` won."""
    share = found.share and dict(zip(("share", "low", "high"), found.share, strict=True))
    return {
        "rows": found.total,
        "judged": found.judged,
        "wins": found.wins,
        "losses": found.losses,
        "ties": found.ties,
        "outcome": found.outcome,
        "share": share,
        "sign_test_p": found.p,
        "agreement": {
            "krippendorff_alpha": found.alpha,
            "raw": found.agreement,
            "rows_with_several_reviewers": found.shared_rows,
        },
        "dimensions": [
            {
                **{name: getattr(one, name) for name in ("key", "wins", "losses", "ties")},
                "share": one.share and dict(zip(("share", "low", "high"), one.share, strict=True)),
                "krippendorff_alpha": one.alpha,
                "agreement": one.agreement,
            }
            for one in found.dimensions
        ],
        "reviewers": found.reviewers,
        "disagreements": [
            {"row": row + 1, "judgements": [vote_view(vote) for vote in votes]} for row, votes in found.disagreements
        ],
    }


@router.get("/{review_id}/judgements.{format}")
def judgements(services: Services, owner: Owner, review_id: str, format: Literal["csv", "jsonl"]) -> Response:
    """Every word that was said, as a table or as lines of JSON."""
    review = services.reviews.get(owner, review_id)
    votes = services.judging.results(owner, review).votes
    content, kind = (votes_csv(votes), "text/csv") if format == "csv" else (votes_jsonl(votes), "application/x-ndjson")
    headers = {"Content-Disposition": f'attachment; filename="review-{review.id}.{format}"'}
    return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)

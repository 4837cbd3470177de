"""Blind review: the invitation, the judging, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.api.routes.reviews import link_of
from metier.core.i18n import current_language
from metier.web.prompts import question_of, turns_of
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.blinding import CHOICES, Choice
from metier.workbench.reviewfiles import AnswerFile
from metier.workbench.reviews import MOST_ROWS, closed_at, may_manage, opens
from metier.workbench.rubrics import dimensions_of
from metier.workbench.store.tables import Review

router = APIRouter()
_SHOWN = 50
_FIELD = "dimension-"
Token = Annotated[str, Query(max_length=200)]


@router.post("/reviews")
def create(
    services: Services,
    person: Reader,
    left: Annotated[str, Form(max_length=40)],
    right: Annotated[str, Form(max_length=40)],
    title: Annotated[str, Form(max_length=300)] = "",
    rows: Annotated[int, Form(ge=1, le=MOST_ROWS)] = 50,
    seed: Annotated[int, Form(ge=0, le=2**31)] = 42,
    rubric: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Makes a review and shows its link."""
    review, token = services.reviews.create(person, left, right, title=title, rows=rows, seed=seed, rubric=rubric)
    return RedirectResponse(link_of(review, token), 303)


@router.post("/reviews/files")
def create_from_files(
    services: Services,
    person: Reader,
    left: UploadFile,
    right: UploadFile,
    title: Annotated[str, Form(max_length=300)] = "",
    rows: Annotated[int, Form(ge=1, le=MOST_ROWS)] = 50,
    seed: Annotated[int, Form(ge=0, le=2**31)] = 42,
    rubric: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Makes a review of two files of answers and shows its link."""
    sides = [AnswerFile((one.filename or "?")[:300], one.file.read()) for one in (left, right)]
    review, token = services.reviews.create_from(person, *sides, title=title, rows=rows, seed=seed, rubric=rubric)
    return RedirectResponse(link_of(review, token), 303)


@router.get("/reviews/{review_id}")
def review(request: Request, services: Services, person: Reader, review_id: str, token: Token = "") -> Response:
    """The invitation for a colleague; progress, results and the link that they came by for the owner."""
    found = services.reviews.get(person, review_id, token)
    mine = may_manage(person, found)
    link = link_of(found, token) if mine and opens(found, token) else ""
    results = services.judging.results(person, found) if services.judging.may_see_results(person, found) else None
    asked = {}
    if results is not None:
        rows = {row: services.judging.row(person, found, row) for row, _ in results.disagreements[:_SHOWN]}
        asked = {row: {**one, "question": question_of(one["prompt"])} for row, one in rows.items()}
    return page(
        request,
        "review.html",
        person,
        review=found,
        mine=mine,
        token=token,
        link=str(request.base_url).rstrip("/") + link if link else "",
        standing=services.judging.standing(person, found),
        closed=closed_at(found),
        progress=services.judging.progress(person, review_id) if mine else [],
        results=results,
        asked=asked,
        most=_SHOWN,
        sides={"base": found.setup["left"], "tuned": found.setup["right"]},
        dimensions=_named(found),
    )


@router.post("/reviews/{review_id}/link")
def new_link(services: Services, person: Reader, review_id: str) -> Response:
    """Another link; the old one stops."""
    found = services.reviews.owned(person, review_id)
    return RedirectResponse(link_of(found, services.reviews.new_link(person, review_id)), 303)


@router.post("/reviews/{review_id}/state")
def close(services: Services, person: Reader, review_id: str, closed: Annotated[bool, Form()]) -> Response:
    """Ends the judging, or opens it again."""
    services.reviews.close(person, review_id, closed=closed)
    return RedirectResponse(f"/reviews/{review_id}", 303)


@router.post("/reviews/{review_id}/remove")
def remove(services: Services, person: Reader, review_id: str) -> Response:
    """Removes it with everything that was said."""
    services.reviews.remove(person, review_id)
    return RedirectResponse("/compare", 303)


@router.get("/reviews/{review_id}/judge")
def judge(
    request: Request,
    services: Services,
    person: Reader,
    review_id: str,
    row: Annotated[int | None, Query(ge=1, le=MOST_ROWS)] = None,
    saved: Annotated[int | None, Query(ge=1, le=MOST_ROWS)] = None,
    token: Token = "",
) -> Response:
    """One row: question and two unlabelled answers. Without `row`, the first that waits for a word."""
    found = services.reviews.get(person, review_id, token)
    standing = services.judging.standing(person, found)
    place = row - 1 if row is not None else standing.next
    if place is None or closed_at(found) is not None:
        return RedirectResponse(f"/reviews/{review_id}{_query(token)}", 303)
    task = services.judging.task(person, found, place)
    return page(
        request,
        "review_judge.html",
        person,
        review=found,
        task=task,
        turns=turns_of(task.prompt),
        standing=standing,
        saved=saved,
        token=token,
        query=_query,
        dimensions=_named(found),
    )


async def _in_dimensions(request: Request) -> dict[str, Any]:
    """What a form says of each dimension: the fields are named by the rubric, not here."""
    form = await request.form()
    return {name.removeprefix(_FIELD): value for name, value in form.items() if name.startswith(_FIELD)}


@router.post("/reviews/{review_id}/judge")
def say_which(
    services: Services,
    person: Reader,
    review_id: str,
    row: Annotated[int, Form(ge=1, le=MOST_ROWS)],
    choice: Annotated[Choice, Form()],
    dimensions: Annotated[dict[str, Any], Depends(_in_dimensions)],
    reason: Annotated[str, Form(max_length=4000)] = "",
    token: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Keeps a word and goes on with the next row that waits for one."""
    found = services.reviews.get(person, review_id, token)
    services.judging.judge(person, found, row - 1, choice, reason, _choices(dimensions))
    waiting = services.judging.standing(person, found).open
    following = next((place for place in waiting if place >= row), waiting[0] if waiting else None)
    if following is None:
        return RedirectResponse(f"/reviews/{review_id}{_query(token)}", 303)
    return RedirectResponse(f"/reviews/{review_id}/judge{_query(token, row=following + 1, saved=row)}", 303)


@router.post("/reviews/{review_id}/undo")
def undo(
    services: Services,
    person: Reader,
    review_id: str,
    row: Annotated[int, Form(ge=1, le=MOST_ROWS)],
    token: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Takes a word back and shows its row again."""
    found = services.reviews.get(person, review_id, token)
    services.judging.undo(person, found, row - 1)
    return RedirectResponse(f"/reviews/{review_id}/judge{_query(token, row=row)}", 303)


def _named(review: Review) -> list[dict[str, str]]:
    """The rubric's dimensions in the reader's language."""
    language = current_language()
    return [
        {"key": one.key, "name": one.name_in(language), "asks": one.asks_in(language)} for one in dimensions_of(review)
    ]


def _choices(said: Mapping[str, Any]) -> dict[str, Choice]:
    """Only what can be chosen; the rest counts as not said."""
    known: dict[str, Choice] = {choice: choice for choice in CHOICES}
    return {key: known[value] for key, value in said.items() if isinstance(value, str) and value in known}


def _query(token: str = "", **values: int) -> str:
    parts = [f"{key}={value}" for key, value in values.items()]
    if token and all(one.isalnum() or one in "-_" for one in token):
        parts.append(f"token={token}")
    return f"?{'&'.join(parts)}" if parts else ""

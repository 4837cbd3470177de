"""Any runs side by side: choose them, then scores, curves, configurations, and answers row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from metier.api.access import Services
from metier.core.errors import UserError
from metier.core.i18n import current_language, has_text
from metier.rendering.thinking import split_thinking
from metier.web.figures import Stretch, beside, change, level, metric_name
from metier.web.prompts import question_of
from metier.web.render import page, say
from metier.web.visit import Reader
from metier.workbench import rubrics
from metier.workbench.accounts import Person
from metier.workbench.answers import Variant
from metier.workbench.askedabout import dataset_of, pictures_of_row
from metier.workbench.comparison import MOST_RUNS, SHOWN, Pair, differences
from metier.workbench.store.tables import Job
from metier.workbench.work import STEPS
from metier.workbench.workbench import Workbench

router = APIRouter()
_KINDS = ("recipe", "score", "train", "predict", "evaluate", "compare", "prove")
_TRAINING = ("recipe", "train")
_OFFERED = 12
_ROWS = 8
_REVIEWS = 10
_LETTERS = "ABCDEFGHIJKL"


@dataclass(frozen=True)
class Named:
    """A variant with the letter it is called by on this page."""

    letter: str
    variant: Variant

    @property
    def side(self) -> str:
        """`base`, `tuned`, or nothing."""
        return self.variant.side


@router.get("/compare")
def compare(
    request: Request,
    services: Services,
    person: Reader,
    runs: Annotated[list[str] | None, Query(max_length=40)] = None,
    search: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=16)] = None,
    older: Annotated[str | None, Query(max_length=16)] = None,
    choose: bool = False,
    left: Annotated[str, Query(max_length=40)] = "",
    right: Annotated[str, Query(max_length=40)] = "",
    show: Annotated[str, Query(max_length=10)] = "different",
    passed: Annotated[int, Query(ge=0, le=10_000_000, alias="row")] = 0,
) -> Response:
    """The choice of runs, and under it, once there is one, what they have in common and what not.

    after, older: where a page of runs and of reviews begins.
    """
    ids = list(dict.fromkeys(one for part in runs or [] for one in part.split(",") if one))
    choosing = choose or after is not None or older is not None
    if len(runs or []) > 1 or (ids and not choosing and "search" in request.query_params):
        # A form names each run by itself; an address that is sent to a colleague should be short.
        rest = {"choose": 1, "search": search, "after": after} if choosing else {}
        return RedirectResponse(f"/compare?{_query(runs=','.join(ids), **rest)}", 303)
    jobs = services.comparisons.runs(person, ids)
    if not jobs or choosing:
        nothing_ticked = not ids and not choosing and "search" in request.query_params  # only the form names it
        return _choice(request, services, person, jobs, search, after, older, nothing_ticked=nothing_ticked)
    named = [Named(_LETTERS[at], one) for at, one in enumerate(services.comparisons.variants(person, jobs))]
    able = [one for one in named if one.variant.answers is not None]
    keys = _sides(able, left, right)
    return page(
        request,
        "compare.html",
        person,
        jobs=jobs,
        runs=",".join(ids),
        named=named,
        scores=_scores(named),
        differences=[(key, _label(key), [_shown(value) for value in values]) for key, values in differences(jobs)],
        one_kind=len({job.kind for job in jobs}) == 1,
        has_curves=any(job.kind in _TRAINING for job in jobs),
        curve_names=_curve_names(jobs, named),
        able=able,
        keys=keys,
        pair_address=_pair_address(",".join(ids), keys, show, passed) if keys else "",
    )


@router.get("/compare/pair")
def compare_pair(
    request: Request,
    services: Services,
    person: Reader,
    left: Annotated[str, Query(max_length=40)],
    right: Annotated[str, Query(max_length=40)],
    runs: Annotated[str, Query(max_length=400)] = "",
    show: Annotated[str, Query(max_length=10)] = "different",
    passed: Annotated[int, Query(ge=0, le=10_000_000, alias="row")] = 0,
) -> Response:
    """The part of the page that says how two models' answers differ; it asks again while that is computed."""
    try:
        pair = services.comparisons.pair(person, left, right)
    except UserError as error:  # in place of the part: a page whose one part fails is still of use
        return page(request, "compare_problem.html", person, problem=error.text())
    address = _pair_address(runs, (left, right), show, passed)
    if pair.found is None:
        return page(request, "compare_waiting.html", person, pair_address=address, again=True)
    shown = show if show in SHOWN else "all"
    found = services.comparisons.rows(pair, show=shown, after=passed, limit=_ROWS)
    jobs = services.comparisons.runs(person, [one for one in runs.split(",") if one])
    named = [Named(_LETTERS[at], one) for at, one in enumerate(services.comparisons.variants(person, jobs))]
    letters = {one.variant.key: one.letter for one in named}
    dataset = dataset_of(pair.left.job)

    def pictures_of(row: dict[str, Any]) -> list[Any]:
        return pictures_of_row(services.rows, person, dataset, row.get("images") or (), row.get("source"))

    return page(
        request,
        "compare_pair.html",
        person,
        pair=pair,
        letters=(letters.get(left, "A"), letters.get(right, "B")),
        problem=_problem(pair),
        metrics=_metrics(pair),
        sentences=_sentences(pair),
        rows=[_row(one) | {"pictures": pictures_of(one)} for one in found.rows],
        numbers=found.numbers,
        shown=shown,
        views=SHOWN,
        rubrics=rubrics.titles(current_language()),
        first=passed,
        next=found.next,
        before=max(0, passed - _ROWS) if passed else None,
        address=lambda **change: _pair_address(
            runs, (left, right), change.get("show", shown), change.get("row", 0), part=False
        ),
        part=lambda **change: _pair_address(runs, (left, right), change.get("show", shown), change.get("row", 0)),
    )


def _choice(
    request: Request,
    services: Workbench,
    person: Person,
    jobs: list[Job],
    search: str,
    after: str | None,
    older: str | None,
    *,
    nothing_ticked: bool,
) -> Response:
    """The page that offers runs to choose from, and lists the reviews."""
    found = services.jobs.page(person, kinds=_KINDS, search=search, after=after, limit=_OFFERED)
    chosen = {job.id for job in jobs}
    reviews, older_reviews = services.reviews.page(person, after=older, limit=_REVIEWS)
    return page(
        request,
        "compare_choice.html",
        person,
        chosen=jobs,
        offered=[job for job in found.jobs if job.id not in chosen],
        runs=",".join(job.id for job in jobs),
        search=search,
        next=found.next,
        after=after,
        total=found.total,
        most=MOST_RUNS,
        reviews=[(one, services.judging.standing(person, one)) for one in reviews],
        older=older,
        older_reviews=older_reviews,
        rubrics=rubrics.titles(current_language()),
        nothing_ticked=nothing_ticked,
        query=_query,
    )


def _curve_names(jobs: list[Job], named: list[Named]) -> dict[str, dict[str, Any]]:
    """The letter and place of what each run trained; runs without answers get the letters that follow."""
    places = {one.variant.job.id: at for at, one in enumerate(named)}
    following = len(named)
    for job in jobs:
        if job.id not in places:
            places[job.id] = following
            following += 1
    return {job: {"letter": _LETTERS[place % len(_LETTERS)], "place": place} for job, place in places.items()}


def _sides(able: list[Named], left: str, right: str) -> tuple[str, str] | None:
    """The two to put side by side: as asked, else a run's base and tuned, else the first two."""
    keys = [one.variant.key for one in able]
    if left in keys and right in keys and left != right:
        return left, right
    tuned = [one.variant for one in able if one.side == "tuned"]
    several = len({one.variant.job.id for one in able}) > 1
    if several and len(tuned) > 1:
        return tuned[0].key, tuned[1].key
    return (keys[0], keys[1]) if len(keys) > 1 else None


def _pair_address(runs: str, keys: tuple[str, str], show: str, row: int, *, part: bool = True) -> str:
    query = _query(runs=runs, left=keys[0], right=keys[1], show=show, row=row or "")
    return f"/compare{'/pair' if part else ''}?{query}{'' if part else '#answers'}"


def _query(**values: Any) -> str:
    return urlencode({key: value for key, value in values.items() if value not in ("", None)}, safe=",")


def _scores(named: list[Named]) -> list[dict[str, Any]]:
    """A line for each metric: its name and definition, and each variant's score with the interval on the scale."""
    names = list(dict.fromkeys(name for one in named for name in one.variant.scores))
    lines = []
    for name in names:
        found = [one.variant.scores.get(name) for one in named]
        known = next(one for one in found if isinstance(one, dict))
        lines.append({**_metric(name, known), "cells": [_cell(one) for one in found]})
    return lines


def _metric(name: str, entry: Any) -> dict[str, Any]:
    definition = entry.get("definition")
    facts = [f"{key}: {entry[key]}" for key in ("level", "tokenizer", "smoothing", "version") if entry.get(key)]
    return {
        "name": name,
        "label": metric_name(name),
        "definition": definition.get(current_language(), "") if isinstance(definition, dict) else "",
        "facts": " · ".join(facts),
    }


def _maximum(entry: Any) -> float:
    return float(str(entry.get("scale", "0-1")).rpartition("-")[2])


def _cell(entry: Any) -> dict[str, Any] | None:
    """A score, its interval as text, and both in hundredths of the scale, to be drawn."""
    if not isinstance(entry, dict) or not isinstance(entry.get("score"), int | float):
        return None
    score, maximum, share = float(entry["score"]), _maximum(entry), bool(entry.get("proportion"))
    low, high = float(entry.get("low", score)), float(entry.get("high", score))
    return {
        "score": level(score, maximum, share),
        "interval": f"{level(low, maximum, share)} – {level(high, maximum, share)}",
        "at": round(100 * score / maximum, 2),
        "from": round(100 * low / maximum, 2),
        "to": round(100 * high / maximum, 2),
        "n": entry.get("n"),
    }


def _metrics(pair: Pair) -> list[dict[str, Any]]:
    """The paired differences, the deciding metric first."""
    compared = pair.compared
    if compared is None:
        return []
    names = sorted(compared["metrics"], key=lambda name: name != compared["primary"])
    return [_difference(name, compared["metrics"][name], name == compared["primary"]) for name in names]


def _difference(name: str, entry: Any, decides: bool) -> dict[str, Any]:
    scale = _maximum(entry), bool(entry["proportion"])
    return {
        **_metric(name, entry),
        "decides": decides,
        "left": level(entry["base"]["score"], *scale),
        "right": level(entry["tuned"]["score"], *scale),
        "difference": change(entry["difference"], *scale),
        "interval": f"{change(entry['low'], *scale)} … {change(entry['high'], *scale)}",
        "direction": "right" if entry["low"] > 0 else "left" if entry["high"] < 0 else "none",
        "wins": entry["wins"],
        "ties": entry["ties"],
        "losses": entry["losses"],
        "n": entry["n"],
    }


def _sentences(pair: Pair) -> list[str]:
    """What has to be known before believing the figures."""
    cautions = (pair.compared or {}).get("cautions") or []
    return [str(one.get(current_language(), "")) for one in cautions if isinstance(one, dict)]


def _problem(pair: Pair) -> str:
    if pair.problem is None:
        return ""
    key, fields = str(pair.problem["key"]), dict(pair.problem["fields"])
    return say(key, **fields) if has_text(key) else key


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row to show: the answers in words that are in both or in one alone, thinking folded apart."""
    thoughts, answers = zip(*(split_thinking(str(row[side])) for side in ("left", "right")), strict=True)
    left, right = beside(answers[0], answers[1])
    sides: list[dict[str, Any]] = []
    for at, pieces in enumerate((left, right)):
        sides.append({"pieces": pieces, "thinking": thoughts[at], "empty": not _has_words(pieces)})
    scores = row["scores"]
    return {
        **row,
        "question": question_of(row["prompt"]),
        "sides": sides,
        "values": [f"{value:.3g}" for value in scores] if scores else None,
    }


def _has_words(pieces: list[Stretch]) -> bool:
    return any(piece.text.strip() for piece in pieces)


def _label(key: str) -> str:
    """A parameter in words, where it belongs to a step."""
    section, _, name = key.partition(".")
    spec = STEPS.get("predict" if section == "guard" else section)
    if spec is None or not name:
        return ""
    text = f"{spec.__module__.split('.')[1]}.{spec.__name__}.{name}.label"
    return say(text) if has_text(text) else ""


def _shown(value: Any) -> str:
    """A value of a configuration as text; nothing stays a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return str(value)

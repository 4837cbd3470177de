"""Runs side by side: scores, curves, configurations, and two models' answers row by row."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from metier.api.access import Owner, Services
from metier.api.routes.jobs import job_view
from metier.workbench.answers import Variant
from metier.workbench.comparison import MOST_RUNS, Pair, differences
from metier.workbench.jobs import reason_text

router = APIRouter(tags=["compare"])
_POINTS = 2_000  # of one curve
Runs = Annotated[list[str], Query(min_length=1, max_length=MOST_RUNS, description="Ids of runs.")]
Key = Annotated[str, Query(max_length=40, description="A variant's key: `<run>`, `<run>.base` or `<run>.tuned`.")]


def variant_view(variant: Variant) -> dict[str, Any]:
    """A variant as the API shows it."""
    kept = ("score", "low", "high", "method", "n", "scale", "level", "tokenizer", "version", "definition")
    return {
        "key": variant.key,
        "run": variant.job.id,
        "side": variant.side or None,
        "has_answers": variant.answers is not None,
        "rows": variant.rows,
        "scores": {
            name: {key: one[key] for key in kept if key in one}
            for name, one in variant.scores.items()
            if isinstance(one, dict)
        },
    }


@router.get("/compare")
def compare(services: Services, owner: Owner, runs: Runs) -> dict[str, Any]:
    """Scores with intervals of each run's models, and the keys in which the configurations differ."""
    jobs = services.comparisons.runs(owner, runs)
    return {
        "runs": [job_view(job) for job in jobs],
        "variants": [variant_view(one) for one in services.comparisons.variants(owner, jobs)],
        "differences": [{"key": key, "values": values} for key, values in differences(jobs)],
    }


@router.get("/compare/curves")
def compare_curves(services: Services, owner: Owner, runs: Runs) -> list[dict[str, Any]]:
    """The training's measures of each run, as columns of at most about two thousand points."""
    return [
        {"run": job.id, "title": job.title, **services.records.curves(owner, job.id, most=_POINTS)}
        for job in services.comparisons.runs(owner, runs)
    ]


def pair_view(pair: Pair) -> dict[str, Any]:
    """A pair as the API shows it."""
    return {
        "state": "ready" if pair.found is not None else "working",
        "left": pair.left.key,
        "right": pair.right.key,
        "rows": pair.rows,
        "problem": reason_text(pair.problem) or None,
        "compared": pair.compared,
    }


@router.get("/compare/pair", responses={202: {"description": "It is being computed: ask again in a moment."}})
def compare_pair(services: Services, owner: Owner, left: Key, right: Key) -> Response:
    """The paired difference of two models on the same rows; `problem` where no pairing is possible."""
    pair = services.comparisons.pair(owner, left, right)
    if pair.found is None:
        return JSONResponse(jsonable_encoder(pair_view(pair)), 202, headers={"Retry-After": "1"})
    return JSONResponse(jsonable_encoder(pair_view(pair)))


@router.get("/compare/rows", responses={202: {"description": "It is being computed: ask again in a moment."}})
def compare_rows(
    services: Services,
    owner: Owner,
    left: Key,
    right: Key,
    show: Literal["all", "different", "left", "right", "tie"] = "all",
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """The rows of a pair: question, reference, both answers and scores. `next` is the `after` of the next page."""
    pair = services.comparisons.pair(owner, left, right)
    if pair.found is None:
        return JSONResponse(jsonable_encoder(pair_view(pair)), 202, headers={"Retry-After": "1"})
    found = services.comparisons.rows(pair, show=show, after=after, limit=limit)
    return JSONResponse({"rows": found.rows, "numbers": found.numbers, "next": found.next})

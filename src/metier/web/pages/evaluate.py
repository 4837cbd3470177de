"""Evaluate and predict: ask a model the rows of a set, see how far it is, read what it is worth, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from metier.api.access import Services
from metier.core.fields import Field, fields_of
from metier.core.i18n import current_language
from metier.core.specs import Spec
from metier.data import list_datasets
from metier.evaluate import EvaluateSpec
from metier.evaluate.spec import RIGHT_OR_WRONG
from metier.models import list_models
from metier.predict import PredictSpec
from metier.report.rows import excerpt
from metier.web import figures
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.askedabout import pictures_of_rows
from metier.workbench.jobs import ENDED, reason_text
from metier.workbench.progress import plan_of
from metier.workbench.results import KINDS, ORDERS, PAGE, headline
from metier.workbench.sight import works
from metier.workbench.store.tables import Job
from metier.workbench.telling import step_label
from metier.workbench.waiting import waiting_of
from metier.workbench.workbench import Workbench

router = APIRouter()
_LISTED = 20
_OFFERED = 50  # runs of one's own in the list of models
_COMMON = ("temperature", "top_p", "top_k", "max_new_tokens", "repetition_penalty", "batch_size", "max_samples", "seed")
_FOLDED = ("cutoff_len", "system_prompt", "enable_thinking", "stop", "dtype", "skip_bad_rows")
_CHIPS = (*RIGHT_OR_WRONG, "bleu4", "rougel")  # scores shown with each row
_SCORING = ("metrics", "language", "bootstrap_samples", "confidence")
Text = Annotated[str, Query(max_length=200)]


@router.get("/evaluate")
def form(
    request: Request,
    services: Services,
    person: Reader,
    model: Text = "",
    dataset: Text = "",
    run: Text = "",
    search: Text = "",
    after: Annotated[str | None, Query(max_length=16)] = None,
) -> Response:
    """The form, and the evaluations so far. run: an evaluation that the form begins from."""
    copied = _asked(services.jobs.get(person, run)) if run else {}
    asked = _fields(PredictSpec, copied.get("predict"))
    scored = _fields(EvaluateSpec, copied.get("evaluate"))
    model = model or str(copied.get("predict", {}).get("model_name_or_path") or "")
    dataset = dataset or str(copied.get("predict", {}).get("dataset") or "")
    found = services.jobs.page(person, kinds=KINDS, search=search, after=after, limit=_LISTED)
    return page(
        request,
        "evaluate.html",
        person,
        models=_models(services, person, model),
        sets=_sets(services, person),
        chosen_model=model,
        chosen_set=dataset,
        common=[asked[name] for name in _COMMON],
        folded=[asked[name] for name in _FOLDED],
        scoring=[scored[name] for name in _SCORING],
        found=found,
        search=search,
        after=after,
        heads={job.id: _headline(job) for job in found.jobs},
    )


@router.get("/evaluate/{job_id}")
def result(
    request: Request,
    services: Services,
    person: Reader,
    job_id: str,
    step: Text = "",
    order: Text = "",
    metric: Text = "",
    search: Text = "",
    part: Text = "",
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What one evaluation found, or how far it is."""
    found = services.results.get(person, job_id, step)
    order = order if order in ORDERS else "worst"
    metric = metric if metric in found.metrics else next(iter(found.metrics), "")
    rows = services.results.rows(found, order=order, metric=metric, search=search, part=part, after=after)
    pictures = pictures_of_rows(services.rows, person, found, rows.rows)
    shown = [
        {
            "row": row,
            "asked": excerpt(row.prompt, 240),
            "pictures": pictures.get(row.row, []),
            "reference": figures.beside(row.label, row.answer.text)[0],
            "answer": figures.beside(row.label, row.answer.text)[1],
            "base": figures.beside(row.label, row.base.text)[1] if row.base else [],
        }
        for row in rows.rows
    ]

    def address(**changes: int) -> str:
        asked = {"step": found.step, "order": order, "metric": metric, "search": search, "part": part, **changes}
        return f"/evaluate/{found.job.id}?{urlencode(asked)}#rows"

    return page(
        request,
        "evaluation.html",
        person,
        job=found.job,
        ended=found.job.state in ENDED,
        reason=reason_text(found.job.reason),
        found=found,
        seen=[]
        if found.step.startswith("guard") or found.step.endswith("-base")
        else services.taught.seen(person, found.job),
        lines={line.name: line for line in found.lines},
        rows=rows,
        shown=shown,
        order=order,
        orders=ORDERS if found.base else tuple(one for one in ORDERS if one not in ("lost", "gained")),
        metric=metric,
        chips=tuple(dict.fromkeys((metric, *(name for name in _CHIPS if name in found.metrics)))) if metric else (),
        search=search,
        part=part,
        part_name=figures.part_name(part.partition("=")[2]),
        after=after,
        back=address(after=max(0, after - PAGE)) if after else "",
        forth=address(after=rows.next) if rows.next else "",
        live=_live(services, person, found.job) if found.job.state not in ENDED else None,
        step_label=step_label,
        has_report=found.job.state == "done" and (found.job.kind == "recipe" or found.verdict is not None),
        figures=figures,
    )


def _asked(job: Job) -> dict[str, Any]:
    """What an evaluation was asked to do, by section."""
    asked = job.spec["asked"]
    return {"predict": asked} if job.kind == "predict" else asked if job.kind == "score" else {}


def _fields(spec: type[Spec], values: Mapping[str, Any] | None) -> dict[str, Field]:
    """A spec's fields, as empty as it is or filled with what was asked before."""
    given = values or {}
    return {
        name: replace(field, default=given[name]) if name in given else field for name, field in fields_of(spec).items()
    }


def _headline(job: Job) -> dict[str, str] | None:
    """The deciding score of a finished job, in words."""
    if job.summary.get("gain"):
        return figures.gain_words(job.summary["gain"])
    known = headline(job.summary)
    return None if known is None else figures.score_words(*known)


def _models(services: Workbench, person: Person, chosen: str) -> dict[str, list[dict[str, Any]]]:
    """What can be asked: runs of one's own that trained something, models on this machine, others to be fetched."""
    found = services.jobs.page(person, states=("done",), kinds=("recipe", "train"), limit=_OFFERED).jobs
    if chosen.startswith("run:") and all(f"run:{job.id}" != chosen for job in found):
        found = [services.artifacts.job(person, chosen)[0], *found]
    own = [
        {
            "value": f"run:{job.id}",
            "label": job.title,
            "created": job.created,
            "base": str(job.spec["asked"].get("model_name_or_path") or ""),
            "test": str((job.spec["asked"].get("data") or {}).get("test") or ""),
            "taught": ",".join(sorted(services.taught.sets(person, f"run:{job.id}"))),
        }
        for job in found
    ]
    here: list[dict[str, Any]] = []
    away: list[dict[str, Any]] = []
    for info in list_models():
        if works(info):
            (away if info.folder is None else here).append({"value": info.name, "label": info.title or info.name})
    return {"own": own, "here": here, "away": away}


def _sets(services: Workbench, person: Person) -> dict[str, list[dict[str, str]]]:
    """Sets of one's own, and shipped ones, those that are made for measuring first."""
    language = current_language()
    shipped = [info for info in list_datasets() if info.origin == "shipped"]
    shipped.sort(key=lambda info: (info.split not in ("test", "guard"), info.name))
    return {
        "own": [{"value": row.name, "label": f"{row.name} · {row.rows:,}"} for row in services.datasets.list(person)],
        "shipped": [{"value": one.name, "label": f"{one.name} · {one.title.get(language, '')}"} for one in shipped],
    }


def _live(services: Workbench, person: Person, job: Job) -> dict[str, Any]:
    """How far a job is: its steps, the one at work, and from where on to hear what is new."""
    waits = job.state == "queued"
    position = services.records.position(job)  # first: what is told in between is heard from the stream
    progress, plan = services.records.progress(job), plan_of(job)
    return {
        "plan": plan,
        "current": plan.index(progress.step) if progress.step in plan else 0,
        "progress": progress,
        "position": position,
        "waiting": waiting_of(job, services.jobs.queue(), services.holders(person)) if waits else None,
    }

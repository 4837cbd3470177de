"""Fine-tuning: choose, look at what it will see and need, start."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from metier.api.access import Services
from metier.api.routes.recipes import Estimated, Work
from metier.core.fields import plain
from metier.core.i18n import current_language, translate
from metier.data import list_datasets
from metier.web.render import page
from metier.web.visit import Reader
from metier.workbench.accounts import Person
from metier.workbench.drafts import brief
from metier.workbench.errors import UnavailableError
from metier.workbench.forms import Control, form_of, value_at
from metier.workbench.presets import FIRST, as_training, new_recipe, shipped_presets, shipped_work
from metier.workbench.secrets import NAMES
from metier.workbench.sight import works
from metier.workbench.store.tables import new_id
from metier.workbench.workbench import Workbench

router = APIRouter()
_KINDS = ("recipe", "train")
_NO_PRESET = "none"
_OWN_MODELS = 50  # own runs that are offered as a model, the latest
Short = Annotated[str, Query(max_length=200)]


@router.get("/fine-tune")
def fine_tune(
    request: Request, services: Services, person: Reader,
    dataset: Short = "", model: Short = "", recipe: Short = "", run: Short = "", preset: Short = "", kind: Short = "",
) -> Response:  # fmt: skip
    """The form: new, or filled from a preset, a kept recipe or an earlier run.

    Nothing asked for: the newest own set, and where there is none the first preset. preset: `none` is none of them.
    """
    earlier = services.jobs.get(person, run) if run else None
    if earlier is not None and earlier.kind not in _KINDS:
        earlier, run = None, ""
    if not (dataset or recipe or run or preset not in ("", _NO_PRESET)):
        dataset = next((row.name for row in services.datasets.page(person, limit=1).datasets), "")
        preset = "" if dataset or model or preset else ":".join(FIRST)
    begun, work = _begin(services, person, dataset=dataset, model=model, recipe=recipe, run=run, preset=preset)
    chosen = kind if kind in _KINDS else begun
    if chosen == "train" and begun == "recipe":
        work = as_training(work)
    elif chosen == "recipe" and begun == "train":
        chosen = begun  # a training by itself names no test: a recipe is begun anew
    groups = form_of(chosen)
    services.planner.wake()
    return page(
        request,
        "fine_tune.html",
        person,
        kind=chosen,
        work=work,
        groups=groups,
        value_at=value_at,
        shown=shown,
        attributes=attributes,
        options_for=lambda control: _named_options(control, services, person),
        models=_models(services, person),
        sets=_sets(services, person),
        presets=shipped_presets(),
        preset=preset,
        saved=services.recipes.list(person),
        recipe=recipe,
        run=run,
        title=earlier.title if earlier else "",
        notify=earlier.notify if earlier else "",
        devices=services.holders(person),
        keys=services.secrets.names(person),
        key_of={use: name for name, use in NAMES.items()},
        form_key=new_id() + new_id(),
    )


@router.post("/fine-tune/check")
def check(services: Services, person: Reader, body: Work) -> dict[str, Any]:
    """What is wrong with what was typed so far, which is no failure of the request; else the same as text."""
    draft = services.drafts.check(person, body.kind, body.work)
    wrong = [{"field": one.key, "message": one.message} for one in draft.wrong]
    return {"wrong": wrong, "yaml": draft.text, "command": draft.command, "own": draft.own}


@router.post("/fine-tune/plan")
def plan(request: Request, services: Services, person: Reader, body: Estimated) -> Response:
    """What the run would see and need, as a part of the page; 202 while others' are being counted."""
    try:
        estimate = services.planner.estimate(person, body.kind, body.work, devices=body.devices)
    except UnavailableError:
        return Response(status_code=202, headers={"Retry-After": "2"})
    holders = services.holders(person)
    return page(
        request,
        "fine_tune_plan.html",
        person,
        plan=estimate,
        set_name=str(value_at(body.work, "data.train") or body.work.get("dataset") or "").partition(",")[0],
        model=str(body.work.get("model_name_or_path") or ""),
        devices=holders,
        free=sum(one["kind"] is None for one in holders) >= body.devices,
        waiting=sum(job.state == "queued" for job in services.jobs.queue()),
    )


def _begin(
    services: Workbench, person: Person, *, dataset: str, model: str, recipe: str, run: str, preset: str
) -> tuple[str, dict[str, Any]]:
    """What the form is filled with. Raises NotFoundError for what is not this person's."""
    if recipe:
        row = services.recipes.get(person, recipe)
        return row.kind, dict(row.spec)
    if run:
        job = services.jobs.get(person, run)
        return job.kind, brief(job.kind, job.spec["asked"])
    if preset:
        return "recipe", shipped_work(preset)
    return "recipe", new_recipe(person, services.datasets, services.jobs, dataset=dataset, model=model)


def shown(control: Control, work: dict[str, Any]) -> str:
    """A field's value as its input shows it: empty where it is the default."""
    value = plain(value_at(work, control.key))
    if value is None or (control.field.kind in ("names", "text") and not value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.12g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def attributes(control: Control) -> Markup:
    """What the page's script and a screen reader have to know of an input."""
    also = Markup(' data-also="{}"').format(" ".join(control.also)) if control.also else ""
    made = Markup('data-at="{0}" data-form="{1}"{2} aria-describedby="help-{0} wrong-{0}"')
    return made.format(control.key, control.field.kind, also)


def _named_options(control: Control, services: Workbench, person: Person) -> list[str]:
    if control.field.name == "eval_dataset":
        return [one["name"] for one in _sets(services, person)]
    return list(control.options)


def _models(services: Workbench, person: Person) -> list[dict[str, Any]]:
    """The catalogue, what is in the store, and what own runs have trained."""
    known = [
        {
            "name": one.info.name,
            "title": one.info.title,
            "source": one.info.source or next(iter(one.info.sources), ""),
            "size": one.info.size_bytes,
            "here": one.here,
            "gated": one.info.gated,
            "fit": one.fit.train if one.fit else None,
        }
        for one in services.models.page(person, limit=200).models
        if works(one.info)
    ]
    own = [
        {
            "name": one.reference,
            "title": one.job.title,
            "source": translate("web.tune_trained_here", model=one.base),
            "size": one.size,
            "here": True,
            "gated": False,
            "fit": None,
        }
        for one in services.models.trained(person, limit=_OWN_MODELS)
    ]
    return known + own


def _sets(services: Workbench, person: Person) -> list[dict[str, Any]]:
    """Own sets with their rows, then the shipped ones with their titles."""
    language = current_language()
    own = [
        {"name": row.name, "title": row.name, "rows": row.rows, "own": True} for row in services.datasets.list(person)
    ]
    shipped = [
        {"name": info.name, "title": info.title.get(language, info.name), "rows": None, "own": False}
        for info in list_datasets()
        if info.origin == "shipped"
    ]
    return own + shipped

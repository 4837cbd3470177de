"""Configurations: what a form may ask, what is wrong with what was written, what it would need, and kept ones."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from metier.api.access import Owner, Services
from metier.api.once import once
from metier.api.problems import problem
from metier.core.fields import plain
from metier.core.i18n import translate
from metier.recipes.recipe import load_recipe
from metier.workbench.drafts import Draft, read_text
from metier.workbench.forms import form_of
from metier.workbench.presets import shipped_presets
from metier.workbench.store.tables import SavedRecipe

router = APIRouter(tags=["recipes"])
_EXAMPLE: Any = {"kind": "recipe", "work": {"name": "mine", "data": {"train": "medical_demo_en", "test_rows": 50}}}


class Work(BaseModel):
    """A configuration that is being written. kind: `recipe`, or a step's name."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    kind: str = Field(max_length=20)
    work: dict[str, Any]


class Estimated(Work):
    """devices: how many it would get."""

    devices: int = Field(1, ge=1, le=1024)


class Kept(Work):
    """A configuration with a name. replace: take the place of one of the same name."""

    name: str = Field(min_length=1, max_length=200)
    replace: bool = False


class Name(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)


class Text(BaseModel):
    """A recipe as YAML, or a training as LLaMA-Factory writes it. kind: `train` keeps the latter a training alone."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=200_000, examples=["name: mine\ndata: {train: medical_demo_en}\n"])
    kind: str = Field("", max_length=20)


def refused(draft: Draft) -> Response:
    """Everything that is wrong with a configuration, as a problem."""
    errors = [{"field": one.key, "message": one.message} for one in draft.wrong]
    return problem(422, translate("api.invalid"), errors=errors)


@router.post("/check")
def check(services: Services, owner: Owner, body: Work) -> Any:
    """Whether a configuration could be started: a problem with every wrong field, else its YAML and command."""
    draft = services.drafts.check(owner, body.kind, body.work)
    if draft.wrong:
        return refused(draft)
    return {
        "work": draft.work, "brief": draft.brief, "yaml": draft.text, "command": draft.command, "own": draft.own,
    }  # fmt: skip


@router.post("/estimate")
def estimate(services: Services, owner: Owner, body: Estimated) -> dict[str, Any]:
    """What a recipe or a training would see and need: rows, tokens, cuts, memory, minutes from and to."""
    return services.planner.estimate(owner, body.kind, body.work, devices=body.devices)


@router.get("/forms/{kind}")
def form(services: Services, owner: Owner, kind: str) -> list[dict[str, Any]]:
    """The fields of a `recipe` or a `train`ing in groups: kind, default, bounds, choices, label and help."""
    return [
        {
            "group": group.name,
            "fields": [
                {
                    "key": control.key,
                    "also": control.also,
                    "kind": control.field.kind,
                    "default": plain(control.field.default),
                    "minimum": control.field.minimum,
                    "maximum": control.field.maximum,
                    "options": control.options,
                    "label": translate(f"{control.field.text}.label"),
                    "help": translate(f"{control.field.text}.help"),
                }
                for control in group.controls
            ],
        }
        for group in form_of("recipe" if kind == "recipe" else "train")
    ]


@router.post("/recipes/read")
def read(services: Services, owner: Owner, body: Text) -> dict[str, Any]:
    """A YAML file as a configuration. `unread`: keys of it that change nothing here."""
    kind, work, unread = read_text(body.text, body.kind)
    return {"kind": kind, "work": work, "unread": unread}


def recipe_view(row: SavedRecipe) -> dict[str, Any]:
    """A kept configuration as the API shows it."""
    return {"id": row.id, "name": row.name, "kind": row.kind, "work": row.spec, "created": row.created}


@router.get("/recipes")
def recipes(services: Services, owner: Owner) -> dict[str, Any]:
    """Your configurations, and the profiles of shipped recipes."""
    shipped = [{"recipe": one.recipe, "profile": one.profile, "title": one.title} for one in shipped_presets()]
    return {"recipes": [recipe_view(row) for row in services.recipes.list(owner)], "shipped": shipped}


@router.post("/recipes", status_code=201)
def save(request: Request, services: Services, owner: Owner, body: Kept) -> Response:
    """Keeps a configuration under a name."""
    draft = services.drafts.check(owner, body.kind, body.work)
    if draft.wrong:
        return refused(draft)
    return once(
        request,
        services,
        owner,
        body,
        lambda: recipe_view(services.recipes.save(owner, body.name, body.kind, body.work, replace=body.replace)),
    )


@router.get("/recipes/shipped/{name}/{profile}")
def shipped(services: Services, owner: Owner, name: str, profile: str) -> dict[str, Any]:
    """A shipped recipe's profile as a configuration."""
    return {"kind": "recipe", "work": load_recipe(name, profile=profile).brief()}


@router.get("/recipes/{recipe_id}")
def get(services: Services, owner: Owner, recipe_id: str) -> dict[str, Any]:
    """One kept configuration."""
    return recipe_view(services.recipes.get(owner, recipe_id))


@router.patch("/recipes/{recipe_id}")
def rename(services: Services, owner: Owner, recipe_id: str, body: Name) -> dict[str, Any]:
    """Another name."""
    return recipe_view(services.recipes.rename(owner, recipe_id, body.name))


@router.delete("/recipes/{recipe_id}", status_code=204)
def remove(services: Services, owner: Owner, recipe_id: str) -> None:
    """Forgets a kept configuration."""
    services.recipes.remove(owner, recipe_id)

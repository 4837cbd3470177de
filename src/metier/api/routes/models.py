"""Models: the catalogue, what is on this machine, what own runs trained. Fetching one is a job of kind `fetch`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from metier.api.access import Owner, Services
from metier.core.i18n import current_language
from metier.workbench.models import Model, Trained

router = APIRouter(tags=["models"])


def model_view(model: Model) -> dict[str, Any]:
    """A model as the API shows it. Sizes are bytes; `fetch` is the job that is bringing it."""
    info, fit = model.info, model.fit
    return {
        "name": info.name,
        "title": info.title,
        "here": model.here,
        "listed": model.listed,
        "fetch": model.fetch,
        "sources": info.sources,
        "parameters": info.parameters,
        "size": info.size_bytes,
        "context": info.context,
        "licence": info.licence,
        "licence_url": info.licence_url,
        "duties": (info.duties or {}).get(current_language()),
        "vision": info.vision,
        "gated": info.gated,
        "thinking": info.thinking,
        "template": info.template,
        "fit": None
        if fit is None
        else {
            "memory": fit.memory,
            "train_bytes": fit.train_bytes,
            "train": fit.train,
            "chat_bytes": fit.chat_bytes,
            "chat": fit.chat,
        },
    }


def trained_view(one: Trained) -> dict[str, Any]:
    """What a run trained, as the API shows it."""
    return {
        "reference": one.reference,
        "job": one.job.id,
        "title": one.job.title,
        "base": one.base,
        "whole": one.whole,
        "size": one.size,
        "state": one.job.state,
    }


@router.get("/models")
def models(
    services: Services,
    owner: Owner,
    search: Annotated[str, Query(max_length=200)] = "",
    here: bool = False,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
) -> dict[str, Any]:
    """The catalogue and this machine's store, what is here first; `trained`: what your newest runs trained."""
    found = services.models.page(owner, search=search, here=here, after=after, limit=limit)
    trained = [trained_view(one) for one in services.models.trained(owner)]
    return {
        "models": [model_view(one) for one in found.models],
        "next": found.next,
        "total": found.total,
        "trained": trained,
    }


@router.get("/models/{name:path}")
def get(services: Services, owner: Owner, name: str) -> dict[str, Any]:
    """One model, by its name or an id on a hub."""
    return model_view(services.models.get(owner, name))

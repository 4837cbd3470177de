"""Chats: conversations with models, their questions and answers, and what is loaded to answer them."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from metier.api.access import Owner, Services
from metier.api.conversations import After, Body, Limit, Search, chat_view, followed, page_view, turn_views, whole_view
from metier.api.once import once
from metier.workbench.accounts import Person
from metier.workbench.chathosts import holder_text
from metier.workbench.chatpictures import MOST_IN_QUESTION
from metier.workbench.chatrows import LONGEST_QUESTION
from metier.workbench.chatsetup import ChatSetup, ModelName
from metier.workbench.jobs import reason_text
from metier.workbench.workbench import Workbench

router = APIRouter(tags=["chats"])


class Words(Body):
    """text: what is asked; wait: stand in line where no device is free, instead of being refused."""

    text: str = Field("", max_length=LONGEST_QUESTION, examples=["What is hypertension?"])
    wait: bool = False


class Question(Words):
    """pictures: what it is about: ids of `POST /pictures`, or small ones as `data:image/png;base64,…`. They stand
    before the words, which may then be left out."""

    pictures: list[Annotated[str, Field(max_length=2_000_000)]] = Field(
        default_factory=list, max_length=MOST_IN_QUESTION, examples=[[]]
    )


class Anew(Body):
    """wait: stand in line where no device is free."""

    wait: bool = False


class Change(Body):
    """Another title, or other models and settings."""

    title: str | None = Field(None, min_length=1, max_length=300)
    setup: ChatSetup | None = None


class Load(Body):
    """models: one, or two to compare; wait: stand in line where no device is free."""

    models: tuple[ModelName, ...] = Field(min_length=1, max_length=2, examples=[["smollm2-135m"]])
    wait: bool = False


class Unload(Body):
    """host: of which loaded models (an admin's choice); left out, your own."""

    host: str | None = Field(None, max_length=16)


class Idle(Body):
    """After how many minutes without a question models are unloaded."""

    minutes: int = Field(ge=1, le=1440)


@router.post("/chats", status_code=201)
def create(request: Request, services: Services, owner: Owner, body: ChatSetup) -> Response:
    """Begins a chat with one model, or two side by side."""
    return once(request, services, owner, body, lambda: chat_view(services.chats.create(owner, body)))


@router.get("/chats")
def page(
    services: Services, owner: Owner, search: Search = "", after: After = None, limit: Limit = 30
) -> dict[str, Any]:
    """Chats, the one last used first. `next` is the `after` of the following page."""
    return page_view(services.chats.page(owner, search=search, after=after, limit=limit))


@router.get("/chats/{chat_id}")
def get(services: Services, owner: Owner, chat_id: str) -> dict[str, Any]:
    """A chat with all questions and answers."""
    return whole_view(services.chats, owner, chat_id)


@router.patch("/chats/{chat_id}")
def change(services: Services, owner: Owner, chat_id: str, body: Change) -> dict[str, Any]:
    """Another title, or other models and settings for what is asked next."""
    return chat_view(services.chats.change(owner, chat_id, title=body.title, setup=body.setup))


@router.delete("/chats/{chat_id}", status_code=204)
def remove(services: Services, owner: Owner, chat_id: str) -> None:
    """Removes a chat with all that was said."""
    services.chats.remove(owner, chat_id)


@router.post("/chats/{chat_id}/questions", status_code=201)
def ask(request: Request, services: Services, owner: Owner, chat_id: str, body: Question) -> Response:
    """Asks; the models are loaded if need be. The answers are followed at `/chats/{chat_id}/events`."""
    asked = {"chat": chat_id, **body.model_dump()}
    return once(
        request, services, owner, asked,
        lambda: turn_views(services.chats.ask(owner, chat_id, body.text, pictures=body.pictures, wait=body.wait)),
    )  # fmt: skip


@router.put("/chats/{chat_id}/questions/{turn_id}")
def edit(services: Services, owner: Owner, chat_id: str, turn_id: str, body: Words) -> list[dict[str, Any]]:
    """Asks a question anew in other words, about the same pictures; it and what followed it are replaced."""
    return turn_views(services.chats.edit(owner, chat_id, turn_id, body.text, wait=body.wait))


@router.post("/chats/{chat_id}/turns/{turn_id}/regenerate", status_code=201)
def regenerate(request: Request, services: Services, owner: Owner, chat_id: str, turn_id: str, body: Anew) -> Response:
    """Answers a question anew, with another draw; what followed it is replaced."""
    asked = {"turn": turn_id, **body.model_dump()}
    return once(
        request, services, owner, asked,
        lambda: turn_views(services.chats.regenerate(owner, chat_id, turn_id, wait=body.wait)),
    )  # fmt: skip


@router.post("/chats/{chat_id}/stop", status_code=204)
def stop(services: Services, owner: Owner, chat_id: str) -> None:
    """Ends the answers that are being written; they stay as far as they are."""
    services.chats.stop_answers(owner, chat_id)


@router.get("/chats/{chat_id}/events")
def follow(request: Request, services: Services, owner: Owner, chat_id: str) -> Response:
    """The answers as they are written, as Server-Sent Events; ends with the last of them."""
    return followed(request, services, services.chats, owner, chat_id)


@router.get("/chat/models")
def models(services: Services, owner: Owner) -> list[dict[str, Any]]:
    """What one can chat with: models that are here, and what your runs have trained."""
    return [asdict(one) for one in services.chats.models.choices(owner)]


@router.get("/chat/state")
def state(services: Services, owner: Owner) -> dict[str, Any]:
    """What you have loaded, and what it waits for."""
    return state_view(services, owner)


@router.post("/chat/load")
def load(services: Services, owner: Owner, body: Load) -> dict[str, Any]:
    """Loads models to chat with, in place of those that you had loaded."""
    services.chats.load(owner, body.models, wait=body.wait)
    return state_view(services, owner)


@router.post("/chat/unload")
def unload(services: Services, owner: Owner, body: Unload) -> dict[str, Any]:
    """Unloads your models and frees their device."""
    services.chats.hosts.unload(owner, body.host)
    return state_view(services, owner)


@router.get("/chat/idle")
def idle(services: Services, owner: Owner) -> dict[str, int]:
    """After how many minutes without a question models are unloaded."""
    return {"minutes": services.chats.hosts.idle_minutes()}


@router.put("/chat/idle")
def set_idle(services: Services, owner: Owner, body: Idle) -> dict[str, int]:
    """Another number of minutes (admin)."""
    services.chats.hosts.set_idle_minutes(owner, body.minutes)
    return {"minutes": body.minutes}


def state_view(services: Workbench, owner: Person) -> dict[str, Any]:
    """The state of somebody's models. state: `none`, `waiting`, `loading`, `ready` or `failed`."""
    hosts = services.chats.hosts
    host = hosts.of(owner)
    if host is None or host.state == "gone":
        holder = hosts.holder(owner)
        blocked = {**asdict(holder), "text": holder_text(holder)} if holder is not None else None
        return {"state": "none", "models": [], "blocked": blocked}
    holder = hosts.holder(owner, host=host) if host.state == "waiting" else None
    return {
        "state": host.state,
        "host": host.id,
        "models": list(host.references),
        "titles": [one.title for one in host.weights.values()],
        "stage": host.stage,
        "seconds": round(time.monotonic() - host.since),
        "device": host.devices[0] if host.devices else None,
        "context": {side: one["context"] for side, one in host.sides.items()},
        "busy": host.busy,
        "waited_for": hosts.waited_for(host) if host.state == "ready" else 0,
        "reason": reason_text(host.reason) or None,
        "blocked": {**asdict(holder), "text": holder_text(holder)} if holder is not None else None,
    }

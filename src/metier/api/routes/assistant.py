"""The assistant: conversations with specialists, their evidence, and what readers think of their answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import Field

from metier.api.access import Owner, Services
from metier.api.chatstream import turn_view
from metier.api.conversations import After, Body, Limit, Search, chat_view, followed, page_view, turn_views, whole_view
from metier.api.once import once
from metier.api.routes.chats import state_view
from metier.workbench.assistants import AssistantSetup, Vote
from metier.workbench.chatrows import LONGEST_QUESTION

router = APIRouter(prefix="/assistant", tags=["assistant"])


class Asked(Body):
    """text: what is asked."""

    text: str = Field(min_length=1, max_length=LONGEST_QUESTION, examples=["How is overtime on a rest day paid?"])


class Anew(Body):
    """Nothing is needed to ask again."""


class Rating(Body):
    """vote: `up`, `down`, or empty to take it back; words: what was good, wrong or missing."""

    vote: Vote = ""
    words: str = Field("", max_length=4000)


class ConversationChange(Body):
    """Another title, or another specialist or other knowledge for what is asked next."""

    title: str | None = Field(None, min_length=1, max_length=300)
    setup: AssistantSetup | None = None


class LoadSpecialist(Body):
    """specialist: whose model is loaded; bare: its base model too; wait: stand in line where no device is free."""

    specialist: str = Field(min_length=1, max_length=64, examples=["medical"])
    bare: bool = False
    wait: bool = False


@router.post("/chats", status_code=201)
def begin_conversation(request: Request, services: Services, owner: Owner, body: AssistantSetup) -> Response:
    """Begins a conversation with a specialist."""
    return once(request, services, owner, body, lambda: chat_view(services.assistants.create(owner, body)))


@router.get("/chats")
def conversations(
    services: Services, owner: Owner, search: Search = "", after: After = None, limit: Limit = 30
) -> dict[str, Any]:
    """Conversations, the one last used first. `next` is the `after` of the following page."""
    return page_view(services.assistants.page(owner, search=search, after=after, limit=limit))


@router.get("/chats/{chat_id}")
def conversation(services: Services, owner: Owner, chat_id: str) -> dict[str, Any]:
    """A conversation with all questions and answers, each with its evidence."""
    return whole_view(services.assistants, owner, chat_id)


@router.patch("/chats/{chat_id}")
def change_conversation(services: Services, owner: Owner, chat_id: str, body: ConversationChange) -> dict[str, Any]:
    """Another title, or another specialist or other knowledge for what is asked next."""
    return chat_view(services.assistants.change(owner, chat_id, title=body.title, setup=body.setup))


@router.delete("/chats/{chat_id}", status_code=204)
def remove_conversation(services: Services, owner: Owner, chat_id: str) -> None:
    """Removes a conversation with all that was said."""
    services.assistants.remove(owner, chat_id)


@router.post("/chats/{chat_id}/questions", status_code=201)
def ask_specialist(request: Request, services: Services, owner: Owner, chat_id: str, body: Asked) -> Response:
    """Asks. The answer is followed at `/assistant/chats/{chat_id}/events`."""
    asked = {"chat": chat_id, **body.model_dump()}
    return once(
        request, services, owner, asked,
        lambda: turn_views(services.assistants.ask(owner, chat_id, body.text)),
    )  # fmt: skip


@router.put("/chats/{chat_id}/questions/{turn_id}")
def edit_question(services: Services, owner: Owner, chat_id: str, turn_id: str, body: Asked) -> list[dict[str, Any]]:
    """Asks a question anew in other words; it and what followed it are replaced."""
    return turn_views(services.assistants.ask_again(owner, chat_id, turn_id, body.text))


@router.post("/chats/{chat_id}/turns/{turn_id}/regenerate", status_code=201)
def answer_again(
    request: Request, services: Services, owner: Owner, chat_id: str, turn_id: str, body: Anew
) -> Response:
    """Answers a question anew; what followed it is replaced."""
    return once(
        request, services, owner, {"turn": turn_id},
        lambda: turn_views(services.assistants.ask_again(owner, chat_id, turn_id)),
    )  # fmt: skip


@router.put("/chats/{chat_id}/turns/{turn_id}/feedback")
def rate_answer(services: Services, owner: Owner, chat_id: str, turn_id: str, body: Rating) -> dict[str, Any]:
    """Keeps what you think of an answer."""
    return turn_view(services.assistants.rate(owner, chat_id, turn_id, body.vote, body.words))


@router.get("/chats/{chat_id}/turns/{turn_id}/steps/{number}/file")
def step_file(services: Services, owner: Owner, chat_id: str, turn_id: str, number: int) -> Response:
    """What a tool made as a file to save, such as the draft of a request. number: of the step, from 0."""
    found = services.assistants.step_file(owner, chat_id, turn_id, number)
    named = f"attachment; filename*=UTF-8''{quote(found.name)}"
    return Response(found.content, media_type=found.media_type, headers={"Content-Disposition": named})


@router.post("/chats/{chat_id}/stop", status_code=204)
def stop_answering(services: Services, owner: Owner, chat_id: str) -> None:
    """Ends the answers that are being written; they stay as far as they are."""
    services.assistants.stop_answers(owner, chat_id)


@router.get("/chats/{chat_id}/events")
def follow_conversation(request: Request, services: Services, owner: Owner, chat_id: str) -> Response:
    """The answers as they are written, as Server-Sent Events; ends with the last of them."""
    return followed(request, services, services.assistants, owner, chat_id)


@router.post("/load")
def load_specialist(services: Services, owner: Owner, body: LoadSpecialist) -> dict[str, Any]:
    """Loads a specialist's model, in place of what you had loaded."""
    specialist = services.specialists.get(owner, body.specialist).specialist
    services.assistants.writers.load(owner, specialist, bare=body.bare, wait=body.wait)
    return state_view(services, owner)

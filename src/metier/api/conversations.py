"""Conversations of every kind as the API shows them: in a list, with all that was said, and as they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict

from metier.api.chatstream import chat_stream, turn_view
from metier.api.streaming import CountedStream
from metier.workbench.accounts import Person
from metier.workbench.conversations import ChatPage, Conversations
from metier.workbench.store.tables import Chat, ChatTurn
from metier.workbench.workbench import Workbench

Search = Annotated[str, Query(max_length=200)]
After = Annotated[str | None, Query(max_length=16)]
Limit = Annotated[int, Query(ge=1, le=100)]


class Body(BaseModel):
    """What is sent; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


def chat_view(chat: Chat) -> dict[str, Any]:
    """A conversation without what was said."""
    return {
        "id": chat.id,
        "title": chat.title,
        "setup": chat.setup,
        "created": chat.created,
        "changed": chat.changed,
    }


def page_view(found: ChatPage) -> dict[str, Any]:
    """Some conversations, and where the next ones begin."""
    return {"chats": [chat_view(chat) for chat in found.chats], "next": found.next}


def turn_views(turns: Iterable[ChatTurn]) -> list[dict[str, Any]]:
    """Questions and answers."""
    return [turn_view(turn) for turn in turns]


def whole_view(conversations: Conversations, owner: Person, chat_id: str) -> dict[str, Any]:
    """A conversation with all that was said. Raises NotFoundError."""
    turns = conversations.turns(owner, chat_id)
    return {**chat_view(conversations.get(owner, chat_id)), "turns": turn_views(turns)}


def followed(
    request: Request, services: Workbench, conversations: Conversations, owner: Person, chat_id: str
) -> Response:
    """The answers as they are written, as Server-Sent Events. Raises NotFoundError."""
    conversations.get(owner, chat_id)
    return CountedStream(services.streams, owner, chat_stream(request, services, conversations, owner, chat_id))

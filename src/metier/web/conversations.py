"""What the pages of the chat and the assistant share: questions with their answers, and the words of their scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query

from metier.web.render import say
from metier.workbench.accounts import Person
from metier.workbench.conversations import Conversations
from metier.workbench.errors import NotFoundError
from metier.workbench.store.tables import ChatTurn

Search = Annotated[str, Query(max_length=200)]
Place = Annotated[str | None, Query(max_length=16)]
Here = Annotated[str, Query(max_length=16)]
_SHOWN = 30  # questions that are shown at first, the newest
Answer = TypeVar("Answer")


@dataclass
class Exchange(Generic[Answer]):
    """A question with its answers side by side: of two models, or of a specialist and the bare model."""

    question: ChatTurn | None = None
    answers: list[Answer] = field(default_factory=list)


def exchanges_of(turns: Iterable[ChatTurn], shown: Callable[[ChatTurn], Answer]) -> list[Exchange[Answer]]:
    """Questions with their answers, in order. shown: an answer as the page shows it."""
    by_place: dict[int, Exchange[Answer]] = {}
    for turn in turns:
        if turn.role == "user":
            by_place.setdefault(turn.place, Exchange()).question = turn
        else:
            by_place.setdefault(turn.place - 1, Exchange()).answers.append(shown(turn))
    return [by_place[place] for place in sorted(by_place)]


def lately(exchanges: list[Exchange[Answer]], *, whole: bool) -> dict[str, Any]:
    """What a page shows of what was said: the newest, or the whole, and how much came earlier."""
    earlier = 0 if whole else max(0, len(exchanges) - _SHOWN)
    return {"exchanges": exchanges[earlier:], "earlier": earlier}


def answer_turn(conversations: Conversations, person: Person, chat_id: str, turn_id: str) -> ChatTurn:
    """One answer. Raises NotFoundError."""
    turn = conversations.turn(person, chat_id, turn_id)
    if turn.role != "assistant":
        raise NotFoundError("workbench.not_found")
    return turn


def script_texts(page: str, names: Iterable[str], placeholders: Iterable[str]) -> dict[str, str]:
    """What a page's script says; the placeholders are filled in there."""
    kept = {name: f"{{{name}}}" for name in placeholders}
    return {name: say(f"{page}_{name}", **kept) for name in names}

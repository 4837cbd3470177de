"""The rows of conversations: found for their owner, in order, and as a model is shown them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from metier.core.errors import ConfigError
from metier.data.messages import ImagePart, Message, TextPart, message
from metier.workbench.accounts import Person
from metier.workbench.errors import NotFoundError
from metier.workbench.store.tables import Chat, ChatTurn

LONGEST_QUESTION = 200_000
_TITLE = 80


def conversation(
    turns: Sequence[ChatTurn], side: str, *, before: int, picture: Callable[[str], Path] | None = None
) -> list[Message]:
    """What one side is shown: the questions, and its own answers to them. A question that was never answered is left
    out, but for the last one.

    picture: id → file of a question's picture; left out, questions are shown without theirs.
    """
    shown: list[Message] = []
    questions = [turn for turn in turns if turn.role == "user" and turn.place < before]
    for question in questions:
        answers = {t.side: t.text for t in turns if t.role == "assistant" and t.place == question.place + 1}
        answer = answers.get(side, answers.get("left", ""))
        if question.place + 1 == before:
            shown.append(_asked(question, picture))
        elif answer.strip():
            shown += [_asked(question, picture), message("assistant", answer)]
    return shown


def pictures_of(question: ChatTurn) -> list[str]:
    """Ids of the pictures that a question is about."""
    return [one["id"] for one in question.details.get("pictures", [])]


def _asked(question: ChatTurn, picture: Callable[[str], Path] | None) -> Message:
    seen = [] if picture is None else [ImagePart(path=str(picture(one))) for one in pictures_of(question)]
    return Message("user", (*seen, TextPart(question.text)))


def own_chat(session: Session, owner: Person, chat_id: str, kind: str = "chat") -> Chat:
    """One of somebody's conversations of a kind. Raises NotFoundError."""
    chat = session.scalar(select(Chat).where(Chat.id == chat_id, Chat.owner_id == owner.id, Chat.kind == kind))
    if chat is None:
        raise NotFoundError("workbench.not_found")
    return chat


def turns_of(session: Session, chat_id: str) -> list[ChatTurn]:
    """All questions and answers of a conversation, in order."""
    query = select(ChatTurn).where(ChatTurn.chat_id == chat_id).order_by(ChatTurn.place, ChatTurn.side)
    return list(session.scalars(query))


def turn_of(session: Session, chat_id: str, turn_id: str) -> ChatTurn:
    """One of them. Raises NotFoundError."""
    turn = session.scalar(select(ChatTurn).where(ChatTurn.id == turn_id, ChatTurn.chat_id == chat_id))
    if turn is None:
        raise NotFoundError("workbench.not_found")
    return turn


def question_of(session: Session, answer: ChatTurn) -> ChatTurn:
    """What an answer answers. Raises NotFoundError."""
    query = select(ChatTurn).where(
        ChatTurn.chat_id == answer.chat_id, ChatTurn.place == answer.place - 1, ChatTurn.role == "user"
    )
    question = session.scalar(query)
    if question is None:
        raise NotFoundError("workbench.not_found")
    return question


def older_than(last: Chat) -> ColumnElement[bool]:
    """Conversations that were changed before this one."""
    return (Chat.changed < last.changed) | ((Chat.changed == last.changed) & (Chat.id < last.id))


def checked_question(text: str, *, pictured: bool = False) -> str:
    """A question as it is kept. pictured: pictures may ask without words. Raises ConfigError for none, or one that is
    too long."""
    cleaned = storable(text).strip()
    if not cleaned and not pictured:
        raise ConfigError("workbench.chat_empty")
    if len(cleaned) > LONGEST_QUESTION:
        raise ConfigError("workbench.chat_too_long", most=LONGEST_QUESTION)
    return cleaned


def storable(text: str) -> str:
    """Without what a database cannot keep: zero bytes (PostgreSQL) and halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def storable_all(value: Any) -> Any:
    """The same for every text in a value of JSON."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_all(name): storable_all(one) for name, one in value.items()}
    return [storable_all(one) for one in value] if isinstance(value, list | tuple) else value


def title_of(question: str) -> str:
    """A conversation's title, from its first question."""
    line = " ".join(question.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"

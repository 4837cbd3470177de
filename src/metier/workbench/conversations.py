"""Conversations of one kind, for their owner: listed, read, renamed, removed, and asked turn by turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session

from metier.workbench.accounts import Person
from metier.workbench.chatpictures import KeptPicture, Pictures
from metier.workbench.chatrows import older_than, own_chat, question_of, storable, title_of, turn_of, turns_of
from metier.workbench.errors import ConflictError, TooManyError
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Chat, ChatTurn, now
from metier.workbench.writing import Writing, Writings

PAGE = 30
MOST_ANSWERS = 16  # that are written for an account at once: each may hold a connection to a server for minutes


@dataclass(frozen=True)
class ChatPage:
    """Some chats, the one last changed first, and where the next ones begin (None: there are no more)."""

    chats: list[Chat]
    next: str | None


@dataclass(frozen=True)
class Asked:
    """A question that was put: the whole conversation up to it, and its empty answers. draw: how often it was asked
    before."""

    chat: Chat
    turns: list[ChatTurn]
    answers: list[ChatTurn]
    draw: int


class Conversations:
    """What conversations of every kind have in common. kind: `chat` with models, `assistant` with a specialist."""

    kind = "chat"

    def __init__(self, database: Database, writings: Writings, pictures: Pictures) -> None:
        self.database = database
        self.writings = writings
        self.pictures = pictures
        self._asking = threading.Lock()

    def get(self, owner: Person, chat_id: str) -> Chat:
        """One of somebody's conversations. Raises NotFoundError."""
        with self.database.read() as session:
            return self._own(session, owner, chat_id)

    def page(self, owner: Person, *, search: str = "", after: str | None = None, limit: int = PAGE) -> ChatPage:
        """Somebody's conversations. search: words of titles, questions or answers; after: where a page ended."""
        query = select(Chat).where(Chat.owner_id == owner.id, Chat.kind == self.kind)
        if words := search.strip():
            said = exists().where(ChatTurn.chat_id == Chat.id, ChatTurn.text.icontains(words, autoescape=True))
            query = query.where(or_(Chat.title.icontains(words, autoescape=True), said))
        with self.database.read() as session:
            if after is not None:
                last = self._own(session, owner, after)
                query = query.where(older_than(last))
            limit = max(1, min(limit, 100))
            rows = list(session.scalars(query.order_by(Chat.changed.desc(), Chat.id.desc()).limit(limit + 1)))
        return ChatPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)

    def turns(self, owner: Person, chat_id: str) -> list[ChatTurn]:
        """All questions and answers in order; what is being written as far as it is."""
        with self.database.read() as session:
            self._own(session, owner, chat_id)
            turns = turns_of(session, chat_id)
        self.writings.fill(turns)
        return turns

    def turn(self, owner: Person, chat_id: str, turn_id: str) -> ChatTurn:
        """One question or answer. Raises NotFoundError."""
        with self.database.read() as session:
            self._own(session, owner, chat_id)
            turn = turn_of(session, chat_id, turn_id)
        self.writings.fill([turn])
        return turn

    def rename(self, owner: Person, chat_id: str, title: str) -> Chat:
        """Another title; an empty one changes nothing."""
        with self.database.write() as session:
            chat = self._own(session, owner, chat_id)
            chat.title = storable(title).strip()[:300] or chat.title
        return chat

    def remove(self, owner: Person, chat_id: str) -> None:
        """Removes a conversation with all that was said."""
        self.stop_answers(owner, chat_id)
        with self.database.write() as session:
            chat = self._own(session, owner, chat_id)
            gone = turns_of(session, chat_id)
            session.execute(delete(ChatTurn).where(ChatTurn.chat_id == chat_id))
            session.delete(chat)
            forget_answers(session, owner.id, chat_id)
        self.writings.forget(chat_id)
        self.pictures.forget(owner.id, gone)

    def stop_answers(self, owner: Person, chat_id: str) -> None:
        """Ends what is being written in a chat; it stays as far as it is."""
        self.get(owner, chat_id)
        for one in self.writings.of_chat(chat_id):
            one.stop()

    def writing(self, chat_id: str) -> list[Writing]:
        """The answers that are being written in a chat."""
        return self.writings.of_chat(chat_id)

    def written(self, turn_id: str) -> Writing | None:
        """An answer that is being written, or was just now."""
        return self.writings.get(turn_id)

    def stamp(self, chat_id: str) -> int:
        """A number that grows whenever questions or answers come or go."""
        return self.writings.stamp(chat_id)

    def put_question(
        self, owner: Person, chat_id: str, text: str, sides: dict[str, dict[str, Any]], send: Callable[[Asked], None],
        *, pictures: Sequence[KeptPicture] = (),
    ) -> list[ChatTurn]:  # fmt: skip
        """A new question with an empty answer a side (side → what is known of it), handed to `send`.

        Raises ConflictError while the chat answers, TooManyError while many others of the account do.
        """
        with self._asking:
            self.refuse_while_writing(chat_id)
            self._refuse_many(owner, len(sides))
            with self.database.write() as session:
                chat = self._own(session, owner, chat_id)
                last = session.scalar(select(func.max(ChatTurn.place)).where(ChatTurn.chat_id == chat_id))
                place = 0 if last is None else last + 1
                turn = ChatTurn(owner_id=owner.id, chat_id=chat_id, place=place, role="user", text=text)
                if pictures:
                    turn.details = {"pictures": [one.to_details() for one in pictures]}
                session.add(turn)
                chat.title = chat.title or title_of(text)
                answers = _begin(session, chat, sides, place + 1)
            self._hand_on(chat, answers, 0, send)
        return [turn, *answers]

    def put_again(
        self, owner: Person, chat_id: str, turn_id: str, text: str | None, sides: dict[str, dict[str, Any]],
        send: Callable[[Asked], None],
    ) -> list[ChatTurn]:  # fmt: skip
        """A question anew, perhaps in other words; what followed it goes. turn_id: the question's or an answer's."""
        with self._asking:
            self.refuse_while_writing(chat_id)
            self._refuse_many(owner, len(sides))
            with self.database.write() as session:
                chat = self._own(session, owner, chat_id)
                turn = turn_of(session, chat_id, turn_id)
                if turn.role == "assistant":
                    turn = question_of(session, turn)
                if text is not None:
                    turn.text = text
                    if turn.place == 0:
                        chat.title = title_of(text)
                turn.details = {**turn.details, "draws": int(turn.details.get("draws", 0)) + 1}
                gone = [one for one in turns_of(session, chat_id) if one.place > turn.place]
                session.execute(delete(ChatTurn).where(ChatTurn.chat_id == chat_id, ChatTurn.place > turn.place))
                answers = _begin(session, chat, sides, turn.place + 1)
            self.pictures.forget(owner.id, gone)
            self._hand_on(chat, answers, turn.details["draws"], send)
        return [turn, *answers]

    def refuse_while_writing(self, chat_id: str) -> None:
        """Raises ConflictError while a chat answers."""
        if self.writings.of_chat(chat_id):
            raise ConflictError("workbench.chat_answers")

    def _refuse_many(self, owner: Person, more: int) -> None:
        if len(self.writings.of_owner(owner.id)) + more > MOST_ANSWERS:
            raise TooManyError("workbench.too_many_answers", most=MOST_ANSWERS, retry_after_seconds=5)

    def _own(self, session: Session, owner: Person, chat_id: str) -> Chat:
        return own_chat(session, owner, chat_id, self.kind)

    def _hand_on(self, chat: Chat, answers: list[ChatTurn], draw: int, send: Callable[[Asked], None]) -> None:
        self.writings.touched(chat.id)
        with self.database.read() as session:
            turns = turns_of(session, chat.id)
        send(Asked(chat, turns, answers, draw))


def _begin(session: Session, chat: Chat, sides: dict[str, dict[str, Any]], place: int) -> list[ChatTurn]:
    """An empty answer a side."""
    answers = [
        ChatTurn(
            owner_id=chat.owner_id, chat_id=chat.id, place=place, role="assistant", side=side, text="",
            state="writing", details=details,
        )
        for side, details in sides.items()
    ]  # fmt: skip
    session.add_all(answers)
    chat.changed = now()
    session.flush()
    return answers

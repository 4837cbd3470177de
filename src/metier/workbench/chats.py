"""Conversations: kept turn by turn, asked of loaded models, and saved while they are being written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, cast, delete, exists, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from metier.core.i18n import current_language
from metier.workbench.accounts import Person
from metier.workbench.chathosts import ChatHosts
from metier.workbench.chatmodels import ChatModels, Weights
from metier.workbench.chatprocess import ChatHost
from metier.workbench.chatrows import (
    checked_question,
    conversation,
    older_than,
    own_chat,
    question_of,
    storable,
    title_of,
    turn_of,
    turns_of,
)
from metier.workbench.chatsetup import ChatSetup
from metier.workbench.errors import ConflictError
from metier.workbench.store.answers import forget_answers
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Chat, ChatTurn, now

PAGE = 30
_LONGEST_ANSWER = 1_000_000
_SAVE_SECONDS = 0.7
_log = logging.getLogger("metier.workbench")


@dataclass(frozen=True)
class ChatPage:
    """Some chats, the one last changed first, and where the next ones begin (None: there are no more)."""

    chats: list[Chat]
    next: str | None


@dataclass
class Writing:
    """An answer that is being written. state: `writing`, then as it ended."""

    id: str
    chat_id: str
    owner_id: str
    host: ChatHost
    details: dict[str, Any]
    text: str = ""
    thinking: str = ""
    state: str = "writing"
    last_save: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    saving: threading.Lock = field(default_factory=threading.Lock)


class Chats:
    """Somebody's conversations. models: to choose from; hosts: where they are loaded."""

    def __init__(self, database: Database, models: ChatModels, hosts: ChatHosts) -> None:
        self.database = database
        self.models = models
        self.hosts = hosts
        self._writing: dict[str, Writing] = {}
        self._stamps: dict[str, int] = {}
        self._lock = threading.Lock()
        hosts.tick = self.save

    def start(self) -> None:
        """Marks answers that a killed server was writing as cut, and begins to look after loaded models."""
        with self.database.write() as session:
            for turn in session.scalars(select(ChatTurn).where(ChatTurn.state == "writing")):
                turn.state, turn.details = "stopped", {**turn.details, "cut": True}
        self.hosts.start()

    def stop(self) -> None:
        """Unloads everything; answers that are being written stay as far as they are."""
        self.hosts.stop()
        self.save()

    # Conversations

    def create(self, owner: Person, setup: ChatSetup) -> Chat:
        """A new conversation. Raises what is wrong with its models."""
        for reference in setup.models:
            self.models.weights(owner, reference, verify=False)
        chat = Chat(owner_id=owner.id, setup=setup.model_dump(mode="json"))
        with self.database.write() as session:
            session.add(chat)
        return chat

    def get(self, owner: Person, chat_id: str) -> Chat:
        """One of somebody's conversations. Raises NotFoundError."""
        with self.database.read() as session:
            return own_chat(session, owner, chat_id)

    def page(self, owner: Person, *, search: str = "", after: str | None = None, limit: int = PAGE) -> ChatPage:
        """Somebody's conversations. search: words of titles, questions or answers; after: where a page ended."""
        query = select(Chat).where(Chat.owner_id == owner.id)
        if words := search.strip():
            said = exists().where(ChatTurn.chat_id == Chat.id, ChatTurn.text.icontains(words, autoescape=True))
            query = query.where(or_(Chat.title.icontains(words, autoescape=True), said))
        with self.database.read() as session:
            if after is not None:
                last = own_chat(session, owner, after)
                query = query.where(older_than(last))
            limit = max(1, min(limit, 100))
            rows = list(session.scalars(query.order_by(Chat.changed.desc(), Chat.id.desc()).limit(limit + 1)))
        return ChatPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)

    def turns(self, owner: Person, chat_id: str) -> list[ChatTurn]:
        """All questions and answers in order; what is being written as far as it is."""
        with self.database.read() as session:
            own_chat(session, owner, chat_id)
            turns = turns_of(session, chat_id)
        for turn in turns:
            live = self._writing.get(turn.id)
            if live is not None:
                with live.lock:
                    turn.text, turn.thinking, turn.state = live.text, live.thinking, live.state
                    turn.details = dict(live.details)
        return turns

    def change(self, owner: Person, chat_id: str, *, title: str | None = None, setup: ChatSetup | None = None) -> Chat:
        """Another title, or other models and settings for the questions to come."""
        for reference in setup.models if setup is not None else ():
            self.models.weights(owner, reference, verify=False)
        with self.database.write() as session:
            chat = own_chat(session, owner, chat_id)
            if title is not None:
                chat.title = storable(title).strip()[:300] or chat.title
            if setup is not None:
                chat.setup = setup.model_dump(mode="json")
        return chat

    def remove(self, owner: Person, chat_id: str) -> None:
        """Removes a conversation with all that was said."""
        self.stop_answers(owner, chat_id)
        with self.database.write() as session:
            chat = own_chat(session, owner, chat_id)
            session.execute(delete(ChatTurn).where(ChatTurn.chat_id == chat_id))
            session.delete(chat)
            forget_answers(session, owner.id, chat_id)
        with self._lock:
            for one in [one for one in self._writing.values() if one.chat_id == chat_id]:
                del self._writing[one.id]

    def forget_run(self, job_id: str) -> None:
        """A run was removed: what was loaded of it goes, and its title from what it has answered."""
        reference = f"run:{job_id}"
        self.hosts.forget(reference)
        with self.database.write() as session:
            for turn in session.scalars(select(ChatTurn).where(cast(ChatTurn.details, String).contains(reference))):
                turn.details = {**turn.details, "title": turn.details["model"]}

    # Questions and answers

    def ask(self, owner: Person, chat_id: str, text: str, *, wait: bool = False) -> list[ChatTurn]:
        """Puts a question to the chat's models, which are loaded if need be. Returns the question and its answers.

        Raises ConflictError while the chat answers, or where no device is free and `wait` is off.
        """
        question = checked_question(text)
        self._refuse_while_writing(chat_id)
        setup, host = self._ready(owner, chat_id, wait=wait)
        with self._lock:
            self._refuse_while_writing(chat_id)
            with self.database.write() as session:
                chat = own_chat(session, owner, chat_id)
                last = session.scalar(select(func.max(ChatTurn.place)).where(ChatTurn.chat_id == chat_id))
                place = 0 if last is None else last + 1
                turn = ChatTurn(owner_id=owner.id, chat_id=chat_id, place=place, role="user", text=question)
                session.add(turn)
                chat.title = chat.title or title_of(question)
                answers = self._begin(session, chat, setup, host, place + 1)
            self._send(owner, chat_id, setup, host, answers, draw=0)
        return [turn, *answers]

    def edit(self, owner: Person, chat_id: str, turn_id: str, text: str, *, wait: bool = False) -> list[ChatTurn]:
        """Asks a question anew in other words: it and what followed it are replaced."""
        question = checked_question(text)
        return self._again(owner, chat_id, turn_id, question, wait=wait)

    def regenerate(self, owner: Person, chat_id: str, turn_id: str, *, wait: bool = False) -> list[ChatTurn]:
        """Answers a question anew, with another draw; what followed it goes. turn_id: the question's or an answer's."""
        return self._again(owner, chat_id, turn_id, None, wait=wait)

    def stop_answers(self, owner: Person, chat_id: str) -> None:
        """Ends what is being written in a chat; it stays as far as it is."""
        self.get(owner, chat_id)
        for one in self.writing(chat_id):
            one.host.stop_answer(one.id)

    def writing(self, chat_id: str) -> list[Writing]:
        """The answers that are being written in a chat."""
        return [one for one in list(self._writing.values()) if one.chat_id == chat_id and one.state == "writing"]

    def written(self, turn_id: str) -> Writing | None:
        """An answer that is being written, or was just now."""
        return self._writing.get(turn_id)

    def stamp(self, chat_id: str) -> int:
        """A number that grows whenever questions or answers come or go: who follows a chat need not ask the store."""
        return self._stamps.get(chat_id, 0)

    def load(self, owner: Person, references: Sequence[str], *, wait: bool = False) -> ChatHost:
        """Loads models without asking anything yet."""
        return self.hosts.load(owner, self._weights(owner, ChatSetup(models=tuple(references))), wait=wait)

    def save(self) -> None:
        """Writes down what has been said since the last time. What cannot be saved now is kept for the next time."""
        for one in list(self._writing.values()):
            if one.state != "writing" or time.monotonic() - one.last_save > _SAVE_SECONDS:
                self._save(one)

    def _weights(self, owner: Person, setup: ChatSetup) -> dict[str, Weights]:
        return {side: self.models.weights(owner, reference) for side, reference in setup.sides.items()}

    def _ready(self, owner: Person, chat_id: str, *, wait: bool) -> tuple[ChatSetup, ChatHost]:
        """The chat's setup and its models, loaded or loading."""
        setup = ChatSetup.model_validate(self.get(owner, chat_id).setup)
        there = self.hosts.of(owner)
        if there is not None and there.is_live and there.references == setup.models:
            return setup, there
        return setup, self.hosts.load(owner, self._weights(owner, setup), wait=wait)

    def _refuse_while_writing(self, chat_id: str) -> None:
        if self.writing(chat_id):
            raise ConflictError("workbench.chat_answers")

    def _again(self, owner: Person, chat_id: str, turn_id: str, text: str | None, *, wait: bool) -> list[ChatTurn]:
        self._refuse_while_writing(chat_id)
        setup, host = self._ready(owner, chat_id, wait=wait)
        with self._lock:
            self._refuse_while_writing(chat_id)
            with self.database.write() as session:
                chat = own_chat(session, owner, chat_id)
                turn = turn_of(session, chat_id, turn_id)
                if turn.role == "assistant":
                    turn = question_of(session, turn)
                if text is not None:
                    turn.text = text
                    if turn.place == 0:
                        chat.title = title_of(text)
                turn.details = {**turn.details, "draws": int(turn.details.get("draws", 0)) + 1}
                session.execute(delete(ChatTurn).where(ChatTurn.chat_id == chat_id, ChatTurn.place > turn.place))
                answers = self._begin(session, chat, setup, host, turn.place + 1)
            self._send(owner, chat_id, setup, host, answers, draw=turn.details["draws"])
        return [turn, *answers]

    def _begin(self, session: Session, chat: Chat, setup: ChatSetup, host: ChatHost, place: int) -> list[ChatTurn]:
        """An empty answer a side."""
        answers = []
        for side in setup.sides:
            weights = host.weights[side]
            details = {"model": weights.reference, "title": weights.title}
            answer = ChatTurn(
                owner_id=chat.owner_id, chat_id=chat.id, place=place, role="assistant", side=side, text="",
                state="writing", details=details,
            )  # fmt: skip
            session.add(answer)
            answers.append(answer)
        chat.changed = now()
        session.flush()
        return answers

    def _send(
        self, owner: Person, chat_id: str, setup: ChatSetup, host: ChatHost, answers: list[ChatTurn], *, draw: int
    ) -> None:
        self._stamps[chat_id] = self.stamp(chat_id) + 1
        with self.database.read() as session:
            turns = turns_of(session, chat_id)
        for number, answer in enumerate(answers):
            # Two models draw alike, so that they can be compared; one model twice shows how its answers vary.
            twice = number if len(set(setup.models)) == 1 else 0
            sampling = setup.sampling.sampling(draw * 1_000 + answer.place + 500 * twice)
            one = Writing(answer.id, chat_id, owner.id, host, {**answer.details, "seed": sampling.seed})
            self._writing[answer.id] = one
            command = {
                "id": answer.id,
                "side": answer.side,
                "system": setup.system_prompt,
                "asked": conversation(turns, answer.side, before=answer.place),
                "sampling": sampling.model_dump(mode="json"),
                "thinking": setup.enable_thinking,
                "language": current_language(),
            }
            host.answer(command, lambda event, one=one: self._hear(one, event))  # type: ignore[misc]

    def _hear(self, one: Writing, event: dict[str, Any]) -> None:
        if event["event"] == "piece":
            _add(one, event["kind"], storable(event["text"]))
            return
        known: dict[str, Any] = {
            name: event[name]
            for name in ("tokens", "prompt_tokens", "context", "seconds", "finish", "reason")
            if name in event
        }
        if event["state"] == "cut":
            known["cut"] = True
        with one.lock:
            one.details.update(known)
            one.state = "whole" if event["state"] == "whole" else "stopped"
        self._save(one)

    def _save(self, one: Writing) -> None:
        with one.saving:  # one after another: an earlier state must not overwrite the last
            one.last_save = time.monotonic()
            with one.lock:
                values = {"text": one.text, "thinking": one.thinking, "state": one.state, "details": dict(one.details)}
            try:
                with self.database.write() as session:
                    session.execute(update(ChatTurn).where(ChatTurn.id == one.id).values(**values))
            except SQLAlchemyError:
                _log.warning("an answer could not be saved; trying again", exc_info=True)
                return
        if values["state"] != "writing":
            self._writing.pop(one.id, None)
            self._stamps[one.chat_id] = self.stamp(one.chat_id) + 1


def _add(one: Writing, kind: str, text: str) -> None:
    with one.lock:
        if kind == "notice":
            one.details["notices"] = [*one.details.get("notices", []), text]
        elif len(one.text) + len(one.thinking) > _LONGEST_ANSWER:
            return
        elif kind == "thinking":
            one.thinking += text
        else:
            one.text += text

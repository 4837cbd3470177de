"""Chats with models: asked of loaded ones, and saved while they are being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import String, cast, select

from metier.core.i18n import current_language, translate
from metier.workbench.accounts import Person
from metier.workbench.chathosts import ChatHosts
from metier.workbench.chatmodels import ChatModels, Weights
from metier.workbench.chatpictures import Pictures
from metier.workbench.chatprocess import ChatHost
from metier.workbench.chatrows import checked_question, conversation, own_chat, pictures_of
from metier.workbench.chatsetup import ChatSetup
from metier.workbench.chatwire import to_wire
from metier.workbench.conversations import Asked, Conversations
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Chat, ChatTurn
from metier.workbench.writing import Writing, Writings

_FIGURES = ("tokens", "prompt_tokens", "context", "seconds", "finish", "reason")


class Chats(Conversations):
    """Somebody's chats. models: to choose from; hosts: where they are loaded."""

    def __init__(
        self, database: Database, writings: Writings, pictures: Pictures, models: ChatModels, hosts: ChatHosts
    ) -> None:
        super().__init__(database, writings, pictures)
        self.models = models
        self.hosts = hosts
        hosts.tick = writings.save

    def start(self) -> None:
        """Marks answers that a killed server was writing as cut, and begins to look after loaded models."""
        with self.database.write() as session:
            for turn in session.scalars(select(ChatTurn).where(ChatTurn.state == "writing")):
                turn.state, turn.details = "stopped", {**turn.details, "cut": True}
        self.hosts.start()

    def stop(self) -> None:
        """Unloads everything; answers that are being written stay as far as they are."""
        self.hosts.stop()
        self.writings.save()

    def create(self, owner: Person, setup: ChatSetup) -> Chat:
        """A new conversation. Raises what is wrong with its models."""
        for reference in setup.models:
            self.models.weights(owner, reference, verify=False)
        chat = Chat(owner_id=owner.id, setup=setup.model_dump(mode="json"))
        with self.database.write() as session:
            session.add(chat)
        return chat

    def change(self, owner: Person, chat_id: str, *, title: str | None = None, setup: ChatSetup | None = None) -> Chat:
        """Another title, or other models and settings for the questions to come."""
        for reference in setup.models if setup is not None else ():
            self.models.weights(owner, reference, verify=False)
        if setup is not None:
            with self.database.write() as session:
                own_chat(session, owner, chat_id).setup = setup.model_dump(mode="json")
        return self.rename(owner, chat_id, title or "")

    def forget_run(self, job_id: str) -> None:
        """A run was removed: what was loaded of it goes, and its title from what it has answered."""
        reference = f"run:{job_id}"
        self.hosts.forget(reference)
        with self.database.write() as session:
            for turn in session.scalars(select(ChatTurn).where(cast(ChatTurn.details, String).contains(reference))):
                turn.details = {**turn.details, "title": turn.details["model"]}

    def ask(
        self, owner: Person, chat_id: str, text: str, *, pictures: Sequence[str] = (), wait: bool = False
    ) -> list[ChatTurn]:
        """Puts a question to the chat's models, which are loaded if need be. Returns the question and its answers.

        pictures: what it is about, see `Pictures.named`. Raises ConflictError while the chat answers, where a model
        takes no pictures, or where no device is free and `wait` is off.
        """
        question = checked_question(text, pictured=bool(pictures))
        self.refuse_while_writing(chat_id)
        if pictures:
            self.models.refuse_pictures(owner, ChatSetup.model_validate(self.get(owner, chat_id).setup).models)
        kept = self.pictures.named(owner, pictures)
        setup, host = self._ready(owner, chat_id, wait=wait)
        send = partial(self._send, owner, setup, host)
        return self.put_question(owner, chat_id, question, _sides(setup, host), send, pictures=kept)

    def edit(self, owner: Person, chat_id: str, turn_id: str, text: str, *, wait: bool = False) -> list[ChatTurn]:
        """Asks a question anew in other words: it and what followed it are replaced."""
        pictured = bool(pictures_of(self.turn(owner, chat_id, turn_id)))
        return self._again(owner, chat_id, turn_id, checked_question(text, pictured=pictured), wait=wait)

    def regenerate(self, owner: Person, chat_id: str, turn_id: str, *, wait: bool = False) -> list[ChatTurn]:
        """Answers a question anew, with another draw; what followed it goes. turn_id: the question's or an answer's."""
        return self._again(owner, chat_id, turn_id, None, wait=wait)

    def load(self, owner: Person, references: Sequence[str], *, wait: bool = False) -> ChatHost:
        """Loads models without asking anything yet."""
        return self.hosts.load(owner, self._weights(owner, ChatSetup(models=tuple(references))), wait=wait)

    def _weights(self, owner: Person, setup: ChatSetup) -> dict[str, Weights]:
        return {side: self.models.weights(owner, reference) for side, reference in setup.sides.items()}

    def _ready(self, owner: Person, chat_id: str, *, wait: bool) -> tuple[ChatSetup, ChatHost]:
        """The chat's setup and its models, loaded or loading."""
        setup = ChatSetup.model_validate(self.get(owner, chat_id).setup)
        there = self.hosts.of(owner)
        if there is not None and there.is_live and there.references == setup.models:
            return setup, there
        return setup, self.hosts.load(owner, self._weights(owner, setup), wait=wait)

    def _again(self, owner: Person, chat_id: str, turn_id: str, text: str | None, *, wait: bool) -> list[ChatTurn]:
        self.refuse_while_writing(chat_id)
        setup, host = self._ready(owner, chat_id, wait=wait)
        return self.put_again(
            owner, chat_id, turn_id, text, _sides(setup, host), partial(self._send, owner, setup, host)
        )

    def _send(self, owner: Person, setup: ChatSetup, host: ChatHost, asked: Asked) -> None:
        for number, answer in enumerate(asked.answers):
            # Two models draw alike, so that they can be compared; one model twice shows how its answers vary.
            twice = number if len(set(setup.models)) == 1 else 0
            sampling = setup.sampling.sampling(asked.draw * 1_000 + answer.place + 500 * twice)
            stop = lambda answer_id=answer.id: host.stop_answer(answer_id)  # noqa: E731 - one a turn of the loop
            one = Writing(answer.id, asked.chat.id, owner.id, stop, {**answer.details, "seed": sampling.seed})
            self.writings.begin(one)
            seen = self._pictures_for(owner, setup.sides[answer.side], one, asked)
            said = conversation(asked.turns, answer.side, before=answer.place, picture=seen)
            command = {
                "id": answer.id,
                "side": answer.side,
                "system": setup.system_prompt,
                "asked": to_wire(said),
                "sampling": sampling.model_dump(mode="json"),
                "thinking": setup.enable_thinking,
                "language": current_language(),
            }
            host.answer(command, lambda event, one=one: self._hear(one, event))  # type: ignore[misc]

    def _pictures_for(self, owner: Person, reference: str, one: Writing, asked: Asked) -> Callable[[str], Path] | None:
        """What gives a model the conversation's pictures. One that takes none is asked without, and it is told so."""
        if not any(pictures_of(turn) for turn in asked.turns):
            return None
        if self.models.takes_pictures(owner, reference):
            return partial(self.pictures.file, owner)
        self.writings.add(one, "notice", translate("workbench.chat_pictures_left_out"))
        return None

    def _hear(self, one: Writing, event: dict[str, Any]) -> None:
        if event["event"] == "piece":
            self.writings.add(one, event["kind"], event["text"])
            return
        known: dict[str, Any] = {name: event[name] for name in _FIGURES if name in event}
        if event["state"] == "cut":
            known["cut"] = True
        self.writings.end(one, "whole" if event["state"] == "whole" else "stopped", **known)


def _sides(setup: ChatSetup, host: ChatHost) -> dict[str, dict[str, Any]]:
    """Side → what is known of its answer beforehand."""
    return {side: {"model": host.weights[side].reference, "title": host.weights[side].title} for side in setup.sides}

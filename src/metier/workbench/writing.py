"""Answers while they are being written: grown in memory, saved now and then, and at their end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from metier.workbench.chatrows import storable, storable_all
from metier.workbench.store.database import Database
from metier.workbench.store.tables import ChatTurn

_LONGEST_ANSWER = 1_000_000
_SAVE_SECONDS = 0.7
_log = logging.getLogger("metier.workbench")


@dataclass
class Writing:
    """An answer that is being written. stop: asks whoever writes it to end; state: `writing`, then as it ended;
    noted: how often its details have changed."""

    id: str
    chat_id: str
    owner_id: str
    stop: Callable[[], None]
    details: dict[str, Any]
    text: str = ""
    thinking: str = ""
    state: str = "writing"
    noted: int = 0
    last_save: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    saving: threading.Lock = field(default_factory=threading.Lock)


class Writings:
    """All answers that are being written, or ended just now and are not saved yet."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._all: dict[str, Writing] = {}
        self._stamps: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, one: Writing) -> None:
        """An answer that has not said anything yet."""
        self._all[one.id] = one

    def get(self, turn_id: str) -> Writing | None:
        """An answer that is being written, or was just now."""
        return self._all.get(turn_id)

    def of_chat(self, chat_id: str) -> list[Writing]:
        """The answers that are being written in a conversation."""
        return [one for one in list(self._all.values()) if one.chat_id == chat_id and one.state == "writing"]

    def of_owner(self, owner_id: str) -> list[Writing]:
        """The answers that are being written for somebody."""
        return [one for one in list(self._all.values()) if one.owner_id == owner_id and one.state == "writing"]

    def stamp(self, chat_id: str) -> int:
        """A number that grows whenever questions or answers come or go: who follows a chat need not ask the store."""
        return self._stamps.get(chat_id, 0)

    def touched(self, chat_id: str) -> None:
        """Questions or answers have come or gone."""
        self._stamps[chat_id] = self.stamp(chat_id) + 1

    def fill(self, turns: list[ChatTurn]) -> None:
        """Puts what has been said so far into rows that were read."""
        for turn in turns:
            live = self._all.get(turn.id)
            if live is not None:
                with live.lock:
                    turn.text, turn.thinking, turn.state = live.text, live.thinking, live.state
                    turn.details = dict(live.details)

    def add(self, one: Writing, kind: str, text: str) -> None:
        """More of an answer. kind: `answer`, `thinking`, or `notice` to the user."""
        text = storable(text)
        with one.lock:
            if kind == "notice":
                one.details["notices"] = [*one.details.get("notices", []), text]
                one.noted += 1
            elif len(one.text) + len(one.thinking) > _LONGEST_ANSWER:
                return
            elif kind == "thinking":
                one.thinking += text
            else:
                one.text += text

    def note(self, one: Writing, **details: Any) -> None:
        """What else is known of an answer."""
        with one.lock:
            one.details.update(storable_all(details))
            one.noted += 1

    def end(self, one: Writing, state: str, *, text: str | None = None, **details: Any) -> None:
        """An answer is `whole`, or `stopped`. text: what it is in the end, where that differs from what was said."""
        with one.lock:
            one.details.update(storable_all(details))
            one.text = one.text if text is None else storable(text)
            one.state = state
        self._save(one)

    def save(self) -> None:
        """Writes down what has been said since the last time. What cannot be saved now is kept for the next time."""
        for one in list(self._all.values()):
            if one.state != "writing" or time.monotonic() - one.last_save > _SAVE_SECONDS:
                self._save(one)

    def forget(self, chat_id: str) -> None:
        """A conversation is gone."""
        with self._lock:
            for one in [one for one in self._all.values() if one.chat_id == chat_id]:
                del self._all[one.id]

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
            self._all.pop(one.id, None)
            self.touched(one.chat_id)

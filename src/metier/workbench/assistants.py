"""Conversations with specialists: asked over the owner's documents, answered here, kept with their evidence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import Field

from metier.core.errors import MetierError
from metier.core.i18n import Language, current_language, translate
from metier.core.specs import Spec
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Delta, Request, Turn, Usage
from metier.specialists.circles import goes_in_circles
from metier.specialists.evidence import AnswerPiece, plain
from metier.specialists.store import StoredSpecialist
from metier.specialists.tools import Searchable
from metier.specialists.tools.files import MEDIA_TYPES, SUFFIXES, WRITERS
from metier.workbench.accounts import Person
from metier.workbench.answerloop import AnswerLoop
from metier.workbench.chatpictures import Pictures
from metier.workbench.chatrows import checked_question, conversation, storable, turn_of
from metier.workbench.conversations import Asked, Conversations
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.specialists import OwnSpecialists
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Chat, ChatTurn, now
from metier.workbench.writers import Writers
from metier.workbench.writing import Writing, Writings

BARE = "right"  # the side of the bare model, where it answers beside the specialist
Vote = Literal["up", "down", ""]
# Owner and names of knowledge bases → those of them that are there, opened.
OpenBases = Callable[[Person, Sequence[str]], Mapping[str, Searchable]]
_LONGEST_WORDS = 4000
_log = logging.getLogger("metier.workbench")


class AssistantSetup(Spec):
    """Which specialist is asked. knowledge: bases to search instead of the specialist's own; bare: whether its base
    model, without prompt, tools and documents, answers beside it."""

    specialist: str = Field(min_length=1, max_length=64, examples=["medical"])
    knowledge: tuple[str, ...] | None = Field(None, max_length=20)
    bare: bool = False


@dataclass(frozen=True)
class StepFile:
    """A file that a tool made. name: as it is saved."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class _Question:
    """What the sides of one question have in common."""

    owner: Person
    stored: StoredSpecialist
    knowledge: Mapping[str, Searchable]
    asked: Asked
    language: Language


class Assistants(Conversations):
    """Somebody's conversations with specialists. writers: open models, bases: knowledge, for their owner."""

    kind = "assistant"

    def __init__(
        self, database: Database, writings: Writings, pictures: Pictures, specialists: OwnSpecialists, writers: Writers,
        bases: OpenBases,
    ) -> None:  # fmt: skip
        super().__init__(database, writings, pictures)
        self.specialists = specialists
        self.writers = writers
        self.bases = bases
        self._loop = AnswerLoop()

    def stop(self) -> None:
        """Ends what is being written; it stays as far as it is."""
        self._loop.close()

    def create(self, owner: Person, setup: AssistantSetup) -> Chat:
        """A new conversation. Raises NotFoundError for a specialist that is not there."""
        self.specialists.get(owner, setup.specialist)
        chat = Chat(owner_id=owner.id, kind=self.kind, setup=setup.model_dump(mode="json"))
        with self.database.write() as session:
            session.add(chat)
        return chat

    def change(
        self, owner: Person, chat_id: str, *, title: str | None = None, setup: AssistantSetup | None = None
    ) -> Chat:
        """Another title, or another specialist or other knowledge for the questions to come."""
        if setup is not None:
            self.specialists.get(owner, setup.specialist)
            with self.database.write() as session:
                self._own(session, owner, chat_id).setup = setup.model_dump(mode="json")
        return self.rename(owner, chat_id, title or "")

    def ask(self, owner: Person, chat_id: str, text: str) -> list[ChatTurn]:
        """Puts a question. Returns it and its answers, which are being written.

        The specialist's model writes if it is loaded; else the answer is made of quotations.
        """
        question = checked_question(text)
        sides, send = self._prepare(owner, chat_id)
        return self.put_question(owner, chat_id, question, sides, send)

    def ask_again(self, owner: Person, chat_id: str, turn_id: str, text: str | None = None) -> list[ChatTurn]:
        """Answers a question anew, perhaps in other words; what followed it goes. turn_id: either of the two."""
        question = None if text is None else checked_question(text)
        sides, send = self._prepare(owner, chat_id)
        return self.put_again(owner, chat_id, turn_id, question, sides, send)

    def rate(self, owner: Person, chat_id: str, turn_id: str, vote: Vote, words: str) -> ChatTurn:
        """Keeps what the reader thinks of an answer. Raises ConflictError while it is being written."""
        live = self.writings.get(turn_id)
        if live is not None and live.state == "writing":
            raise ConflictError("workbench.chat_answers")
        self.writings.save()  # what has ended just now is written down first: it would overwrite the rating
        said = storable(words).strip()[:_LONGEST_WORDS]
        with self.database.write() as session:
            self._own(session, owner, chat_id)
            turn = turn_of(session, chat_id, turn_id)
            if turn.role != "assistant":
                raise NotFoundError("workbench.not_found")
            turn.details = {**turn.details, "feedback": {"vote": vote, "words": said, "at": now().isoformat()}}
        return turn

    def step_file(self, owner: Person, chat_id: str, turn_id: str, number: int) -> StepFile:
        """The file of a tool that was used in an answer. Raises NotFoundError where it makes none."""
        turn = self.turn(owner, chat_id, turn_id)
        steps = (turn.details.get("answer") or {}).get("steps", [])
        if not 0 <= number < len(steps) or steps[number]["name"] not in WRITERS or not steps[number]["result"]:
            raise NotFoundError("workbench.not_found")
        step = steps[number]
        suffix = SUFFIXES[step["name"]]
        title = str(step["result"].get("title") or step["name"])[:80]
        return StepFile(f"{title}{suffix}", MEDIA_TYPES[suffix], WRITERS.get(step["name"])(step["result"]))

    def _prepare(self, owner: Person, chat_id: str) -> tuple[dict[str, dict[str, Any]], Callable[[Asked], None]]:
        """The sides of the answers to come, and what has them written."""
        self.refuse_while_writing(chat_id)
        setup = AssistantSetup.model_validate(self.get(owner, chat_id).setup)
        stored = self.specialists.get(owner, setup.specialist)
        names = stored.specialist.knowledge if setup.knowledge is None else setup.knowledge
        sides: dict[str, dict[str, Any]] = {
            "left": {"specialist": stored.specialist.name, "version": stored.version},
            **({BARE: {"bare": True}} if setup.bare else {}),
        }
        knowledge, language = self.bases(owner, names), current_language()
        return sides, lambda asked: self._send(owner, _Question(owner, stored, knowledge, asked, language))

    def _send(self, owner: Person, question: _Question) -> None:
        for answer in question.asked.answers:
            one = Writing(answer.id, answer.chat_id, owner.id, _nothing, dict(answer.details))
            self.writings.begin(one)
            said = conversation(question.asked.turns, answer.side, before=answer.place)
            turns = [Turn(one) for one in said]
            write = self._bare if answer.side == BARE else self._answer
            work = self._guarded(one, write(one, question, turns))
            one.stop = self._loop.run(work, partial(self._ended, one))

    async def _guarded(self, one: Writing, work: Any) -> None:
        """The boundary of an answer: what is raised in it becomes its reason."""
        try:
            await work
        except MetierError as error:
            fields = {name: str(value) for name, value in error.fields.items()}
            await asyncio.to_thread(self.writings.end, one, "stopped", reason={"key": error.key, "fields": fields})
        except Exception as error:
            _log.exception("a specialist's answer failed")
            problem = (f"{type(error).__name__}: {error}".splitlines() or [""])[0][:300]
            reason = {"key": "workbench.reason_unexpected", "fields": {"problem": problem}}
            await asyncio.to_thread(self.writings.end, one, "stopped", reason=reason)

    def _ended(self, one: Writing) -> None:
        """What was stopped from outside has not ended itself."""
        if one.state == "writing":
            self.writings.end(one, "stopped")

    async def _answer(self, one: Writing, question: _Question, turns: list[Turn]) -> None:
        from metier.specialists.answering import answer

        stored, begun = question.stored, time.monotonic()
        async with self.writers.opened(question.owner, stored.specialist) as model:
            absent = None
            if model is None:
                absent = await asyncio.to_thread(self.specialists.missing, question.owner, stored.specialist)
            pieces = answer(
                stored.specialist, stored.version, turns, model=model, knowledge=question.knowledge, absent=absent
            )  # in the language of the question, whatever that of the page is
            try:
                async with aclosing(pieces):
                    async for piece in pieces:
                        if piece.kind == "end":
                            await asyncio.to_thread(self._finish, one, piece)
                        else:
                            self._hear(one, piece)
            except asyncio.CancelledError:
                if model is not None and one.state == "writing":
                    self._count_stopped(one, model, turns, begun)
                raise

    async def _bare(self, one: Writing, question: _Question, turns: list[Turn]) -> None:
        """The base model by itself: no prompt, no tools, no documents."""
        specialist, begun = question.stored.specialist, time.monotonic()
        request = Request(tuple(turns), specialist.sampling, enable_thinking=specialist.enable_thinking)
        async with self.writers.opened(question.owner, specialist, bare=True) as model:
            if model is None:
                raise ConflictError("workbench.assistant_no_bare_model")
            self.writings.note(one, title=model.name)
            try:
                async with aclosing(model.stream(request)) as deltas:
                    async for delta in deltas:
                        if delta.kind in ("thinking", "answer", "notice"):
                            self.writings.add(one, delta.kind, delta.text)
                        if delta.kind == "answer" and goes_in_circles(one.text):
                            told = translate("specialists.lost", language=question.language)
                            self.writings.add(one, "notice", told)
                            delta = Delta("end", usage=_usage_so_far(one, model, turns))
                        if delta.kind == "end":
                            await asyncio.to_thread(self._finish_bare, one, delta, time.monotonic() - begun)
                            break
            except asyncio.CancelledError:
                if one.state == "writing":
                    self._count_stopped(one, model, turns, begun)
                raise

    def _count_stopped(self, one: Writing, model: ChatModel, turns: Sequence[Turn], begun: float) -> None:
        """What an answer that is stopped has cost: nobody else will tell."""
        usage = _usage_so_far(one, model, turns)
        self.writings.note(one, **_told(usage), seconds=round(time.monotonic() - begun, 3))

    def _finish_bare(self, one: Writing, delta: Delta, seconds: float) -> None:
        told = _told(delta.usage or Usage())
        self.writings.note(one, **told, seconds=round(seconds, 3), finish=delta.finished_by)
        self.writings.end(one, "whole")

    def _hear(self, one: Writing, piece: AnswerPiece) -> None:
        so_far = one.details.get("answer", {})
        if piece.kind == "step":
            self.writings.note(one, answer={**so_far, "steps": [*so_far.get("steps", []), plain(piece.step)]})
        elif piece.kind == "evidence":
            self.writings.note(one, answer={**so_far, "evidence": plain(piece.evidence)})
        else:
            self.writings.add(one, piece.kind, piece.text)

    def _finish(self, one: Writing, piece: AnswerPiece) -> None:
        whole = piece.answer
        if whole is None:
            return
        self.writings.end(
            one,
            "whole",
            text=whole.text,
            answer=whole.to_json(),
            tokens=whole.completion_tokens,
            prompt_tokens=whole.prompt_tokens,
            seconds=round(whole.seconds, 3),
            finish=whole.finished_by,
        )


def _usage_so_far(one: Writing, model: ChatModel, turns: Sequence[Turn]) -> Usage:
    """The tokens of an answer that ends before its model has told them, counted by its words."""
    prompt = model.count(turns)
    said = Turn(message("assistant", one.thinking + one.text))
    return Usage(prompt, model.count((*turns, said)) - prompt)


def _told(usage: Usage) -> dict[str, int]:
    return {"tokens": usage.completion_tokens, "prompt_tokens": usage.prompt_tokens}


def _nothing() -> None:
    pass

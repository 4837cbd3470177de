"""The model's own words, checked as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from metier.core.i18n import translate
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Delta, Request, ToolSpec, Turn
from metier.specialists.checking import Checker, doubtful
from metier.specialists.circles import goes_in_circles
from metier.specialists.draft import Draft
from metier.specialists.evidence import AnswerPiece
from metier.specialists.gathering import numbered, of_tool
from metier.specialists.opinion import opinion
from metier.specialists.prompt import Composed, evidence_text, no_answer
from metier.specialists.sentences import SentenceStream, bare
from metier.specialists.spec import Specialist
from metier.specialists.tools import TOOLS, ToolContext, describe, use_tool


@dataclass
class Writer:
    """Lets a model write an answer into a draft.

    After `write`, `weak` says that nothing was said because the model cannot cite, `nothing` that it says itself that
    the evidence does not answer.
    """

    draft: Draft
    specialist: Specialist
    context: ToolContext
    model: ChatModel
    composed: Composed
    tools: Sequence[str] = ()
    weak: bool = False
    nothing: bool = False
    _pending: deque[AnswerPiece] = field(default_factory=deque)

    def __post_init__(self) -> None:
        rules = self.specialist.rules
        if not self.model.can_call_tools:
            self.tools = ()
        self.checker = Checker(self.draft, rules, self.context.language)
        self.checker.evidence = {one.number: one for one in self.composed.evidence}
        self.checker.lenient = not rules.cite or rules.quote == "never" or not (self.composed.evidence or self.tools)

    async def write(self) -> AsyncGenerator[AnswerPiece, None]:
        """The answer, piece by piece. Raises ModelError where the model cannot be asked."""
        checker = self.checker
        request = Request(
            self.composed.turns,
            self.specialist.sampling,
            tuple(describe(name, TOOLS.get(name)) for name in self.tools),
            enable_thinking=self.specialist.enable_thinking,
        )
        sentences, written, ended = SentenceStream(), "", False
        async with aclosing(self._deltas(request)) as deltas:
            async for delta in deltas:
                while self._pending:
                    yield self._pending.popleft()
                written += delta.text
                for piece in await self._take(delta, sentences):
                    yield piece
                if checker.lenient and goes_in_circles(self.draft.text):
                    checker.lost = True
                ended = delta.kind == "end"
                if self.nothing or checker.lost or (checker.weak and not checker.lenient):
                    break
        while self._pending:
            yield self._pending.popleft()
        if not ended:
            self._count(request, written)
        self.weak = not (self.nothing or self.begun)
        if checker.lost and self.begun:
            self.draft.finished_by = "stopped"
            yield self.draft.notice(translate("specialists.lost", language=self.context.language))
        if checker.removed:
            told = translate("specialists.taken_out", language=self.context.language, count=checker.removed)
            yield self.draft.notice(told)

    @property
    def begun(self) -> bool:
        """Whether anything was said."""
        return self.checker.begun

    async def _take(self, delta: Delta, sentences: SentenceStream) -> list[AnswerPiece]:
        """What a delta lets be said."""
        if delta.kind == "thinking":
            return [self.draft.think(delta.text)]
        if delta.kind == "notice":
            return [self.draft.notice(delta.text)]
        if delta.kind == "end":
            self.draft.finished_by = delta.finished_by or "stop"
            if delta.usage:
                self.draft.prompt_tokens += delta.usage.prompt_tokens
                self.draft.completion_tokens += delta.usage.completion_tokens
        if delta.kind == "answer" and not (self.checker.evidence or self.tools):
            # Nothing to check it against: it is said as it comes.
            self.checker.begun = True
            return [self.draft.say(delta.text)]
        said: list[AnswerPiece] = []
        for sentence in sentences.finish() if delta.kind == "end" else sentences.push(delta.text):
            if not self.begun and no_answer(self.context.language).rstrip("。.") in sentence:
                self.nothing = True
                return said
            said += self.checker.take(sentence, await self._opinion(sentence))
        return said + (self.checker.finish() if delta.kind == "end" else [])

    def _count(self, request: Request, written: str) -> None:
        """Counts the tokens of an answer that was stopped: its model has not told them."""
        prompt = self.model.count(request.turns)
        whole = self.model.count((*request.turns, Turn(message("assistant", written))))
        self.draft.prompt_tokens += prompt
        self.draft.completion_tokens += whole - prompt

    async def _opinion(self, sentence: str) -> bool | None:
        """The model's own opinion on a sentence of which words alone do not tell."""
        words = doubtful(sentence, self.checker.evidence) if self.specialist.rules.ask_model else None
        return await opinion(self.model, bare(sentence), words, self.context.language) if words else None

    def _deltas(self, request: Request) -> AsyncGenerator[Delta, None]:
        if not request.tools:
            return self.model.stream(request)
        from metier.specialists.agent import write_with_tools

        def use(spec: ToolSpec, arguments: dict[str, Any]) -> str:
            return self._use(spec.name, arguments)

        return write_with_tools(self.model, request, use)

    def _use(self, name: str, arguments: dict[str, Any]) -> str:
        """Calls a tool for the model; its result is evidence from now on."""
        step, result = use_tool(name, TOOLS.get(name), arguments, self.context, "model")
        self._pending.append(self.draft.step(step))
        if result is None:
            return step.error
        brought = of_tool(step, result)
        known = list(self.draft.evidence)
        everything = numbered([*known, *brought])
        self.checker.evidence.update({one.number: one for one in everything})
        self._pending.append(self.draft.rest_on(everything))
        new = {(one.kind, one.title, one.text) for one in brought}
        told = [one for one in everything if (one.kind, one.title, one.text) in new]
        return "\n\n".join(evidence_text(one, self.context.language) for one in told)

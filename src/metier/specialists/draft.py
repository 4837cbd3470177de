"""An answer while it is made: what was said so far, and what it rests on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from metier.specialists.evidence import Answer, AnswerPiece, Citation, Evidence, Mode, Sentence, ToolStep
from metier.specialists.quoting import Block

_APART = "\n\n"


@dataclass
class Draft:
    """Grows piece by piece; each method that adds something returns the piece that tells of it."""

    specialist: str
    version: str
    mode: Mode = "written"
    reason: str = ""
    text: str = ""
    urgent: bool = False
    thinking: str = ""
    evidence: tuple[Evidence, ...] = ()
    citations: list[Citation] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    steps: list[ToolStep] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    finished_by: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    begun: float = field(default_factory=time.monotonic)

    def say(self, block: Block | str) -> AnswerPiece:
        """Text that has been checked."""
        placed = (Block(block) if isinstance(block, str) else block).moved(len(self.text))
        self.text += placed.text
        self.citations += placed.citations
        self.sentences += placed.sentences
        return AnswerPiece("answer", placed.text)

    def notice(self, text: str) -> AnswerPiece:
        """Something to know about the answer that is not part of it: faces show it above the text. Nothing may stand
        above a word that calls for a person: below one it becomes a paragraph of its own."""
        if self.urgent:
            return self.say(f"{'' if self.text.endswith(_APART) else _APART}*{text}*{_APART}")
        self.notices.append(text)
        return AnswerPiece("notice", text)

    def think(self, text: str) -> AnswerPiece:
        """The model's thinking."""
        self.thinking += text
        return AnswerPiece("thinking", text)

    def step(self, step: ToolStep) -> AnswerPiece:
        """A tool that was used."""
        self.steps.append(step)
        return AnswerPiece("step", step=step)

    def rest_on(self, evidence: Iterable[Evidence]) -> AnswerPiece:
        """What the answer may cite from now on."""
        self.evidence = tuple(evidence)
        return AnswerPiece("evidence", evidence=self.evidence)

    def end(self) -> AnswerPiece:
        """The whole answer."""
        whole = Answer(
            text=self.text.rstrip(),
            mode=self.mode,
            specialist=self.specialist,
            version=self.version,
            thinking=self.thinking,
            reason=self.reason,
            evidence=self.evidence,
            citations=tuple(self.citations),
            sentences=tuple(self.sentences),
            steps=tuple(self.steps),
            notices=tuple(self.notices),
            finished_by=self.finished_by,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            seconds=time.monotonic() - self.begun,
        )
        return AnswerPiece("end", answer=whole)

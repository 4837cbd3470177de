"""`metier ask`: a specialist's answer in the terminal, with the sources it rests on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console

from metier.cli.app import write_json
from metier.cli.findings import files_first, show_findings
from metier.core.errors import ConfigError, UserError
from metier.core.i18n import translate
from metier.core.settings import settings
from metier.data.messages import message
from metier.engines.chatmodel import ChatModel, Turn
from metier.engines.opening import open_chat_model
from metier.knowledge.library import LOCAL, Library
from metier.recipes.teaching import untaught_by
from metier.specialists.opening import open_knowledge
from metier.specialists.samples import SAMPLE_BASES
from metier.specialists.spec import AnswerRules, Specialist
from metier.specialists.store import Specialists, StoredSpecialist

if TYPE_CHECKING:
    from metier.knowledge.base import KnowledgeBase
    from metier.specialists.evidence import Answer, AnswerPiece, Evidence

Flag = Annotated[bool, Parameter(negative=())]


def ask(
    name: str,
    /,
    *questions: str,
    version: str | None = None,
    no_model: Flag = False,
    show_thinking: Flag = False,
    json: Flag = False,
    output: Path | None = None,
    rules: Path | None = None,
) -> None:
    """Asks a specialist. Several questions are one conversation; without any, they are read line by line.

    Of a finance specialist, files come first (`metier ask finance report.pdf "…"`): they become findings, each figure
    checked against its cell.

    Parameters
    ----------
    questions
        Questions; of a specialist that reads reports, files first.
    no_model
        Answer in quotations and with tools alone, without loading the model.
    output
        A folder for the findings as HTML, Word, Excel and JSON, with their pictures.
    rules
        A text file with rules in plain words, one a line, to check the report against.
    """
    stored = Specialists(settings().home / "specialists").get(LOCAL, name, version)
    files, asked = files_first(questions)
    if files or output is not None or rules is not None:
        show_findings(stored, files, " ".join(asked), output=output, rules=rules, with_model=not no_model, json=json)
        return
    if stored.specialist.findings and asked and Path(asked[0]).is_dir():
        raise ConfigError("cli.findings_folder", folder=asked[0])
    with_model = not no_model and stored.specialist.rules.quote != "always"
    told = []
    if with_model and (recipe := untaught_by(stored)):
        model = stored.specialist.model_name_or_path
        told.append(translate("cli.not_taught_yet", name=name, model=model, recipe=recipe))
    hold_conversation(stored, questions, with_model=with_model, show_thinking=show_thinking, json=json, told=told)


def ask_documents(base: str, questions: Sequence[str], *, json: bool) -> None:
    """Asks a knowledge base by itself, without a specialist: the answers are quotations."""
    plain = Specialist(name="documents", knowledge=(base,), rules=AnswerRules(quote="always"))
    hold_conversation(StoredSpecialist(plain, ""), questions, with_model=False, show_thinking=False, json=json)


def hold_conversation(
    stored: StoredSpecialist, questions: Sequence[str], *, with_model: bool, show_thinking: bool, json: bool,
    told: Sequence[str] = (),
) -> None:  # fmt: skip
    """Asks and shows, until the questions or the input end.

    told: what is to be known of the specialist. It stands below answers that were asked for at once: one of them may
    begin with a word that calls for a person.
    """
    opened = open_knowledge(stored.specialist, Library(settings().home / "knowledge"), LOCAL)
    lines = list(told)
    for base in opened.missing:
        key = "cli.no_samples_yet" if base in SAMPLE_BASES else "cli.no_such_knowledge"
        lines.append(translate(key, base=base))
    if not questions:
        sys.stderr.writelines(f"{line}\n" for line in lines)
    talk = _Talk(Console(highlight=False), stored, opened.bases, show_thinking=show_thinking, quiet=json)
    answers = asyncio.run(talk.hold(_model(stored) if with_model else None, questions or _lines()))
    if json:
        write_json([answer.to_json() for answer in answers])
    if questions:
        sys.stderr.writelines(f"{line}\n" for line in lines)


def _model(stored: StoredSpecialist) -> ChatModel | None:
    """The specialist's model; where it cannot be had, that is said, and the answer is made of quotations."""
    try:
        return open_chat_model(stored.specialist, keys=os.environ, local=True)
    except UserError as error:
        sys.stderr.write(f"metier: {error.text()}\n")
        return None


class _Talk:
    """A conversation that is shown as it goes."""

    def __init__(
        self,
        console: Console,
        stored: StoredSpecialist,
        bases: dict[str, KnowledgeBase],
        *,
        show_thinking: bool,
        quiet: bool,
    ) -> None:
        self.console = console
        self.stored = stored
        self.bases = bases
        self.show_thinking = show_thinking
        self.quiet = quiet

    async def hold(self, model: ChatModel | None, questions: Sequence[str] | Iterator[str]) -> list[Answer]:
        """Asks one question after the other; each answer is part of what the next one is asked with."""
        turns: list[Turn] = []
        answers: list[Answer] = []
        try:
            for question in questions:
                turns.append(Turn(message("user", question)))
                answers.append(await self._answer(model, turns))
                turns.append(Turn(message("assistant", answers[-1].text)))
        finally:
            if model is not None:
                await model.close()
        return answers

    async def _answer(self, model: ChatModel | None, turns: list[Turn]) -> Answer:
        from metier.specialists.answering import answer

        specialist, version = self.stored.specialist, self.stored.version
        whole: Answer | None = None
        async with aclosing(answer(specialist, version, turns, model=model, knowledge=self.bases)) as pieces:
            async for piece in pieces:
                whole = piece.answer or whole
                if not self.quiet:
                    self._show(piece)
        if whole is None:
            raise RuntimeError("an answer ended without its end")
        if not self.quiet:
            self._show_sources(whole)
        return whole

    def _show(self, piece: AnswerPiece) -> None:
        if piece.kind == "answer":
            self.console.print(piece.text, end="", markup=False, soft_wrap=True)
        elif piece.kind == "notice":
            self.console.print(piece.text, style="yellow", markup=False, soft_wrap=True)
        elif piece.kind == "thinking" and self.show_thinking:
            self.console.print(piece.text, end="", style="dim", markup=False, soft_wrap=True)
        elif piece.step is not None:
            # The whole result stands in the answer, or is cited in it.
            said = (piece.step.error or piece.step.text).partition("\n")[0]
            self.console.print(f"⚙ {piece.step.name}: {said}", style="cyan", markup=False, soft_wrap=True)

    def _show_sources(self, answer: Answer) -> None:
        """The cited evidence, and which version of whom has answered."""
        cited = {citation.number for citation in answer.citations}
        self.console.print("\n")
        for one in answer.evidence:
            if one.number in cited:
                self.console.print(f"[{one.number}] {source_line(one)}", style="dim", markup=False)
        self.console.print(f"{answer.specialist} {answer.version} · {answer.seconds:.1f} s", style="dim", markup=False)


def source_line(evidence: Evidence) -> str:
    """Where a piece of evidence comes from, on one line."""
    if evidence.passage is None:
        return " ".join(evidence.title.split())
    where = translate("cli.knowledge_page", file=evidence.passage.file, page=evidence.passage.page)
    return f"{evidence.title} · {where}"


def _lines() -> Iterator[str]:
    """What the user says, until the end of input."""
    while True:
        try:
            line = input("› " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line

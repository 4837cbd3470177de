"""Asking: every variant answers every question, and each answer is kept as it comes, so that nothing is asked twice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.core.files import append_jsonl, read_jsonl
from metier.core.i18n import translate
from metier.engines.chatmodel import ChatModel
from metier.evaluate.citing import names_of
from metier.evaluate.concurrently import several
from metier.evaluate.proof.plan import RANKINGS, Plan
from metier.evaluate.proof.progress import Progress
from metier.evaluate.proof.questions import Question
from metier.evaluate.proof.variants import Variant
from metier.specialists.evidence import Answer

if TYPE_CHECKING:
    from metier.knowledge.passage import Passage
    from metier.specialists.tools import Searchable


def answers_file(folder: Path, variant: str) -> Path:
    """Where a variant's answers are kept."""
    return folder / f"answers-{variant}.jsonl"


def kept_answers(folder: Path, variant: str) -> dict[str, dict[str, Any]]:
    """A variant's answers by the question's id."""
    return {row["id"]: row["answer"] for row in read_jsonl(answers_file(folder, variant))}


async def ask_variant(
    plan: Plan, variant: Variant, model: ChatModel, knowledge: Mapping[str, Searchable], progress: Progress
) -> None:
    """Asks a variant what it has not answered yet."""
    from metier.specialists.answering import answer

    async def ask(question: Question) -> tuple[Question, Answer]:
        async with aclosing(
            answer(variant.specialist, plan.version, question.turns, model=model, knowledge=knowledge,
                   language=plan.language)
        ) as pieces:  # fmt: skip
            async for piece in pieces:
                if piece.answer is not None:
                    return question, piece.answer
        raise RuntimeError(f"the answer to {question.id} came to no end")

    file = answers_file(plan.folder, variant.name)
    done = kept_answers(plan.folder, variant.name)
    waiting = [question for question in plan.questions if question.id not in done]
    if waiting:
        name, most = translate(f"evaluate.variant.{variant.name}"), variant.specialist.sampling.max_new_tokens
        progress.say(translate("evaluate.proof.asks", variant=name, count=len(waiting), tokens=most))
    async with aclosing(several(waiting, ask, plan.spec.parallel)) as answers:
        async for question, given in answers:
            append_jsonl(file, [{"id": question.id, "answer": given.to_json()}])
            progress.add()


async def rank_sources(plan: Plan, variant: Variant, knowledge: Mapping[str, Searchable], progress: Progress) -> None:
    """Searches for each question with gold sources as the specialist would, only deeper, and keeps what was found."""
    from metier.specialists.finding import find, queries

    file = plan.folder / RANKINGS
    done = {row["id"] for row in read_jsonl(file)}
    deep = variant.specialist.retrieval.model_copy(update={"limit": plan.spec.depth})
    for question in plan.questions:
        if question.gold and question.id not in done:
            began = time.perf_counter()
            found = await find(queries(question.said), knowledge, deep)
            seconds = time.perf_counter() - began
            ranked = [sorted(names_of(_named(hit.passage))) for hit in found.hits]
            append_jsonl(file, [{"id": question.id, "ranked": ranked, "seconds": seconds}])
            progress.add()


def _named(passage: Passage) -> dict[str, str]:
    return {key: getattr(passage, key) for key in ("id", "file", "title", "article")}

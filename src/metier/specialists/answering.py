"""How a specialist answers: tools and passages first, then words that are checked against them.

escalate ─► tools by rule ─► search ─► nothing there? say so
                                    └► write with [n] and check each sentence ─► too weak to cite? quote instead
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date

from metier.core.errors import MetierError, ModelError
from metier.core.i18n import Language, translate
from metier.engines.chatmodel import ChatModel, Turn
from metier.specialists.abstaining import abstention
from metier.specialists.courtesy import is_courtesy
from metier.specialists.draft import Draft
from metier.specialists.evidence import AnswerPiece, Evidence
from metier.specialists.finding import Found, find, queries
from metier.specialists.gathering import numbered, of_hits, of_tool, of_user
from metier.specialists.premises import Missing, missing_sources, unfounded_figures
from metier.specialists.prompt import compose
from metier.specialists.quoting import QUOTED, quote
from metier.specialists.rewriting import written_query
from metier.specialists.spec import Specialist, Texts
from metier.specialists.tools import RULES, TOOLS, Searchable, ToolContext, use_tool
from metier.specialists.writing import Writer


async def answer(
    specialist: Specialist,
    version: str,
    turns: Sequence[Turn],
    *,
    model: ChatModel | None,
    knowledge: Mapping[str, Searchable],
    tools: Sequence[str] | None = None,
    language: Language | None = None,
    today: date | None = None,
    absent: MetierError | None = None,
) -> AsyncGenerator[AnswerPiece, None]:
    """Answers the last message of a conversation, piece by piece; the last piece holds the whole answer.

    version: of the specialist, named in the answer; turns: the conversation without system prompt, the user's question
    last; model: None quotes; knowledge: the bases it may search, opened for their owner; tools: None takes the
    specialist's own; language: of what the product itself says, None takes the question's; absent: why there
    is no model, where that is more than that none is loaded.
    """
    spoken = language or language_of(turns)
    context = ToolContext(turns, knowledge, spoken, today or date.today())
    names = specialist.tools if tools is None else tuple(tools)
    draft = Draft(specialist.name, version)

    for urgent in _escalations(specialist, context.question, spoken):
        draft.urgent = True
        yield draft.say(urgent + "\n\n")

    if is_courtesy(context.question) and (specialist.knowledge or knowledge):
        yield draft.say(translate("specialists.courtesy", language=spoken))
        yield draft.end()
        return

    results: list[Evidence] = []
    async for piece, evidence in _tools_by_rule(draft, names, context):
        results += evidence
        yield piece

    written = await written_query(model, turns, spoken) if model and specialist.retrieval.rewrite else ""
    found = await find(queries(context.said, written), knowledge, specialist.retrieval)
    for name, error in found.away.items():
        told = translate("specialists.by_words", language=spoken, base=name, problem=error.text(spoken))
        yield draft.notice(told)
    missing = await asyncio.to_thread(missing_sources, context.question, knowledge)
    async with aclosing(
        _worded(draft, specialist, context, Material(found, tuple(missing), tuple(results), absent), model, names)
    ) as worded:
        async for piece in worded:
            yield piece

    if disclaimer := text_in(specialist.rules.disclaimer, spoken):
        yield draft.say(f"\n\n{disclaimer}")
    yield draft.end()


@dataclass(frozen=True, slots=True)
class Material:
    """What an answer can be made of. results: of tools that were called by rule; absent: why there is no model."""

    found: Found
    missing: tuple[Missing, ...]
    results: tuple[Evidence, ...]
    absent: MetierError | None = None

    @property
    def evidence(self) -> list[Evidence]:
        """Results first, then passages, the best first."""
        return [*self.results, *of_hits(self.found.hits)]


async def _worded(
    draft: Draft,
    specialist: Specialist,
    context: ToolContext,
    material: Material,
    model: ChatModel | None,
    tools: Sequence[str],
) -> AsyncGenerator[AnswerPiece, None]:
    """The answer itself: written where there is a model that can cite, else quoted, or the plain word that the
    documents do not answer."""
    rules = specialist.rules
    nothing = bool(specialist.knowledge or context.knowledge) and _nothing_there(material, specialist)
    if rules.abstain and nothing:
        for piece in _abstained(draft, context, material):
            yield piece
        return
    if model is None or rules.quote == "always":
        key = "specialists.by_rule" if rules.quote == "always" else "specialists.no_model"
        told = material.absent.text(context.language) if material.absent and rules.quote != "always" else ""
        if not (material.evidence or specialist.knowledge or context.knowledge):
            lacking = "no_report_here" if specialist.findings else "no_documents"
            yield draft.say(translate(f"specialists.{lacking}", language=context.language))
            key = key if rules.quote == "always" else "specialists.no_model_alone"
        for piece in _quoted(draft, context, material, told or translate(key, language=context.language)):
            yield piece
        return
    if nothing:
        yield draft.notice(translate("specialists.from_memory", language=context.language))
    elif specialist.findings and not material.evidence and not any(turn.message.images for turn in context.turns):
        yield draft.notice(translate("specialists.no_report", language=context.language))
    usable = [*material.results] if nothing else material.evidence
    stated = of_user(context.said, context.language) if usable else []
    composed = compose(specialist, context.turns, [*usable, *stated], model, context.language)
    yield draft.rest_on(composed.evidence)
    for told in composed.notices(context.language):
        yield draft.notice(told)
    for line in _warnings(context, material):
        yield draft.say(line)
    writer = Writer(draft, specialist, context, model, composed, tools)
    try:
        async with aclosing(writer.write()) as written:
            async for piece in written:
                yield piece
    except ModelError as error:
        if writer.begun:
            raise
        told = translate("specialists.model_failed", language=context.language, problem=error.text(context.language))
        for piece in _quoted(draft, context, material, told):
            yield piece
        return
    if writer.nothing:
        for piece in _abstained(draft, context, material):
            yield piece
    elif writer.weak:
        for piece in _quoted(draft, context, material, translate("specialists.too_weak", language=context.language)):
            yield piece


def language_of(turns: Sequence[Turn]) -> Language:
    """Chinese where the last message has Chinese characters, else English."""
    return _language(next((turn.message.text for turn in reversed(turns) if turn.message.role == "user"), ""))


def _language(text: str) -> Language:
    return "zh" if any("一" <= character <= "鿿" for character in text) else "en"


def examples_in(examples: Sequence[str], language: Language) -> list[str]:
    """The questions to begin with that are in a language, or all of them where none is."""
    return [one for one in examples if _language(one) == language] or list(examples)


def text_in(texts: Texts, language: Language) -> str:
    """A text in a language, or in the other one where that is all there is."""
    return getattr(texts, language) or texts.en or texts.zh


def _escalations(specialist: Specialist, question: str, language: Language) -> Iterator[str]:
    """What is said first, where a question calls for a person."""
    lowered = question.lower()
    for rule in specialist.rules.escalate:
        if any(word.lower() in lowered for word in rule.when):
            yield text_in(rule.say, language)


async def _tools_by_rule(
    draft: Draft, names: Sequence[str], context: ToolContext
) -> AsyncGenerator[tuple[AnswerPiece, list[Evidence]], None]:
    """Calls the tools whose rule finds what they need in the conversation."""
    for name in names:
        if name in RULES:
            for arguments in await asyncio.to_thread(RULES.get(name), context):
                step, result = await asyncio.to_thread(use_tool, name, TOOLS.get(name), arguments, context, "rule")
                yield draft.step(step), of_tool(step, result) if result else []


def _nothing_there(material: Material, specialist: Specialist) -> bool:
    """Whether the documents cannot answer: what is named is not in them, or nothing speaks of what was asked."""
    if material.results:
        return False
    found = material.found
    return bool(material.missing) or not found.hits or found.relevance < specialist.retrieval.min_support


def _abstained(draft: Draft, context: ToolContext, material: Material) -> Iterator[AnswerPiece]:
    """The answer that there is none, with what was nearest as evidence of the search."""
    draft.mode = "abstained"
    hits = material.found.hits
    yield draft.rest_on(numbered(of_hits(hits)))
    yield draft.say(
        abstention(
            context.question,
            missing=material.missing,
            hits=hits,
            knowledge=context.knowledge,
            language=context.language,
        )
    )


def _quoted(draft: Draft, context: ToolContext, material: Material, reason: str) -> Iterator[AnswerPiece]:
    """The answer in quotations: results of tools, then the best passages. reason: why it is not written, in words."""
    draft.mode = "quoted"
    if not draft.urgent:  # faces show it above the text, as they do notices
        draft.reason = reason
    yield draft.notice(reason)
    yield draft.rest_on(numbered(material.evidence))
    for line in _warnings(context, material):
        if line not in draft.text:
            yield draft.say(line)
    tools = [one for one in draft.evidence if one.kind == "tool"]
    passages = [one for one in draft.evidence if one.kind == "passage"][:QUOTED]
    for one in (*tools, *passages):
        yield draft.say(quote(one, context.question))


def _warnings(context: ToolContext, material: Material) -> Iterator[str]:
    """What the question takes for granted and the documents do not bear out, a paragraph each."""
    if not context.knowledge:  # a bare model has no documents to bear anything out
        return
    for gap in material.missing:
        yield gap.text(context.language) + "\n\n"
    for figure in unfounded_figures(context.question, material.found.hits):
        yield translate("specialists.no_figure", language=context.language, figure=figure) + "\n\n"

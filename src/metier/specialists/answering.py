"""How a specialist answers: tools and passages first, then words that are checked against them.

escalate ─► tools by rule ─► search ─► nothing there? say so
                                    └► write with [n] and check each sentence ─► too weak to cite? quote instead
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import date

from metier.core.i18n import Language, current_language, translate
from metier.engines.chatmodel import ChatModel, Turn
from metier.specialists.abstaining import abstention
from metier.specialists.draft import Draft
from metier.specialists.evidence import AnswerPiece, Evidence
from metier.specialists.finding import Found, find, queries
from metier.specialists.gathering import numbered, of_hits, of_tool
from metier.specialists.premises import Missing, missing_sources, unfounded_figures
from metier.specialists.quoting import QUOTED, quote
from metier.specialists.spec import Specialist, Texts
from metier.specialists.tools import RULES, TOOLS, Searchable, ToolContext, use_tool


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
) -> AsyncGenerator[AnswerPiece, None]:
    """Answers the last message of a conversation, piece by piece; the last piece holds the whole answer.

    version: of the specialist, named in the answer; turns: the conversation without system prompt, the user's question
    last; model: None quotes; knowledge: the bases it may search, opened for their owner; tools: None takes the
    specialist's own; language: of what the product itself says.
    """
    spoken = language or current_language()
    context = ToolContext(turns, knowledge, spoken, today or date.today())
    names = specialist.tools if tools is None else tuple(tools)
    draft = Draft(specialist.name, version)

    for urgent in _escalations(specialist, context.question, spoken):
        yield draft.say(urgent + "\n\n")

    results: list[Evidence] = []
    for piece, evidence in _tools_by_rule(draft, names, context):
        results += evidence
        yield piece

    found = await find(queries(context.said), knowledge, specialist.retrieval)
    missing = await asyncio.to_thread(missing_sources, context.question, knowledge)
    yield draft.rest_on(numbered([*of_hits(found.hits), *results]))

    if specialist.rules.abstain and not results and _nothing_there(found, missing, specialist):
        draft.mode = "abstained"
        yield draft.say(
            abstention(context.question, missing=missing, hits=found.hits, knowledge=knowledge, language=spoken)
        )
    else:
        for piece in _quoted(draft, context, found, missing, "specialists.no_model"):
            yield piece

    if disclaimer := text_in(specialist.rules.disclaimer, spoken):
        yield draft.say(f"\n\n{disclaimer}")
    yield draft.end()


def text_in(texts: Texts, language: Language) -> str:
    """A text in a language, or in the other one where that is all there is."""
    return getattr(texts, language) or texts.en or texts.zh


def _escalations(specialist: Specialist, question: str, language: Language) -> Iterator[str]:
    """What is said first, where a question calls for a person."""
    lowered = question.lower()
    for rule in specialist.rules.escalate:
        if any(word.lower() in lowered for word in rule.when):
            yield text_in(rule.say, language)


def _tools_by_rule(
    draft: Draft, names: Sequence[str], context: ToolContext
) -> Iterator[tuple[AnswerPiece, list[Evidence]]]:
    """Calls the tools whose rule finds what they need in the conversation."""
    for name in names:
        if name in RULES:
            for arguments in RULES.get(name)(context):
                step, result = use_tool(name, TOOLS.get(name), arguments, context, "rule")
                yield draft.step(step), of_tool(step, result) if result else []


def _nothing_there(found: Found, missing: Sequence[Missing], specialist: Specialist) -> bool:
    """Whether the documents cannot answer: what is named is not in them, or nothing speaks of what was asked."""
    return bool(missing) or not found.hits or found.relevance < specialist.retrieval.min_support


def _quoted(
    draft: Draft, context: ToolContext, found: Found, missing: Sequence[Missing], reason: str
) -> Iterator[AnswerPiece]:
    """The answer in quotations: results of tools, then the best passages."""
    draft.mode, draft.reason = "quoted", translate(reason, language=context.language)
    yield draft.notice(draft.reason)
    for gap in missing:
        yield draft.say(gap.text(context.language) + "\n\n")
    for figure in unfounded_figures(context.question, found.hits):
        yield draft.say(translate("specialists.no_figure", language=context.language, figure=figure) + "\n\n")
    tools = [one for one in draft.evidence if one.kind == "tool"]
    passages = [one for one in draft.evidence if one.kind == "passage"][:QUOTED]
    for one in (*tools, *passages):
        yield draft.say(quote(one, context.question))

"""Findings that a model writes, held to a JSON schema, each figure checked. A wrong figure is flagged and stays.

exhibits and texts ─► requests that fit the model ─► JSON by the schema ─► figures checked ─► findings with flags
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from metier.core.errors import MetierError, ModelError
from metier.data.messages import ImagePart, Message, TextPart, message
from metier.engines.chatmodel import ChatModel, Turn
from metier.specialists.finance.amounts import Amount, find_amounts, shown
from metier.specialists.finance.checking import Said, Stated, Verdict, judge
from metier.specialists.finance.evidence import Evidence
from metier.specialists.finance.periods import find_periods
from metier.specialists.finance.schema import Figure, Finding, Findings, Spot, Warned
from metier.specialists.finance.structured import structured_answer
from metier.specialists.finance.telling import Teller, spot

ANSWER_TOKENS = 2048
_ROWS, _TEXT = 60, 3000  # of a table, and characters of a page's text, in one request


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WrittenFigure(_Strict):
    """A figure as a model writes it. value: the digits; unit: as the report says it (`million`, `亿元`, `%`, `百分点`);
    working: of a computed figure, with the numbers that stand in the report, else empty."""

    label: str
    value: str
    unit: str
    currency: str
    period: str
    working: str


class WrittenFinding(_Strict):
    """A finding as a model writes it. exhibit: number of the table or picture that it is about, 0 for the text."""

    kind: Literal["shown", "figure", "trend", "comparison", "risk", "not_concluded"]
    text: str
    exhibit: int
    figures: list[WrittenFigure]


class Written(_Strict):
    """What a model is held to. answer: to the user's question, empty where none was asked."""

    answer: str
    findings: list[WrittenFinding]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a request shows. page: where it stands; data: PNG."""

    page: int
    data: bytes


async def add_written_findings(
    findings: Findings,
    evidence: Evidence,
    model: ChatModel,
    *,
    system_prompt: str = "",
    pictures: Sequence[Picture] = (),
    events: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Adds what the model writes to the findings of the rules. What it could not do is said in the notices.

    pictures: of a report that is one, or of its charts; a model that refuses them is asked without.
    """
    tell = Teller(findings.language)
    requests = list(_requests(findings, evidence, model, system_prompt, tell))
    findings.model = model.name
    for number, turns in enumerate(requests, 1):
        written, seen = await _asked(turns, model, pictures if number == 1 else (), findings, tell)
        if written is not None:
            findings.answer = findings.answer or written.answer.strip()
            made = [_checked(one, evidence, findings, tell, seen=seen) for one in written.findings]
            findings.findings = [*made, *findings.findings]
        if events:
            events({"event": "progress", "step": number, "total": len(requests)})


def _requests(
    findings: Findings, evidence: Evidence, model: ChatModel, system_prompt: str, tell: Teller
) -> Iterator[tuple[Turn, ...]]:
    """Conversations that fit the model, each with as many tables and texts as it has room for."""
    system = "\n\n".join(part for part in (system_prompt.strip(), tell.say("write_rules")) if part)
    room = model.context_length - min(ANSWER_TOKENS, model.context_length // 2)
    question = tell.say("write_question", question=findings.question) if findings.question else tell.say("write_all")
    parts: list[str] = []
    for part in (*_tables(findings), *_texts(evidence, tell)):
        turns = _turns(system, question, [*parts, part])
        if parts and model.count(turns) > room:
            yield _turns(system, question, parts)
            parts = []
        parts.append(part)
    yield _turns(system, question, parts)


def _turns(system: str, question: str, parts: Sequence[str]) -> tuple[Turn, ...]:
    return Turn(message("system", system)), Turn(message("user", "\n\n".join([*parts, question])))


def _tables(findings: Findings) -> Iterator[str]:
    for one in findings.exhibits:
        rows = "\n".join(" | ".join(row) for row in one.rows[:_ROWS])
        told = [
            finding.text for finding in findings.findings if finding.exhibit == one.number and finding.kind != "shown"
        ]
        computed = "\n".join(f"- {text}" for text in told[:12])
        yield f"[{one.number}] {one.title} {one.unit} (p. {one.place.page})\n{rows}\n{computed}".strip()


def _texts(evidence: Evidence, tell: Teller) -> Iterator[str]:
    for text in evidence.texts:
        if said := " ".join(text.text.split())[:_TEXT]:
            yield tell.say("write_page", page=text.page) + "\n" + said


async def _asked(
    turns: tuple[Turn, ...], model: ChatModel, pictures: Sequence[Picture], findings: Findings, tell: Teller
) -> tuple[Written | None, bool]:
    """What the model says, by the schema, and whether it saw the pictures; None, with a notice, where it says nothing
    of the kind."""
    tokens = min(ANSWER_TOKENS, model.context_length // 2)
    with_pictures = (*turns[:-1], _with_pictures(turns[-1], pictures))
    for tried, seen in ((with_pictures, True), (turns, False)) if pictures else ((turns, False),):
        try:
            return await structured_answer(model, tried, Written, tokens), seen
        except ModelError as error:
            findings.notices.append(tell.say("model_failed", model=model.name, problem=error.text(tell.language)))
        except ValueError:
            findings.notices.append(tell.say("model_unreadable", model=model.name))
            return None, False
        except MetierError as error:
            findings.notices.append(error.text(tell.language))
            return None, False
    return None, False


def _with_pictures(turn: Turn, pictures: Sequence[Picture]) -> Turn:
    seen = tuple(ImagePart(data=one.data) for one in pictures)
    return replace(turn, message=Message(turn.message.role, (*seen, TextPart(turn.message.text))))


def _checked(one: WrittenFinding, evidence: Evidence, findings: Findings, tell: Teller, *, seen: bool) -> Finding:
    """A written finding with its figures looked up and computed again; the figures of its sentence too."""
    figures: list[Figure] = []
    flags: list[Warned] = []
    amounts = [(figure, _amount(figure)) for figure in one.figures]
    listed = {abs(amount.value) for _, amount in amounts if amount}
    for figure, amount in amounts:
        if amount is None:
            flags.append(
                Warned(
                    figure=len(figures), problem="unsupported", text=tell.say("flag_unsupported", stated=figure.value)
                )
            )
            continue
        periods = tuple(found.period for found in find_periods(figure.period))
        said = Said.of(f"{figure.label} {'' if periods else one.text}", periods)
        verdict = judge(Stated(amount, figure.working), said, evidence)
        _add(figures, flags, amount, figure, verdict, tell, seen=seen)
    for amount in find_amounts(one.text):
        if abs(amount.value) in listed:
            continue
        verdict = judge(Stated(amount), Said.of(one.text), evidence)
        bare = WrittenFigure(label="", value=amount.text, unit="", currency="", period="", working="")
        _add(figures, flags, amount, bare, verdict, tell, seen=seen)
    exhibit = next((exhibit for exhibit in findings.exhibits if exhibit.number == one.exhibit), None)
    place = next((place for figure in figures for place in figure.places), exhibit.place if exhibit else None)
    return Finding(
        kind=one.kind,
        text=one.text.strip(),
        figures=figures,
        flags=flags,
        place=place,
        exhibit=exhibit.number if exhibit else 0,
        by="model",
    )


def _add(
    figures: list[Figure],
    flags: list[Warned],
    amount: Amount,
    written: WrittenFigure,
    verdict: Verdict,
    tell: Teller,
    *,
    seen: bool,
) -> None:
    places = [spot(place) for place in verdict.places]
    working = written.working or verdict.working
    source: Literal["cell", "text", "picture", "computed"] = "computed" if working else _source(places)
    if verdict.problem == "unsupported" and seen:
        source = "picture"
    period = next((str(found.period) for found in find_periods(written.period)), written.period)
    if verdict.problem:
        key = "flag_picture" if source == "picture" else f"flag_{verdict.problem}"
        found = tell.say("flag_found", found=verdict.found) if verdict.found else ""
        text = tell.say(key, stated=amount.text or shown(amount.value), found=found)
        flags.append(
            Warned(figure=len(figures), problem=verdict.problem, text=text, found=verdict.found, places=places)
        )
    figures.append(
        Figure(
            label=written.label,
            value=amount.value,
            unit=amount.unit,
            scale=amount.scale or 1,
            currency=amount.currency or written.currency,
            period=period,
            text=amount.text,
            source=source,
            working=working,
            places=places,
        )
    )


def _source(places: Sequence[Spot]) -> Literal["cell", "text"]:
    return "cell" if places and places[0].table else "text"


def _amount(figure: WrittenFigure) -> Amount | None:
    """A written figure as an amount; its unit may stand in the value as well."""
    value = figure.value.strip()
    bare = re.search(r"[A-Za-z%％\u4e00-\u9fff]", value) is None
    found = find_amounts(f"{value} {figure.unit}" if bare else value)
    if len(found) != 1:
        return None
    [amount] = found
    sign = -1 if re.match(r"\s*[-−–]", value) and amount.value > 0 else 1
    return replace(
        amount, value=amount.value * Decimal(sign), text=value if not bare else f"{value} {figure.unit}".strip()
    )

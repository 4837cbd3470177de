"""Results of the legal tools in words, line by line, and as values for pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from metier.specialists.legal.analysis import Analysis, ClaimFinding, ElementFinding
from metier.specialists.legal.articles import Article
from metier.specialists.legal.claims import claims
from metier.specialists.legal.evidence import evidence_kinds
from metier.specialists.legal.limitation import Limitation
from metier.specialists.legal.overtime import OvertimePay, plain
from metier.specialists.legal.precedents import Feature, Precedent
from metier.specialists.legal.request import RequestDraft
from metier.specialists.legal.said import Teller, jsonable
from metier.specialists.legal.statutes import StatuteFound

_SHOWN_DEFENCES = 3  # besides those that the employer has raised


def overtime_lines(pay: OvertimePay, stated: Mapping[str, Any], tell: Teller) -> Iterator[str]:
    """Base and why, what an hour is worth, the sum, where each figure comes from, what is missing."""
    base = pay.base
    yield tell.say("base_line", name=tell.say(f"base_{base.name}"), monthly=plain(base.monthly), daily=base.daily,
                   hourly=base.hourly)  # fmt: skip
    for note in pay.notes:
        yield tell.say(note.removeprefix("legal_"))
    paid_base = next((amount for name, amount in base.candidates if name == "paid_base"), None)
    known = {line.kind: line for line in pay.lines}
    for rate in pay.rates:
        kind = tell.say(f"kind_{rate.kind}")
        if rate.kind in known:
            yield tell.say("line", kind=kind, formula=known[rate.kind].formula)
        elif paid_base is not None:
            yield tell.say("rate_line_paid", kind=kind, factor=plain(rate.factor), due=rate.due, paid=rate.paid,
                           short=rate.short, paid_base=plain(paid_base))  # fmt: skip
        else:
            yield tell.say("rate_line", kind=kind, factor=plain(rate.factor), due=rate.due)
    if pay.difference is not None:
        how = tell.say("paid_stated") if pay.paid_from == "stated" else _on(paid_base, tell)
        yield tell.say("sum", due=pay.due, paid=pay.paid, how=how, difference=pay.difference)
    elif pay.due is not None:
        yield tell.say("sum_due", due=pay.due)
    for name, source in stated.items():
        note = f" ({source['note']})" if source["note"] else ""
        yield tell.say("stated", name=tell.say(f"figure_{name}"), words=source["words"], message=source["message"],
                       note=note)  # fmt: skip
    if pay.missing:
        yield tell.say("missing_overtime", missing=_figures(pay.missing, tell))
    yield _basis(pay.articles, tell)


def _on(paid_base: Decimal | None, tell: Teller) -> str:
    return tell.say("paid_base", paid_base=plain(paid_base or Decimal(0)))


def limitation_lines(period: Limitation, tell: Teller) -> Iterator[str]:
    """The state of the period, how it came to it, and on which articles that rests."""
    claim = tell.say(f"claim_{period.claim}")
    yield tell.say(
        f"state_{period.state}", claim=claim, begins=period.begins, last_day=period.last_day, left=period.days_left,
        asked_on=period.asked_on, missing=_figures(period.missing, tell),
    )  # fmt: skip
    if period.state == "unknown" and period.claim == "wages":
        yield tell.say("either_way")
    if period.last_day_moved != period.last_day:
        yield tell.say("moved", day=period.last_day_moved)
    if len(period.history) > 1:
        for why, day, last in period.history:
            yield tell.say(f"history_{why}", day=day, last=last)
    for note in period.notes:
        yield tell.say(note.removeprefix("legal_"))
    yield _basis(period.articles, tell)


def statute_lines(found: StatuteFound, tell: Teller) -> Iterator[str]:
    """The article's name where it was found (its words are the passage), else what there is instead."""
    name = f"《{found.law}》{found.article}"
    if found.hits:
        yield name
        return
    yield tell.say("statute_none", name=name)
    if found.other_articles:
        yield tell.say("statute_others", articles=tell.join(found.other_articles[:12]))


def precedent_lines(found: Sequence[Precedent], tell: Teller) -> Iterator[str]:
    """Each case: likeness and outcome, what agrees, what differs, how it ended in its own words."""
    if not found:
        yield tell.say("precedents_none")
    for one in found:
        outcome = tell.say(f"outcome_{one.outcome}")
        yield tell.say("precedent", title=one.title, likeness=f"{one.likeness:.2f}", outcome=outcome)
        for name, pairs in (("agree", one.agree), ("here", one.only_here), ("there", one.only_there)):
            if pairs:
                yield tell.say(f"precedent_{name}", features=tell.join(feature_name(pair, tell) for pair in pairs))
        yield tell.say("precedent_words", words=" ".join(one.outcome_words.split()))


def precedent_data(found: Sequence[Precedent], tell: Teller) -> list[dict[str, Any]]:
    """The cases for a page, features in words."""
    return [
        {
            "title": one.title,
            "likeness": one.likeness,
            "outcome": one.outcome,
            "outcome_name": tell.say(f"outcome_{one.outcome}"),
            "outcome_words": one.outcome_words,
            "agree": [feature_name(pair, tell) for pair in one.agree],
            "only_here": [feature_name(pair, tell) for pair in one.only_here],
            "only_there": [feature_name(pair, tell) for pair in one.only_there],
            "passages": jsonable(one.hits, tell.language),
        }
        for one in found
    ]


def feature_name(pair: Feature, tell: Teller) -> str:
    """A feature of a case in words."""
    kind, key = pair
    if kind in ("base", "employed"):
        return tell.say(f"feature_{kind}_{key}")
    if kind == "claim":
        name = claims()[key].name[tell.language]
    elif kind == "defence":
        every = {one.key: one for claim in claims().values() for one in claim.defences}
        name = every[key].says[tell.language].rstrip(".。")
    elif kind == "hours":
        name = tell.say(f"kind_{key}")
    else:
        name = evidence_kinds()[key].name[tell.language]
    return tell.say(f"feature_{kind}", name=name)


def analysis_lines(analysis: Analysis, tell: Teller) -> Iterator[str]:
    """The analysis as Markdown: claims with issues, elements, defences and risk; then the next steps."""
    for finding in analysis.claims:
        yield f"**{tell.say('part_claim', name=finding.claim.name[tell.language])}**"
        for issue in finding.claim.issues:
            yield "- " + tell.say("issue", text=issue[tell.language])
        for element in finding.elements:
            yield "- " + _element(element, tell)
        for defence, raised in _defences(finding):
            says, answer = defence.says[tell.language], defence.answer[tell.language]
            yield "- " + tell.say("defence_raised" if raised else "defence_expected", says=says, answer=answer)
        reasons = tell.join(tell.say(reason.removeprefix("legal_")) for reason in finding.reasons)
        yield "- " + tell.say("risk", level=tell.say(f"level_{finding.risk}"), reasons=reasons)
        yield "- " + _basis(finding.articles, tell)
    yield f"**{tell.say('part_steps')}**"
    for number, step in enumerate(analysis.steps, 1):
        yield f"{number}. {step_text(step, tell)}"


def analysis_data(analysis: Analysis, tell: Teller) -> dict[str, Any]:
    """The analysis for a page: each part with its texts in the user's language."""
    return {
        "facts": jsonable(analysis.facts.found, tell.language),
        "claims": [_claim_data(finding, tell) for finding in analysis.claims],
        "steps": [step_text(step, tell) for step in analysis.steps],
        "asked_on": analysis.asked_on.isoformat(),
    }


def _claim_data(finding: ClaimFinding, tell: Teller) -> dict[str, Any]:
    kinds = evidence_kinds()
    language = tell.language
    return {
        "key": finding.claim.key,
        "name": finding.claim.name[language],
        "issues": [issue[language] for issue in finding.claim.issues],
        "elements": [
            {
                "name": one.element.name[language],
                "state": one.state,
                "state_name": tell.say(f"element_{one.state}"),
                "burden": tell.say(f"burden_{one.element.burden}"),
                "burden_note": one.element.burden_note[language],
                "there": [kinds[kind].name[language] for kind in one.there if kind not in one.element.absent],
                "wanted": [kinds[kind].name[language] for kind in one.wanted],
                "facts": jsonable(one.facts, language),
                "missing": [tell.say(f"figure_{name}") for name in one.missing],
            }
            for one in finding.elements
        ],
        "defences": [
            {"says": defence.says[language], "answer": defence.answer[language], "raised": raised}
            for defence, raised in _defences(finding)
        ],
        "limitation": jsonable(finding.limitation, language),
        "limitation_text": next(limitation_lines(finding.limitation, tell)),
        "amount": jsonable(finding.amount, language),
        "risk": finding.risk,
        "risk_name": tell.say(f"level_{finding.risk}"),
        "reasons": [tell.say(reason.removeprefix("legal_")) for reason in finding.reasons],
        "articles": jsonable(finding.articles, language),
    }


def _element(one: ElementFinding, tell: Teller) -> str:
    kinds = evidence_kinds()
    text = tell.say(
        "element", name=one.element.name[tell.language], state=tell.say(f"element_{one.state}"),
        burden=tell.say(f"burden_{one.element.burden}"),
    )  # fmt: skip
    more = []
    there = [kinds[kind].name[tell.language] for kind in one.there if kind not in one.element.absent]
    if there:
        more.append(tell.say("there", names=tell.join(there)))
    if one.missing:
        more.append(tell.say("missing_figures", names=_figures(one.missing, tell)))
    if one.state != "shown" and one.wanted:
        more.append(tell.say("wanted", names=tell.join(kinds[kind].name[tell.language] for kind in one.wanted)))
    mark = "；" if tell.language == "zh" else "; "
    note = one.element.burden_note[tell.language]
    return " ".join(
        part
        for part in (text, mark.join(more) + ("。" if tell.language == "zh" else ".") if more else "", note)
        if part
    )


def _defences(finding: ClaimFinding) -> Iterator[tuple[Any, bool]]:
    """What the employer has raised, then what it most often raises."""
    raised = [one for one in finding.defences if one.key in finding.raised]
    others = [one for one in finding.defences if one.key not in finding.raised]
    yield from ((one, True) for one in raised)
    yield from ((one, False) for one in others[:_SHOWN_DEFENCES])


def step_text(step: tuple[str, str], tell: Teller) -> str:
    """A next step in words."""
    name, what = step
    if name == "secure":
        kind = evidence_kinds()[what]
        return tell.say("step_secure", name=kind.name[tell.language], how=kind.secure[tell.language])
    if name == "figure":
        return tell.say("step_figure", name=tell.say(f"figure_{what}"))
    if name == "collect":
        key, _, element = what.partition(".")
        names = {one.key: one.name for one in claims()[key].elements}
        return tell.say("step_collect", name=names[element][tell.language])
    return tell.say(f"step_{name}", day=what)


def draft_lines(draft: RequestDraft, tell: Teller) -> Iterator[str]:
    """The draft as Markdown, and what is still to be filled in."""
    yield f"**{draft.title}**"
    for section in draft.sections:
        yield f"**{section.heading}**"
        yield from section.paragraphs
    yield from draft.closing
    if draft.gaps:
        yield tell.say("request_gaps", gaps=tell.join(draft.gaps))


def _figures(names: Sequence[str], tell: Teller) -> str:
    return tell.join(tell.say(f"figure_{name}") for name in names)


def _basis(articles: Sequence[Article], tell: Teller) -> str:
    return tell.say("basis", articles=tell.join(str(article) for article in articles))

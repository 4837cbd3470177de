"""Analysis of a case: facts → issues → elements of each claim → evidence there and missing → risk → next steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from metier.core.errors import ConfigError
from metier.specialists.legal.articles import Article
from metier.specialists.legal.claims import Claim, Defence, Element, claims
from metier.specialists.legal.facts import Fact, Facts
from metier.specialists.legal.limitation import Limitation, limitation
from metier.specialists.legal.overtime import Hours, OvertimePay, overtime_pay

State = Literal["shown", "partly", "missing", "other_side"]
Risk = Literal["low", "medium", "high"]

HOURS = ("weekday_hours", "rest_day_hours", "public_holiday_hours")


@dataclass(frozen=True, slots=True)
class ElementFinding:
    """An element with what is there for it. state: `other_side` where the employer has to show it and nothing is here;
    there: kinds of evidence named; facts: what was said of it; wanted: kinds that would show it; missing: figures."""

    element: Element
    state: State
    there: tuple[str, ...]
    facts: tuple[Fact, ...]
    wanted: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimFinding:
    """A claim with everything found for it. reasons: why the risk is what it is, as keys of the catalogue."""

    claim: Claim
    elements: tuple[ElementFinding, ...]
    defences: tuple[Defence, ...]
    raised: tuple[str, ...]
    limitation: Limitation
    amount: OvertimePay | None
    risk: Risk
    reasons: tuple[str, ...]

    @property
    def articles(self) -> tuple[Article, ...]:
        """What it rests on, the limitation period's articles last."""
        return tuple(dict.fromkeys((*self.claim.articles, *self.limitation.articles)))


@dataclass(frozen=True, slots=True)
class Analysis:
    """A whole case. steps: what to do next, in order, as keys of the catalogue with the evidence or figure meant."""

    facts: Facts
    claims: tuple[ClaimFinding, ...]
    steps: tuple[tuple[str, str], ...]
    asked_on: date


def analyse(facts: Facts, asked_on: date, wanted: Sequence[str] = ()) -> Analysis:
    """Lays out the case that the facts make. wanted: keys of claims; without them, those the person named.

    Raises ConfigError where no claim is named, or an unknown one.
    """
    keys = tuple(wanted) or facts.keys("claim")
    known = claims()
    for key in keys:
        if key not in known:
            raise ConfigError("specialists.legal_no_such_claim", name=key, known=", ".join(known))
    if not keys:
        raise ConfigError("specialists.legal_no_claim")
    found = tuple(_claim(known[key], facts, asked_on) for key in keys)
    return Analysis(facts, found, _steps(found), asked_on)


def overtime_of(facts: Facts) -> OvertimePay | None:
    """The overtime pay of what was said; None where no wage was named."""
    wage = facts.amount("contract_wage")
    if wage is None:
        return None
    weekday, rest_day, public_holiday = (facts.amount(name) for name in HOURS)
    hours = Hours(weekday, rest_day, public_holiday, _off(facts))
    return overtime_pay(
        wage,
        hours,
        paid_base=facts.amount("paid_base"),
        paid=facts.amount("paid"),
        minimum_wage=facts.amount("minimum_wage"),
    )


def limitation_of(facts: Facts, asked_on: date, claim: Claim) -> Limitation:
    """The limitation period of a claim by what was said. Where the end of the employment is what the claim is about,
    that day is also when the person knew."""
    known = facts.day("known")
    if known is None and claim.key in ("severance", "unlawful_dismissal"):
        known = facts.day("ended")
    days = [fact.value for fact in facts.found if fact.name == "interrupted" and isinstance(fact.value, date)]
    ended = facts.day("ended")
    employed = facts.employed if ended is None else False
    return limitation(claim.limitation, asked_on, employed=employed, ended=ended, known=known, interrupted=days)


def _off(facts: Facts) -> Decimal:
    """Hours of time off, never more than the rest-day hours that were said."""
    return min(facts.amount("rest_day_off_hours") or Decimal(0), facts.amount("rest_day_hours") or Decimal(0))


def _claim(claim: Claim, facts: Facts, asked_on: date) -> ClaimFinding:
    elements = tuple(_element(element, facts) for element in claim.elements)
    said = facts.keys("defence")
    raised = tuple(defence.key for defence in claim.defences if defence.key in said)
    period = limitation_of(facts, asked_on, claim)
    risk, reasons = _risk(elements, period)
    amount = overtime_of(facts) if claim.key == "overtime" else None
    return ClaimFinding(claim, elements, claim.defences, raised, period, amount, risk, reasons)


def _element(element: Element, facts: Facts) -> ElementFinding:
    named, denied = facts.keys("evidence"), facts.keys("no_evidence")
    there = tuple(kind for kind in element.evidence if kind in named and kind not in denied)
    there += tuple(kind for kind in element.absent if kind in denied)
    said = tuple(fact for name in element.facts if (fact := facts.last(name)))
    missing = tuple(element.facts) if element.facts and not said else ()
    if there and (said or not element.needs_facts):
        state: State = "shown"
    elif there or said:
        state = "partly"
    else:
        state = "other_side" if element.burden == "employer" else "missing"
    wanted = tuple(kind for kind in element.evidence if kind not in there)
    return ElementFinding(element, state, there, said, wanted, missing)


def _risk(elements: Sequence[ElementFinding], period: Limitation) -> tuple[Risk, tuple[str, ...]]:
    reasons = []
    if period.state == "expired":
        reasons.append("legal_risk_expired")
    if period.state == "unknown":
        reasons.append("legal_risk_days_unknown")
    states = {finding.state for finding in elements}
    if "missing" in states:
        reasons.append("legal_risk_element_missing")
    if "partly" in states:
        reasons.append("legal_risk_element_partly")
    if period.state == "expired" or sum(finding.state == "missing" for finding in elements) > 1:
        return "high", tuple(reasons)
    return ("medium" if reasons else "low"), tuple(reasons or ["legal_risk_all_shown"])


def _steps(found: Sequence[ClaimFinding]) -> tuple[tuple[str, str], ...]:
    """Evidence to complete, figures to find, and the way to the arbitrator, each once."""
    steps: dict[tuple[str, str], None] = {}
    for finding in found:
        for element in finding.elements:
            for kind in element.there:
                if kind not in element.element.absent:
                    steps["secure", kind] = None
    for finding in found:
        for element in finding.elements:
            if element.state in ("missing", "partly"):
                steps.update({("figure", name): None for name in element.missing})
                if not element.there and element.wanted:
                    steps["collect", f"{finding.claim.key}.{element.element.key}"] = None
    steps["ask_records", ""] = None
    if any(finding.limitation.last_day for finding in found):
        first = min(finding.limitation.last_day for finding in found if finding.limitation.last_day)
        steps["file_by", first.isoformat()] = None
    else:
        steps["file", ""] = None
    return tuple(steps)

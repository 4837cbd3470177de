"""The tools as specialists call them, and the rules that call them without a model.

Each function's annotated parameters are what a model may fill in; each rule reads the conversation and gives the calls
that its facts ask for. What was not said stays unsaid: a rule passes on no figure that the user did not name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from metier.core.errors import ConfigError
from metier.knowledge.naming import article_name
from metier.specialists.legal import telling
from metier.specialists.legal.analysis import HOURS, analyse, limitation_of
from metier.specialists.legal.claims import claims
from metier.specialists.legal.dates import add, between
from metier.specialists.legal.facts import Facts, read_facts
from metier.specialists.legal.limitation import ClaimKind, limitation
from metier.specialists.legal.overtime import Hours, HoursSystem, overtime_pay
from metier.specialists.legal.precedents import match_precedents
from metier.specialists.legal.request import Person, draft_request
from metier.specialists.legal.said import Teller, facts_of, jsonable, passages_of, stated
from metier.specialists.legal.statutes import look_up
from metier.specialists.legal.topic import is_about_the_case
from metier.specialists.tools.tool import ToolContext, ToolResult

Money = Annotated[Decimal | None, Field(ge=0, le=10_000_000)]
HourCount = Annotated[Decimal | None, Field(ge=0, le=20_000)]
_CLAIMS_HELP = (
    "Keys of claims, such as overtime, wages, double_wage, severance, unlawful_dismissal, annual_leave; "
    "empty takes those the user named"
)
Claims = Annotated[list[str], Field(max_length=6, description=_CLAIMS_HELP)]

_LAW = r"《?((?:中华人民共和国)?[\u4e00-\u9fff]{2,20}(?:法|条例|规定|办法|解释|法典))》?"
_COUNT = "[0-9〇零一二三四五六七八九十百千]+"
_ARTICLE_NAMED = re.compile(rf"{_LAW}\s*的?\s*(第?{_COUNT}条(?:之[一二三四五六七八九十]+)?)")
_ASKS_FOR_DRAFT = re.compile(r"申请书|(?:起草|写|拟|生成|准备).{0,8}(?:仲裁|申请)|draft", re.IGNORECASE)
_ASKS_FOR_TIME = re.compile(
    r"时效|期限|多久|多长时间|几年|年前|月前|还能|来得及|过期|limitation|too late", re.IGNORECASE
)
_ASKS_FOR_SPAN = re.compile(r"多少天|几天|多久|多长时间|几个月|几年")


def overtime(
    context: ToolContext,
    contract_wage: Annotated[Decimal, Field(gt=0, le=10_000_000, description="Monthly wage by the contract, yuan")],
    weekday_hours: HourCount = None,
    rest_day_hours: HourCount = None,
    public_holiday_hours: HourCount = None,
    rest_day_off_hours: Annotated[Decimal, Field(ge=0, description="Rest-day hours with time off given")] = Decimal(0),
    paid_base: Money = None,
    paid: Money = None,
    minimum_wage: Money = None,
    hours_system: HoursSystem = "standard",
) -> ToolResult:
    """Works out the difference in overtime pay for the hours of the whole period: 1.5 times on weekdays, 2 on rest days
    without time off, 3 on public holidays, on a monthly wage over 174 hours. Leave out what the user has not said."""
    tell = Teller(context.language)
    hours = Hours(weekday_hours, rest_day_hours, public_holiday_hours, rest_day_off_hours)
    pay = overtime_pay(contract_wage, hours, paid_base=paid_base, paid=paid, minimum_wage=minimum_wage,
                       hours_system=hours_system)  # fmt: skip
    given = {"contract_wage": contract_wage, "paid_base": paid_base, "paid": paid, "weekday_hours": weekday_hours,
             "rest_day_hours": rest_day_hours, "public_holiday_hours": public_holiday_hours,
             "rest_day_off_hours": rest_day_off_hours, "minimum_wage": minimum_wage}  # fmt: skip
    sources = stated(facts_of(context), {name: value for name, value in given.items() if value is not None})
    hits = passages_of(pay.articles, context.knowledge, context.today)
    data = {**jsonable(pay, context.language), "stated": sources}
    title = tell.say("overtime_title")
    return ToolResult("\n".join(telling.overtime_lines(pay, sources, tell)), data, title, hits)


def overtime_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where overtime is claimed and the contract's wage was said."""
    facts = _facts_asked_about(context)
    wage = facts.amount("contract_wage")
    if wage is None or "overtime" not in facts.keys("claim"):
        return []
    names = (*HOURS, "rest_day_off_hours", "paid_base", "paid", "minimum_wage")
    known = {name: amount for name in names if (amount := facts.amount(name)) is not None}
    if known.get("rest_day_off_hours", Decimal(0)) > known.get("rest_day_hours", Decimal(0)):
        known.pop("rest_day_off_hours")
    return [{"contract_wage": wage, **known}]


def limitation_period(
    context: ToolContext,
    claim: Annotated[ClaimKind, Field(description="wages: pay for work, overtime pay too; other: everything else")],
    employed: Annotated[bool | None, Field(description="Whether the employment still goes on")] = None,
    ended: Annotated[date | None, Field(description="Last day of the employment")] = None,
    known: Annotated[date | None, Field(description="Day the violation was or should have been known")] = None,
    interrupted: Annotated[
        list[date], Field(max_length=20, description="Days the claim was raised or acknowledged")
    ] = [],  # noqa: B006
    asked_on: Annotated[date | None, Field(description="Day to look at it from; empty is today")] = None,
) -> ToolResult:
    """Says whether the year for labour arbitration still runs and until when, with the exception for wages while the
    employment goes on."""
    tell = Teller(context.language)
    period = limitation(claim, asked_on or context.today, employed=employed, ended=ended, known=known,
                        interrupted=interrupted)  # fmt: skip
    hits = passages_of(period.articles, context.knowledge, context.today)
    lines = telling.limitation_lines(period, tell)
    return ToolResult("\n".join(lines), jsonable(period, context.language), tell.say("limitation_title"), hits)


def limitation_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call for each kind of limitation among the claims that were named, where a case is told or time is asked."""
    facts = _facts_asked_about(context)
    if not (facts.tell_a_case or _ASKS_FOR_TIME.search(context.question)):
        return []
    calls: dict[str, dict[str, Any]] = {}
    for key in facts.keys("claim"):
        period = limitation_of(facts, context.today, claims()[key])
        call: dict[str, Any] = {"claim": period.claim, "employed": facts.employed}
        if period.begins:
            call["ended" if period.claim == "wages" else "known"] = period.begins
        interrupted = [fact.value for fact in facts.found if fact.name == "interrupted"]
        calls.setdefault(period.claim, call | ({"interrupted": interrupted} if interrupted else {}))
    return [{name: value for name, value in call.items() if value is not None} for call in calls.values()]


def date_arithmetic(
    context: ToolContext,
    start: date,
    end: date | None = None,
    years: Annotated[int, Field(ge=-100, le=100)] = 0,
    months: Annotated[int, Field(ge=-1200, le=1200)] = 0,
    days: Annotated[int, Field(ge=-40_000, le=40_000)] = 0,
) -> ToolResult:
    """Counts the time between two days, or gives the day that lies so many years, months and days after one."""
    tell = Teller(context.language)
    title = tell.say("dates_title")
    if end is not None:
        span = between(start, end)
        text = tell.say("dates_between", start=start, end=end, years=span.years, months=span.months, days=span.days,
                        total=span.total_days, weekdays=span.weekdays)  # fmt: skip
        return ToolResult(text, jsonable(span, context.language), title)
    day = _later(start, years, months, days)
    text = tell.say("dates_later", start=start, years=years, months=months, days=days, end=day)
    return ToolResult(text, {"start": start.isoformat(), "end": day.isoformat()}, title)


def _later(start: date, years: int, months: int, days: int) -> date:
    try:
        return add(start, years=years, months=months, days=days)
    except (ValueError, OverflowError):
        raise ConfigError("specialists.legal_no_such_day", start=start) from None


def date_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where the last message asks how long it is between two days."""
    if not _ASKS_FOR_SPAN.search(context.question):
        return []
    days = [fact.value for fact in read_facts([context.question], context.today).found
            if isinstance(fact.value, date | tuple)]  # fmt: skip
    flat = [day for value in days for day in (value if isinstance(value, tuple) else (value,))]
    return [{"start": flat[0], "end": flat[1]}] if len(flat) == 2 else []


def statute(
    context: ToolContext,
    law: Annotated[str, Field(min_length=1, max_length=100, description="Name of the law, such as 劳动合同法")],
    article: Annotated[str, Field(min_length=1, max_length=30, description="Such as 第三十一条, or 31")],
    on: Annotated[date | None, Field(description="Day on which it must be in force; empty is today")] = None,
) -> ToolResult:
    """Gives an article of a law word for word from the documents, as it was in force on a day."""
    tell = Teller(context.language)
    found = look_up(context.knowledge, law, article, on or context.today)
    data = jsonable(found, context.language)
    title = f"《{found.law}》{found.article}"
    return ToolResult("\n".join(telling.statute_lines(found, tell)), data, title, found.hits[:3])


def statute_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call for each article that the last message names, three at most."""
    named = dict.fromkeys((law, article_name(article)) for law, article in _ARTICLE_NAMED.findall(context.question))
    return [{"law": law, "article": article} for law, article in list(named)[:3] if article]


def precedents(
    context: ToolContext,
    limit: Annotated[int, Field(ge=1, le=10)] = 3,
) -> ToolResult:
    """Compares the facts of the conversation with decided cases among the documents: what agrees, what differs, and how
    each ended."""
    tell = Teller(context.language)
    found = match_precedents(facts_of(context), " ".join(context.said), context.knowledge, context.today, limit)
    data = {"precedents": telling.precedent_data(found, tell)}
    hits = tuple(hit for one in found for hit in one.hits)
    return ToolResult("\n".join(telling.precedent_lines(found, tell)), data, tell.say("precedents_title"), hits)


def precedents_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where a claim was named and a case told."""
    facts = _facts_asked_about(context)
    return [{}] if facts.keys("claim") and facts.tell_a_case and context.knowledge else []


def case_analysis(context: ToolContext, claims: Claims = []) -> ToolResult:  # noqa: B006
    """Lays out the case from the conversation: facts, issues, elements of each claim, evidence there and missing, risk,
    next steps."""
    tell = Teller(context.language)
    analysis = analyse(facts_of(context), context.today, claims)
    articles = tuple(dict.fromkeys(article for finding in analysis.claims for article in finding.articles))
    hits = passages_of(articles, context.knowledge, context.today)
    data = telling.analysis_data(analysis, tell)
    return ToolResult("\n".join(telling.analysis_lines(analysis, tell)), data, tell.say("analysis_title"), hits)


def case_analysis_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where a claim was named and a case told."""
    facts = _facts_asked_about(context)
    return [{}] if facts.keys("claim") and facts.tell_a_case else []


def arbitration_request(
    context: ToolContext,
    claims: Claims = [],  # noqa: B006
    applicant: Annotated[str, Field(max_length=100, description="Name of the worker; empty leaves a gap")] = "",
    applicant_details: Annotated[str, Field(max_length=300)] = "",
    respondent: Annotated[str, Field(max_length=200, description="Full name of the employer; empty leaves a gap")] = "",
    respondent_details: Annotated[str, Field(max_length=300)] = "",
    commission: Annotated[str, Field(max_length=100)] = "",
) -> ToolResult:
    """Drafts the request for labour arbitration in Chinese from the conversation; what was not said stays a gap."""
    tell = Teller(context.language)
    analysis = analyse(facts_of(context), context.today, claims)
    draft = draft_request(analysis, applicant=Person(applicant, applicant_details),
                          respondent=Person(respondent, respondent_details), commission=commission)  # fmt: skip
    articles = tuple(dict.fromkeys(article for finding in analysis.claims for article in finding.articles))
    hits = passages_of(articles, context.knowledge, context.today)
    data = {**jsonable(draft, context.language), "file": "docx"}
    return ToolResult("\n".join(telling.draft_lines(draft, tell)), data, tell.say("request_title"), hits)


def arbitration_request_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where the last message asks for the draft and a claim was named."""
    asked = _ASKS_FOR_DRAFT.search(context.question)
    return [{}] if asked and _facts_asked_about(context).keys("claim") else []


def _facts_asked_about(context: ToolContext) -> Facts:
    """The facts of the conversation, none where the last message is not about them."""
    facts = facts_of(context)
    return facts if is_about_the_case(context, facts) else Facts()

"""The tools as the finance specialist calls them, and the rules that call them without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from metier.core.errors import ConfigError
from metier.specialists.finance import computing
from metier.specialists.finance.amounts import SCALES, Amount, find_amounts, shown
from metier.specialists.finance.telling import Teller
from metier.specialists.tools.tool import ToolContext, ToolResult

_ASKS_FOR_GROWTH = re.compile(
    r"增长|下降|增幅|降幅|变动|变化|同比|环比|grow|change|increase|decrease|rise|fall", re.IGNORECASE
)
_ASKS_TO_CONVERT = re.compile(r"换算|折合|等于多少|convert|in (?:thousand|million|billion)s", re.IGNORECASE)
_WORKING = re.compile(r"[(（]?\s*[\d.,%]+\s*[)）]?(?:\s*[-+*/×÷]\s*[(（]*\s*[\d.,%]+\s*[)）]*)+")
_TO = re.compile(
    r"(?:换算成|折合|为|成|to|in)\s*(?:多少)?\s*"
    r"(万亿|千亿|百亿|十亿|亿|千万|百万|万|千|thousand|million|billion)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"^[^A-Za-z\u4e00-\u9fff%]*[\d.,\s]+")
_Figure = Annotated[str, Field(min_length=1, max_length=60)]


def calculate(
    context: ToolContext,
    working: Annotated[str, Field(min_length=1, max_length=500, description="Such as (1496.5 - 1202.9) / 1202.9")],
) -> ToolResult:
    """Works out an expression of numbers, brackets and + - * / exactly."""
    tell = Teller(context.language)
    worked = computing.work_out(working)
    percent = worked.ratio and abs(worked.value) < 100
    text = tell.say("calculated", working=working.strip(), value=shown(worked.value))
    if percent:
        text += tell.say("calculated_percent", value=shown(worked.value * 100, 2))
    return ToolResult(text, {"value": str(worked.value), "working": working}, tell.say("calculate_title"))


def calculate_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where the last message holds an expression."""
    found = _WORKING.search(context.question)
    dates = re.compile(r"\d{4}\s*-\s*\d{1,2}(?:\s*-\s*\d{1,2})?|\d{4}\s*-\s*\d{4}|\d{4}/\d{2,4}")
    return [{"working": found.group().strip()}] if found and not dates.fullmatch(found.group().strip()) else []


def growth_rate(
    context: ToolContext,
    old: Annotated[_Figure, Field(description="The earlier figure with its unit, such as 112.3亿元")],
    new: Annotated[_Figure, Field(description="The later figure with its unit")],
    years: Annotated[int, Field(ge=1, le=100, description="Years between them, for growth a year")] = 1,
) -> ToolResult:
    """Gives the growth from one figure to another in percent, the difference, and growth a year over several years. Of
    shares in percent it gives percentage points."""
    tell = Teller(context.language)
    first, last = _figure(old), _figure(new)
    if first.unit != last.unit or (first.currency and last.currency and first.currency != last.currency):
        raise ConfigError("specialists.finance_units_differ", old=old, new=new)
    said = {"old": tell.amount(first), "new": tell.amount(last)}
    if first.unit == "percent":
        points = last.value - first.value
        text = tell.say("growth_points", **said, points=tell.change(points, "points"), bps=shown(points * 100))
        return ToolResult(text, {"points": str(points)}, tell.say("growth_title"))
    value = computing.growth(last.full, first.full)
    if value is None:
        raise ConfigError("specialists.finance_from_zero", old=old)
    scale = first.scale or last.scale or 1
    difference = Amount((last.full - first.full) / scale, "number", scale, first.currency or last.currency)
    text = tell.say(
        "growth",
        **said,
        change=tell.change(value),
        difference=tell.amount(_tidy(difference)),
        working=computing.growth_working(last.full / scale, first.full / scale),
    )
    data = {"growth_percent": str(value), "difference": str(difference.full)}
    if years > 1 and (yearly := computing.yearly_growth(last.full, first.full, years)) is not None:
        text += tell.say("growth_yearly", years=years, change=tell.change(yearly))
        data["yearly_percent"] = str(yearly)
    return ToolResult(text, data, tell.say("growth_title"))


def growth_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where the last message names two figures of one unit and asks how it moved."""
    if not _ASKS_FOR_GROWTH.search(context.question) or _WORKING.search(context.question):
        return []
    amounts = find_amounts(context.question)
    if len(amounts) != 2 or amounts[0].unit != amounts[1].unit:
        return []
    first, last = (amount.text for amount in amounts)
    # `from 112.3 to 125.6亿元`: the unit that one of them names is the other's too.
    unit = next((_UNIT.sub("", amount.text) for amount in amounts if amount.scale), "")
    old, new = (text if amount.scale else text + unit for text, amount in zip((first, last), amounts, strict=True))
    return [{"old": old, "new": new}]


def convert_amount(
    context: ToolContext,
    amount: Annotated[_Figure, Field(description="A figure with its unit, such as 3.2 billion USD")],
    to: Annotated[str, Field(max_length=20, description="万, 亿, 百万, thousand, million, billion")],
) -> ToolResult:
    """Counts an amount in another scale: 亿, 万, 百万, billion, million, thousand. The currency stays what it is."""
    tell = Teller(context.language)
    given = _figure(amount)
    scale = SCALES.get(to.strip().lower())
    if scale is None or given.unit != "number":
        raise ConfigError("specialists.finance_no_scale", scale=to, known="万, 亿, 百万, thousand, million, billion")
    made = _tidy(Amount(given.full / scale, "number", scale, given.currency))
    text = tell.say("converted", amount=amount.strip(), value=tell.amount(made))
    return ToolResult(text, {"value": str(made.value), "full": str(given.full)}, tell.say("convert_title"))


def convert_rule(context: ToolContext) -> Sequence[dict[str, Any]]:
    """One call where the last message names one amount and a scale to count it in."""
    target = _TO.search(context.question)
    amounts = find_amounts(context.question)
    if not target or not _ASKS_TO_CONVERT.search(context.question) or len(amounts) != 1:
        return []
    return [{"amount": amounts[0].text, "to": target[1]}]


def _figure(text: str) -> Amount:
    found = find_amounts(text)
    if len(found) != 1:
        raise ConfigError("specialists.finance_no_figure", text=text)
    return found[0]


def _tidy(amount: Amount) -> Amount:
    """With as many digits as it has, six at most."""
    value = amount.value.quantize(Decimal("0.000001")).normalize()
    decimals = max(0, -int(value.as_tuple().exponent))
    return Amount(value, amount.unit, amount.scale, amount.currency, decimals)

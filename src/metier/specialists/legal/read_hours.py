"""Hours of overtime as people say them, and how many they make in the period that is claimed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from metier.specialists.legal.clauses import Clause
from metier.specialists.legal.dates import between
from metier.specialists.legal.numerals import to_number
from metier.specialists.legal.overtime import HOURS_A_DAY, plain

_N = r"[0-9０-９]+(?:\.[0-9]+)?|[一二三四五六七八九十百两]+"
_HOURS = re.compile(rf"({_N})\s*(?:个)?(半)?\s*(小时|钟头|天|日)(?!\d)")
_MONTHS = re.compile(rf"(?:最近|近|过去|这|前后|共|总共|一共|主张|持续)?\s*({_N}|半)\s*(年|个月)(?:[^0-9]|$)")
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("public_holiday", re.compile(r"法定|节假日|国庆|春节|元旦|五一|清明|端午|中秋|劳动节|除夕")),
    ("rest_day", re.compile(r"周末|双休|休息日|周六|周日|星期六|星期日|星期天|礼拜六|礼拜天")),
    ("weekday", re.compile(r"工作日|平时|平日|平常|下班后|晚上|延时|延长|每天|周一至周五|周一到周五")),
)
_RATES: tuple[tuple[Literal["day", "week", "month", "year", "period"], re.Pattern[str]], ...] = (
    ("month", re.compile(r"每个?月|一个月|月均|平均每月|每月")),
    ("week", re.compile(r"每周|每个星期|每星期|一周")),
    ("year", re.compile(r"每年|一年")),
    ("day", re.compile(r"每天|每日|一天|天天|每晚|每次")),
)
_TOTAL = re.compile(r"共|总共|一共|累计|合计|总计")
_ONCE = re.compile(r"去年|今年|前年|上个?月|本月|那天|那次|有一次|有次|[0-9０-９]{1,4}\s*[年月日号]")
_OFF = re.compile(r"调休|补休")


@dataclass(frozen=True, slots=True)
class HourRate:
    """So many hours each day, week, month or year. in_days: said in days of eight hours."""

    hours: Decimal
    each: Literal["day", "week", "month", "year", "period"]
    in_days: bool


def read_hours(clause: Clause, today: date) -> Iterator[tuple[str, Any, int, int]]:
    """(`weekday_hours_rate`, HourRate, start, end) and the like; (`period_months`, months, …) for the period."""
    for found in _MONTHS.finditer(clause.text):
        number = Decimal("0.5") if found[1] == "半" else to_number(found[1])
        if number and re.search(r"最近|近|过去|主张|共|持续|加班|拖欠|这", clause.text[: found.end()]):
            yield "period_months", number * (12 if found[2] == "年" else 1), found.start(1), found.end(2)
    for found in _HOURS.finditer(clause.text):
        number = to_number(found[1])
        in_days = found[3] in ("天", "日")
        kind = _kind(clause, found.start())
        # `三天` alone is no overtime: days count where the clause says which kind of day was worked.
        if number is None or (in_days and (kind in ("", "weekday") or _is_day_of_month(clause.text, found))):
            continue
        hours = (number + (Decimal("0.5") if found[2] else 0)) * (HOURS_A_DAY if in_days else 1)
        each = _each(clause, found.start())
        if _OFF.search(clause.text):
            yield "rest_day_off_hours_rate", HourRate(hours, each, in_days), found.start(), found.end()
        elif kind:
            yield f"{kind}_hours_rate", HourRate(hours, each, in_days), found.start(), found.end()
        elif "加班" in clause.sentence:
            yield "hours_of_unknown_kind", hours, found.start(), found.end()


def _is_day_of_month(text: str, found: re.Match[str]) -> bool:
    return found[3] == "日" and text[: found.start()].rstrip().endswith("月")


def _kind(clause: Clause, at: int) -> str:
    """The kind of day named last ahead of the hours in the clause, else in the sentence."""
    ahead = clause.text[:at]
    nearest = max(((match.start(), kind) for kind, rule in _KINDS for match in rule.finditer(ahead)), default=(-1, ""))
    return nearest[1] or next((kind for kind, rule in _KINDS if rule.search(clause.text)), "")


def _each(clause: Clause, at: int) -> Literal["day", "week", "month", "year", "period"]:
    """How often the hours are worked. A rate goes on in its sentence (`每月平时20小时、周末16小时`), but not to
    holidays, which come once, nor past words that name a time of their own or a sum."""
    ahead = clause.text[:at]
    if _TOTAL.search(ahead):
        return "period"
    before = clause.sentence[: clause.sentence.find(clause.text)]
    goes_on = _kind(clause, at) != "public_holiday" and not _ONCE.search(ahead) and not _TOTAL.search(before)
    if "其中" in ahead or goes_on:
        ahead = before + ahead
    said = [(match.start(), name) for name, rule in _RATES for match in rule.finditer(ahead)]
    return max(said)[1] if said else "period"


def period_months(found: Sequence[tuple[str, Any]]) -> Decimal | None:
    """The months of the period that is claimed, as said last: in months and years, or by its first and last day."""
    for name, value in reversed(found):
        if name == "period_months":
            return Decimal(value)
        if name == "period":
            span = between(*value)
            # `2024年3月到2025年2月` names both months: they count whole.
            whole = value[0].day == 1 and value[1].day == 1
            return Decimal(span.years * 12 + span.months + (1 if whole or span.days > 15 else 0))
    return None


def total_hours(rate: HourRate, months: Decimal | None) -> tuple[Decimal, str] | None:
    """Hours in the whole period and how they were reckoned; None where the period, or the number of days, is not
    known. A week is 12/52 of a month."""
    shown = f"{plain(rate.hours)} h"
    if rate.in_days:
        shown = f"{plain(rate.hours / HOURS_A_DAY)} × 8 h"
    if rate.each == "period":
        return rate.hours, shown
    if months is None or rate.each == "day":
        return None
    if rate.each == "month":
        return rate.hours * months, f"{shown} × {plain(months)}"
    times = months * 52 / 12 if rate.each == "week" else months / 12
    return rate.hours * times, f"{shown} × {plain(times.quantize(Decimal('0.01')))}"

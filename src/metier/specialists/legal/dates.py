"""Dates in law: adding periods, counting between days, and the day on which a period ends."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """What lies between two days: whole years, months and days left over, and days in all (the first not counted)."""

    start: date
    end: date
    years: int
    months: int
    days: int
    total_days: int
    weekdays: int


def add(day: date, *, years: int = 0, months: int = 0, days: int = 0) -> date:
    """The day so much later; a month without that day ends with its last one (31 January + 1 month is 28 February)."""
    month = day.month - 1 + months + 12 * years
    year, month = day.year + month // 12, month % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(day.day, last)) + timedelta(days=days)


def between(start: date, end: date) -> Span:
    """The time from `start` to `end`, in either order."""
    first, last = min(start, end), max(start, end)
    months = (last.year - first.year) * 12 + last.month - first.month
    if add(first, months=months) > last:
        months -= 1
    rest = (last - add(first, months=months)).days
    total = (last - first).days
    return Span(start, end, months // 12, months % 12, rest, total, _weekdays(first, last))


def after_weekend(day: date) -> date:
    """The day itself, or the Monday after where it is a Saturday or Sunday. Public holidays are set anew each year and
    not known here."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def _weekdays(first: date, last: date) -> int:
    """Mondays to Fridays after `first` up to and with `last`; public holidays are not taken out."""
    weeks, rest = divmod((last - first).days, 7)
    extra = sum((first + timedelta(days=offset + 1)).weekday() < 5 for offset in range(rest))
    return weeks * 5 + extra

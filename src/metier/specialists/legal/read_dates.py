"""Days and what happened on them: beginning and end of the employment, when the violation was known, the period."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from metier.specialists.legal.clauses import Clause
from metier.specialists.legal.numerals import to_number

_N = r"[0-9０-９]{1,2}|[一二三四五六七八九十]{1,3}"
_DAY = re.compile(
    rf"(?P<year>[12][0-9]{{3}}|[一二]?[〇零一二三四五六七八九]{{4}}|今年|去年|前年)\s*(?:年|[-/.])?\s*"
    rf"(?P<month>{_N})\s*(?:月份?|[-/.])(?:\s*(?P<day>{_N})\s*[日号]?)?"
)
_YEARS_AGO = {"今年": 0, "去年": 1, "前年": 2}
_RANGE = re.compile(r"^\s*(?:到|至|—|–|-|~|～)\s*$")
_ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ended", re.compile(r"离职|辞职|辞退|解除|开除|终止|劝退|裁员|被裁|离开公司|不干了|终止劳动关系")),
    ("started", re.compile(r"入职|进(?:入)?公司|到岗|开始上班|参加工作|建立劳动关系|来公司")),
    ("interrupted", re.compile(r"投诉|举报|主张过|要求过|催(?:过|要)|发函|书面要求|答应")),
    ("known", re.compile(r"知道|发现|得知|才明白")),
)


def read_dates(clause: Clause, today: date) -> Iterator[tuple[str, Any, int, int]]:
    """(role, day, start, end); two days joined by `到` are (`period`, (first, last), …). A day without its month's day
    is the first of the month: the earlier one is the safer one."""
    days = [(found, day) for found in _DAY.finditer(clause.text) if (day := _day(found, today))]
    skip = False
    for number, (found, day) in enumerate(days):
        if skip:
            skip = False
            continue
        after = days[number + 1] if number + 1 < len(days) else None
        if after and _RANGE.match(clause.text[found.end() : after[0].start()]):
            yield "period", (day, after[1]), found.start(), after[0].end()
            skip = True
            continue
        near = clause.text[max(0, found.start() - 12) : found.end() + 14]
        role = next((name for name, rule in _ROLES if rule.search(near)), "day")
        yield role, day, found.start(), found.end()


def _day(found: re.Match[str], today: date) -> date | None:
    written = found["year"]
    year = today.year - _YEARS_AGO[written] if written in _YEARS_AGO else int(to_number(written) or 0)
    month = to_number(found["month"])
    day = to_number(found["day"]) if found["day"] else 1
    try:
        return date(year, int(month or 0), int(day or 0))
    except ValueError:
        return None

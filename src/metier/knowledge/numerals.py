"""Chinese numerals and dates, as statutes write them."""

from __future__ import annotations

import re
from datetime import date

DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000}
NUMERAL = "[零〇○一二三四五六七八九十百千两0-9０-９]"

_DATE = re.compile(
    rf"({NUMERAL}{{4}})\s*年\s*({NUMERAL}{{1,3}})\s*月\s*({NUMERAL}{{1,3}})\s*日|(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})"
)


def number(text: str) -> int | None:
    """The value of `一千零一`, `一〇一` or `101`; None where it is no number."""
    if text.isdecimal():
        return int(text)
    if not any(character in UNITS for character in text):  # digit by digit, as years are written
        values = [DIGITS.get(character) for character in text]
        return None if None in values or not values else int("".join(str(value) for value in values))
    total, pending = 0, None
    for character in text:
        if character in UNITS:
            total += (1 if pending is None else pending) * UNITS[character]
            pending = None
        elif character in DIGITS:
            pending = DIGITS[character]
        else:
            return None
    return total + (pending or 0)


def numeral(value: int) -> str:
    """How a statute writes a number below 10,000: 1001 → `一千零一`, 12 → `十二`."""
    written, zero = "", False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit, value = divmod(value, size)
        if digit:
            written += ("零" if zero and written else "") + "零一二三四五六七八九"[digit] + unit
        zero = not digit
    return written.removeprefix("一") if written.startswith("一十") else written


def dates(text: str) -> list[tuple[int, int, date]]:
    """The dates of a text: start, end, date. `2008年1月1日`, `一九九五年一月一日` and `2008-01-01`."""
    found = []
    for match in _DATE.finditer(text):
        parts = [number(part) for part in match.groups() if part]
        try:
            found.append((match.start(), match.end(), date(*(part or 0 for part in parts))))
        except ValueError:  # no day of the calendar: text, not a date
            continue
    return found

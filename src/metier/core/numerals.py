"""Numbers in Arabic figures and Chinese numerals, and dates: how they are read and how statutes write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation

DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_SIZES = {**UNITS, **_LARGE, "k": 1000, "K": 1000}  # behind Arabic figures
_ZEROS = {"零", "〇", "○"}
_GAPS = str.maketrans("", "", ", ")
NUMERAL = "[零〇○一二三四五六七八九十百千两0-9０-９]"

_DATE = re.compile(
    rf"({NUMERAL}{{4}})\s*年\s*({NUMERAL}{{1,3}})\s*月\s*({NUMERAL}{{1,3}})\s*日|(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})"
)


def number(text: str) -> Decimal | None:
    """The value of a number in either script; None where it is none.

    `一千零一`, `两万五`, `二〇二四` (digit by digit, as years are written), `一点五`; `101`, `8,000`, `1.2万`, `８千`.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_GAPS)
    factor = 1
    while len(plain) > 1 and plain[0].isdecimal() and plain[-1] in _SIZES:
        factor, plain = factor * _SIZES[plain[-1]], plain[:-1]
    if plain[:1].isdecimal():
        try:
            return Decimal(plain) * factor
        except InvalidOperation:
            return None
    whole, point, fraction = plain.partition("点")
    value = _digits(whole) if whole and all(character in DIGITS for character in whole) else _counted(whole)
    if value is None or not point:
        return None if value is None else Decimal(value)
    if not fraction or any(character not in DIGITS for character in fraction):
        return None
    return value + Decimal(f"0.{_digits(fraction):0{len(fraction)}}")


def _digits(text: str) -> int:
    return int("".join(str(DIGITS[character]) for character in text))


def _counted(text: str) -> int | None:
    """`一万二千三百`, and the short forms `八千五` (8,500) and `一万二` (12,000)."""
    total, section, digit, last = 0, 0, 0, 1
    for character in text:
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in UNITS:
            section, digit, last = section + (digit or 1) * UNITS[character], 0, UNITS[character]
        elif character in _LARGE:
            total, section, digit = (total + section + digit or 1) * _LARGE[character], 0, 0
            last = _LARGE[character]
        else:
            return None
    short = last >= 100 and not _ZEROS & set(text)
    return total + section + (digit * last // 10 if short else digit) if text else None


def numeral(value: int) -> str:
    """How a statute writes a number below 10,000: 1001 → `一千零一`, 12 → `十二`, 0 → `零`."""
    if value == 0:
        return "零"
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
        parts = [int(number(part) or 0) for part in match.groups() if part]
        try:
            found.append((match.start(), match.end(), date(*parts)))
        except ValueError:  # no day of the calendar: text, not a date
            continue
    return found
